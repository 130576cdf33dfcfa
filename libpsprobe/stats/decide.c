/* SPDX-License-Identifier: MIT */
#include "stats/decide.h"

#define ALPHA 0.05

/* What the sign test does not refuse belongs to the interval, also where the search for its bounds
 * passed it by. */
static void keep_zero(psprobe_pair *pair) {
  psprobe_interval *ci = &pair->all.median_ci;
  if (pair->sign_p < ALPHA) return;
  if (ci->has_low && ci->low_ns > 0) ci->low_ns = 0;
  if (ci->has_high && ci->high_ns < 0) ci->high_ns = 0;
}

/* As the sign test has it; where correlation differs much from one value to the next, the two can
 * part, and then nothing is decided. */
static bool excludes_zero(const psprobe_interval *ci) {
  return (ci->has_low && ci->low_ns > 0) || (ci->has_high && ci->high_ns < 0);
}

void psp_comparison_decide(psprobe_comparison *c, double *p) {
  double *corrected = p + c->pair_count;
  for (size_t k = 0; k < c->pair_count; k++)
    p[k] = c->pairs[k].sign_p;
  psp_holm(p, corrected, c->pair_count);
  for (size_t k = 0; k < c->pair_count; k++) {
    psprobe_pair *pair = &c->pairs[k];
    const psp_pair_state *state = &c->states[k];
    pair->holm_p = corrected[k];
    keep_zero(pair);
    if (pair->holm_p < ALPHA && excludes_zero(&pair->all.median_ci)) {
      pair->outcome =
          state->signs.negative > state->signs.positive ? PSPROBE_A_FASTER : PSPROBE_B_FASTER;
    } else {
      pair->more_known =
          psp_more_probes(state->signs, &state->serial, c->pair_count, c->seed, &pair->more_probes);
    }
  }
}
