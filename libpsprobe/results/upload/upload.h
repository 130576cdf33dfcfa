/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_UPLOAD_H
#define PSP_RESULTS_UPLOAD_UPLOAD_H
/** @file One batch of rows to Firestore. The uploader (upload.c) decides when, and how many. */
#include "client/call.h"
#include "results/upload/outbox.h"

/**
 * A call that can be cancelled from another thread; valid once psp_upload_call_init returned. Its
 * lock may be taken while others are held, and is never held across a call.
 */
typedef struct psp_upload_call {
  psprobe_client *client;
  psp_stopper stopper;
  psp_buf body; /**< of the last answer */
} psp_upload_call;

bool psp_upload_call_init(psp_upload_call *call, psprobe_client *client);
void psp_upload_call_clear(psp_upload_call *call);
/** Ends the call under way, and every later one, with CANCELLED. Any thread. */
void psp_upload_call_cancel(psp_upload_call *call);

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
 * @return PSPROBE_OK: what became of each row is known and noted; else why the request came to
 *         nothing. A request of one row that Firestore refuses for what is in it refuses the row
 */
psprobe_code psp_upload_batch(psprobe_store *store, psp_upload_call *call, const char *collection,
                              int64_t after, size_t max, psp_batch *batch, psprobe_error *error);

#endif
