/* SPDX-License-Identifier: MIT */
#include "stats/digest/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/bins.h"
#include "stats/quantile_ci.h"

/* More bins than are needed, so that few steps of growing are. */
#define MARGIN PSP_BIN_STEPS

void psp_spread_free(psp_spread *spread) {
  free(spread->counts);
  *spread = (psp_spread){0};
}

/* Makes it reach from one bin to another. */
static bool reach(psp_spread *spread, int32_t from, int32_t to) {
  const int32_t end = spread->low + (int32_t)spread->width;
  if (spread->width > 0 && from >= spread->low && to < end) return true;
  int32_t low = from - MARGIN, high = to + MARGIN;
  if (spread->width > 0 && from >= spread->low) low = spread->low;
  if (spread->width > 0 && to < end) high = end - 1;
  const size_t width = (size_t)(high - low) + 1;
  uint64_t *counts = calloc(width, sizeof *counts);
  if (counts == NULL) return false;
  if (spread->width > 0)
    memcpy(counts + (spread->low - low), spread->counts, spread->width * sizeof *counts);
  free(spread->counts);
  spread->counts = counts;
  spread->low = low;
  spread->width = width;
  return true;
}

bool psp_spread_add(psp_spread *spread, const psp_bin_count *bins, size_t count, bool turned) {
  if (count == 0) return true;
  const int32_t first = bins[0].bin, last = bins[count - 1].bin;
  if (!(turned ? reach(spread, -last, -first) : reach(spread, first, last))) return false;
  for (size_t i = 0; i < count; i++) {
    spread->counts[(turned ? -bins[i].bin : bins[i].bin) - spread->low] += bins[i].count;
    spread->n += bins[i].count;
  }
  return true;
}

bool psp_spread_merge(psp_spread *spread, const psp_spread *from) {
  if (from->n == 0) return true;
  if (!reach(spread, from->low, from->low + (int32_t)from->width - 1)) return false;
  const bool first = spread->n == 0;
  if (first || from->min_ns < spread->min_ns) spread->min_ns = from->min_ns;
  if (first || from->max_ns > spread->max_ns) spread->max_ns = from->max_ns;
  for (size_t i = 0; i < from->width; i++)
    spread->counts[(size_t)(from->low - spread->low) + i] += from->counts[i];
  spread->n += from->n;
  return true;
}

void psp_spread_settle(psp_spread *spread) {
  for (size_t i = 1; i < spread->width; i++)
    spread->counts[i] += spread->counts[i - 1];
}

uint64_t psp_spread_in(const psp_spread *spread, size_t index) {
  return spread->counts[index] - (index > 0 ? spread->counts[index - 1] : 0);
}

uint64_t psp_spread_at_most(const psp_spread *spread, int64_t ns) {
  if (spread->n == 0 || ns < spread->min_ns) return 0;
  if (ns >= spread->max_ns) return spread->n;
  const int64_t index = (int64_t)psp_bin_of(ns) - spread->low;
  if (index < 0) return 0;
  return (size_t)index < spread->width ? spread->counts[index] : spread->n;
}

/* The first bin up to which there are `rank` values. */
static size_t find(const psp_spread *spread, uint64_t rank) {
  size_t low = 0, high = spread->width - 1;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (spread->counts[middle] < rank)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The value at a whole rank: values stand in the middles of equal parts of their bin. */
static double value_at(const psp_spread *spread, uint64_t rank) {
  if (rank <= 1) return (double)spread->min_ns;
  if (rank >= spread->n) return (double)spread->max_ns;
  const size_t index = find(spread, rank);
  const int32_t bin = spread->low + (int32_t)index;
  const double in = (double)psp_spread_in(spread, index);
  const double below = (double)(spread->counts[index] - (uint64_t)in);
  const double width = (double)psp_bin_width(bin), part = ((double)rank - below - 0.5) / in;
  double value = (double)psp_bin_least(bin);
  if (width > 1) value += bin < 0 ? -(1 - part) * width : part * width;
  return fmax((double)spread->min_ns, fmin((double)spread->max_ns, value));
}

int64_t psp_spread_at(const psp_spread *spread, double rank) {
  if (spread->n == 0) return 0;
  const double whole = floor(fmax(1, fmin((double)spread->n, rank)));
  const double low = value_at(spread, (uint64_t)whole);
  if (rank <= whole) return llround(low);
  return llround(low + (rank - whole) * (value_at(spread, (uint64_t)whole + 1) - low));
}

int64_t psp_spread_quantile(const psp_spread *spread, double quantile) {
  if (spread->n == 0) return 0;
  return psp_spread_at(spread, (double)psp_quantile_rank(spread->n, quantile));
}

psprobe_interval psp_spread_interval(const psp_spread *spread, double quantile, double inflation) {
  const psp_rank_interval ranks = psp_quantile_ranks(spread->n, quantile, 0.95, inflation);
  psprobe_interval interval = {.has_low = ranks.low > 0, .has_high = ranks.high > 0};
  if (interval.has_low) interval.low_ns = psp_spread_at(spread, (double)ranks.low);
  if (interval.has_high) interval.high_ns = psp_spread_at(spread, (double)ranks.high);
  return interval;
}

static psprobe_interval interpolated(const psp_spread *spread, double confidence,
                                     double inflation) {
  if (spread->n == 0) return (psprobe_interval){0};
  const double rank = psp_median_rank_interpolated(spread->n, confidence, inflation);
  if (rank < 1) return (psprobe_interval){0};
  return (psprobe_interval){.has_low = true,
                            .has_high = true,
                            .low_ns = psp_spread_at(spread, rank),
                            .high_ns = psp_spread_at(spread, (double)spread->n + 1 - rank)};
}

psp_estimate psp_spread_median(const psp_spread *spread, const psp_serial *serial) {
  return (psp_estimate){.n = spread->n,
                        .median_ns = psp_spread_at(spread, ((double)spread->n + 1) / 2),
                        .ci = psp_spread_interval(spread, 0.5, serial->inflation),
                        .near = interpolated(spread, 0.95, serial->inflation),
                        .inner = interpolated(spread, PSP_INNER_CONFIDENCE, serial->inflation),
                        .serial = *serial};
}
