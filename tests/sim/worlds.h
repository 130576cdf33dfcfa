/* SPDX-License-Identifier: MIT */
#ifndef SIM_WORLDS_H
#define SIM_WORLDS_H
/** @file Many worlds, in processes of their own: a killed prober frees nothing, so the kernel does.
 */
#include <stdbool.h>
#include <stdint.h>

#include "books.h"

typedef struct sim_tally {
  sim_census census;
  uint64_t worlds;       /**< that were looked at */
  uint64_t first_faulty; /**< the smallest seed found whose books do not balance; 0: none */
} sim_tally;

/** Called now and then, with what there is so far, and the seed that comes next. */
typedef void sim_progress(const sim_tally *sum, uint64_t seed);
/** Runs the worlds of `count` seeds from `first` on, until one does not balance.
 * @param progress may be NULL */
sim_tally sim_worlds(uint64_t first, uint64_t count, sim_progress *progress);

#endif
