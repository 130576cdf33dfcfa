/* SPDX-License-Identifier: MIT */
#ifndef SIM_KNOWN_H
#define SIM_KNOWN_H
/**
 * @file
 * How many of the answers that came to a prober its file has to know of: those of one nanosecond
 * may be taken in any order, and one that is told again counts once.
 */
#include "books.h"

/** How many the file has to know of, and how many it can. */
typedef struct sim_bounds {
  uint64_t least, most;
} sim_bounds;

/** Whether its probe is known still as an answer comes: until twice its time-out. */
bool sim_is_known(const sim_probe *probe, const sim_arrival *arrival, const sim_life_book *life);
/** Of a source. `ended`: all of the probe's run is in the file. */
sim_bounds sim_known_answers(const sim_probe *probe, size_t source, const sim_life_book *life,
                             bool ended);

#endif
