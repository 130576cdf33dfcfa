/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_RNG_H
#define PSP_STATS_RNG_H
/**
 * @file
 * Seeded random numbers for resampling: the same seed gives the same figures
 * everywhere. Not for ids (base/id.h has those). A plain value; pure.
 */
#include <stdint.h>

/** xoshiro256** (Blackman & Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS
 * 47(4), 2021). */
typedef struct psp_rng {
  uint64_t state[4];
} psp_rng;

/** One step of splitmix64 (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators",
 * OOPSLA 2014), which also seeds the above as its authors advise. */
uint64_t psp_splitmix64(uint64_t *state);

void psp_rng_seed(psp_rng *rng, uint64_t seed);
uint64_t psp_rng_next(psp_rng *rng);
/** Uniform in [0, bound); bound > 0. Its bias is below bound / 2^64. */
uint64_t psp_rng_below(psp_rng *rng, uint64_t bound);
/** Uniform in the open interval (0, 1). */
double psp_rng_uniform(psp_rng *rng);
/** Standard normal (Box & Muller 1958). */
double psp_rng_normal(psp_rng *rng);
/** Gamma with this shape > 0 and scale 1 (Marsaglia & Tsang, ACM TOMS 26(3), 2000). */
double psp_rng_gamma(psp_rng *rng, double shape);

#endif
