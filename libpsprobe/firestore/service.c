/* SPDX-License-Identifier: MIT */
#include "firestore/service.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"

#define SECOND INT64_C(1000000000)

psp_retry_policy psp_firestore_retry(psp_firestore_kind kind) {
  static const uint32_t codes[] = {
      [PSP_FIRESTORE_READ] = PSP_RETRY_ON(PSPROBE_DEADLINE_EXCEEDED) |
                             PSP_RETRY_ON(PSPROBE_RESOURCE_EXHAUSTED) |
                             PSP_RETRY_ON(PSPROBE_INTERNAL) | PSP_RETRY_ON(PSPROBE_UNAVAILABLE),
      [PSP_FIRESTORE_QUERY] = PSP_RETRY_ON(PSPROBE_DEADLINE_EXCEEDED) |
                              PSP_RETRY_ON(PSPROBE_INTERNAL) | PSP_RETRY_ON(PSPROBE_UNAVAILABLE),
      [PSP_FIRESTORE_WRITE] =
          PSP_RETRY_ON(PSPROBE_RESOURCE_EXHAUSTED) | PSP_RETRY_ON(PSPROBE_UNAVAILABLE),
      [PSP_FIRESTORE_BATCH] = PSP_RETRY_ON(PSPROBE_RESOURCE_EXHAUSTED) |
                              PSP_RETRY_ON(PSPROBE_ABORTED) | PSP_RETRY_ON(PSPROBE_UNAVAILABLE),
  };
  return (psp_retry_policy){.codes = codes[kind]};
}

psprobe_code psp_firestore_root_of(psprobe_client *client, psp_firestore_root *root,
                                   psprobe_error *error) {
  root->database = psp_client_database(client);
  return psprobe_client_project(client, &root->project, error);
}

bool psp_firestore_too_large(const psprobe_error *error) {
  return error->code == PSPROBE_RESOURCE_EXHAUSTED && error->http_status == 0;
}

psprobe_code psp_firestore_bad_answer(psprobe_code code, const char *what, psprobe_error *error) {
  if (code == PSPROBE_RESOURCE_EXHAUSTED)
    return code; /* no memory: that is not the answer's fault */
  if (error == NULL) return PSPROBE_INTERNAL;
  error->code = PSPROBE_INTERNAL;
  return psp_fail_in(error, "%s: the answer cannot be read", what);
}

psprobe_code psp_firestore_prepare(const psp_firestore_request *request, psp_call *call,
                                   psprobe_error *error) {
  if (request->path->failed || (request->body != NULL && request->body->failed))
    return psp_fail_memory(error, request->what);
  *call = (psp_call){
      .service = PSP_FIRESTORE,
      .method = request->method,
      .path = request->path->data,
      .body = request->body != NULL ? request->body->data : NULL,
      .body_len = request->body != NULL ? request->body->len : 0,
      .attempt_ns = (request->kind == PSP_FIRESTORE_QUERY ? 300 : 60) * SECOND,
      .retry = psp_firestore_retry(request->kind),
      .what = request->what,
  };
  if (request->once_ns > 0) {
    call->attempt_ns = call->total_ns = request->once_ns;
    call->retry = (psp_retry_policy){0};
  }
  return PSPROBE_OK;
}

psprobe_code psp_firestore_call(psprobe_client *client, const psp_firestore_request *request,
                                psp_json **answer, psprobe_error *error) {
  psp_call call;
  psp_buf body = {0};
  psp_json *json = NULL;
  psprobe_code code = psp_firestore_prepare(request, &call, error);
  if (code != PSPROBE_OK) return code;
  code = psp_call_run_until(client, &call, request->stopper, &body, error);
  if (code == PSPROBE_OK) {
    code = psp_json_parse(body.data != NULL ? body.data : "", body.len, "it", &json, error);
    if (code != PSPROBE_OK) code = psp_firestore_bad_answer(code, request->what, error);
  }
  if (code == PSPROBE_OK && answer != NULL)
    *answer = json;
  else
    psp_json_free(json);
  psp_buf_free(&body);
  return code;
}

psprobe_code psp_firestore_next_page(const psp_json *answer, char **token, const char *what,
                                     psprobe_error *error) {
  const char *next = psp_json_string(psp_json_get2(answer, "nextPageToken", "next_page_token"));
  bool same = next != NULL && psp_text_equal(next, *token);
  free(*token);
  *token = NULL;
  if (same) return psp_fail(error, PSPROBE_INTERNAL, "%s: the same page again", what);
  if (next == NULL || !*next) return PSPROBE_OK;
  *token = psp_strdup(next);
  return *token != NULL ? PSPROBE_OK : psp_fail_memory(error, what);
}

psprobe_code psp_firestore_item_error(const psp_json *item, const char *what,
                                      psprobe_error *error) {
  const psp_json *failure = psp_json_get(item, "error");
  int64_t status = 0;
  if (failure == NULL) return PSPROBE_OK;
  if (!psp_json_int64(psp_json_get(failure, "code"), &status) || status < 400 || status > 599)
    status = 500;
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psp_json_put_json(&w, item);
  psprobe_code code = text.failed
                          ? psp_fail_memory(error, what)
                          : psp_status_parse((int)status, text.data, text.len, 0, what, error);
  psp_buf_free(&text);
  return code == PSPROBE_OK ? PSPROBE_UNKNOWN : code;
}
