/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PAGE_THIN_H
#define PSP_REPORT_PAGE_THIN_H
/** @file Which probes a plot draws when there are more than it has pixels for. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/compare.h>

/**
 * Keeps, of each stretch of time and each source, the fastest and the slowest answer (min/max per
 * pixel: the envelope of the curve stays as it is), and evenly spread over all time up to
 * `notable_max` of those that were lost, late or cold.
 *
 * @param buckets stretches of equal numbers of probes; with count <= 2 * buckets all are kept
 * @param keep    receives true for each probe kept; as long as the probes
 * @return how many are kept
 */
size_t psp_thin(const psprobe_probes *probes, size_t buckets, size_t notable_max, bool *keep);

/** Lost, late or cold. */
bool psp_notable(const psprobe_series *series, size_t probe);

#endif
