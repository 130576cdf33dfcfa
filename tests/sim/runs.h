/* SPDX-License-Identifier: MIT */
#ifndef SIM_RUNS_H
#define SIM_RUNS_H
/** @file The runs of the file beside their documents. */
#include <psprobe/firestore.h>
#include <psprobe/results.h>

/** Whether each run of the file is in Firestore once, as it ended and with what came of it; a fault
 * says what is not so. */
void sim_runs_balance(psprobe_store *store, psprobe_client *client, const char *collection);

#endif
