/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SUMMARY_H
#define PSP_STATS_SUMMARY_H
/** @file One source's figures. */
#include "stats/probes.h"

/**
 * Fills in `summary` for `source` (its name stays as it is) and `median`, its
 * median with the interval that comparisons start from.
 *
 * Quantiles are nearest ranks (rank.h), their intervals order statistics (quantile_ci.h), widened
 * by the serial correlation of "at most this quantile". Lag 1 is that of the ranks, so that
 * outliers count as ranks do.
 */
void psp_summarise(const psp_view *view, size_t source, psp_work *work,
                   psprobe_source_summary *summary, psp_estimate *median);

/** Autocorrelation of the ranks of `sample` at lag 1 (Wald & Wolfowitz 1943; equal values in order
 * of sending). */
double psp_rank_lag1(const psp_sample *sample, float *scores);

#endif
