/* SPDX-License-Identifier: MIT */
/** @file A histogram with bounded relative error (after HdrHistogram). */
#include <stdlib.h>
#include <string.h>

#include <psprobe/timing.h>

#include "base/error.h"
#include "stats/bins.h"
#include "stats/quantile_ci.h"

/* The bins of stats/bins.h for what is not negative, up to 2^42 ns (73 minutes); what is beyond is
 * counted in one bucket more. */
#define RANGE_LOG2   42
#define BEYOND       (((RANGE_LOG2 - PSP_BIN_STEPS_LOG2) + 1) * (size_t)PSP_BIN_STEPS)
#define BUCKET_COUNT (BEYOND + 1)

struct psprobe_histogram {
  uint64_t count;
  int64_t min, max, sum;
  uint64_t buckets[BUCKET_COUNT];
};

static size_t bucket_of(int64_t value) {
  if (value < 0) return 0;
  return value >= INT64_C(1) << RANGE_LOG2 ? BEYOND : (size_t)psp_bin_of(value);
}

static int64_t bucket_middle(size_t bucket) {
  return psp_bin_least((int32_t)bucket) + (psp_bin_width((int32_t)bucket) - 1) / 2;
}

static int64_t add_saturating(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}

psprobe_code psprobe_histogram_new(psprobe_histogram **histogram, psprobe_error *error) {
  *histogram = calloc(1, sizeof(psprobe_histogram));
  return *histogram != NULL ? PSPROBE_OK : psp_fail_memory(error, "histogram");
}

void psprobe_histogram_free(psprobe_histogram *histogram) {
  free(histogram);
}

void psprobe_histogram_record(psprobe_histogram *histogram, int64_t value_ns) {
  if (histogram->count == 0 || value_ns < histogram->min) histogram->min = value_ns;
  if (histogram->count == 0 || value_ns > histogram->max) histogram->max = value_ns;
  histogram->sum = add_saturating(histogram->sum, value_ns);
  histogram->count++;
  histogram->buckets[bucket_of(value_ns)]++;
}

void psprobe_histogram_merge(psprobe_histogram *into, const psprobe_histogram *from) {
  if (from->count == 0) return;
  if (into->count == 0 || from->min < into->min) into->min = from->min;
  if (into->count == 0 || from->max > into->max) into->max = from->max;
  into->sum = add_saturating(into->sum, from->sum);
  into->count += from->count;
  for (size_t i = 0; i < BUCKET_COUNT; i++)
    into->buckets[i] += from->buckets[i];
}

void psprobe_histogram_reset(psprobe_histogram *histogram) {
  memset(histogram, 0, sizeof *histogram);
}

uint64_t psprobe_histogram_count(const psprobe_histogram *histogram) {
  return histogram->count;
}

int64_t psprobe_histogram_min(const psprobe_histogram *histogram) {
  return histogram->min;
}

int64_t psprobe_histogram_max(const psprobe_histogram *histogram) {
  return histogram->max;
}

int64_t psprobe_histogram_sum(const psprobe_histogram *histogram) {
  return histogram->sum;
}

int64_t psprobe_histogram_quantile(const psprobe_histogram *histogram, double quantile) {
  if (histogram->count == 0) return 0;
  const uint64_t rank = psp_quantile_rank(histogram->count, quantile);
  /* The first and the last rank are known exactly. */
  if (rank == 1) return histogram->min;
  if (rank == histogram->count) return histogram->max;
  uint64_t seen = 0;
  for (size_t i = bucket_of(histogram->min); i < BEYOND; i++) {
    seen += histogram->buckets[i];
    if (seen < rank) continue;
    const int64_t middle = bucket_middle(i);
    if (middle < histogram->min) return histogram->min;
    return middle > histogram->max ? histogram->max : middle;
  }
  return histogram->max;
}

uint64_t psprobe_histogram_count_at_most(const psprobe_histogram *histogram, int64_t bound_ns) {
  if (histogram->count == 0 || bound_ns < histogram->min) return 0;
  if (bound_ns >= histogram->max) return histogram->count;
  const size_t last = bucket_of(bound_ns);
  uint64_t seen = 0;
  for (size_t i = bucket_of(histogram->min); i <= last; i++)
    seen += histogram->buckets[i];
  return seen;
}
