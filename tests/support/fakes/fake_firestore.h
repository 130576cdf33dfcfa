/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_FIRESTORE_H
#define TEST_FAKE_FIRESTORE_H
/**
 * @file
 * As much of Firestore as the upload needs, behind a scripted transport:
 * batchWrite with preconditions and masks, batchGet of names and times. Its documents are lines of
 * a file, so that they outlive the process that wrote them. It counts what must never happen: a
 * document that is created twice.
 */
#include <stdbool.h>
#include <stddef.h>

#include "fake_client.h"

typedef struct fake_firestore fake_firestore;

/** Where in a request something happens. */
typedef enum fake_moment {
  FAKE_BEFORE,  /**< the request came; nothing is done yet */
  FAKE_MIDWAY,  /**< half of the writes are done */
  FAKE_WRITTEN, /**< all are done; nothing is answered yet */
  FAKE_MOMENTS
} fake_moment;
/** Called at each moment; may never return. */
typedef void fake_moment_fn(void *arg, fake_moment moment);

/** Answers every batchWrite and batchGet of `fake` from now on; keeps documents in the file at
 * `path`. */
fake_firestore *fake_firestore_new(fake_transport *fake, const char *path);
void fake_firestore_free(fake_firestore *firestore);
void fake_firestore_at(fake_firestore *firestore, fake_moment_fn *fn, void *arg);
/** Answers the next `count` requests with this HTTP status, having done nothing or (`after`) all
 * of it: the reply lost after a commit that did happen. */
void fake_firestore_break(fake_firestore *firestore, unsigned count, int status, bool after);
/** Takes the next request for lost, and answers 503; it arrives when it is told to return: at once,
 * or (`before_next`) just before the next request that writes. */
void fake_firestore_lead_astray(fake_firestore *firestore);
void fake_firestore_return(fake_firestore *firestore, bool before_next);
/** Refuses this document: by itself (code 3 among the statuses), or (`whole`) each request that it
 * is in, with 400. */
void fake_firestore_refuse(fake_firestore *firestore, const char *id, bool whole);
/** Refuses every patch from now on, each by itself: somebody may create and not change. */
void fake_firestore_deny_patches(fake_firestore *firestore, bool deny);
/** Likewise every reading. */
void fake_firestore_deny_readings(fake_firestore *firestore, bool deny);

/** Requests with rows so far; documents of rows there; documents created; patches. */
unsigned fake_firestore_requests(fake_firestore *firestore);
size_t fake_firestore_count(fake_firestore *firestore);
/** The fields of a document as JSON, NULL: absent. Valid until the next request. */
const char *fake_firestore_get(fake_firestore *firestore, const char *id);
/** The fields of the run whose document was written last, NULL: another's. Valid likewise. */
const char *fake_firestore_run(fake_firestore *firestore, const char *id);
/** Creates and patches of a document that succeeded. */
unsigned fake_firestore_creates(fake_firestore *firestore, const char *id);
unsigned fake_firestore_patches(fake_firestore *firestore, const char *id);
/** Deletes it behind everyone's back. */
void fake_firestore_delete(fake_firestore *firestore, const char *id);

#endif
