/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_QUERY_H
#define PSP_FIRESTORE_QUERY_H
/** @file Queries in JSON, pure; and what calls with one begin with. */
#include <psprobe/query.h>

#include "firestore/document.h"

/** Paths, fields, numbers, bounds. @return PSPROBE_OK or INVALID_ARGUMENT */
psprobe_code psp_query_check(const psprobe_query *query, psprobe_error *error);

/**
 * All orders of a query, also those that the service would add: by the fields of inequalities, in
 * the order of their paths, then by name, in the direction of the last one.
 * Source: google/firestore/v1/query.proto, StructuredQuery.order_by
 * @param orders receives them, to free(); NULL: no memory
 */
size_t psp_query_orders(const psprobe_query *query, psprobe_order **orders);

/** What a call with a query is called in messages. `what`: PSP_FIRESTORE_WHAT bytes. */
void psp_query_name(char *what, const char *verb, const psprobe_query *query);
/** Checks a query and makes the URL of a verb (":runQuery") with it. */
psprobe_code psp_query_begin(psprobe_client *client, const psprobe_query *query, const char *what,
                             const char *verb, psp_buf *url, psprobe_error *error);

/** Where a query goes on. */
typedef struct psp_query_rest {
  int64_t limit;                 /**< 0: all */
  const psprobe_document *after; /**< the last document that came; NULL: none did */
  const psprobe_order *orders;   /**< psp_query_orders */
  size_t order_count;
} psp_query_rest;

/**
 * `{…}` of google.firestore.v1.StructuredQuery, its rest: it begins after a document's place in the
 * order, not at an offset: the service reads, and charges, what an offset skips.
 * Source: https://cloud.google.com/firestore/docs/query-data/query-cursors
 * @param rest NULL: the whole, with the orders that the query names
 * @return PSPROBE_OK; INVALID_ARGUMENT when `after` has not a field that it is ordered by
 */
psprobe_code psp_query_encode(psp_json_writer *w, const psprobe_query *query,
                              const psp_query_rest *rest, psprobe_error *error);

/**
 * One element of runQuery's answer. `document` receives NULL for one that has none (progress, or
 * the end).
 * @return PSPROBE_OK, or INVALID_ARGUMENT for what is no element
 */
psprobe_code psp_query_element(const psp_json *item, psprobe_document **document,
                               psprobe_error *error);

#endif
