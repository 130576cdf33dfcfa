/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_AGGREGATE_H
#define PSP_FIRESTORE_AGGREGATE_H
/** @file Aggregations in JSON. Pure. */
#include "firestore/query.h"

/** Fields, numbers, names, how many. @return PSPROBE_OK or INVALID_ARGUMENT */
psprobe_code psp_aggregations_check(const psprobe_aggregation *aggregations, size_t count,
                                    psprobe_error *error);
/** The body of runAggregationQuery. Of what was checked. */
psprobe_code psp_aggregate_encode(psp_buf *out, const psprobe_query *query,
                                  const psprobe_aggregation *aggregations, size_t count,
                                  psprobe_error *error);

#endif
