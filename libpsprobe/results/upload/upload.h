/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_UPLOAD_H
#define PSP_RESULTS_UPLOAD_UPLOAD_H
/** @file One batch of rows to Firestore. The plan decides when, and how many. */
#include "client/call.h"
#include "results/upload/collections.h"
#include "results/upload/outbox.h"
#include "results/upload/plan.h"

/** Between where and where. All borrowed. */
typedef struct psp_uplink {
  psprobe_store *store;
  psprobe_client *client;
  psp_stopper *stopper; /**< what ends the wait, with CANCELLED */
  const psp_collections *collections;
} psp_uplink;

/**
 * Sends what was taken for a step by batchWrite, whose writes succeed and fail each on its own, and
 * notes in the store what became of each; runs count as rows. What was brought before is looked at
 * first, by batchGet. A run that has ended has a summary.
 *
 * @return PSPROBE_OK: what became of each row is known and noted; else why the request came to
 *         nothing. A request of one row that Firestore refuses for what is in it refuses the row
 */
psprobe_code psp_upload_send(const psp_uplink *link, const psp_plan_step *step,
                             const psp_outbox *outbox, psp_batch *batch, psprobe_error *error);

#endif
