/* SPDX-License-Identifier: MIT */
/** @file
 * What it costs to record a sample in a histogram, in reads of the clock that
 * the sample came from. Rounds alternate; medians.
 */
#include <psprobe/timing.h>
#include <stdio.h>

#include "bench.h"
#include "stats/rng.h"

static psprobe_histogram *new_histogram(void) {
  psprobe_histogram *made = NULL;
  psprobe_histogram_new(&made, NULL);
  return made;
}

#define ROUNDS 9
#define CALLS  1000000
#define VALUES 4096

static double record_ns(psprobe_histogram *histogram, const int64_t *values) {
  const int64_t start = psprobe_clock_monotonic();
  for (int i = 0; i < CALLS; i++)
    psprobe_histogram_record(histogram, values[i % VALUES]);
  return (double)(psprobe_clock_monotonic() - start) / CALLS;
}

static double clock_ns(void) {
  const int64_t start = psprobe_clock_monotonic();
  for (int i = 0; i < CALLS; i++)
    (void)psprobe_clock_monotonic();
  return (double)(psprobe_clock_monotonic() - start) / CALLS;
}

int main(void) {
  psprobe_histogram *histogram = new_histogram();
  if (histogram == NULL) return 1;
  int64_t values[VALUES];
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  for (int i = 0; i < VALUES; i++) {
    values[i] = 35000000 + (int64_t)(5e6 * psp_rng_gamma(&rng, 3));
  }
  double ours[ROUNDS], peer[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    ours[r] = record_ns(histogram, values);
    peer[r] = clock_ns();
  }
  const double a = bench_median(ours, ROUNDS), b = bench_median(peer, ROUNDS);
  printf(
      "histogram record beside one clock read: ours %.1f ns, peer %.1f ns, ratio %.2f (aim <= 2)\n",
      a, b, a / b);
  psprobe_histogram_free(histogram);
  return 0;
}
