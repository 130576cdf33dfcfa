/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DISTRIBUTIONS_H
#define PSP_STATS_DISTRIBUTIONS_H
/** @file Distribution functions that the tests and intervals stand on. Pure; no NaN comes out. */
#include <stdint.h>

#define PSP_PI        3.14159265358979323846
#define PSP_SQRT_HALF 0.70710678118654752440
/** The quantile that 95 % intervals are made with. */
#define PSP_HALF_INTERVAL 0.975

/** P(Z <= z) of the standard normal, by the C library's erfc. */
double psp_normal_cdf(double z);
/** The z with psp_normal_cdf(z) = p, to a few units in the last place; p outside (0, 1) gives
 * -/+ 40. A rational start (Abramowitz & Stegun 1964, 26.2.23) and Halley steps on erfc. */
double psp_normal_quantile(double p);
/** Student's t: the p-quantile with `df` degrees of freedom (any real number; 1 at least), to
 * 1e-6: the expansion of Cornish and Fisher (Abramowitz & Stegun 1964, 26.7.5), and below 30
 * degrees Newton steps from there on the integral itself (26.7.1 with t = sqrt(df) tan(x), by
 * Simpson). */
double psp_t_quantile(double p, double df);
/** P(X = k) and P(X <= k) for X binomial with n trials of probability p; k < 0 gives 0. */
double psp_binomial_pmf(uint64_t n, double p, int64_t k);
double psp_binomial_cdf(uint64_t n, double p, int64_t k);

#endif
