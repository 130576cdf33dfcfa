/* SPDX-License-Identifier: MIT */
#include "stats/rng.h"

#include <math.h>

uint64_t psp_splitmix64(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void psp_rng_seed(psp_rng *rng, uint64_t seed) {
  for (int i = 0; i < 4; i++)
    rng->state[i] = psp_splitmix64(&seed);
}

static uint64_t rotate(uint64_t x, int by) {
  return (x << by) | (x >> (64 - by));
}

uint64_t psp_rng_next(psp_rng *rng) {
  uint64_t *s = rng->state;
  const uint64_t result = rotate(s[1] * 5, 7) * 9;
  const uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

uint64_t psp_rng_below(psp_rng *rng, uint64_t bound) {
  __extension__ typedef unsigned __int128 wide;
  return (uint64_t)(((wide)psp_rng_next(rng) * bound) >> 64);
}

double psp_rng_uniform(psp_rng *rng) {
  /* 52 bits and a half step: neither 0 nor 1 can come out, so logarithms are safe. */
  return ((double)(psp_rng_next(rng) >> 12) + 0.5) * 0x1p-52;
}

double psp_rng_normal(psp_rng *rng) {
  const double radius = sqrt(-2 * log(psp_rng_uniform(rng)));
  return radius * cos(2 * 3.14159265358979323846 * psp_rng_uniform(rng));
}

double psp_rng_gamma(psp_rng *rng, double shape) {
  if (shape < 1) {
    const double boost = pow(psp_rng_uniform(rng), 1 / shape);
    return psp_rng_gamma(rng, shape + 1) * boost;
  }
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = psp_rng_normal(rng);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (log(psp_rng_uniform(rng)) < x * x / 2 + d - d * v + d * log(v)) return d * v;
  }
}
