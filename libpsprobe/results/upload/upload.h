/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_UPLOAD_H
#define PSP_RESULTS_UPLOAD_UPLOAD_H
/** @file One batch of rows to Firestore. The plan decides when, and how many. */
#include "client/call.h"
#include "results/upload/outbox.h"
#include "results/upload/plan.h"

/**
 * Sends the rows of a step (PSP_PLAN_SEND) by batchWrite, whose writes succeed and fail each on its
 * own, and notes in the store what became of each.
 *
 * @param stopper what ends the wait, with CANCELLED
 * @return PSPROBE_OK: what became of each row is known and noted; else why the request came to
 *         nothing. A request of one row that Firestore refuses for what is in it refuses the row
 */
psprobe_code psp_upload_batch(psprobe_store *store, psprobe_client *client, psp_stopper *stopper,
                              const char *collection, const psp_plan_step *step, psp_batch *batch,
                              psprobe_error *error);

#endif
