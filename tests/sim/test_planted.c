/* SPDX-License-Identifier: MIT */
/** @file The test of the test: four faults, each of which worlds must find. */
#include <inttypes.h>
#include <stdio.h>

#include "plants.h"
#include "worlds.h"

static const struct {
  const char *name;
  uint64_t seeds; /* that find it at the latest */
} plants[SIM_PLANTS] = {[SIM_MARK_FIRST] = {"a mark before the upload", 1000},
                        [SIM_DROP_LATE] = {"a dropped late answer", 1000},
                        [SIM_OFF_BY_ONE] = {"an off-by-one at the time-out", 1000},
                        /* Takes a request astray, and a change of its row meanwhile. */
                        [SIM_NO_GROUND] = {"a change that is held to nothing", 4000}};

int main(void) {
  int status = 0;
  for (sim_planted = SIM_MARK_FIRST; sim_planted < SIM_PLANTS; sim_planted++) {
    const char *name = plants[sim_planted].name;
    sim_tally sum = sim_worlds(1, plants[sim_planted].seeds, NULL);
    if (sum.first_faulty != 0) {
      printf("%s: found by seed %" PRIu64 "\n", name, sum.first_faulty);
    } else {
      printf("%s: NOT found by %" PRIu64 " worlds\n", name, sum.worlds);
      status = 1;
    }
    fflush(stdout);
  }
  return status;
}
