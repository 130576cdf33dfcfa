/* SPDX-License-Identifier: MIT */
#include "stats/quantile_ci.h"

#include <float.h>
#include <math.h>

#include <psprobe/timing.h>

#include "stats/distributions.h"

/* The largest rank l in [0, n] with F(l - 1) <= tail. */
static uint64_t low_rank(uint64_t n, double quantile, double tail) {
  uint64_t good = 0, bad = n + 1;
  while (bad - good > 1) {
    const uint64_t rank = good + (bad - good) / 2;
    if (psp_binomial_cdf(n, quantile, (int64_t)rank - 1) <= tail) {
      good = rank;
    } else {
      bad = rank;
    }
  }
  return good;
}

/* With high = n + 1 and low = 0 standing for the infinities. */
static double coverage_of(uint64_t n, double quantile, uint64_t low, uint64_t high) {
  return psp_binomial_cdf(n, quantile, (int64_t)high - 1) -
         psp_binomial_cdf(n, quantile, (int64_t)low - 1);
}

static void shrink(uint64_t n, double quantile, double confidence, uint64_t *low, uint64_t *high) {
  while (*high - *low > 1) {
    const double raised = coverage_of(n, quantile, *low + 1, *high);
    const double lowered = coverage_of(n, quantile, *low, *high - 1);
    if (fmax(raised, lowered) < confidence) return;
    if (raised > lowered) {
      *low += 1;
    } else {
      *high -= 1;
    }
  }
}

double psp_median_tail(uint64_t n, double rank) {
  const double whole = floor(rank);
  const double tail = psp_binomial_cdf(n, 0.5, (int64_t)whole - 1);
  return tail + (rank - whole) * psp_binomial_pmf(n, 0.5, (int64_t)whole);
}

double psp_median_depth(uint64_t n, double tail) {
  const uint64_t depth = low_rank(n, 0.5, tail);
  const double below = psp_binomial_cdf(n, 0.5, (int64_t)depth - 1);
  return (double)depth + (tail - below) / psp_binomial_pmf(n, 0.5, (int64_t)depth);
}

psp_rank_interval psp_quantile_ranks(uint64_t n, double quantile, double confidence,
                                     double inflation) {
  psp_rank_interval ranks = {0, 0, 1};
  if (n == 0) return ranks;
  const double tail = (1 - confidence) / 2;
  uint64_t low = low_rank(n, quantile, tail);
  /* P(B >= high) <= tail is the same question asked of n - B. */
  uint64_t high = n + 1 - low_rank(n, 1 - quantile, tail);
  if (quantile != 0.5) shrink(n, quantile, confidence, &low, &high);
  ranks.coverage = coverage_of(n, quantile, low, high);
  if (inflation > 1) {
    const double centre = (double)n * quantile + 0.5;
    const bool median = quantile == 0.5;
    const double first = median ? psp_median_depth(n, tail) : (double)low;
    const double last = median ? (double)n + 1 - first : (double)high;
    const double below = floor(centre - (centre - first) * inflation);
    const double above = ceil(centre + (last - centre) * inflation);
    low = low == 0 || below < 1 ? 0 : (uint64_t)below;
    high = above > (double)n ? n + 1 : (uint64_t)above;
  }
  ranks.low = low;
  ranks.high = high > n ? 0 : high;
  return ranks;
}

psprobe_interval psp_quantile_interval(const int64_t *sorted, uint64_t n, double quantile,
                                       double confidence, double inflation) {
  const psp_rank_interval ranks = psp_quantile_ranks(n, quantile, confidence, inflation);
  psprobe_interval interval = {.has_low = ranks.low > 0, .has_high = ranks.high > 0};
  if (interval.has_low) interval.low_ns = sorted[ranks.low - 1];
  if (interval.has_high) interval.high_ns = sorted[ranks.high - 1];
  return interval;
}

/* Between the values at ranks around `rank`, from 1; rounded half up. */
static int64_t at_rank(const int64_t *sorted, uint64_t n, double rank) {
  const double whole = floor(rank);
  const uint64_t below = (uint64_t)whole;
  if (below >= n) return sorted[n - 1];
  const double low = (double)sorted[below - 1], high = (double)sorted[below];
  return (int64_t)llround(low + (rank - whole) * (high - low));
}

double psp_median_rank_interpolated(uint64_t n, double confidence, double inflation) {
  const uint64_t depth = low_rank(n, 0.5, (1 - confidence) / 2);
  if (depth == 0) return 0;
  const double outer = 1 - 2 * psp_binomial_cdf(n, 0.5, (int64_t)depth - 1);
  const double inner = 1 - 2 * psp_binomial_cdf(n, 0.5, (int64_t)depth);
  const double share = (outer - confidence) / (outer - inner);
  const double k = (double)depth, count = (double)n;
  const double part = (count - k) * share / (k + (count - 2 * k) * share);
  const double centre = (count + 1) / 2;
  return fmax(0, centre - (centre - (k + part)) * inflation);
}

psprobe_interval psp_median_interval_interpolated(const int64_t *sorted, uint64_t n,
                                                  double confidence, double inflation) {
  psprobe_interval interval = {0};
  const double rank = psp_median_rank_interpolated(n, confidence, inflation);
  if (rank < 1) return interval;
  interval.has_low = interval.has_high = true;
  interval.low_ns = at_rank(sorted, n, rank);
  interval.high_ns = at_rank(sorted, n, (double)n + 1 - rank);
  return interval;
}

uint64_t psp_quantile_rank(uint64_t n, double quantile) {
  if (!(quantile > 0)) return 1;
  if (quantile >= 1) return n;
  const double exact = quantile * (double)n;
  /* As R's quantile() does: a few units in the last place are rounding, not a part of a rank. */
  const double rank = ceil(exact - 4 * DBL_EPSILON * exact);
  if (rank < 1) return 1;
  if (rank >= (double)n) return n;
  return (uint64_t)rank;
}

int64_t psprobe_quantile_sorted(const int64_t *values, size_t n, double quantile) {
  if (n == 0) return 0;
  return values[psp_quantile_rank(n, quantile) - 1];
}
