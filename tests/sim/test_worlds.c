/* SPDX-License-Identifier: MIT */
/**
 * @file Runs worlds and says which seed does not balance. Usage:
 *   test_worlds [FIRST COUNT]   so many seeds; else PSPROBE_SIM_SEEDS of them from 1 on
 *   test_worlds -t SEED         one, with a trace of all that happens in it
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fibers.h"
#include "stage.h"
#include "worlds.h"

/* A world takes many times as long where every access to memory is looked at. */
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 400
#else
#define SEEDS 2000
#endif

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double began;

/* A line each 5,000 worlds, or 10 seconds. */
static void tell_progress(const sim_tally *sum, uint64_t seed) {
  static uint64_t told;
  static double told_at;
  double took = seconds() - began;
  if (sum->worlds < told + 5000 && took < told_at + 10) return;
  told = sum->worlds;
  told_at = took;
  printf("%" PRIu64 " worlds so far, %.0f a second, at seed %" PRIu64 "\n", told,
         (double)told / took, seed);
  fflush(stdout);
}

static void tell(const sim_tally *sum, double took) {
  const sim_census *c = &sum->census;
  printf("%" PRIu64 " worlds in %.1f s, %.0f a second\n", sum->worlds, took,
         (double)sum->worlds / took);
  printf("%" PRIu64 " lives of a prober (%" PRIu64 " killed, %" PRIu64 " gone on with), %" PRIu64
         " probes (%" PRIu64
         " rare); of runs that came "
         "to their end: %" PRIu64 " answered, %" PRIu64 " late, %" PRIu64 " lost, %" PRIu64
         " answers more than one, %" PRIu64 " to no probe; %" PRIu64
         " answers sent to an edge; of the killed: %" PRIu64 " answers interrupted, %" PRIu64
         " probes uncertain; %" PRIu64 " times a full disk, %" PRIu64
         " runs without an end for it\n",
         c->lives, c->kills, c->resumed, c->probes, c->cold, c->answered, c->late, c->lost,
         c->duplicates, c->unknown, c->edges, c->interrupted, c->uncertain, c->full, c->unended);
}

static uint64_t number(const char *text) {
  return strtoull(text, NULL, 10);
}

int main(int argc, char **argv) {
  const char *seeds = getenv("PSPROBE_SIM_SEEDS");
  uint64_t first = 1, count = seeds != NULL ? number(seeds) : SEEDS;
  if (argc == 3 && strcmp(argv[1], "-t") == 0) {
    sim_traces = true;
    first = number(argv[2]);
    count = 1;
  } else if (argc == 3) {
    first = number(argv[1]);
    count = number(argv[2]);
  } else if (argc != 1) {
    fprintf(stderr, "usage: %s [FIRST COUNT | -t SEED]\n", argv[0]);
    return 2;
  }
  began = seconds();
  sim_tally sum = sim_worlds(first, count, tell_progress);
  tell(&sum, seconds() - began);
  if (sum.first_faulty == 0) return 0;
  printf("seed %" PRIu64 " does not balance; to see it: %s -t %" PRIu64 "\n", sum.first_faulty,
         argv[0], sum.first_faulty);
  return 1;
}
