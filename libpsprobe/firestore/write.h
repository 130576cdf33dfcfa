/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_WRITE_H
#define PSP_FIRESTORE_WRITE_H
/** @file Commits and batch writes in JSON, pure; and the call that an uploader makes. */
#include <psprobe/commit.h>

#include "client/call.h"
#include "firestore/document.h"

/** The most writes that a batch may have. */
#define PSP_BATCH_MAX 500
/** The largest request that the service takes (https://cloud.google.com/firestore/quotas). */
#define PSP_REQUEST_MAX ((size_t)10 << 20)

/** The most transforms of one document (the same). */
#define PSP_TRANSFORMS_MAX 500

/** Path, fields, mask and precondition of one write. @return PSPROBE_OK or INVALID_ARGUMENT */
psprobe_code psp_write_check(const psprobe_write *write, psprobe_error *error);

/** One write, of those that passed psp_write_check. */
void psp_write_encode(psp_json_writer *w, const char *project, const char *database,
                      const psprobe_write *write);

/**
 * The body of commit and batchWrite: `{"writes":[…]}`. Checks each write, and
 * names the one that is refused.
 * @return PSPROBE_OK; INVALID_ARGUMENT; RESOURCE_EXHAUSTED
 */
psprobe_code psp_writes_encode(psp_buf *out, const char *project, const char *database,
                               const psprobe_write *writes, size_t count, psprobe_error *error);

/** Whether a body was made, and is small enough. @param what its items are called */
psprobe_code psp_request_check(const psp_buf *body, size_t count, const char *what,
                               psprobe_error *error);

/** Reads commit's answer, which must have a result for each write. `written` may be NULL.
 * @return PSPROBE_OK; INVALID_ARGUMENT; RESOURCE_EXHAUSTED */
psprobe_code psp_commit_decode(const psp_json *answer, size_t count, psprobe_written **written,
                               psprobe_error *error);

/**
 * Reads batchWrite's answer: `outcomes[i]` (all untouched on failure; may be
 * NULL) says what became of `writes[i]`, with a message that names it.
 * Retryable are the codes that Google's clients try again.
 * @return PSPROBE_OK, or INVALID_ARGUMENT for an answer that is not for so many writes
 */
psprobe_code psp_batch_write_decode(const psp_json *answer, const psprobe_write *writes,
                                    size_t count, psprobe_error *outcomes, psprobe_error *error);

/**
 * psprobe_batch_write that `stopper` (may be NULL) ends, of one attempt of at most `once_ns` (0:
 * with attempts as ever). On failure the outcomes are untouched. Blocks.
 */
psprobe_code psp_batch_write_until(psprobe_client *client, const psprobe_write *writes,
                                   size_t count, int64_t once_ns, psp_stopper *stopper,
                                   psprobe_error *outcomes, psprobe_error *error);

#endif
