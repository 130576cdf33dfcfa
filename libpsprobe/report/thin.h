/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_THIN_H
#define PSP_REPORT_THIN_H
/** @file Which probes a plot draws when there are more than it has pixels for. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>

/** Stretches that a curve over time is thinned to: more than a wide screen has pixels. */
#define PSP_THIN_STRETCHES 2000
/** Lost, late and cold probes that it shows beside, all sources together. */
#define PSP_THIN_NOTABLE 4000
/** Points of a cloud. */
#define PSP_THIN_POINTS 4000

/**
 * For a curve over time. Keeps, of each stretch of time and each source, the fastest and the
 * slowest answer (min/max per pixel: the envelope of the curve stays as it is), and evenly spread
 * over all time those that were lost, late or cold. Up to twice as many probes as stretches are all
 * kept.
 *
 * @param order probes in the order sent
 * @param keep  receives true for each that is kept, in that order; as long as the probes
 * @return how many are kept
 */
size_t psp_thin(const psprobe_probes *probes, const uint32_t *order, bool *keep);

/**
 * For the cloud of the differences of sources 0 and 1, where extremes alone would leave a hole in
 * the middle: every so many-th, and the smallest and the largest of some stretches. What one of the
 * two lost is not kept. @return how many have a difference
 */
size_t psp_thin_differences(const psprobe_probes *probes, const uint32_t *order, bool *keep);

/** Lost, late or cold. */
bool psp_notable(const psprobe_series *series, size_t probe);

#endif
