/* SPDX-License-Identifier: MIT */
#include "stats/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/distributions.h"
#include "stats/rng.h"
#include "stats/serial.h"
#include "stats/sort.h"

#define MIN_VALUES    6
#define BLOCK_BUDGET  200000000u
#define MIN_RESAMPLES 199
#define MOST_COUNTERS 65536
#define MOST_LAGS     300

double psp_bca_level(double z, double bias, double acceleration) {
  const double shifted = bias + z, left = 1 - acceleration * shifted;
  /* Past its pole the formula would turn back: the end of the scale is meant. */
  if (left <= 0) return z < 0 ? 0 : 1;
  return psp_normal_cdf(bias + shifted / left);
}

static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The value at a share of sorted estimates, by the mean rank (Hyndman & Fan 1996, type 6), outwards
 * to the nearer whole one: `up` for an upper bound. */
static int64_t at_level(const int64_t *estimates, size_t count, double level, bool up) {
  const double at = level * (double)(count + 1);
  const double rank = up ? ceil(at) : floor(at);
  if (rank <= 1) return estimates[0];
  if (rank >= (double)count) return estimates[count - 1];
  return estimates[(size_t)rank - 1];
}

/* The median of n draws from sorted[0..n-1]: the middle of n uniforms is beta distributed, as a
 * ratio of gammas; of an even number, the upper middle is the smallest of the n/2 above. */
static int64_t resampled_median(const int64_t *sorted, size_t n, psp_rng *rng) {
  const size_t lower = (n + 1) / 2; /* rank of the (lower) middle draw */
  const double before = psp_rng_gamma(rng, (double)lower);
  const double after = psp_rng_gamma(rng, (double)(n - lower + 1));
  const double first = before / (before + after);
  const size_t one = (size_t)(first * (double)n);
  const int64_t low = sorted[one < n ? one : n - 1];
  if (n % 2 == 1) return low;
  const double above = pow(psp_rng_uniform(rng), 1 / (double)(n - lower));
  const size_t two = (size_t)((1 - (1 - first) * above) * (double)n);
  return psp_midpoint(low, sorted[two < n ? two : n - 1]);
}

/* A sixth of the skewness of the jackknife's influences, sum(u^3) / (6 * sum(u^2)^1.5) with
 * u = mean of the medians without one value - median without it. */
static double median_acceleration(const int64_t *sorted, size_t n) {
  double value[3], times[3];
  const size_t half = n / 2;
  if (n % 2 == 0) {
    value[0] = (double)sorted[half], value[1] = (double)sorted[half - 1], value[2] = value[1];
    times[0] = (double)half, times[1] = (double)half, times[2] = 0;
  } else {
    const double low = (double)sorted[half - 1], mid = (double)sorted[half],
                 high = (double)sorted[half + 1];
    value[0] = (mid + high) / 2, value[1] = (low + mid) / 2, value[2] = (low + high) / 2;
    times[0] = (double)half, times[1] = (double)half, times[2] = 1;
  }
  double mean = 0, square = 0, cube = 0;
  for (int i = 0; i < 3; i++)
    mean += value[i] * times[i] / (double)n;
  for (int i = 0; i < 3; i++) {
    const double u = mean - value[i];
    square += times[i] * u * u;
    cube += times[i] * u * u * u;
  }
  return square > 0 ? cube / (6 * square * sqrt(square)) : 0;
}

psprobe_interval psp_bootstrap_median(const int64_t *sorted, size_t n, double inflation,
                                      uint64_t seed, int64_t *estimates, size_t resamples) {
  psprobe_interval interval = {0};
  if (n < MIN_VALUES) return interval;
  psp_rng rng;
  psp_rng_seed(&rng, seed);
  const int64_t median = psp_median_sorted(sorted, n);
  double below = 0;
  for (size_t i = 0; i < resamples; i++) {
    estimates[i] = resampled_median(sorted, n, &rng);
    below += estimates[i] < median ? 1 : estimates[i] == median ? 0.5 : 0;
  }
  qsort(estimates, resamples, sizeof *estimates, compare);
  const double bias = psp_normal_quantile(below / (double)resamples);
  const double acceleration = median_acceleration(sorted, n);
  const double z = psp_normal_quantile(PSP_HALF_INTERVAL) * inflation;
  interval.has_low = interval.has_high = true;
  interval.low_ns = at_level(estimates, resamples, psp_bca_level(-z, bias, acceleration), false);
  interval.high_ns = at_level(estimates, resamples, psp_bca_level(z, bias, acceleration), true);
  return interval;
}

/* The smallest lag after which `run` autocorrelations in a row are within the noise. */
static size_t last_lag(const float *x, size_t n, size_t most, size_t run) {
  const double limit = 2 * sqrt(log10((double)n) / (double)n) * psp_autocovariance(x, n, 0);
  size_t quiet = 0;
  for (size_t lag = 1; lag <= most + run; lag++) {
    quiet = fabs(psp_autocovariance(x, n, lag)) < limit ? quiet + 1 : 0;
    if (quiet == run) return lag - run;
  }
  return most;
}

size_t psp_block_length(float *scores, size_t n) {
  if (n < 9) return 1;
  double mean = 0;
  for (size_t i = 0; i < n; i++)
    mean += (double)scores[i] / (double)n;
  for (size_t i = 0; i < n; i++)
    scores[i] -= (float)mean;
  const double root = sqrt((double)n);
  const size_t run = (size_t)fmax(5, ceil(sqrt(log10((double)n))));
  const size_t most = (size_t)fmin(ceil(root) + (double)run, fmin(MOST_LAGS, floor((double)n / 3)));
  const size_t band =
      (size_t)fmin(2 * fmax(1, (double)last_lag(scores, n, most, run)), (double)most);
  double spectrum = psp_autocovariance(scores, n, 0), slope = 0;
  for (size_t lag = 1; lag <= band; lag++) {
    const double part = (double)lag / (double)band; /* flat top to the half, then linear to 0 */
    const double weight =
        2 * (part <= 0.5 ? 1 : 2 * (1 - part)) * psp_autocovariance(scores, n, lag);
    spectrum += weight;
    slope += weight * (double)lag;
  }
  if (!(spectrum > 0)) return 1;
  const double best = cbrt(1.5 * slope * slope / (spectrum * spectrum) * (double)n);
  return (size_t)fmax(1, fmin(rint(2 * best), (double)n / 3));
}

/* The median of a resample, of which counts[i] values have ranks from i * step on. */
static int64_t median_of_counts(const int64_t *sorted, const uint32_t *counts, size_t n,
                                size_t step) {
  const size_t wanted = (n + 1) / 2;
  size_t before = 0, bin = 0;
  while (before + counts[bin] < wanted)
    before += counts[bin++];
  if (step > 1) {
    const size_t rank = bin * step + (wanted - before - 1) * step / counts[bin];
    return sorted[rank < n ? rank : n - 1];
  }
  if (n % 2 == 1 || before + counts[bin] > wanted) return sorted[bin];
  size_t next = bin + 1;
  while (counts[next] == 0)
    next++;
  return psp_midpoint(sorted[bin], sorted[next]);
}

static void draw_blocks(const uint32_t *bins, size_t n, size_t block, psp_rng *rng,
                        uint32_t *counts) {
  for (size_t drawn = 0; drawn < n;) {
    size_t at = (size_t)psp_rng_below(rng, n);
    for (size_t k = 0; k < block && drawn < n; k++, drawn++) {
      counts[bins[at]]++;
      if (++at == n) at = 0;
    }
  }
}

psprobe_interval psp_bootstrap_median_blocks(const int64_t *sorted, uint32_t *ranks, size_t n,
                                             size_t block, double inflation, uint64_t seed,
                                             uint32_t *counts, int64_t *estimates,
                                             size_t resamples) {
  psprobe_interval interval = {0};
  if (n < MIN_VALUES || n / block < 2) return interval;
  const size_t most = BLOCK_BUDGET / n > MIN_RESAMPLES ? BLOCK_BUDGET / n : MIN_RESAMPLES;
  if (resamples > most) resamples = most;
  /* Counters that stay in the cache: beyond 65,536 values a few neighbours in rank share one. */
  const size_t step = (n + MOST_COUNTERS - 1) / MOST_COUNTERS, counters = (n - 1) / step + 1;
  for (size_t i = 0; i < n && step > 1; i++)
    ranks[i] /= (uint32_t)step;
  psp_rng rng;
  psp_rng_seed(&rng, seed);
  for (size_t b = 0; b < resamples; b++) {
    memset(counts, 0, counters * sizeof *counts);
    draw_blocks(ranks, n, block, &rng, counts);
    estimates[b] = median_of_counts(sorted, counts, n, step);
  }
  qsort(estimates, resamples, sizeof *estimates, compare);
  const double blocks = (double)n / (double)block;
  const double t = psp_t_quantile(PSP_HALF_INTERVAL, blocks - 1) * fmax(1, inflation);
  const double tail = psp_normal_cdf(-t * sqrt(blocks / (blocks - 1)));
  interval.has_low = interval.has_high = true;
  interval.low_ns = at_level(estimates, resamples, tail, false);
  interval.high_ns = at_level(estimates, resamples, 1 - tail, true);
  return interval;
}
