/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_UPLOAD_H
#define PSP_RESULTS_UPLOAD_UPLOAD_H
/** @file One batch of rows to Firestore. The uploader (upload.c) decides when, and how many. */
#include "client/call.h"
#include "results/upload/outbox.h"

/** What a batch came to. */
typedef struct psp_batch {
  size_t rows;     /**< sent; 0: there were none */
  size_t uploaded; /**< of them, those whose newest state Firestore now has */
  size_t moved; /**< … of which anything is known now: these will not come again as they were */
  size_t again; /**< … that must be sent again */
  size_t refused;
  int64_t last;                     /**< the last row's seq */
  psprobe_error failure;            /**< of the first that must be sent again */
  char refused_id[PSPROBE_ID_SIZE]; /**< the first that was refused, and why */
  psprobe_error refusal;
} psp_batch;

/**
 * Sends the oldest rows behind row `after`, at most `max` (>= 1) of them, by batchWrite, whose
 * writes succeed and fail each on its own, and notes in the store what became of each.
 *
 * @param stopper what ends the wait, with CANCELLED
 * @return PSPROBE_OK: what became of each row is known and noted; else why the request came to
 *         nothing. A request of one row that Firestore refuses for what is in it refuses the row
 */
psprobe_code psp_upload_batch(psprobe_store *store, psprobe_client *client, psp_stopper *stopper,
                              const char *collection, int64_t after, size_t max, psp_batch *batch,
                              psprobe_error *error);

#endif
