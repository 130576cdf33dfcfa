/* SPDX-License-Identifier: MIT */
#include "stats/sign_interval.h"

#include <math.h>

#include "stats/quantile_ci.h"

#define TAIL   0.025
#define MARGIN 1.02 /* where the widening is an estimate: calibrated (docs/statistics.md) */

psp_serial psp_signs_serial(float *signs, size_t n) {
  psp_serial serial = psp_serial_look(signs, n, PSP_SIGNS);
  if (serial.inflation > serial.caution) serial.inflation *= MARGIN;
  return serial;
}

psp_serial psp_signs_about(const psp_sample *sample, int64_t theta, float *scores) {
  for (size_t i = 0; i < sample->n; i++) {
    scores[i] = (float)((sample->values[i] > theta) - (sample->values[i] < theta));
  }
  return psp_signs_serial(scores, sample->n);
}

/* One side of the interval. Ranks are counted from that side: 1 is the outermost value. */
typedef struct side {
  const psp_sample *sample;
  float *scores;
  bool upper;
  double independent; /* the rank that bounds it for independent values, not yet whole */
} side;

static int64_t value_at(const side *s, uint64_t rank) {
  return s->sample->sorted[s->upper ? s->sample->n - rank : rank - 1];
}

/* The rank that must be reached with the correlation about the value at `rank`; may be < 1. */
static double rank_needed(const side *s, uint64_t rank) {
  const psp_serial serial = psp_signs_about(s->sample, value_at(s, rank), s->scores);
  const double centre = ((double)s->sample->n + 1) / 2;
  return floor(centre - (centre - s->independent) * serial.inflation);
}

static bool accepted(const side *s, uint64_t rank) {
  return (double)rank >= rank_needed(s, rank);
}

/* The outermost rank that is accepted; 0: all are, and more would be. */
static uint64_t bound(const side *s) {
  uint64_t good = (uint64_t)s->independent, bad = 0;
  if (good == 0) return 0;
  /* Correlation changes slowly with the value, so a first guess is close, and one step beyond it
   * mostly ends the search. */
  const double needed = rank_needed(s, good);
  const uint64_t guess = needed < 1 ? 1 : (uint64_t)needed;
  if (guess < good) *(accepted(s, guess) ? &good : &bad) = guess;
  if (good - bad > 1) {
    const uint64_t next = good - 1;
    *(accepted(s, next) ? &good : &bad) = next;
  }
  while (good - bad > 1) {
    const uint64_t middle = bad + (good - bad) / 2;
    *(accepted(s, middle) ? &good : &bad) = middle;
  }
  return good == 1 && rank_needed(s, 1) < 1 ? 0 : good;
}

psp_estimate psp_median_inverted(const psp_sample *sample, float *scores) {
  psp_estimate estimate = psp_sample_median(sample, scores);
  estimate.ci = (psprobe_interval){0};
  if (sample->n == 0) return estimate;
  side lower = {
      .sample = sample, .scores = scores, .independent = psp_median_depth(sample->n, TAIL)};
  side upper = lower;
  upper.upper = true;
  const uint64_t low = bound(&lower), high = bound(&upper);
  estimate.ci.has_low = low > 0;
  estimate.ci.has_high = high > 0;
  if (low > 0) estimate.ci.low_ns = value_at(&lower, low);
  if (high > 0) estimate.ci.high_ns = value_at(&upper, high);
  return estimate;
}
