/* SPDX-License-Identifier: MIT */
/** @file Firestore's array answers as they come: of queries, of batchGet, of aggregations. However
 * they are cut into pieces, the same items come out. The first byte says how. */
#include "firestore/query.h"
#include "firestore/stream.h"
#include "fuzz.h"

/* What came out: how many items, and a digest of them. */
typedef struct outcome {
  psprobe_code code;
  size_t items;
  size_t documents;
  uint64_t digest;
} outcome;

static psprobe_code take(void *arg, const psp_json *item, bool *enough, psprobe_error *error) {
  outcome *o = arg;
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psprobe_document *document = NULL;
  psp_json_put_json(&w, item);
  FUZZ_ASSERT(!text.failed);
  for (size_t i = 0; i < text.len; i++)
    o->digest = (o->digest ^ (unsigned char)text.data[i]) * 1099511628211u;
  psp_buf_free(&text);
  o->items++;
  psprobe_code code = psp_query_element(item, &document, error);
  o->documents += document != NULL;
  psprobe_document_free(document);
  *enough = o->documents == 9;
  return code;
}

static outcome read_in(const uint8_t *data, size_t size, size_t piece) {
  outcome o = {.digest = 14695981039346656037u};
  psprobe_error error = {0};
  psp_firestore_items items = {.take = take, .arg = &o, .what = "x"};
  o.code = psp_firestore_items_read(&items, (const char *)data, size, piece, &error);
  FUZZ_ASSERT(o.code == error.code || o.code == PSPROBE_OK);
  FUZZ_ASSERT(items.taken <= o.items);
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  outcome whole = read_in(data + 1, size - 1, size);
  outcome cut = read_in(data + 1, size - 1, 1u + data[0] % 64u);
  FUZZ_ASSERT(whole.code == cut.code && whole.items == cut.items);
  FUZZ_ASSERT(whole.documents == cut.documents && whole.digest == cut.digest);
  return 0;
}
