/* SPDX-License-Identifier: MIT */
/** @file Listing documents and collections, page by page. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/document.h"
#include "firestore/path.h"
#include "firestore/service.h"

/* The most that the service gives at a time; Google's emulator stops at 150. */
#define PAGE 300

/* A listing under way. */
typedef struct listing {
  psprobe_client *client;
  const char *collection;
  psprobe_document_each *each;
  void *arg;
  char what[PSP_FIRESTORE_WHAT];
  int size;    /* documents a page */
  char *token; /* where the next page begins; NULL: at the first, or nowhere any more */
  bool enough;
} listing;

static psprobe_code deliver(listing *l, const psp_json *answer, psprobe_error *error) {
  const psp_json *documents = psp_json_get(answer, "documents");
  bool none = documents == NULL || psp_json_is_null(documents);
  if (!psp_json_is_object(answer) || (!none && !psp_json_is_array(documents)))
    return psp_firestore_bad_answer(
        psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no list of documents"), l->what, error);
  for (const psp_json *item = psp_json_first(documents); item != NULL && !l->enough;
       item = psp_json_next(item)) {
    psprobe_document *document = NULL;
    psprobe_code code = psp_document_decode(item, &document, error);
    if (code != PSPROBE_OK) return psp_firestore_bad_answer(code, l->what, error);
    l->enough = !l->each(l->arg, document);
    psprobe_document_free(document);
  }
  return PSPROBE_OK;
}

/* Takes the next page's token. One that does not move would go on for ever. */
static psprobe_code take_token(listing *l, const psp_json *answer, psprobe_error *error) {
  const char *next = psp_json_string(psp_json_get2(answer, "nextPageToken", "next_page_token"));
  bool same = next != NULL && psp_text_equal(next, l->token);
  free(l->token);
  l->token = NULL;
  if (same) return psp_fail(error, PSPROBE_INTERNAL, "%s: the same page again", l->what);
  if (next == NULL || !*next) return PSPROBE_OK;
  l->token = psp_strdup(next);
  return l->token != NULL ? PSPROBE_OK : psp_fail_memory(error, l->what);
}

static psprobe_code fetch_page(listing *l, const psp_firestore_root *root, psp_json **answer,
                               psprobe_error *error) {
  psp_buf url = {0};
  psp_path_url(&url, root->project, root->database, l->collection);
  psp_buf_printf(&url, "?pageSize=%d", l->size);
  if (l->token != NULL) {
    psp_buf_text(&url, "&pageToken=");
    psp_percent_encode(&url, l->token);
  }
  psp_firestore_request request = {
      .kind = PSP_FIRESTORE_READ, .method = "GET", .path = &url, .what = l->what};
  psprobe_code code = psp_firestore_call(l->client, &request, answer, error);
  psp_buf_free(&url);
  return code;
}

/* Of large documents fewer come at a time. */
static psprobe_code list_page(listing *l, const psp_firestore_root *root, psprobe_error *error) {
  psp_json *answer = NULL;
  psprobe_code code = fetch_page(l, root, &answer, error);
  while (code != PSPROBE_OK && psp_firestore_too_large(error) && l->size > 1) {
    l->size /= 2;
    code = fetch_page(l, root, &answer, error);
  }
  if (code == PSPROBE_OK) code = deliver(l, answer, error);
  if (code == PSPROBE_OK) code = take_token(l, answer, error);
  psp_json_free(answer);
  return code;
}

psprobe_code psprobe_document_list(psprobe_client *client, const char *collection,
                                   psprobe_document_each *each, void *arg, psprobe_error *error) {
  psprobe_error own = {0};
  listing l = {.size = PAGE, .client = client, .collection = collection, .each = each, .arg = arg};
  psp_firestore_root root;
  if (error == NULL) error = &own;
  psprobe_code code = psp_collection_path_check(collection, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "list");
    return code;
  }
  snprintf(l.what, sizeof l.what, "list collection %s", collection);
  code = psp_firestore_root_of(client, &root, error);
  if (code != PSPROBE_OK) return code;
  do {
    code = list_page(&l, &root, error);
  } while (code == PSPROBE_OK && l.token != NULL && !l.enough);
  free(l.token);
  return code;
}
