/* SPDX-License-Identifier: MIT */
/** @file Running a query whose answer is taken as it comes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "firestore/query.h"
#include "firestore/stream.h"

/* A query under way. */
typedef struct run {
  const psprobe_query *query;
  psprobe_document_each *each;
  void *arg;
  psp_query_rest rest;
  psprobe_document *last; /* that came so far, kept to go on after it */
  bool enough;            /* the caller said so, or the limit is reached */
} run;

static psprobe_code take(void *arg, const psp_json *item, bool *enough, psprobe_error *error) {
  run *r = arg;
  psprobe_document *document = NULL;
  psprobe_code code = psp_query_element(item, &document, error);
  if (code != PSPROBE_OK || document == NULL) return code;
  psprobe_document_free(r->last);
  r->last = document;
  bool limited = r->rest.limit > 0;
  if (limited) r->rest.limit--;
  r->enough = !r->each(r->arg, document) || (limited && r->rest.limit == 0);
  *enough = r->enough;
  return PSPROBE_OK;
}

/* One call for what is left of it. */
static psprobe_code run_rest(run *r, psprobe_client *client, const psp_buf *url,
                             psp_firestore_items *items, psprobe_error *error) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  r->rest.after = r->last;
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "structuredQuery");
  psprobe_code code = psp_query_encode(&w, r->query, &r->rest, error);
  psp_read_encode(&w, &r->query->read);
  psp_json_end_object(&w);
  psp_firestore_request request = {.kind = PSP_FIRESTORE_QUERY,
                                   .method = "POST",
                                   .path = url,
                                   .body = &body,
                                   .what = items->what};
  if (code == PSPROBE_OK) code = psp_firestore_stream(client, &request, items, error);
  psp_buf_free(&body);
  return code;
}

/* As long as each call brings something, one that broke off is followed by another. */
static psprobe_code run_all(run *r, psprobe_client *client, const psp_buf *url, const char *what,
                            psprobe_error *error) {
  psp_firestore_items items = {.take = take, .arg = r, .what = what};
  psprobe_error broke = {0};
  psprobe_code code = run_rest(r, client, url, &items, error);
  while (code != PSPROBE_OK && items.taken > 0 && !r->enough && psp_firestore_goes_on(error)) {
    broke = *error;
    items = (psp_firestore_items){.take = take, .arg = r, .what = what};
    code = run_rest(r, client, url, &items, error);
    if (code == PSPROBE_INVALID_ARGUMENT && !error->from_service) {
      *error = broke; /* the mask hides where it was: the break is what went wrong */
      return broke.code;
    }
  }
  if (code == PSPROBE_OK) psprobe_error_clear(error); /* of what broke off */
  return code;
}

psprobe_code psprobe_query_run(psprobe_client *client, const psprobe_query *query,
                               psprobe_document_each *each, void *arg, psprobe_error *error) {
  psprobe_error own = {0};
  psprobe_order *orders = NULL;
  psp_buf url = {0};
  char what[PSP_FIRESTORE_WHAT];
  run r = {.query = query, .each = each, .arg = arg, .rest.limit = query->limit};
  if (error == NULL) error = &own;
  psp_query_name(what, "query", query);
  psprobe_code code = psp_query_begin(client, query, what, ":runQuery", &url, error);
  if (code == PSPROBE_OK) {
    r.rest.order_count = psp_query_orders(query, &orders);
    r.rest.orders = orders;
    code = orders != NULL ? run_all(&r, client, &url, what, error) : psp_fail_memory(error, what);
  }
  psprobe_document_free(r.last);
  free(orders);
  psp_buf_free(&url);
  return code;
}
