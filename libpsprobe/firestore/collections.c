/* SPDX-License-Identifier: MIT */
/** @file Listing collections (listCollectionIds), page by page. */
#include <stdio.h>
#include <stdlib.h>

#include <psprobe/document.h>

#include "base/error.h"
#include "firestore/document.h"
#include "firestore/path.h"
#include "firestore/service.h"

/* A listing under way. */
typedef struct run {
  psprobe_collection_each *each;
  void *arg;
  char what[PSP_FIRESTORE_WHAT];
  char *token;
  bool enough;
} run;

static psprobe_code deliver(run *r, const psp_json *answer, psprobe_error *error) {
  const psp_json *ids = psp_json_get2(answer, "collectionIds", "collection_ids");
  for (const psp_json *item = psp_json_first(ids); item != NULL && !r->enough;
       item = psp_json_next(item)) {
    char *id = psp_json_take_name(item);
    if (id == NULL)
      return psp_firestore_bad_answer(
          psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a collection without a name"), r->what, error);
    r->enough = !r->each(r->arg, id);
    free(id);
  }
  return PSPROBE_OK;
}

static psprobe_code list_page(run *r, psprobe_client *client, const psp_buf *url,
                              psprobe_error *error) {
  psp_json *answer = NULL;
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_begin_object(&w);
  psp_json_put_int64_member(&w, "pageSize", PSP_FIRESTORE_PAGE);
  psp_json_put_member(&w, "pageToken", r->token);
  psp_json_end_object(&w);
  psp_firestore_request request = {
      .kind = PSP_FIRESTORE_READ, .method = "POST", .path = url, .body = &body, .what = r->what};
  psprobe_code code = psp_firestore_call(client, &request, &answer, error);
  if (code == PSPROBE_OK) code = deliver(r, answer, error);
  if (code == PSPROBE_OK) code = psp_firestore_next_page(answer, &r->token, r->what, error);
  psp_json_free(answer);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_collection_list(psprobe_client *client, const char *document,
                                     psprobe_collection_each *each, void *arg,
                                     psprobe_error *error) {
  run r = {.each = each, .arg = arg};
  psp_firestore_root root;
  psp_buf url = {0};
  snprintf(r.what, sizeof r.what, "list collections of %s",
           document != NULL ? document : "the database");
  psprobe_code code = document != NULL ? psp_document_path_check(document, error) : PSPROBE_OK;
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "list collections");
  if (code == PSPROBE_OK) code = psp_firestore_root_of(client, &root, error);
  if (code != PSPROBE_OK) return code;
  psp_path_url(&url, root.project, root.database, document);
  psp_buf_text(&url, ":listCollectionIds");
  do {
    code = list_page(&r, client, &url, error);
  } while (code == PSPROBE_OK && r.token != NULL && !r.enough);
  psp_buf_free(&url);
  free(r.token);
  return code;
}
