/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_COMMIT_H
#define PSPROBE_COMMIT_H
/**
 * @file
 * Writes to Firestore: one, all or none, and many each on its own. What holds for all calls (paths,
 * codes, limits) stands in firestore.h.
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call.
 * Blocks: calls up to the client's timeout.
 */
#include <psprobe/document.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum psprobe_transform_kind {
  PSPROBE_SERVER_TIME = 0, /**< the time of the request, to the millisecond */
  PSPROBE_INCREMENT,       /**< by a number; what is no number counts as 0, integers saturate */
  PSPROBE_MAXIMUM,         /**< the greater of the field's number and the operand's */
  PSPROBE_MINIMUM,
  PSPROBE_APPEND_MISSING, /**< the items of an array that the field's array has not */
  PSPROBE_REMOVE_ALL      /**< every item that is one of the operand's */
} psprobe_transform_kind;

/**
 * What the service makes of a field by itself. Source:
 * https://cloud.google.com/firestore/docs/reference/rest/v1/Write#FieldTransform
 */
typedef struct psprobe_transform {
  const char *field; /**< a field path */
  psprobe_transform_kind kind;
  const psprobe_value *operand; /**< a number, or an array; of PSPROBE_SERVER_TIME none */
} psprobe_transform;

/**
 * One write. With fields: an update, and the document is created where it is absent, unless the
 * precondition says otherwise. Without: a delete, or with transforms nothing but these, or with
 * `verify` a look at the precondition alone. All borrowed.
 */
typedef struct psprobe_write {
  const char *path;
  const psprobe_value *fields; /**< a map */
  const char *const *mask; /**< field paths that are written, or deleted where `fields` lacks them;
                              NULL: the whole document */
  size_t mask_count;
  psprobe_precondition precondition;
  const psprobe_transform *transforms; /**< after the update, in this order; at most 500 */
  size_t transform_count;
  bool verify; /**< writes nothing, and has a precondition */
} psprobe_write;

/** What became of writes that were committed. */
typedef struct psprobe_written psprobe_written;
/** Tells when they took effect. @return the service's time */
PSPROBE_API psprobe_timestamp psprobe_written_time(const psprobe_written *written);
/** Tells when one of the documents was last changed: what changes nothing keeps its time.
 * @param index of the write. @return the service's time; {0, 0} of a delete */
PSPROBE_API psprobe_timestamp psprobe_written_update_time(const psprobe_written *written,
                                                          size_t index);
/** Shows what a transform made of its field. @param index of the write. @param transform of the
 * transform within it. @return the field's value then; a null of an array's transform; NULL past
 * the end. Ownership: that of `written`. */
PSPROBE_API const psprobe_value *psprobe_written_transform(const psprobe_written *written,
                                                           size_t index, size_t transform);
/** Frees what was written down of writes. NULL is fine. */
PSPROBE_API void psprobe_written_free(psprobe_written *written);

/**
 * Updates a document.
 * @param write    has fields
 * @param document receives what was stored; may be NULL. After a write that goes as a commit (an
 *                 update_time, an empty mask, transforms, a long path), it is read with a call of
 *                 its own, and may be newer
 * @return PSPROBE_OK; INVALID_ARGUMENT; NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION for a
 *         precondition that did not hold
 */
PSPROBE_API psprobe_code psprobe_document_patch(psprobe_client *client, const psprobe_write *write,
                                                psprobe_document **document, psprobe_error *error);

/**
 * Carries out all writes or none, atomically. At most 10 MiB.
 * @param writes  in the order in which they apply
 * @param count   how many; 0: nothing happens
 * @param written receives what became of them; may be NULL; NULL for no writes
 * @return PSPROBE_OK; INVALID_ARGUMENT; ALREADY_EXISTS where one must not exist: as with
 *         psprobe_document_create, it can be this call's own; NOT_FOUND; FAILED_PRECONDITION;
 *         ABORTED (contention: begin anew)
 */
PSPROBE_API psprobe_code psprobe_commit(psprobe_client *client, const psprobe_write *writes,
                                        size_t count, psprobe_written **written,
                                        psprobe_error *error);
/**
 * Carries out each write on its own, at most 500, no document twice.
 * @param writes   in any order
 * @param count    how many; 0: nothing happens
 * @param outcomes as many as writes, may be NULL: receives each one's code, and whether it is worth
 *                 trying again. When the call fails, each is its error
 * @return PSPROBE_OK: the call was answered; INVALID_ARGUMENT
 */
PSPROBE_API psprobe_code psprobe_batch_write(psprobe_client *client, const psprobe_write *writes,
                                             size_t count, psprobe_error *outcomes,
                                             psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
