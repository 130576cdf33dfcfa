/* SPDX-License-Identifier: MIT */
#ifndef SIM_DOCUMENTS_H
#define SIM_DOCUMENTS_H
/** @file What is in Firestore, held against the file once nothing is left to be uploaded. */
#include <psprobe/firestore.h>
#include <psprobe/results.h>

/** Whether each probe of the file is in Firestore once, and says the same; a fault says which is
 * not. */
void sim_documents_balance(psprobe_store *store, psprobe_client *client, const char *collection);
/** Whether each run is, as it ended and with what came of it. */
void sim_runs_balance(psprobe_store *store, psprobe_client *client, const char *collection);

#endif
