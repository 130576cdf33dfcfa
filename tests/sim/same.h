/* SPDX-License-Identifier: MIT */
#ifndef SIM_SAME_H
#define SIM_SAME_H
/** @file A document beside what was given to be written. */
#include <stdbool.h>

#include <psprobe/firestore.h>

/** Whether Firestore has what it was given: it cuts a time to microseconds. */
bool sim_same(const psprobe_value *given, const psprobe_value *kept);
/** Prints it. */
void sim_show(const char *where, const psprobe_value *fields);

#endif
