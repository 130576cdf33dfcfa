/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DIGEST_SCORING_H
#define PSP_STATS_DIGEST_SCORING_H
/**
 * @file
 * How alike neighbouring probes are, from digests: what the values of each sum up to, scored by
 * their bins (signs about a median, ranks), and how much more these sums scatter than those of
 * independent values would: Flyvbjerg & Petersen's blocking (J. Chem. Phys. 91, 1989), as serial.h
 * does it to long series. Pure.
 */
#include "stats/digest/totals.h"

/** What each value of a source or pair scores, by its bin: signs about a median, ranks. Made by
 * psp_scoring_new, filled in by who wants it. */
typedef struct psp_scoring {
  size_t value;         /**< which of the totals' values */
  psp_value_kind kind;  /**< of which its spread is what `scores` are as long as */
  const psp_spread *of; /**< that */
  float *scores;        /**< of each of its bins */
  float *blocks;        /**< what they sum up to in each digest */
  double n, variance;   /**< how many values; of their scores */
} psp_scoring;

/** Scorings under way. Valid when zeroed. */
typedef struct psp_scorings {
  psp_scoring *items;
  size_t count;
  bool failed;
} psp_scorings;

/** One more; its scores are 0. NULL: no memory, which `scorings` notes. Valid until the next. */
psp_scoring *psp_scoring_add(psp_scorings *scorings, const psp_totals *totals, size_t value,
                             psp_value_kind kind);
/** Signs about a value: -1 below its bin, 1 above. */
void psp_scoring_signs(psp_scoring *scoring, int64_t about);
/** Goes over the digests again. @return as psp_totals_make */
psprobe_code psp_scorings_run(psp_scorings *scorings, const psp_totals *totals,
                              psprobe_error *error);
/** Takes what another has found into a scoring: of two halves, one. */
void psp_scoring_join(psp_scoring *scoring, const psp_scoring *other, size_t blocks);
/** How alike neighbours are by a scoring that has run; its blocks are overwritten. */
psp_serial psp_scoring_serial(psp_scoring *scoring, size_t blocks);
void psp_scorings_free(psp_scorings *scorings);

#endif
