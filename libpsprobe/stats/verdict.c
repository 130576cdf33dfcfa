/* SPDX-License-Identifier: MIT */
#include "stats/verdict.h"

#include <math.h>

#include "stats/distributions.h"
#include "stats/quantile_ci.h"
#include "stats/rng.h"

#define FUTURES      1000
#define POWER        0.8
#define MOST_PROBES  1e12
#define ALL_OF(sign) ((sign).negative + (sign).zero + (sign).positive)

psp_signs psp_signs_count(const int64_t *sorted, size_t n) {
  psp_signs signs = {0};
  while (signs.negative < n && sorted[signs.negative] < 0)
    signs.negative++;
  size_t end = (size_t)signs.negative;
  while (end < n && sorted[end] == 0)
    end++;
  signs.zero = end - signs.negative;
  signs.positive = n - end;
  return signs;
}

double psp_sign_test(psp_signs signs, double inflation) {
  const uint64_t n = ALL_OF(signs);
  const uint64_t not_positive = n - signs.positive, not_negative = n - signs.negative;
  const uint64_t k = not_positive < not_negative ? not_positive : not_negative;
  const double centre = ((double)n + 1) / 2;
  /* The rank that widening moves to k + 1: what the interval's lower rank must reach. */
  return fmin(1, 2 * psp_median_tail(n, centre - (centre - (double)k - 1) / inflation));
}

void psp_holm(const double *p, double *corrected, size_t count) {
  for (size_t i = 0; i < count; i++)
    corrected[i] = -1;
  double running = 0;
  for (size_t done = 0; done < count; done++) {
    size_t least = count;
    for (size_t i = 0; i < count; i++) {
      if (corrected[i] < 0 && (least == count || p[i] < p[least])) least = i;
    }
    running = fmax(running, fmin(1, (double)(count - done) * p[least]));
    corrected[least] = running;
  }
}

/* One way the run may go on: the true share of either sign, and the chance in what is to come. */
typedef struct future {
  double positive, negative, chance;
} future;

static void draw_futures(future *futures, psp_signs signs, double effect, uint64_t seed) {
  psp_rng rng;
  psp_rng_seed(&rng, seed);
  for (size_t i = 0; i < FUTURES; i++) {
    const double positive = psp_rng_gamma(&rng, (double)signs.positive / effect + 0.5);
    const double negative = psp_rng_gamma(&rng, (double)signs.negative / effect + 0.5);
    const double zero = signs.zero > 0 ? psp_rng_gamma(&rng, (double)signs.zero / effect) : 0;
    const double sum = positive + negative + zero;
    futures[i] = (future){positive / sum, negative / sum, psp_rng_normal(&rng)};
  }
}

/* In which share of the futures the sign test is settled `more` probes from now. Counts are taken
 * as normal: where this matters there are hundreds of them. */
static double share_settled(const future *futures, psp_signs signs, const psp_serial *serial,
                            double z, double more) {
  const double effect = serial->design_effect, total = (double)ALL_OF(signs) + more;
  const double asked = fmax(effect, psp_serial_caution(serial->lag1, (size_t)total, PSP_SIGNS));
  /* psp_sign_test turned round: k must stay below this. */
  const double limit = (total - 1) / 2 - z * sqrt(asked * total) / 2;
  size_t settled = 0;
  for (size_t i = 0; i < FUTURES; i++) {
    const future *f = &futures[i];
    const double other = f->positive + f->negative;
    const double spread = sqrt(effect * more * f->positive * f->negative / other) * f->chance;
    const double positive = (double)signs.positive + more * f->positive + spread;
    const double negative = (double)signs.negative + more * f->negative - spread;
    settled += total - positive < limit || total - negative < limit;
  }
  return (double)settled / FUTURES;
}

bool psp_more_probes(psp_signs signs, const psp_serial *serial, size_t pairs, uint64_t seed,
                     uint64_t *more) {
  const double n = (double)ALL_OF(signs);
  if (n < PSP_FEWEST_DIFFERENCES || 2 * (double)signs.zero >= n) return false;
  future futures[FUTURES];
  const double z = psp_normal_quantile(1 - 0.025 / (double)pairs);
  draw_futures(futures, signs, serial->design_effect, seed);
  double low = 0, high = 1;
  while (share_settled(futures, signs, serial, z, high) < POWER) {
    low = high;
    high *= 2;
    if (high > MOST_PROBES) return false;
  }
  while (high - low > 1 && high / low > 1.005) {
    const double middle = floor(low + (high - low) / 2);
    if (share_settled(futures, signs, serial, z, middle) < POWER) {
      low = middle;
    } else {
      high = middle;
    }
  }
  *more = (uint64_t)high;
  return true;
}
