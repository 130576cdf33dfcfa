/* SPDX-License-Identifier: MIT */
#include "stats/distributions.h"

#include <math.h>

#define SQRT_TWO_PI 2.50662827463100050242

double psp_normal_cdf(double z) {
  return 0.5 * erfc(-z * PSP_SQRT_HALF);
}

double psp_normal_quantile(double p) {
  if (!(p > 0)) return -40;
  if (p >= 1) return 40;
  const double tail = p < 0.5 ? p : 1 - p;
  const double t = sqrt(-2 * log(tail));
  double z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int i = 0; i < 3; i++) {
    const double error = (psp_normal_cdf(z) - tail) * SQRT_TWO_PI * exp(z * z / 2);
    z -= error / (1 + z * error / 2);
  }
  return p < 0.5 ? z : -z;
}

/* lgamma() writes the global signgam; the _r form does not. */
static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

/* Density at t = 0 times sqrt(df): what cos^(df - 1) is multiplied with to be the density of the
 * angle. */
static double angle_scale(double df) {
  return exp(log_gamma((df + 1) / 2) - log_gamma(df / 2)) / sqrt(PSP_PI);
}

/* P(0 < T < t) by Simpson's rule over the angle. */
static double t_area(double t, double df) {
  const int steps = 100;
  const double end = atan(t / sqrt(df)), step = end / steps;
  double sum = 1 + pow(cos(end), df - 1);
  for (int i = 1; i < steps; i++)
    sum += (i % 2 == 1 ? 4 : 2) * pow(cos(i * step), df - 1);
  return angle_scale(df) * sum * step / 3;
}

double psp_t_quantile(double p, double df) {
  const double z = psp_normal_quantile(p), z2 = z * z;
  if (!(df > 1)) df = 1;
  const double g1 = z * (z2 + 1) / 4;
  const double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
  const double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  double t = z + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df;
  for (int i = 0; i < 8 && df < 30; i++) {
    const double density = angle_scale(df) / sqrt(df) * pow(1 + t * t / df, -(df + 1) / 2);
    const double step = (t_area(t, df) - (p - 0.5)) / density;
    t -= step;
    if (fabs(step) < 1e-7 * t) break;
  }
  return t;
}

double psp_binomial_pmf(uint64_t n, double p, int64_t k) {
  if (k < 0 || (uint64_t)k > n) return 0;
  const uint64_t hits = (uint64_t)k;
  if (p <= 0) return hits == 0;
  if (p >= 1) return hits == n;
  return exp(log_gamma((double)n + 1) - log_gamma((double)hits + 1) -
             log_gamma((double)(n - hits) + 1) + (double)hits * log(p) +
             (double)(n - hits) * log1p(-p));
}

/* P(X <= k) for k at or below the mean: the terms fall from k downwards. */
static double lower_tail(uint64_t n, double p, int64_t k) {
  double term = psp_binomial_pmf(n, p, k), sum = term;
  for (; k > 0 && term > sum * 1e-17; k--) {
    term *= (double)k / (double)(n - (uint64_t)k + 1) * ((1 - p) / p);
    sum += term;
  }
  return sum;
}

double psp_binomial_cdf(uint64_t n, double p, int64_t k) {
  if (k < 0) return 0;
  if ((uint64_t)k >= n) return 1;
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  if ((double)k <= (double)n * p) return fmin(1, lower_tail(n, p, k));
  return fmax(0, 1 - lower_tail(n, 1 - p, (int64_t)n - k - 1));
}
