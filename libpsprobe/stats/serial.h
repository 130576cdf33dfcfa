/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SERIAL_H
#define PSP_STATS_SERIAL_H
/** @file Serial correlation: what one probe tells of the next. Pure. */
#include <stdbool.h>
#include <stddef.h>

/** What psp_serial_look finds. */
typedef struct psp_serial {
  double lag1;          /**< autocorrelation at lag 1, -1 to 1; 0 for constants */
  bool matters;         /**< beyond what independent probes show by chance */
  double design_effect; /**< n / effective n, >= 1; 1 unless it matters */
  double inflation;     /**< how many times wider an interval must be, >= 1 */
} psp_serial;

/**
 * Looks at `scores`, in the order of sending: what the estimate in question
 * sums up (signs about a median, indicators of a quantile, ranks), so that the
 * correlation counts that this estimate feels, and one outlier of an hour
 * weighs no more than any other value.
 *
 * The design effect is 1 + 2 * sum of rho(k), cut off by Geyer's initial
 * monotone sequence ("Practical Markov Chain Monte Carlo", Statistical Science
 * 7, 1992): sums of neighbouring lags, as long as they are positive, none
 * larger than the one before. Two corrections keep short series honest:
 * removing the mean lowers every autocovariance by Var(mean) on average
 * (Anderson, "The Statistical Analysis of Time Series", 1971, 8.3), which is
 * added back once, estimated; and the estimate of the variance has but few
 * degrees of freedom, so that Student's t stands in for the normal quantile in
 * `inflation`: 2 n / (2 (2 M + 1) + (kurtosis - 1) * effect) with M lags in it
 * (Priestley, "Spectral Analysis and Time Series", 1981, 6.2, for the lags;
 * the variance of a sample variance for the kurtosis, which is large where the scores are few ones
 * among many zeros, as about a p99). A series of 640 and more that stays correlated over
 * 64 lags is averaged in eights and looked at again (the blocking of Flyvbjerg &
 * Petersen, J. Chem. Phys. 91, 1989, leaves Var(mean) as it is).
 *
 * The correlation matters where lag 1 (its bias removed: Marriott & Pope,
 * Biometrika 41, 1954) is above one standard error, 1 / sqrt(n): a low bar on purpose, since
 * widening in vain costs a percent or two, and missing it costs false alarms;
 * half of it below 30 probes, where less can be seen.
 *
 * @param scores  n of them; overwritten
 */
psp_serial psp_serial_look(float *scores, size_t n);

/** Centres `x` at its mean; needed once before psp_autocovariance. */
void psp_centre(float *x, size_t n);
/** sum of x[i] * x[i + lag] over n - lag pairs, divided by n; lag < n. */
double psp_autocovariance(const float *x, size_t n, size_t lag);

#endif
