/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_FILTER_H
#define PSP_FIRESTORE_FILTER_H
/** @file Filters against the service's rules, and in JSON. Pure. */
#include <psprobe/query.h>

#include "base/json.h"

/**
 * Fields, values and parts of each, and the bounds of the whole: 30 disjunctions (an `in` of three
 * values is three), nested 20 deep here.
 * Source: https://cloud.google.com/firestore/docs/query-data/queries#limits_on_or_queries
 * @param leaves receives how many comparisons there are
 */
psprobe_code psp_filter_check(const psprobe_where *filter, size_t *leaves, psprobe_error *error);
/** What orders by its field where the query does not: all but equalities and what is like them. */
bool psp_filter_is_inequality(psprobe_filter_op op);
/** google.firestore.v1.StructuredQuery.Filter. Of one that was checked and is not NONE. */
void psp_filter_encode(psp_json_writer *w, const psprobe_where *filter);
/** `"field":{"fieldPath":…}` */
void psp_json_put_field(psp_json_writer *w, const char *path);

#endif
