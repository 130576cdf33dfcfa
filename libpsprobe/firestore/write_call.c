/* SPDX-License-Identifier: MIT */
/** @file The calls that write: commit and batchWrite. */
#include <stdio.h>

#include "base/error.h"
#include "firestore/path.h"
#include "firestore/service.h"
#include "firestore/write.h"

/* What the message calls the writes: one by its path, several by their number. */
static void name_writes(char what[PSP_FIRESTORE_WHAT], const char *verb,
                        const psprobe_write *writes, size_t count) {
  if (count == 1 && writes[0].path != NULL)
    snprintf(what, PSP_FIRESTORE_WHAT, "%s of %s", verb, writes[0].path);
  else
    snprintf(what, PSP_FIRESTORE_WHAT, "%s of %zu documents", verb, count);
}

/* Sends writes to `method`; `request` says all else of the call. */
static psprobe_code send_writes(psprobe_client *client, const char *method,
                                psp_firestore_request request, const psprobe_write *writes,
                                size_t count, psp_json **answer, psprobe_error *error) {
  psp_firestore_root root;
  psp_buf url = {0}, body = {0};
  psprobe_code code = psp_firestore_root_of(client, &root, error);
  if (code != PSPROBE_OK) return code;
  code = psp_writes_encode(&body, root.project, root.database, writes, count, error);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "%s", request.what);
  if (code == PSPROBE_OK) {
    psp_path_url(&url, root.project, root.database, NULL);
    psp_buf_text(&url, method);
    request.method = "POST";
    request.path = &url;
    request.body = &body;
    code = psp_firestore_call(client, &request, answer, error);
  }
  psp_buf_free(&url);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_commit(psprobe_client *client, const psprobe_write *writes, size_t count,
                            psprobe_written **written, psprobe_error *error) {
  char what[PSP_FIRESTORE_WHAT];
  psp_json *answer = NULL;
  if (count == 0 && written != NULL) *written = NULL;
  if (count == 0) return PSPROBE_OK;
  name_writes(what, "commit", writes, count);
  psprobe_code code = send_writes(
      client, ":commit", (psp_firestore_request){.kind = PSP_FIRESTORE_WRITE, .what = what}, writes,
      count, &answer, error);
  if (code == PSPROBE_OK) {
    code = psp_commit_decode(answer, count, written, error);
    if (code != PSPROBE_OK) code = psp_firestore_bad_answer(code, what, error);
  }
  psp_json_free(answer);
  return code;
}

psprobe_code psp_batch_write_until(psprobe_client *client, const psprobe_write *writes,
                                   size_t count, int64_t once_ns, psp_stopper *stopper,
                                   psprobe_error *outcomes, psprobe_error *error) {
  char what[PSP_FIRESTORE_WHAT];
  psp_json *answer = NULL;
  name_writes(what, "batch write", writes, count);
  if (count > PSP_BATCH_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: a batch has at most 500 writes", what);
  const psp_firestore_request request = {
      .kind = PSP_FIRESTORE_BATCH, .what = what, .once_ns = once_ns, .stopper = stopper};
  psprobe_code code = send_writes(client, ":batchWrite", request, writes, count, &answer, error);
  if (code == PSPROBE_OK) {
    code = psp_batch_write_decode(answer, writes, count, outcomes, error);
    if (code != PSPROBE_OK) code = psp_firestore_bad_answer(code, what, error);
  }
  psp_json_free(answer);
  return code;
}

psprobe_code psprobe_batch_write(psprobe_client *client, const psprobe_write *writes, size_t count,
                                 psprobe_error *outcomes, psprobe_error *error) {
  psprobe_error own = {0};
  if (error == NULL) error = &own; /* each outcome tells of it too */
  if (count == 0) return PSPROBE_OK;
  psprobe_code code = psp_batch_write_until(client, writes, count, 0, NULL, outcomes, error);
  for (size_t i = 0; code != PSPROBE_OK && outcomes != NULL && i < count; i++)
    outcomes[i] = *error;
  return code;
}
