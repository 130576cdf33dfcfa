/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_QUANTILE_CI_H
#define PSP_STATS_QUANTILE_CI_H
/** @file Quantiles and their confidence intervals from order statistics. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/compare.h>

/**
 * The 1-based rank of `quantile` among `n` > 0 sorted values: ceil(q * n),
 * within 1 and n (Hyndman & Fan, "Sample Quantiles in Statistical Packages",
 * The American Statistician 50, 1996, definition 1). A q outside 0 to 1, or a
 * NaN, counts as the nearer end (NaN as 0). Rounding of q * n in a double does
 * not push the rank up by one: 0.07 of 100 is rank 7.
 */
uint64_t psp_quantile_rank(uint64_t n, double quantile);

/** 1-based ranks; 0: the sample reaches no bound on that side. */
typedef struct psp_rank_interval {
  uint64_t low, high;
  double coverage; /**< exact for independent values without ties; at least that with ties */
} psp_rank_interval;

/**
 * The ranks whose order statistics bound the `quantile` of what `n` values
 * were drawn from, with probability `confidence` at least, whatever the
 * distribution: P(x[low] <= q < x[high]) = F(high - 1) - F(low - 1), F
 * binomial (n, quantile) (David & Nagaraja, "Order Statistics", 3rd ed. 2003,
 * 7.1; Hahn & Meeker, "Statistical Intervals", 1991, 5.2). Both tails start
 * equal; then, but for the median whose interval stays symmetric, the ends
 * move inwards as long as the confidence holds, the likelier end last.
 *
 * @param inflation how many times wider the ranks lie around n * quantile
 *        than independent values ask for: the square root of the design
 *        effect (Woodruff, JASA 47, 1952); 1 for independent values
 */
psp_rank_interval psp_quantile_ranks(uint64_t n, double quantile, double confidence,
                                     double inflation);

/**
 * The chance that fewer than `rank` of n fair coins fall one way, for a rank between two whole ones
 * interpolated; and its inverse, the rank at which it is `tail`. What widening makes of a whole
 * rank is seldom whole, and rounding it at once would throw away up to a rank at either end.
 */
double psp_median_tail(uint64_t n, double rank);
double psp_median_depth(uint64_t n, double tail);

/** The interval itself, from sorted values. */
psprobe_interval psp_quantile_interval(const int64_t *sorted, uint64_t n, double quantile,
                                       double confidence, double inflation);

/**
 * The median's interval made to hold 95 % nearly exactly, where ranks alone
 * hold more, by interpolating between two order statistics (Hettmansperger &
 * Sheather, Statistics & Probability Letters 4, 1986): within half a percent
 * for all but odd distributions, no longer a promise for every one. For what is put together from
 * several intervals (difference.h), which would otherwise add up what each holds too much.
 */
psprobe_interval psp_median_interval_interpolated(const int64_t *sorted, uint64_t n,
                                                  double confidence, double inflation);
/** The rank, between two, of its lower bound; the upper one's is n + 1 less that. Below 1: none. */
double psp_median_rank_interpolated(uint64_t n, double confidence, double inflation);

#endif
