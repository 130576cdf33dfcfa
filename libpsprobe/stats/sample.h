/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SAMPLE_H
#define PSP_STATS_SAMPLE_H
/** @file Values in the order of sending and in order of size, and the memory that is worked in. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>

#include "stats/serial.h"

/** Longer durations, either way, are cut to this (18 years): so no sum of four overflows. */
#define PSP_MOST_NS (INT64_C(1) << 59)

/** The same values twice. The memory is a psp_work's. */
typedef struct psp_sample {
  size_t n;
  int64_t *values; /**< in the order of sending */
  int64_t *sorted;
  uint32_t *order; /**< sorted[k] is values[order[k]]; NULL in a part of a sample */
} psp_sample;

/** Memory for samples of up to `room` probes, taken once for a whole comparison. */
typedef struct psp_work {
  size_t room;
  psp_sample sample; /**< the one under way */
  psp_sample part[2];
  uint8_t *marks;    /**< one a value, for psp_sample_split */
  float *scores;     /**< one a value */
  uint64_t *scratch; /**< 2 words a value */
  int64_t *estimates;
  size_t resamples;
} psp_work;

/** False without memory; psp_work_clear in any case. */
bool psp_work_init(psp_work *work, size_t room, size_t resamples);
void psp_work_clear(psp_work *work);

/** Fills in what follows from work->sample.n and .values. */
void psp_sample_sort(psp_work *work);

/** Whether any value of work->sample has a mark. */
bool psp_sample_marked(const psp_work *work);

/** Parts work->sample: values whose mark is 0 into part[0], the others into part[1]. */
void psp_sample_split(psp_work *work);

/** What an interval of 1.96 / sqrt(2) standard errors either way holds of a normal variable. */
#define PSP_INNER_CONFIDENCE 0.83422373

/** A median, the interval that it lies in, and what serial correlation did to the interval. */
typedef struct psp_estimate {
  size_t n;
  int64_t median_ns;
  psprobe_interval ci;    /**< of order statistics (quantile_ci.h), widened as serial says */
  psprobe_interval near;  /**< the same, interpolated: for differences of medians */
  psprobe_interval inner; /**< and at PSP_INNER_CONFIDENCE */
  psp_serial serial;      /**< of the signs about the median */
} psp_estimate;

/** Signs about the median, in the order of sending: what psp_serial_look looks at for it. */
void psp_sample_signs(const psp_sample *sample, float *scores);

/** @param scores room for sample->n; overwritten */
psp_estimate psp_sample_median(const psp_sample *sample, float *scores);

/** The same with a correlation that is known already. */
psp_estimate psp_sample_median_given(const psp_sample *sample, const psp_serial *serial);

#endif
