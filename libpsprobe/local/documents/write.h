/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_DOCUMENTS_WRITE_H
#define PSP_LOCAL_DOCUMENTS_WRITE_H
/** @file Writes: what a commit may hold, and what each does to a document. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "base/json.h"
#include "local/documents/store.h"
#include "local/documents/value.h"

typedef enum psp_write_kind {
  PSP_WRITE_UPDATE = 1,
  PSP_WRITE_DELETE,
  PSP_WRITE_VERIFY,
  PSP_WRITE_TRANSFORM
} psp_write_kind;

typedef enum psp_condition_kind {
  PSP_CONDITION_NONE = 0,
  PSP_CONDITION_EXISTS,
  PSP_CONDITION_ABSENT,
  PSP_CONDITION_TIME
} psp_condition_kind;

/** currentDocument */
typedef struct psp_condition {
  psp_condition_kind kind;
  int64_t update_us;
} psp_condition;

/** What a transform does to a field. */
typedef enum psp_transform_kind {
  PSP_TRANSFORM_TIME = 1,
  PSP_TRANSFORM_INCREMENT,
  PSP_TRANSFORM_MAXIMUM,
  PSP_TRANSFORM_MINIMUM,
  PSP_TRANSFORM_APPEND,
  PSP_TRANSFORM_REMOVE
} psp_transform_kind;

typedef struct psp_transform {
  psp_documents_path path;
  psp_transform_kind kind;
  psprobe_value *operand; /**< a number, or an array; NULL for the time */
} psp_transform;

/** One write. Valid when zeroed. */
typedef struct psp_local_write {
  psp_write_kind kind;
  char *name;
  psprobe_value *fields; /**< of an update */
  psp_documents_mask mask;
  psp_condition condition;
  psp_transform *transforms;
  size_t transform_count;
} psp_local_write;

/** What became of one. */
typedef struct psp_write_result {
  int64_t update_us;                 /**< 0: none */
  psprobe_value **transform_results; /**< as many as transforms */
  size_t count;
} psp_write_result;

void psp_local_write_free(psp_local_write *write);
void psp_write_result_free(psp_write_result *result);

/** Reads google.firestore.v1.Write. Fills `out` also when it refuses; free it either way. Pure. */
psprobe_code psp_local_write_read(const psp_json *json, psp_local_write *out, psprobe_error *error);

/**
 * Does a write, between psp_documents_begin and _end.
 * @param now_us the commit's time: what is written becomes of this version
 * @return ALREADY_EXISTS, NOT_FOUND, FAILED_PRECONDITION for a condition that does not hold;
 *         INVALID_ARGUMENT; `message` (freed by the caller, may stay empty) then receives a text
 *         that has several lines, which `error` cannot hold
 */
psprobe_code psp_local_write_apply(psp_documents *documents, const psp_local_write *write,
                                   int64_t now_us, psp_write_result *result, psp_buf *message,
                                   psprobe_error *error);

/** Does a transform to `fields`. @param result receives what it comes to, to free. Pure. */
psprobe_code psp_transform_apply(const psp_transform *transform, int64_t now_us,
                                 psprobe_value *fields, psprobe_value **result,
                                 psprobe_error *error);
/** Reads FieldTransforms. Pure. */
psprobe_code psp_transforms_read(const psp_json *json, psp_local_write *out, psprobe_error *error);

#endif
