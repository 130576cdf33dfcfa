/* SPDX-License-Identifier: MIT */
#include "stats/serial.h"

#include <math.h>

#include "stats/distributions.h"

#define BLOCKING       8
#define BLOCKING_FROM  640 /* shorter series are looked at over all their lags */
#define MAX_LAG        (BLOCKING_FROM / 2)
#define ASSUMED        0.6 /* the AR(1) that short series are taken for … */
#define ASSUMED_TO     16  /* … whatever they show, up to so many values */
#define ESTIMATED_FROM 45  /* and from so many on what they show is taken for what it is */
#define WORTH_A_LOOK   1   /* standard errors of lag 1 */
#define BEYOND_CHANCE  1.645

/* Sum of x[i] * x[i + lag] over n terms. Eight sums beside each other let the compiler use vector
 * registers without being allowed to reorder; chunks keep float from losing digits. */
static double product_sum(const float *x, size_t lag, size_t n) {
  double total = 0;
  size_t i = 0;
  while (i + 8 <= n) {
    float sums[8] = {0};
    const size_t end = n - i < 4096 ? i + (n - i) / 8 * 8 : i + 4096;
    for (; i < end; i += 8) {
      for (size_t k = 0; k < 8; k++)
        sums[k] += x[i + k] * x[i + k + lag];
    }
    for (size_t k = 0; k < 8; k++)
      total += (double)sums[k];
  }
  for (; i < n; i++)
    total += (double)x[i] * (double)x[i + lag];
  return total;
}

double psp_autocovariance(const float *x, size_t n, size_t lag) {
  return product_sum(x, lag, n - lag) / (double)n;
}

static double plain_sum(const float *x, size_t n) {
  double total = 0;
  size_t i = 0;
  while (i + 8 <= n) {
    float sums[8] = {0};
    const size_t end = n - i < 4096 ? i + (n - i) / 8 * 8 : i + 4096;
    for (; i < end; i += 8) {
      for (size_t k = 0; k < 8; k++)
        sums[k] += x[i + k];
    }
    for (size_t k = 0; k < 8; k++)
      total += (double)sums[k];
  }
  for (; i < n; i++)
    total += (double)x[i];
  return total;
}

/* Centres `x` at its mean; needed once before psp_autocovariance. */
static void centre(float *x, size_t n) {
  const float mean = (float)(plain_sum(x, n) / (double)n);
  for (size_t i = 0; i < n; i++)
    x[i] -= mean;
}

/* The longest lag that is looked at before averaging blocks. */
static size_t most_lags(size_t n) {
  return n < BLOCKING_FROM ? n / 2 : 64;
}

/* A series under way: autocovariances as far as they were needed. */
typedef struct series {
  const float *x;
  size_t n;
  size_t known;
  double gamma[MAX_LAG + 2];
} series;

static double gamma_at(series *s, size_t lag) {
  for (; s->known <= lag; s->known++) {
    s->gamma[s->known] = psp_autocovariance(s->x, s->n, s->known);
  }
  return s->gamma[lag];
}

/* The initial monotone sequence. `mean_variance` is added back to every autocovariance.
 * @return the design effect; *lags: M; most_lags when it was still positive there */
static double geyer(series *s, double mean_variance, size_t *lags) {
  const double n = (double)s->n, all = s->gamma[0] + mean_variance;
  const size_t most = most_lags(s->n);
  double sum = 0, before = INFINITY;
  size_t lag = 0;
  for (; lag + 1 < most; lag += 2) {
    double pair = gamma_at(s, lag) + mean_variance * (1 - (double)lag / n) + gamma_at(s, lag + 1) +
                  mean_variance * (1 - (double)(lag + 1) / n);
    pair /= all;
    if (pair <= 0) break;
    if (pair > before) pair = before;
    before = pair;
    sum += pair;
  }
  *lags = lag + 1 >= most ? most : lag > 1 ? lag - 1 : 1;
  const double effect = 2 * sum - 1;
  return effect < 1 ? 1 : effect;
}

/* n * Var(mean) / gamma[0] of `s`, and the degrees of freedom that it was estimated with. */
static double design_effect(series *s, size_t *lags) {
  double effect = geyer(s, 0, lags);
  const double n = (double)s->n, left = fmax(0.1, 1 - (2 * (double)*lags + 1) / n);
  const double mean_variance = fmin(s->gamma[0], s->gamma[0] * effect / left / n);
  effect = geyer(s, mean_variance, lags);
  return effect * (1 + mean_variance / s->gamma[0]);
}

/* 2 / (relative variance of the estimated Var(mean)): what the lags contribute, and what heavy
 * tails of the scores do, squares being as correlated as the scores themselves. */
static double degrees_of_freedom(series *s, double effect, size_t lags) {
  const double n = (double)s->n, variance = gamma_at(s, 0);
  double fourth = 0;
  for (size_t i = 0; i < s->n; i++) {
    const double square = (double)s->x[i] * (double)s->x[i];
    fourth += square * square;
  }
  const double kurtosis = fourth / n / (variance * variance);
  return 2 * n / (2 * (2 * (double)lags + 1) + fmax(0, kurtosis - 1) * effect);
}

static size_t average_blocks(float *x, size_t n) {
  const size_t blocks = n / BLOCKING;
  for (size_t b = 0; b < blocks; b++) {
    float sum = 0;
    for (size_t k = 0; k < BLOCKING; k++)
      sum += x[b * BLOCKING + k];
    x[b] = sum / BLOCKING;
  }
  return blocks;
}

double psp_serial_caution(double lag1, size_t n, psp_scores kind) {
  if (n >= ESTIMATED_FROM) return 1;
  const double count = (double)n, most = kind == PSP_SIGNS ? 2 / PSP_PI * asin(ASSUMED) : ASSUMED;
  const double weight = fmin(1, (ESTIMATED_FROM - count) / (ESTIMATED_FROM - ASSUMED_TO));
  const double r = fmin(most, weight * most + (1 - weight) * lag1);
  if (r <= 0) return 1;
  const double fading = fmin(ASSUMED, sin(PSP_PI / 2 * r)), left = 1 - fading;
  /* 1 + 2 * sum of (1 - k / n) * r * fading^(k - 1) over k from 1 to n. */
  return 1 + 2 * r * (1 / left - (1 - pow(fading, count)) / (count * left * left));
}

/* The design effect of `s`, whose scores are averaged in blocks while they stay correlated too long
 * to be looked at one by one. @return how many times wider an interval must be for it */
static double estimate(series *s, float *scores, psp_serial *result) {
  const double n = (double)s->n, variance = s->gamma[0];
  size_t lags;
  double effect = design_effect(s, &lags);
  double scale = 1; /* of the blocks' design effect to that of single probes */
  while (lags == most_lags(s->n) && s->n >= BLOCKING_FROM) {
    s->n = average_blocks(scores, s->n);
    s->known = 0;
    scale = floor(n / (double)s->n) * gamma_at(s, 0) / variance;
    effect = scale * design_effect(s, &lags);
  }
  const double freedom = degrees_of_freedom(s, effect / scale, lags);
  result->design_effect = fmax(1, fmin(effect, n));
  return sqrt(result->design_effect) * psp_t_quantile(PSP_HALF_INTERVAL, freedom) /
         psp_normal_quantile(PSP_HALF_INTERVAL);
}

psp_serial psp_serial_of_blocks(float *blocks, size_t count, double independent) {
  psp_serial result = {.design_effect = 1, .caution = 1, .inflation = 1};
  if (count < 4 || !(independent > 0)) return result;
  centre(blocks, count);
  series s = {.x = blocks, .n = count};
  const double n = (double)count, scale = gamma_at(&s, 0) * n / independent;
  if (!(scale > 0)) return result;
  const bool alike = gamma_at(&s, 1) / gamma_at(&s, 0) * sqrt(n) > BEYOND_CHANCE;
  size_t lags = 0;
  const double effect = scale * (alike ? design_effect(&s, &lags) : 1);
  const double freedom = alike ? degrees_of_freedom(&s, effect / scale, lags) : n - 1;
  result.design_effect = fmax(1, effect);
  result.inflation = fmax(1, sqrt(effect) * psp_t_quantile(PSP_HALF_INTERVAL, freedom) /
                                 psp_normal_quantile(PSP_HALF_INTERVAL));
  result.matters = (effect - 1) / sqrt(2 / (n - 1)) > BEYOND_CHANCE;
  return result;
}

psp_serial psp_serial_look(float *scores, size_t n, psp_scores kind) {
  psp_serial result = {.design_effect = 1, .caution = 1, .inflation = 1};
  if (n < 4) return result;
  centre(scores, n);
  series s = {.x = scores, .n = n};
  const double variance = gamma_at(&s, 0);
  if (variance > 0) result.lag1 = fmax(-1, fmin(1, gamma_at(&s, 1) / variance));
  const double unbiased =
      variance > 0 ? result.lag1 + (1 + 3 * result.lag1) / (double)n : 1; /* constants: the worst */
  result.caution = result.inflation = sqrt(psp_serial_caution(unbiased, n, kind));
  const double errors = unbiased * sqrt((double)n);
  if (variance <= 0 || errors < WORTH_A_LOOK) return result;
  const double needed = estimate(&s, scores, &result);
  result.matters = errors > BEYOND_CHANCE && needed > result.caution;
  result.inflation = fmax(result.caution, needed);
  return result;
}
