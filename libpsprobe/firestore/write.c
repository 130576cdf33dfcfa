/* SPDX-License-Identifier: MIT */
#include "firestore/write.h"

#include "base/error.h"
#include "firestore/path.h"

psprobe_code psp_write_check(const psprobe_write *write, psprobe_error *error) {
  psprobe_code code = psp_document_path_check(write->path, error);
  if (code == PSPROBE_OK) code = psp_precondition_check(&write->precondition, error);
  if (code == PSPROBE_OK && write->fields != NULL) code = psp_fields_check(write->fields, error);
  if (code == PSPROBE_OK && write->fields == NULL && write->mask != NULL)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a mask without fields: a delete has none");
  if (code == PSPROBE_OK) code = psp_mask_check(write->mask, write->mask_count, error);
  return code;
}

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

static void put_update(psp_json_writer *w, const char *project, const char *database,
                       const psprobe_write *write) {
  psp_json_begin_object_member(w, "update");
  psp_json_put_key(w, "name");
  put_document_name(w, project, database, write->path);
  psp_json_put_key(w, "fields");
  psp_fields_encode(w, write->fields);
  psp_json_end_object(w);
  if (write->mask == NULL) return;
  psp_json_begin_object_member(w, "updateMask");
  psp_json_begin_array_member(w, "fieldPaths");
  for (size_t i = 0; i < write->mask_count; i++)
    psp_json_put_name(w, write->mask[i]);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_write(psp_json_writer *w, const char *project, const char *database,
                      const psprobe_write *write) {
  psp_json_begin_object(w);
  if (write->fields != NULL) {
    put_update(w, project, database, write);
  } else {
    psp_json_put_key(w, "delete");
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
    put_write(&w, project, database, &writes[i]);
  }
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  if (out->failed) return psp_fail_memory(error, "writes");
  if (out->len <= PSP_REQUEST_MAX) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "%zu writes make %zu bytes, and the service takes 10 MiB: send fewer at a time",
                  count, out->len);
}

static psprobe_code wrong_count(psprobe_error *error, const char *member, size_t got,
                                size_t count) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%zu %s for %zu writes", got, member, count);
}

psprobe_code psp_commit_decode(const psp_json *answer, size_t count, psprobe_error *error) {
  const psp_json *results = psp_json_get2(answer, "writeResults", "write_results");
  size_t got = psp_json_is_array(results) ? psp_json_count(results) : 0;
  return got == count ? PSPROBE_OK : wrong_count(error, "results", got, count);
}

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
  if (got != count) return wrong_count(error, "statuses", got, count);
  const psp_json *status = psp_json_first(list);
  for (const psp_json *item = status; item != NULL; item = psp_json_next(item))
    if (!psp_json_is_object(item))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a status that is no object");
  for (size_t i = 0; outcomes != NULL && i < count; i++, status = psp_json_next(status))
    read_status(status, &writes[i], i + 1, count, &outcomes[i]);
  return PSPROBE_OK;
}
