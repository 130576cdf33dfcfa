/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DECIDE_H
#define PSP_STATS_DECIDE_H
/** @file The verdicts on all pairs of a comparison, whose figures are there. Pure. */
#include "stats/comparison.h"

/** All verdicts together, since the number of pairs bears on each. @param p room for two a pair */
void psp_comparison_decide(psprobe_comparison *comparison, double *p);

#endif
