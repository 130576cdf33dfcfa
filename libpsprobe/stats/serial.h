/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SERIAL_H
#define PSP_STATS_SERIAL_H
/** @file Serial correlation: what one probe tells of the next. Pure. */
#include <stdbool.h>
#include <stddef.h>

/** What is looked at. */
typedef enum psp_scores {
  PSP_SIGNS, /**< of two or three values */
  PSP_RANKS
} psp_scores;

/** What psp_serial_look finds. */
typedef struct psp_serial {
  double lag1;          /**< autocorrelation at lag 1, -1 to 1; 0 for constants */
  double design_effect; /**< n / effective n, >= 1; 1 unless lag 1 is worth a look */
  double caution;       /**< how many times wider an interval must be whatever lag 1 is, >= 1 */
  double inflation;     /**< how many times wider it must be in all, >= caution */
  bool matters;         /**< lag 1 is beyond chance (5 %), and inflation above caution for it */
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
 * Lag 1 (its bias removed: Marriott & Pope, Biometrika 41, 1954) is worth that
 * look where it is above one standard error, 1 / sqrt(n): a low bar on purpose, since widening in
 * vain costs a percent or two, and missing it costs false alarms. `matters`, which people
 * are told, has the bar at 5 % of independent series.
 *
 * Short series cannot show how correlated they are, and an estimate that is wrong by chance is
 * wrong where it hurts. So up to 16 values nothing is estimated: an AR(1) of 0.6 is assumed, and
 * from there to 45 lag 1 is drawn to that the less the more values there are (psp_serial_caution;
 * the credibility weight of Buehlmann, ASTIN Bulletin 4, 1967). 16 and 45 are calibrated: false
 * verdicts stay below 5 % for any number of probes (docs/statistics.md).
 *
 * @param scores  n of them; overwritten
 */
psp_serial psp_serial_look(float *scores, size_t n, psp_scores kind);

/**
 * The same of what blocks of some thousand scores sum up to, all scores centred at their mean,
 * where single ones are not known, nor is their lag 1 (it is 0 here): how much more these sums
 * scatter than those of independent scores would, and, where neighbouring blocks are alike too,
 * what that adds. `matters` where it is beyond what 95 % of independent series show.
 *
 * @param blocks      `count` sums, in the order of sending; overwritten
 * @param independent what the squares of the sums would sum up to then: the scores' own squares
 */
psp_serial psp_serial_of_blocks(float *blocks, size_t count, double independent);

/**
 * The design effect that n scores are taken to have at least: of an AR(1) whose scores have a
 * lag 1 of `lag1` drawn to that of 0.6, n finite. Signs of a normal AR(1) at `rho` correlate with
 * 2 / pi asin(rho) (Sheppard, Phil. Trans. A 192, 1899), but their correlation fades as rho^k.
 *
 * @return >= 1; 1 from 45 scores on
 */
double psp_serial_caution(double lag1, size_t n, psp_scores kind);

/** sum of x[i] * x[i + lag] over n - lag pairs, divided by n; lag < n. */
double psp_autocovariance(const float *x, size_t n, size_t lag);

#endif
