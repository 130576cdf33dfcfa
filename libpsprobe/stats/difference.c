/* SPDX-License-Identifier: MIT */
#include "stats/difference.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "stats/distributions.h"

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
  if (share <= PSP_SQRT_HALF) return d.inner * share / PSP_SQRT_HALF;
  return d.inner + (d.outer - d.inner) * (share - PSP_SQRT_HALF) / (1 - PSP_SQRT_HALF);
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

psprobe_code psprobe_change_of(const int64_t *before_ns, size_t before_count,
                               const int64_t *after_ns, size_t after_count, psprobe_change *change,
                               psprobe_error *error) {
  psp_work work;
  size_t n = before_count + after_count;
  if (!psp_work_init(&work, n, 1)) {
    psp_work_clear(&work);
    return psp_fail_memory(error, "comparison of two runs");
  }
  work.sample.n = n;
  if (before_count > 0) memcpy(work.sample.values, before_ns, before_count * sizeof *before_ns);
  if (after_count > 0)
    memcpy(work.sample.values + before_count, after_ns, after_count * sizeof *after_ns);
  psp_sample_sort(&work);
  if (n > 0) memset(work.marks, 0, before_count);
  if (n > 0) memset(work.marks + before_count, 1, after_count);
  psp_sample_split(&work);
  const psp_estimate before = psp_sample_median(&work.part[0], work.scores);
  const psp_estimate after = psp_sample_median(&work.part[1], work.scores);
  *change = psp_change(&before, &after);
  psp_work_clear(&work);
  return PSPROBE_OK;
}
