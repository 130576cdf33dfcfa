/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SIGN_INTERVAL_H
#define PSP_STATS_SIGN_INTERVAL_H
/** @file The interval of a paired median that agrees with the sign test. */
#include "stats/sample.h"

/** Correlation of the signs about `theta`, in the order of sending. */
psp_serial psp_signs_about(const psp_sample *sample, int64_t theta, float *scores);

/** The same of n signs (-1, 0, 1), which are overwritten. */
psp_serial psp_signs_serial(float *signs, size_t n);

/**
 * The median of `sample`, with the interval of all values that psp_sign_test
 * (verdict.h) would not refuse as the median, each tested with the correlation
 * of the signs about that very value: test inversion (Lehmann & Romano,
 * "Testing Statistical Hypotheses", 3rd ed. 2005, 3.5). Where probes are
 * independent this is the interval of order statistics. Where they are not, it
 * matters: if a difference moves from 6 to 15 ms in the middle of a run, the
 * signs about 9 ms are all but the same for hundreds of probes and tell
 * little, and yet no probe speaks for 0.
 *
 * What it cannot do, nor any look at one run: tell a level that wanders more
 * slowly than the run lasts from a difference that lasts. The verdict is on the run: simulated
 * with AR(1) and nothing between the sources it is false in under 5 % of runs as long as they are
 * some ten times longer than the correlation, which test_coverage shows.
 *
 * The bounds are found over the ranks: a first guess widens the independent
 * interval by the correlation at its bound, and bisection goes on from there,
 * outwards or inwards. Where what is refused and what is not take turns, the
 * search settles on one of the borders. `serial` is that about the median itself.
 */
psp_estimate psp_median_inverted(const psp_sample *sample, float *scores);

#endif
