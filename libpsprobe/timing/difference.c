/* SPDX-License-Identifier: MIT */
#include "timing/difference.h"

#include <math.h>

static int64_t root_of_squares(int64_t a, int64_t b) {
  return (int64_t)llround(hypot((double)a, (double)b));
}

psprobe_change psp_change(const psp_estimate *first, const psp_estimate *second) {
  psprobe_change change = {.first_n = first->n,
                           .second_n = second->n,
                           .first_ns = first->median_ns,
                           .second_ns = second->median_ns};
  if (first->n == 0 || second->n == 0) return change;
  change.change_ns = second->median_ns - first->median_ns;
  change.ci.has_low = second->near.has_low && first->near.has_high;
  if (change.ci.has_low) {
    change.ci.low_ns = change.change_ns - root_of_squares(second->median_ns - second->near.low_ns,
                                                          first->near.high_ns - first->median_ns);
  }
  change.ci.has_high = second->near.has_high && first->near.has_low;
  if (change.ci.has_high) {
    change.ci.high_ns = change.change_ns + root_of_squares(second->near.high_ns - second->median_ns,
                                                           first->median_ns - first->near.low_ns);
  }
  change.beyond_chance =
      (change.ci.has_low && change.ci.low_ns > 0) || (change.ci.has_high && change.ci.high_ns < 0);
  return change;
}
