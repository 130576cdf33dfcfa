/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_RANK_H
#define PSP_STATS_RANK_H
/** @file The rank of a quantile. Pure. */
#include <stdint.h>

/**
 * The 1-based rank of `quantile` among `n` > 0 sorted values: ceil(q * n),
 * within 1 and n (Hyndman & Fan, "Sample Quantiles in Statistical Packages",
 * The American Statistician 50, 1996, definition 1). A q outside 0 to 1, or a
 * NaN, counts as the nearer end (NaN as 0). Rounding of q * n in a double does
 * not push the rank up by one: 0.07 of 100 is rank 7.
 */
uint64_t psp_quantile_rank(uint64_t n, double quantile);

#endif
