/* SPDX-License-Identifier: MIT */
/** @file The test of the test: four faults, each of which worlds must find. */
#include <inttypes.h>
#include <stdio.h>

#include "plants.h"
#include "worlds.h"

/* Of each at most. */
#define SEEDS 1000

int main(void) {
  static const char *const names[SIM_PLANTS] = {
      "", "a mark before the upload", "a dropped late answer", "an off-by-one at the time-out",
      "a change that is held to nothing"};
  int status = 0;
  for (sim_planted = SIM_MARK_FIRST; sim_planted < SIM_PLANTS; sim_planted++) {
    sim_tally sum = sim_worlds(1, SEEDS);
    if (sum.first_faulty != 0) {
      printf("%s: found by seed %" PRIu64 "\n", names[sim_planted], sum.first_faulty);
    } else {
      printf("%s: NOT found by %" PRIu64 " worlds\n", names[sim_planted], sum.worlds);
      status = 1;
    }
    fflush(stdout);
  }
  return status;
}
