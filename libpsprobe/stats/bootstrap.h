/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_BOOTSTRAP_H
#define PSP_STATS_BOOTSTRAP_H
/** @file Bootstrap intervals of a median. Seeded: equal seeds give equal intervals. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>

/**
 * Where a BCa interval takes its bound from the resampled estimates: the share
 * Phi(z0 + (z0 + z) / (1 - a (z0 + z))) of them, for the bound at normal
 * quantile z (Efron, "Better bootstrap confidence intervals", JASA 82, 1987;
 * Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, 14.10).
 *
 * @param bias          z0, the normal quantile of the share of estimates below the data's own
 * @param acceleration  a, a sixth of the skewness of the jackknife's influences
 */
double psp_bca_level(double z, double bias, double acceleration);

/**
 * BCa interval of the median of independent values. A resample's middle values
 * are order statistics of n uniform draws from 1..n, so they are drawn as such
 * (beta distributed: David & Nagaraja, "Order Statistics", 2003, 2.3), which
 * has exactly the distribution of resampling in full and costs O(1) a resample,
 * for a million values as for ten. The jackknife's influences of a median are two or three
 * different ones, in closed form.
 *
 * Below 6 values there is no interval, as for the order statistics of independent ones.
 *
 * @param inflation z times this: the caution of few values (serial.h)
 * @param estimates room for `resamples` (>= 100) values
 */
psprobe_interval psp_bootstrap_median(const int64_t *sorted, size_t n, double inflation,
                                      uint64_t seed, int64_t *estimates, size_t resamples);

/**
 * The block length for values as correlated as `scores` are: the automatic
 * choice of Politis & White (Econometric Reviews 23, 2004), with the
 * correction of Patton, Politis & White (28, 2009), for circular blocks,
 * doubled: their choice minimises the squared error of the variance, of which
 * the half that is bias makes every interval too short, and a longer block
 * trades it for noise. At most a third of n; 1 for n < 9. No more than 300 lags are looked at.
 *
 * @param scores n of them, in order of sending; overwritten
 */
size_t psp_block_length(float *scores, size_t n);

/**
 * Percentile interval of the median from circular blocks (Politis & Romano
 * 1992), the percentiles expanded for the number of blocks as Hesterberg does
 * for small samples (The American Statistician 69, 2015, 3.3: Student's t
 * instead of the normal). The number of resamples falls with n, to 199 at
 * least, so that n * resamples stays about 2 * 10^8.
 *
 * @param inflation t times this, where above 1
 * @param ranks  0-based rank of each value, in order of sending; overwritten
 * @param counts room for n words
 */
psprobe_interval psp_bootstrap_median_blocks(const int64_t *sorted, uint32_t *ranks, size_t n,
                                             size_t block, double inflation, uint64_t seed,
                                             uint32_t *counts, int64_t *estimates,
                                             size_t resamples);

#endif
