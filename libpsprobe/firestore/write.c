/* SPDX-License-Identifier: MIT */
#include "firestore/write.h"

#include "base/error.h"
#include "firestore/path.h"

/* ---- checking ---- */

static psprobe_code refuse(psprobe_error *error, const char *rule) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s", rule);
}

static psprobe_code check_operand(const psprobe_transform *t, psprobe_error *error) {
  if (t->kind == PSPROBE_SERVER_TIME)
    return t->operand == NULL ? PSPROBE_OK : refuse(error, "the server's time takes no operand");
  psprobe_value_type type = psprobe_value_get_type(t->operand);
  bool array = t->kind == PSPROBE_APPEND_MISSING || t->kind == PSPROBE_REMOVE_ALL;
  if (array && type != PSPROBE_VALUE_ARRAY) return refuse(error, "it takes an array");
  if (!array && type != PSPROBE_VALUE_INTEGER && type != PSPROBE_VALUE_DOUBLE)
    return refuse(error, "it takes a number");
  return psp_value_check(t->operand, error);
}

static psprobe_code check_transforms(const psprobe_write *write, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (write->transform_count > PSP_TRANSFORMS_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%zu transforms of a document, and the service takes 500",
                    write->transform_count);
  for (size_t i = 0; code == PSPROBE_OK && i < write->transform_count; i++) {
    const psprobe_transform *t = &write->transforms[i];
    code = psp_field_path_parse(t->field, NULL, error);
    if (code == PSPROBE_OK && (unsigned)t->kind > PSPROBE_REMOVE_ALL)
      code = refuse(error, "an unknown transform");
    if (code == PSPROBE_OK) code = check_operand(t, error);
    if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "transform %zu", i + 1);
  }
  return code;
}

static psprobe_code check_fields(const psprobe_write *write, psprobe_error *error) {
  psprobe_code code = psp_fields_check(write->fields, error);
  size_t size = code == PSPROBE_OK ? psp_document_size(write->path, write->fields) : 0;
  if (size <= PSP_DOCUMENT_MAX) return code;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "a document of %zu bytes, and the service takes 1048576 bytes", size);
}

/* A delete and a verify say nothing of what is in the document. */
static psprobe_code check_without_fields(const psprobe_write *write, psprobe_error *error) {
  if (write->mask != NULL)
    return refuse(error, write->verify ? "a mask without fields: a verify has none"
                                       : "a mask without fields: a delete has none");
  if (!write->verify) return PSPROBE_OK;
  if (write->transform_count > 0) return refuse(error, "a verify has no transforms");
  if (psp_precondition_empty(&write->precondition))
    return refuse(error, "a verify has a precondition");
  return PSPROBE_OK;
}

psprobe_code psp_write_check(const psprobe_write *write, psprobe_error *error) {
  psprobe_code code = psp_document_path_check(write->path, error);
  if (code == PSPROBE_OK) code = psp_precondition_check(&write->precondition, error);
  if (code == PSPROBE_OK && write->fields != NULL && write->verify)
    code = refuse(error, "a verify has no fields");
  if (code == PSPROBE_OK)
    code = write->fields != NULL ? check_fields(write, error) : check_without_fields(write, error);
  if (code == PSPROBE_OK) code = psp_mask_check(write->mask, write->mask_count, error);
  return code == PSPROBE_OK ? check_transforms(write, error) : code;
}

/* ---- writing ---- */

static void put_document_name(psp_json_writer *w, const char *project, const char *database,
                              const char *path) {
  psp_buf name = {0};
  psp_path_name(&name, project, database, path);
  if (name.failed)
    w->buf->failed = true;
  else
    psp_json_put_name(w, name.data);
  psp_buf_free(&name);
}

/* The array of an array's transform is an ArrayValue, not a Value. */
static void put_array(psp_json_writer *w, const psprobe_value *array) {
  const psprobe_value *item;
  psp_json_begin_object(w);
  psp_json_begin_array_member(w, "values");
  for (size_t i = 0; (item = psprobe_value_at(array, i, NULL)) != NULL; i++)
    psp_value_encode(w, item);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_transform(psp_json_writer *w, const psprobe_transform *t) {
  static const char *const names[] = {[PSPROBE_SERVER_TIME] = "setToServerValue",
                                      [PSPROBE_INCREMENT] = "increment",
                                      [PSPROBE_MAXIMUM] = "maximum",
                                      [PSPROBE_MINIMUM] = "minimum",
                                      [PSPROBE_APPEND_MISSING] = "appendMissingElements",
                                      [PSPROBE_REMOVE_ALL] = "removeAllFromArray"};
  psp_json_begin_object(w);
  psp_json_put_key(w, "fieldPath");
  psp_json_put_name(w, t->field);
  psp_json_put_key(w, names[t->kind]);
  if (t->kind == PSPROBE_SERVER_TIME)
    psp_json_put_string(w, "REQUEST_TIME");
  else if (t->kind == PSPROBE_APPEND_MISSING || t->kind == PSPROBE_REMOVE_ALL)
    put_array(w, t->operand);
  else
    psp_value_encode(w, t->operand);
  psp_json_end_object(w);
}

static void put_transforms(psp_json_writer *w, const psprobe_write *write) {
  if (write->transform_count == 0) return;
  psp_json_begin_array_member(w, "updateTransforms");
  for (size_t i = 0; i < write->transform_count; i++)
    put_transform(w, &write->transforms[i]);
  psp_json_end_array(w);
}

/* Transforms alone are an update of nothing: a mask without a path leaves the fields alone. */
static void put_update(psp_json_writer *w, const char *project, const char *database,
                       const psprobe_write *write) {
  static const char *const none;
  bool bare = write->fields == NULL;
  psp_json_begin_object_member(w, "update");
  psp_json_put_key(w, "name");
  put_document_name(w, project, database, write->path);
  if (!bare) {
    psp_json_put_key(w, "fields");
    psp_fields_encode(w, write->fields);
  }
  psp_json_end_object(w);
  psp_mask_encode(w, "updateMask", bare ? &none : write->mask, bare ? 0 : write->mask_count);
  put_transforms(w, write);
}

void psp_write_encode(psp_json_writer *w, const char *project, const char *database,
                      const psprobe_write *write) {
  psp_json_begin_object(w);
  if (write->fields != NULL || write->transform_count > 0) {
    put_update(w, project, database, write);
  } else {
    psp_json_put_key(w, write->verify ? "verify" : "delete");
    put_document_name(w, project, database, write->path);
  }
  if (!psp_precondition_empty(&write->precondition)) {
    psp_json_put_key(w, "currentDocument");
    psp_precondition_encode(w, &write->precondition);
  }
  psp_json_end_object(w);
}

psprobe_code psp_writes_encode(psp_buf *out, const char *project, const char *database,
                               const psprobe_write *writes, size_t count, psprobe_error *error) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_begin_array_member(&w, "writes");
  for (size_t i = 0; i < count; i++) {
    psprobe_code code = psp_write_check(&writes[i], error);
    if (code != PSPROBE_OK) {
      if (error != NULL)
        psp_fail_in(error, "write %zu of %zu, %.200s", i + 1, count,
                    writes[i].path != NULL ? writes[i].path : "without a path");
      return code;
    }
    psp_write_encode(&w, project, database, &writes[i]);
  }
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  return psp_request_check(out, count, "writes", error);
}

psprobe_code psp_request_check(const psp_buf *body, size_t count, const char *what,
                               psprobe_error *error) {
  if (body->failed) return psp_fail_memory(error, what);
  if (body->len <= PSP_REQUEST_MAX) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "%zu %s make %zu bytes, and the service takes 10 MiB: send fewer at a time",
                  count, what, body->len);
}

/* ---- reading ---- */

/* google.rpc.Status; `{}` is OK. */
static void read_status(const psp_json *status, const psprobe_write *write, size_t number,
                        size_t count, psprobe_error *outcome) {
  int64_t code = PSPROBE_OK;
  const psp_json *given = psp_json_get(status, "code");
  if (given != NULL &&
      (!psp_json_int64(given, &code) || code < 0 || code > PSPROBE_UNAUTHENTICATED))
    code = PSPROBE_UNKNOWN;
  if (code == PSPROBE_OK) {
    psprobe_error_clear(outcome);
    return;
  }
  const char *message = psp_json_string(psp_json_get(status, "message"));
  psp_fail(outcome, (psprobe_code)code, "write %zu of %zu, %.200s: %s%s%.200s", number, count,
           write->path, psprobe_code_name((psprobe_code)code), message != NULL ? ": " : "",
           message != NULL ? message : "");
  outcome->from_service = true;
  outcome->retryable =
      code == PSPROBE_RESOURCE_EXHAUSTED || code == PSPROBE_ABORTED || code == PSPROBE_UNAVAILABLE;
}

psprobe_code psp_batch_write_decode(const psp_json *answer, const psprobe_write *writes,
                                    size_t count, psprobe_error *outcomes, psprobe_error *error) {
  const psp_json *list = psp_json_get(answer, "status");
  size_t got = psp_json_is_array(list) ? psp_json_count(list) : 0;
  if (got != count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%zu statuses for %zu writes", got, count);
  const psp_json *status = psp_json_first(list);
  for (const psp_json *item = status; item != NULL; item = psp_json_next(item))
    if (!psp_json_is_object(item))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a status that is no object");
  for (size_t i = 0; outcomes != NULL && i < count; i++, status = psp_json_next(status))
    read_status(status, &writes[i], i + 1, count, &outcomes[i]);
  return PSPROBE_OK;
}
