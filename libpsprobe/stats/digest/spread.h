/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DIGEST_SPREAD_H
#define PSP_STATS_DIGEST_SPREAD_H
/**
 * @file
 * Values without their order, in bins (bins.h): what is asked of sorted ones, to 0.05 % and mostly
 * far closer, since values are taken to lie evenly within their bin. Memory as the bins reach, not
 * as there are values. Pure.
 */
#include "stats/digest/digest.h"
#include "stats/sample.h"

/** Valid when zeroed. */
typedef struct psp_spread {
  uint64_t n;
  int64_t min_ns, max_ns; /**< exact; 0 of none */
  int32_t low;            /**< the bin that `counts` begins with */
  size_t width;           /**< how many bins there are */
  uint64_t *counts;       /**< of each bin; from psp_spread_settle on: of it and those below */
} psp_spread;

void psp_spread_free(psp_spread *spread);
/** Adds bins, in order; turned: each value's opposite. The extremes are the caller's. False without
 * memory. */
bool psp_spread_add(psp_spread *spread, const psp_bin_count *bins, size_t count, bool turned);
/** Adds another. False without memory. */
bool psp_spread_merge(psp_spread *spread, const psp_spread *from);
/** Ends adding. */
void psp_spread_settle(psp_spread *spread);

/* Of a settled one. */

/** How many values the bin at `index` holds. */
uint64_t psp_spread_in(const psp_spread *spread, size_t index);
/** How many are at most `ns`. */
uint64_t psp_spread_at_most(const psp_spread *spread, int64_t ns);
/** The value at a rank from 1 to n, or between two. 0 of none. */
int64_t psp_spread_at(const psp_spread *spread, double rank);
/** As psprobe_quantile_sorted. */
int64_t psp_spread_quantile(const psp_spread *spread, double quantile);
/** As psp_quantile_interval. */
psprobe_interval psp_spread_interval(const psp_spread *spread, double quantile, double inflation);
/** The median and its intervals, as psp_sample_median_given. */
psp_estimate psp_spread_median(const psp_spread *spread, const psp_serial *serial);

#endif
