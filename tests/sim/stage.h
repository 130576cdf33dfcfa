/* SPDX-License-Identifier: MIT */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H
/** @file A world from its beginning to its audit. */
#include <stdbool.h>
#include <stdint.h>

/**
 * Runs the world of a seed.
 * @param folder where its results file is made, and removed again
 * @return whether its books balance
 */
bool sim_world(uint64_t seed, const char *folder);
/** Removes the file that a world left there. */
void sim_world_remove(const char *folder);

#endif
