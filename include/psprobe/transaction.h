/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_TRANSACTION_H
#define PSPROBE_TRANSACTION_H
/**
 * @file
 * Firestore's transactions: what is read in one is not changed by others until it has committed, or
 * it is ABORTED and begun anew. What holds for all calls (paths, codes, limits) stands in
 * firestore.h.
 *
 *     psprobe_code give(void *arg, psprobe_transaction *t, psprobe_error *error) {
 *       psprobe_document *from = NULL;
 *       psprobe_read read = {.transaction = t};
 *       psprobe_code code = psprobe_document_get(arg, "accounts/a", &read, &from, error);
 *       … with what stands there …
 *       psprobe_write write = {.path = "accounts/a", .fields = fields};
 *       return psprobe_transaction_write(t, &write, 1, error);
 *     }
 *     psprobe_transaction_run(client, NULL, give, client, NULL, &error);
 *
 * Source: https://cloud.google.com/firestore/docs/manage-data/transactions
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: one thread at a time uses a transaction.
 * Blocks: up to the client's timeout.
 */
#include <psprobe/commit.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of a transaction; valid when zeroed. */
typedef struct psprobe_transaction_options {
  bool read_only;
  psprobe_timestamp read_time; /**< of one that only reads, not {0, 0}: it sees the documents as
                                  they were then */
  unsigned attempts;           /**< of psprobe_transaction_run; 0: 5, as Google's clients have it */
} psprobe_transaction_options;

/**
 * Begins a transaction. It is over with its commit or rollback; the service ends one that is idle
 * for 60 s or older than 270 s.
 * @param options     NULL: one that reads and writes
 * @param transaction receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT
 * Ownership: psprobe_transaction_free.
 */
PSPROBE_API psprobe_code psprobe_transaction_begin(psprobe_client *client,
                                                   const psprobe_transaction_options *options,
                                                   psprobe_transaction **transaction,
                                                   psprobe_error *error);
/**
 * Adds writes to a transaction, which its commit carries out. Reads do not see them.
 * @param writes copied
 * @param count  how many
 * @return PSPROBE_OK; INVALID_ARGUMENT; FAILED_PRECONDITION: it is over, or only reads
 * Blocks: never.
 */
PSPROBE_API psprobe_code psprobe_transaction_write(psprobe_transaction *transaction,
                                                   const psprobe_write *writes, size_t count,
                                                   psprobe_error *error);
/**
 * Carries out all writes, if nothing that was read has changed. The transaction is over then.
 * @param written receives what became of the writes; may be NULL; NULL for none
 * @return PSPROBE_OK; ABORTED: begin anew; what psprobe_commit returns; FAILED_PRECONDITION: it is
 *         over
 */
PSPROBE_API psprobe_code psprobe_transaction_commit(psprobe_transaction *transaction,
                                                    psprobe_written **written,
                                                    psprobe_error *error);
/**
 * Gives up a transaction, and lets go of what it has locked.
 * @return PSPROBE_OK; FAILED_PRECONDITION: it is over
 */
PSPROBE_API psprobe_code psprobe_transaction_rollback(psprobe_transaction *transaction,
                                                      psprobe_error *error);
/** Frees a transaction; one that is not over is left to the service. NULL is fine. Blocks: never.
 */
PSPROBE_API void psprobe_transaction_free(psprobe_transaction *transaction);

/**
 * What is done in a transaction: reads, then psprobe_transaction_write. Called anew, in another
 * transaction, when it was ABORTED: so it changes nothing else.
 * @param transaction neither committed nor rolled back by it
 * @return PSPROBE_OK: commit; any other code: roll back, and that is the outcome
 */
typedef psprobe_code psprobe_transaction_body(void *arg, psprobe_transaction *transaction,
                                              psprobe_error *error);
/**
 * Runs `body` in a transaction and commits it; anew, after a wait that grows, when that, or a read
 * in it, was ABORTED.
 * @param options NULL: one that reads and writes, 5 attempts
 * @param body    called on this thread, once for each attempt
 * @param written as psprobe_transaction_commit has it
 * @return PSPROBE_OK; ABORTED, after the last attempt; what `body` returned; what
 *         psprobe_transaction_begin and psprobe_transaction_commit return
 */
PSPROBE_API psprobe_code psprobe_transaction_run(psprobe_client *client,
                                                 const psprobe_transaction_options *options,
                                                 psprobe_transaction_body *body, void *arg,
                                                 psprobe_written **written, psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
