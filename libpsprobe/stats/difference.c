/* SPDX-License-Identifier: MIT */
#include "stats/difference.h"

#include <math.h>

#define SQRT_HALF 0.70710678118654752440

/* How far a median's bound is from it on one side, at two levels. */
typedef struct distances {
  double inner, outer;
  bool known;
} distances;

static distances below(const psp_estimate *e) {
  return (distances){.inner = (double)(e->median_ns - e->inner.low_ns),
                     .outer = (double)(e->median_ns - e->near.low_ns),
                     .known = e->near.has_low};
}

static distances above(const psp_estimate *e) {
  return (distances){.inner = (double)(e->inner.high_ns - e->median_ns),
                     .outer = (double)(e->near.high_ns - e->median_ns),
                     .known = e->near.has_high};
}

/* At a share of the level z, 0 to 1. */
static double at_share(distances d, double share) {
  if (share <= SQRT_HALF) return d.inner * share / SQRT_HALF;
  return d.inner + (d.outer - d.inner) * (share - SQRT_HALF) / (1 - SQRT_HALF);
}

static int64_t together(distances one, distances other) {
  const double root = hypot(one.outer, other.outer);
  if (!(root > 0)) return 0;
  return llround(at_share(one, one.outer / root) + at_share(other, other.outer / root));
}

psprobe_change psp_change(const psp_estimate *first, const psp_estimate *second) {
  psprobe_change change = {.first_n = first->n,
                           .second_n = second->n,
                           .first_ns = first->median_ns,
                           .second_ns = second->median_ns};
  if (first->n == 0 || second->n == 0) return change;
  change.change_ns = second->median_ns - first->median_ns;
  const distances first_up = above(first), first_down = below(first);
  const distances second_up = above(second), second_down = below(second);
  change.ci.has_low = second_down.known && first_up.known;
  if (change.ci.has_low) change.ci.low_ns = change.change_ns - together(second_down, first_up);
  change.ci.has_high = second_up.known && first_down.known;
  if (change.ci.has_high) change.ci.high_ns = change.change_ns + together(second_up, first_down);
  change.beyond_chance =
      (change.ci.has_low && change.ci.low_ns > 0) || (change.ci.has_high && change.ci.high_ns < 0);
  return change;
}
