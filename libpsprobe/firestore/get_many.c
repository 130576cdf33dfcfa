/* SPDX-License-Identifier: MIT */
#include "firestore/get_many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "firestore/document.h"
#include "firestore/path.h"
#include "firestore/stream.h"
#include "firestore/write.h"

/* A path that is asked for. */
typedef struct wanted {
  char *name; /* full */
  size_t index;
  bool got;
} wanted;

/* A reading under way. */
typedef struct reading {
  wanted *all; /* by name; those of one name stand together */
  size_t count, left;
  psprobe_document_got *each;
  void *arg;
  int64_t once_ns;      /* as of a request */
  psp_stopper *stopper; /* likewise */
  bool enough;
} reading;

static int by_name(const void *a, const void *b) {
  const wanted *first = a, *second = b;
  int order = strcmp(first->name, second->name);
  return order != 0 ? order : (first->index > second->index) - (first->index < second->index);
}

static psprobe_code prepare(reading *r, const psp_firestore_root *root, const char *const *paths,
                            psprobe_error *error) {
  size_t count = r->left;
  r->all = calloc(count, sizeof *r->all);
  if (r->all == NULL) return psp_fail_memory(error, "documents");
  for (; r->count < count; r->count++) {
    psp_buf name = {0};
    psprobe_code code = psp_document_path_check(paths[r->count], error);
    if (code != PSPROBE_OK) return code;
    psp_path_name(&name, root->project, root->database, paths[r->count]);
    r->all[r->count] = (wanted){.name = psp_buf_take(&name, NULL), .index = r->count};
    if (r->all[r->count].name == NULL) return psp_fail_memory(error, "documents");
  }
  qsort(r->all, count, sizeof *r->all, by_name);
  return PSPROBE_OK;
}

/* The first of a name, or NULL. */
static wanted *find(const reading *r, const char *name) {
  size_t from = 0, to = r->count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (strcmp(r->all[middle].name, name) < 0)
      from = middle + 1;
    else
      to = middle;
  }
  return from < r->count && strcmp(r->all[from].name, name) == 0 ? &r->all[from] : NULL;
}

/* Hands a document, or that it is missing, to whoever asked for that name. */
static psprobe_code hand_on(reading *r, const char *name, const psprobe_document *document,
                            psprobe_error *error) {
  wanted *w = find(r, name);
  if (w == NULL || w->got)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%.200s, which was not asked for", name);
  for (; w < r->all + r->count && strcmp(w->name, name) == 0; w++) {
    w->got = true;
    r->left--;
    r->enough = r->enough || !r->each(r->arg, w->index, document);
    if (r->enough) break;
  }
  return PSPROBE_OK;
}

static psprobe_code take(void *arg, const psp_json *item, bool *enough, psprobe_error *error) {
  reading *r = arg;
  const psp_json *found = psp_json_get(item, "found"), *missing = psp_json_get(item, "missing");
  psprobe_document *document = NULL;
  psprobe_code code = PSPROBE_OK;
  if (!psp_json_is_object(item))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an element that is no object");
  if (found != NULL) {
    code = psp_document_decode(found, &document, error);
    if (code == PSPROBE_OK) code = hand_on(r, document->name, document, error);
    psprobe_document_free(document);
  } else if (missing != NULL) {
    char *name = psp_json_take_name(missing);
    code = name != NULL ? hand_on(r, name, NULL, error)
                        : psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a missing one without a name");
    free(name);
  }
  *enough = r->enough;
  return code;
}

static psprobe_code encode(psp_buf *body, const reading *r, const psprobe_read *read,
                           psprobe_error *error) {
  psp_json_writer w = {.buf = body};
  psp_json_begin_object(&w);
  psp_json_begin_array_member(&w, "documents");
  for (size_t i = 0; i < r->count; i++) {
    bool again = i > 0 && strcmp(r->all[i - 1].name, r->all[i].name) == 0;
    if (!again && !r->all[i].got) psp_json_put_name(&w, r->all[i].name);
  }
  psp_json_end_array(&w);
  if (read != NULL) psp_mask_encode(&w, "mask", read->mask, read->mask_count);
  psp_read_encode(&w, read);
  psp_json_end_object(&w);
  return psp_request_check(body, r->left, "documents asked for", error);
}

static psprobe_code fetch(reading *r, psprobe_client *client, const psp_buf *url,
                          const psprobe_read *read, psp_firestore_items *items,
                          psprobe_error *error) {
  psp_buf body = {0};
  psp_firestore_request request = {.kind = PSP_FIRESTORE_QUERY,
                                   .method = "POST",
                                   .path = url,
                                   .body = &body,
                                   .what = items->what,
                                   .once_ns = r->once_ns,
                                   .stopper = r->stopper};
  psprobe_code code = encode(&body, r, read, error);
  if (code == PSPROBE_OK) code = psp_firestore_stream(client, &request, items, error);
  psp_buf_free(&body);
  return code;
}

/* As long as each call brings something, one that broke off is followed by another. */
static psprobe_code fetch_all(reading *r, psprobe_client *client, const psp_firestore_root *root,
                              const psprobe_read *read, const char *what, psprobe_error *error) {
  psp_firestore_items items;
  psp_buf url = {0};
  psprobe_code code;
  psp_path_url(&url, root->project, root->database, NULL);
  psp_buf_text(&url, ":batchGet");
  do {
    items = (psp_firestore_items){.take = take, .arg = r, .what = what};
    code = fetch(r, client, &url, read, &items, error);
  } while (code != PSPROBE_OK && items.taken > 0 && r->left > 0 && psp_firestore_goes_on(error));
  psp_buf_free(&url);
  if (code == PSPROBE_OK) psprobe_error_clear(error); /* of what broke off */
  if (code != PSPROBE_OK || r->enough || r->left == 0) return code;
  return psp_firestore_bad_answer(
      psp_fail(error, PSPROBE_INVALID_ARGUMENT, "it tells nothing of %zu documents", r->left), what,
      error);
}

static psprobe_code get_all(reading *r, psprobe_client *client, const char *const *paths,
                            const psprobe_read *read, psprobe_error *error) {
  char what[PSP_FIRESTORE_WHAT];
  psprobe_error own = {0};
  psp_firestore_root root;
  if (error == NULL) error = &own;
  if (r->left == 0) return PSPROBE_OK;
  if (r->left == 1 && paths[0] != NULL)
    snprintf(what, sizeof what, "get document %s", paths[0]);
  else
    snprintf(what, sizeof what, "get %zu documents", r->left);
  psprobe_code code =
      read != NULL ? psp_mask_check(read->mask, read->mask_count, error) : PSPROBE_OK;
  if (code == PSPROBE_OK) code = psp_firestore_root_of(client, &root, error);
  if (code == PSPROBE_OK) code = prepare(r, &root, paths, error);
  if (code != PSPROBE_OK)
    psp_fail_in(error, "%s", what);
  else
    code = fetch_all(r, client, &root, read, what, error);
  for (size_t i = 0; i < r->count; i++)
    free(r->all[i].name);
  free(r->all);
  return code;
}

psprobe_code psprobe_document_get_many(psprobe_client *client, const char *const *paths,
                                       size_t count, const psprobe_read *read,
                                       psprobe_document_got *each, void *arg,
                                       psprobe_error *error) {
  reading r = {.left = count, .each = each, .arg = arg};
  return get_all(&r, client, paths, read, error);
}

static bool note_time(void *arg, size_t index, const psprobe_document *document) {
  psprobe_timestamp *times = arg;
  times[index] = document != NULL ? document->update_time : (psprobe_timestamp){0, 0};
  return true;
}

psprobe_code psp_document_times(psprobe_client *client, const char *const *paths, size_t count,
                                int64_t once_ns, psp_stopper *stopper, psprobe_timestamp *times,
                                psprobe_error *error) {
  static const char *const none;
  const psprobe_read names = {.mask = &none};
  reading r = {
      .left = count, .each = note_time, .arg = times, .once_ns = once_ns, .stopper = stopper};
  return get_all(&r, client, paths, &names, error);
}
