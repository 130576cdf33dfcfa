/* SPDX-License-Identifier: MIT */
/** @file
 * Summary and verdict over a million pairs, beside numpy and scipy
 * (peer_statistics.py says what is the same there). The peer is Debian's
 * python3-scipy; PSPROBE_PYTHON names another interpreter that has it. Rounds
 * alternate; medians.
 */
#include <psprobe/compare.h>
#include <psprobe/timing.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "stats/rng.h"

#define ROUNDS 5
#define N      1000000

/* As data() of peer_statistics.py. */
static void make(int64_t *a, int64_t *b) {
  uint64_t seed = 1;
  for (size_t i = 0; i < N; i++) {
    const int64_t common = 35000000 + (int64_t)((psp_splitmix64(&seed) >> 32) % 9000000);
    a[i] = common + (int64_t)((psp_splitmix64(&seed) >> 32) % 6000000) + 200000;
    b[i] = common + (int64_t)((psp_splitmix64(&seed) >> 32) % 6000000);
  }
}

/* ms; negative when it failed. */
static double time_ours(const psprobe_probes *probes) {
  const int64_t start = psprobe_clock_monotonic();
  psprobe_comparison *comparison = NULL;
  if (psprobe_comparison_new(probes, NULL, &comparison, NULL) != PSPROBE_OK) return -1;
  char *sentence = psprobe_comparison_sentence(comparison);
  const int64_t end = psprobe_clock_monotonic();
  free(sentence);
  psprobe_comparison_free(comparison);
  return (double)(end - start) / 1e6;
}

static bool time_peer(const char *python, double *ready, double *all) {
  char command[512];
  snprintf(command, sizeof command, "%s tests/bench/peer_statistics.py 2>/dev/null", python);
  FILE *pipe = popen(command, "r");
  if (pipe == NULL) return false;
  const bool good = fscanf(pipe, "%lf %lf", ready, all) == 2;
  return pclose(pipe) == 0 && good;
}

static void print(const char *name, double *ours, double *peer) {
  const double a = bench_median(ours, ROUNDS), b = bench_median(peer, ROUNDS);
  printf("%s: ours %.0f ms, peer %.0f ms, ratio %.3f (aim <= 0.2)\n", name, a, b, a / b);
}

int main(void) {
  const char *python = getenv("PSPROBE_PYTHON");
  if (python == NULL) python = "/usr/bin/python3";
  int64_t *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
  if (a == NULL || b == NULL) return 1;
  make(a, b);
  const psprobe_series series[2] = {{.name = "a", .elapsed_ns = a}, {.name = "b", .elapsed_ns = b}};
  const psprobe_probes probes = {.count = N, .source_count = 2, .sources = series};
  double ours[ROUNDS], ready[ROUNDS], all[ROUNDS];
  bool peer = true;
  for (int r = 0; r < ROUNDS; r++) {
    ours[r] = time_ours(&probes);
    if (ours[r] < 0) return 1;
    if (peer) peer = time_peer(python, &ready[r], &all[r]);
  }
  if (peer) {
    print("summary and verdict over 1 M pairs", ours, all);
    print("the same, the peer without Hodges-Lehmann", ours, ready);
  } else {
    printf(
        "summary and verdict over 1 M pairs: ours %.0f ms, peer none: %s has no scipy "
        "(apt-get install python3-scipy)\n",
        bench_median(ours, ROUNDS), python);
  }
  free(a);
  free(b);
  return 0;
}
