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

#endif
