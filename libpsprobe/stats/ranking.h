/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_RANKING_H
#define PSP_STATS_RANKING_H
/** @file The order of the sources, where the decided pairs bear one. Pure. */
#include "stats/comparison.h"

/**
 * Fills in the ranking once the pairs are decided: nobody stands before who beats him. Of those who
 * may come next, he comes who won most pairs less those lost (Copeland 1951), then the one with the
 * smaller median; who answered nothing comes last. A rank is shared until one of those who
 * share it beats the next. Majorities of who was first can run in a circle (Condorcet 1785): then
 * there is no ranking, and `circle` holds one, each beating the next and the last the first.
 */
void psp_comparison_rank(psprobe_comparison *comparison);

#endif
