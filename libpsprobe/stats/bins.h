/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_BINS_H
#define PSP_STATS_BINS_H
/**
 * @file
 * Log-linear bins for durations and their differences, the idea of Gil Tene's
 * HdrHistogram: values under 2^11 ns have a bin each; every octave above is cut
 * into 2^10 equal bins, so that a bin is at most 1/1024 of its values wide and
 * its middle at most 1/2048 (0.05 %) off. What is below 0 has the bin of its
 * opposite, with a minus. Pure.
 */
#include <stdint.h>

#define PSP_BIN_STEPS_LOG2 10
#define PSP_BIN_STEPS      (INT32_C(1) << PSP_BIN_STEPS_LOG2)
/** The largest bin, of INT64_MAX. */
#define PSP_BIN_MOST ((63 - PSP_BIN_STEPS_LOG2) * PSP_BIN_STEPS + PSP_BIN_STEPS - 1)

/** Which bin holds a value; bins are in the order of the values. */
int32_t psp_bin_of(int64_t ns);
/** The value of a bin that is nearest to 0, and how many values it has. */
int64_t psp_bin_least(int32_t bin);
int64_t psp_bin_width(int32_t bin);

#endif
