/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_COMPARISON_H
#define PSP_STATS_COMPARISON_H
/** @file What a psprobe_comparison holds, for those who fill it in or put it into words. */
#include "stats/sample.h"
#include "stats/verdict.h"

/** What the verdict on a pair is made from. */
typedef struct psp_pair_state {
  psp_signs signs;
  psp_serial serial;
} psp_pair_state;

struct psprobe_comparison {
  size_t source_count, pair_count;
  size_t unsent; /**< probes */
  psprobe_hedging hedging;
  psprobe_source_summary *sources;
  psp_estimate *medians;
  psprobe_pair *pairs;
  psp_pair_state *states;
  psprobe_rank *ranking;
  size_t circle_count; /**< not 0: there is no ranking, since each of these beats the next */
  size_t *circle;
  size_t *steps; /**< room for ranking.c, as is placed */
  bool *placed;
  char **names;
  uint64_t seed;
};

/** With the names copied and all figures 0. NULL without memory. */
psprobe_comparison *psp_comparison_alloc(const psprobe_probes *probes);

/** The pair of two different sources; *flipped: it holds them as (second, first). */
const psprobe_pair *psp_comparison_between(const psprobe_comparison *comparison, size_t first,
                                           size_t second, bool *flipped);

/** Whether `first` was found to be faster than `second`. */
bool psp_comparison_beats(const psprobe_comparison *comparison, size_t first, size_t second);

#endif
