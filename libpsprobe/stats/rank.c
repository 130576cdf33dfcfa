/* SPDX-License-Identifier: MIT */
#include "stats/rank.h"

#include <float.h>
#include <math.h>

#include <psprobe/timing.h>

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
