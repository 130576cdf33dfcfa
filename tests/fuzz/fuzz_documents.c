/* SPDX-License-Identifier: MIT */
/** @file Firestore's answers: a document, what a commit and a batch came to. */
#include "firestore/value/json.h"
#include "firestore/write.h"
#include "fuzz.h"

/* What is read can be written, and read again as the same. */
static void check_fields(const psprobe_value *fields) {
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psp_json *json = NULL;
  psprobe_value *again = NULL;
  if (psp_fields_check(fields, NULL) != PSPROBE_OK) return;
  psp_fields_encode(&w, fields);
  FUZZ_ASSERT(!text.failed);
  FUZZ_ASSERT(psp_json_parse(text.data, text.len, "x", &json, NULL) == PSPROBE_OK);
  FUZZ_ASSERT(psp_fields_decode(json, &again, NULL) == PSPROBE_OK);
  FUZZ_ASSERT(psprobe_value_equal(fields, again));
  psprobe_value_free(again);
  psp_json_free(json);
  psp_buf_free(&text);
}

static void take(psprobe_document *document) {
  if (document == NULL) return;
  check_fields(psprobe_document_fields(document));
  psprobe_document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_json *json = NULL;
  psprobe_document *document = NULL;
  psprobe_write writes[2] = {{.path = "c/a"}, {.path = "c/b"}};
  psprobe_error outcomes[2];
  if (psp_json_parse((const char *)data, size, "x", &json, NULL) != PSPROBE_OK) return 0;
  if (psp_document_decode(json, &document, NULL) == PSPROBE_OK) take(document);
  psp_batch_write_decode(json, writes, 2, outcomes, NULL);
  psprobe_written *written = NULL;
  if (psp_commit_decode(json, 2, &written, NULL) == PSPROBE_OK) psprobe_written_free(written);
  psp_json_free(json);
  return 0;
}
