/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_BEND_H
#define PSP_REPORT_BEND_H
/** @file The scale of the differences, which shows both the bulk and what lies far out. Pure. */
#include <stddef.h>
#include <stdint.h>

#define PSP_TICKS 24

/**
 * The scale of the differences. Where a few lie so far out that the bulk would be a line, it is
 * linear around the median and logarithmic beyond: asinh((value - center) / unit).
 */
typedef struct psp_bend {
  int64_t center_ns;
  double unit_ns; /**< 0: linear */
  int64_t ticks_ns[PSP_TICKS];
  size_t tick_count;
} psp_bend;

/** For these differences, sorted. */
psp_bend psp_bend_of(const int64_t *sorted, size_t n);
/** Where a difference stands on the scale. */
double psp_bend_at(const psp_bend *bend, int64_t ns);

#endif
