/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_HODGES_LEHMANN_H
#define PSP_STATS_HODGES_LEHMANN_H
/** @file The shift of paired differences. */
#include "stats/sample.h"

typedef struct psp_shift {
  int64_t shift_ns; /**< Hodges-Lehmann: the median of all (d[i] + d[j]) / 2, i <= j */
  psprobe_interval ci;
} psp_shift;

/**
 * The Hodges-Lehmann shift of work->sample (Annals of Mathematical Statistics
 * 34, 1963) and an interval for what it estimates: the k-th smallest and
 * k-th largest Walsh average (Hollander, Wolfe & Chicken, "Nonparametric
 * Statistical Methods", 3rd ed. 2014, 3.2 and 3.3).
 *
 * Up to 50 independent values k is exact, for symmetric differences. Above, the
 * standard error of the count that k cuts off is that of a U-statistic,
 * sqrt(n (n + 1) (2 n + 1) / 24 * 12 Var G) with G[i] the share of values
 * above twice the shift less d[i] (Hoeffding, Annals of Mathematical Statistics
 * 19, 1948; van der Vaart, "Asymptotic Statistics", 1998, 12.1): under symmetry 12 Var G is 1 and
 * it is Wilcoxon's, and without symmetry it still holds; times the inflation that the serial
 * correlation of G asks for.
 *
 * @return false without memory. Changes scores and scratch.
 */
bool psp_hodges_lehmann(psp_work *work, psp_shift *shift);

#endif
