/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_PROPORTIONS_H
#define PSP_STATS_PROPORTIONS_H
/** @file Shares and counts. Pure. */
#include <stdint.h>

#include <psprobe/compare.h>

/**
 * Wilson's score interval (JASA 22, 1927), 95 %, without continuity correction.
 *
 * @param inflation widens for serial correlation: the interval is that of of / inflation^2 trials
 */
psprobe_share psp_share(uint64_t count, uint64_t of, double inflation);

/**
 * McNemar's test of paired yes-or-no outcomes (Psychometrika 12, 1947), from
 * the two counts that disagree: under the null, binomial with 1/2. This is the mid-p form,
 * which counts the observed outcome half and so keeps the level without the
 * exact form's waste (Fagerland, Lydersen & Laake, BMC Med. Res. Methodol. 13, 2013). Two-sided;
 * 1 when both are 0.
 */
double psp_mcnemar_mid_p(uint64_t first, uint64_t second);

#endif
