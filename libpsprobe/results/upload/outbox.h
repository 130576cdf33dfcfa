/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_OUTBOX_H
#define PSP_RESULTS_UPLOAD_OUTBOX_H
/** @file The rows and runs that are not in Firestore yet, and what became of them. */
#include "results/store/store.h"

/** Most runs that go with a batch of rows. */
#define PSP_OUTBOX_RUNS 20

/** Rows to upload, with the runs that they are of; and the runs that are to be uploaded themselves.
 */
typedef struct psp_outbox {
  psp_runs runs;
  psp_stored_row *rows;
  size_t count;
  const psp_run *due[PSP_OUTBOX_RUNS]; /**< of the runs */
  size_t due_count;
} psp_outbox;

/** The oldest `max` rows behind row `after` whose newest state is neither uploaded nor refused; and
 * (`runs`) runs, where these leave room. */
psprobe_code psp_outbox_take(psprobe_store *store, int64_t after, size_t max, bool runs,
                             psp_outbox *outbox, psprobe_error *error);
void psp_outbox_free(psp_outbox *outbox);

/** What became of a row that was sent. */
typedef enum psp_mark {
  PSP_MARK_NONE,     /**< nothing is known: it will be sent again */
  PSP_MARK_NEWEST,   /**< Firestore has the state that was sent */
  PSP_MARK_FIRST,    /**< Firestore has some state, the first at least: the rest is to be patched */
  PSP_MARK_UNWELCOME /**< Firestore refuses this state for good */
} psp_mark;

/**
 * Whether an error is Google's own word about what a row holds, and not that of something on the
 * way, or about the project, the key or the database. On no other word is a row given up. Pure.
 */
bool psp_row_refused(const psprobe_error *outcome);
/**
 * What the service's word on a write means for its row, or its run: what was never marked is
 * created on condition that it does not exist; the rest is written on condition that what is there
 * is what was found just before. Pure.
 */
psp_mark psp_mark_of(int64_t revision, int64_t uploaded, const psprobe_error *outcome);

/** Notes them, those of the rows and then those of the due runs, all in one transaction. A run that
 * is unwelcome is given up until it changes. */
psprobe_code psp_outbox_mark(psprobe_store *store, const psp_outbox *outbox, const psp_mark *marks,
                             psprobe_error *error);
/** Rows not uploaded, and those of them that were refused. */
psprobe_code psp_outbox_count(psprobe_store *store, uint64_t *rows, uint64_t *refused,
                              psprobe_error *error);
/** Forgets refusals: what Firestore did not take once is offered again, once a start. */
psprobe_code psp_outbox_forgive(psprobe_store *store, psprobe_error *error);

#endif
