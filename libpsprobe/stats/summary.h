/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SUMMARY_H
#define PSP_STATS_SUMMARY_H
/** @file One source's figures. */
#include "stats/probes.h"

/**
 * Fills in `summary` for `source` (its name stays as it is) and `median`, its
 * median with the interval that comparisons start from.
 *
 * Quantiles are nearest ranks (quantile_ci.h), their intervals order statistics (quantile_ci.h),
 * widened by the serial correlation of "at most this quantile". Lag 1 is that of the ranks, so that
 * outliers count as ranks do.
 */
void psp_summarise(const psp_ordered *ordered, size_t source, psp_work *work,
                   psprobe_source_summary *summary, psp_estimate *median);

/** What a comparison tells of the correlation in `sample`, whose median is `estimate`. `matters`
 * only where the interval is wider than one that takes no likeness but what few values cannot rule
 * out (psp_serial_caution). @param scores overwritten */
psprobe_serial psp_serial_of(const psp_sample *sample, const psp_estimate *estimate, float *scores);

/** Autocorrelation of the ranks of `sample` at lag 1 (Wald & Wolfowitz, Annals of Mathematical
 * Statistics 14, 1943), equal values sharing their mean rank: 0 for constants. The same for the
 * negated values. */
double psp_rank_lag1(const psp_sample *sample, float *scores);

#endif
