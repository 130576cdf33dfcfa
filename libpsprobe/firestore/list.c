/* SPDX-License-Identifier: MIT */
/** @file Listing documents, page by page. */
#include <stdio.h>
#include <stdlib.h>

#include <psprobe/query.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/document.h"
#include "firestore/path.h"
#include "firestore/service.h"

/* A listing under way. */
typedef struct run {
  psprobe_client *client;
  const psprobe_listing *listing;
  psprobe_document_each *each;
  void *arg;
  char what[PSP_FIRESTORE_WHAT];
  int size;    /* documents a page */
  char *token; /* where the next page begins; NULL: at the first, or nowhere any more */
  bool enough;
} run;

static psprobe_code deliver(run *r, const psp_json *answer, psprobe_error *error) {
  const psp_json *documents = psp_json_get(answer, "documents");
  bool none = documents == NULL || psp_json_is_null(documents);
  if (!psp_json_is_object(answer) || (!none && !psp_json_is_array(documents)))
    return psp_firestore_bad_answer(
        psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no list of documents"), r->what, error);
  for (const psp_json *item = psp_json_first(documents); item != NULL && !r->enough;
       item = psp_json_next(item)) {
    psprobe_document *document = NULL;
    psprobe_code code = psp_document_decode(item, &document, error);
    if (code != PSPROBE_OK) return psp_firestore_bad_answer(code, r->what, error);
    r->enough = !r->each(r->arg, document);
    psprobe_document_free(document);
  }
  return PSPROBE_OK;
}

static psprobe_code fetch_page(run *r, const psp_firestore_root *root, psp_json **answer,
                               psprobe_error *error) {
  const psprobe_listing *listing = r->listing;
  psp_buf url = {0};
  psp_path_url(&url, root->project, root->database, listing->collection);
  psp_buf_printf(&url, "?pageSize=%d", r->size);
  for (size_t i = 0; i < listing->mask_count; i++) {
    psp_buf_text(&url, "&mask.fieldPaths=");
    psp_path_encode_id(&url, listing->mask[i]);
  }
  if (listing->show_missing) psp_buf_text(&url, "&showMissing=true");
  if (r->token != NULL) {
    psp_buf_text(&url, "&pageToken=");
    psp_percent_encode(&url, r->token);
  }
  psp_firestore_request request = {
      .kind = PSP_FIRESTORE_READ, .method = "GET", .path = &url, .what = r->what};
  psprobe_code code = psp_firestore_call(r->client, &request, answer, error);
  psp_buf_free(&url);
  return code;
}

/* Of large documents fewer come at a time. */
static psprobe_code list_page(run *r, const psp_firestore_root *root, psprobe_error *error) {
  psp_json *answer = NULL;
  psprobe_code code = fetch_page(r, root, &answer, error);
  while (code != PSPROBE_OK && psp_firestore_too_large(error) && r->size > 1) {
    r->size /= 2;
    code = fetch_page(r, root, &answer, error);
  }
  if (code == PSPROBE_OK) code = deliver(r, answer, error);
  if (code == PSPROBE_OK) code = psp_firestore_next_page(answer, &r->token, r->what, error);
  psp_json_free(answer);
  return code;
}

static psprobe_code check(const psprobe_listing *listing, psprobe_error *error) {
  psprobe_code code = psp_collection_path_check(listing->collection, error);
  if (code == PSPROBE_OK) code = psp_mask_check(listing->mask, listing->mask_count, error);
  for (size_t i = 0; code == PSPROBE_OK && i < listing->order_count; i++)
    code = psp_field_path_parse(listing->orders[i].field, NULL, error);
  if (code != PSPROBE_OK) return code;
  if (listing->page_size < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a negative page size");
  if (listing->show_missing && listing->order_count > 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "missing documents have no order of fields");
  return PSPROBE_OK;
}

/* In an order it goes as a query, which finds the same: of an ordered listing Google's emulator
 * gives no second page. */
static psprobe_code list_in_order(psprobe_client *client, const psprobe_listing *listing,
                                  psprobe_document_each *each, void *arg, psprobe_error *error) {
  psprobe_query query = {.collection = listing->collection,
                         .orders = listing->orders,
                         .order_count = listing->order_count,
                         .read = {.mask = listing->mask, .mask_count = listing->mask_count}};
  return psprobe_query_run(client, &query, each, arg, error);
}

psprobe_code psprobe_document_list(psprobe_client *client, const psprobe_listing *listing,
                                   psprobe_document_each *each, void *arg, psprobe_error *error) {
  psprobe_error own = {0};
  run r = {.client = client, .listing = listing, .each = each, .arg = arg};
  psp_firestore_root root;
  if (error == NULL) error = &own;
  psprobe_code code = check(listing, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "list");
    return code;
  }
  if (listing->order_count > 0) return list_in_order(client, listing, each, arg, error);
  snprintf(r.what, sizeof r.what, "list collection %s", listing->collection);
  r.size = listing->page_size > 0 && listing->page_size < PSP_FIRESTORE_PAGE ? listing->page_size
                                                                             : PSP_FIRESTORE_PAGE;
  code = psp_firestore_root_of(client, &root, error);
  if (code != PSPROBE_OK) return code;
  do {
    code = list_page(&r, &root, error);
  } while (code == PSPROBE_OK && r.token != NULL && !r.enough);
  free(r.token);
  return code;
}
