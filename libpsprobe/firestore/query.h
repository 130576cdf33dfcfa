/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_QUERY_H
#define PSP_FIRESTORE_QUERY_H
/** @file Queries in JSON. Pure. */
#include "firestore/document.h"

/** Paths, fields, numbers. @return PSPROBE_OK or INVALID_ARGUMENT */
psprobe_code psp_query_check(const psprobe_query *query, psprobe_error *error);

/** One page. */
typedef struct psp_query_page {
  int64_t limit;
  int64_t offset;
  const psprobe_document *after; /**< the last document of the page before; NULL: the first page */
} psp_query_page;

/**
 * The body of runQuery. A page begins after a document's place in the order
 * (its field and, for what is equal, its name), not at an offset: the service
 * reads, and charges, what an offset skips.
 * Source: https://cloud.google.com/firestore/docs/query-data/query-cursors
 * @return PSPROBE_OK; INVALID_ARGUMENT when `after` has not the field; RESOURCE_EXHAUSTED
 */
psprobe_code psp_query_encode(psp_buf *out, const psprobe_query *query, const psp_query_page *page,
                              psprobe_error *error);

/** The first element of runQuery's answer: of an array, or what stands in place of one. */
const psp_json *psp_query_first(const psp_json *answer);
/**
 * One element. `document` receives NULL for one that has none (progress, or
 * the end).
 * @return PSPROBE_OK, or INVALID_ARGUMENT for what is no element
 */
psprobe_code psp_query_element(const psp_json *item, psprobe_document **document,
                               psprobe_error *error);

#endif
