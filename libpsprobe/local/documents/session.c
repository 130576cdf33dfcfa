/* SPDX-License-Identifier: MIT */
/** @file What reads have in common: the transaction that they are part of, and an array as their
 * answer. Also the routes beginTransaction and rollback. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/timestamp.h"
#include "local/documents/rest.h"
#include "local/proto_fields.h"
#include "os/clock.h"

static psprobe_code decode_id(const char *text, psp_buf *id, psprobe_error *error) {
  return psp_base64_decode(id, text, strlen(text)) ? PSPROBE_OK
                                                   : psp_documents_payload_invalid(error);
}

/* What is read as of a time, if that is one. */
static psprobe_code refuse_time(const psp_json *json, psprobe_error *error) {
  const char *text = psp_json_string(json);
  int64_t seconds;
  int32_t nanos;
  if (text == NULL || !psp_timestamp_parse(text, strlen(text), &seconds, &nanos))
    return psp_documents_payload_invalid(error);
  return psp_fail(error, PSPROBE_UNIMPLEMENTED, "Reading as of a time is not implemented here.");
}

/* google.firestore.v1.TransactionOptions */
typedef struct options {
  const psp_json *read_only, *read_write;
  const psp_json *read_time;
  char *retry;
} options;

static psprobe_code read_options(const psp_json *json, options *found, psprobe_error *error) {
  static const psp_field fields[] = {{"readOnly", psp_read_part, offsetof(options, read_only)},
                                     {"readWrite", psp_read_part, offsetof(options, read_write)},
                                     {0}};
  static const psp_field only[] = {{"readTime", psp_read_part, offsetof(options, read_time)}, {0}};
  static const psp_field write[] = {{"retryTransaction", psp_read_text, offsetof(options, retry)},
                                    {0}};
  if ((json != NULL && !psp_fields_read(json, fields, found)) ||
      (found->read_only != NULL && found->read_write != NULL) ||
      (found->read_only != NULL && !psp_fields_read(found->read_only, only, found)) ||
      (found->read_write != NULL && !psp_fields_read(found->read_write, write, found)))
    return psp_documents_payload_invalid(error);
  return found->read_time != NULL ? refuse_time(found->read_time, error) : PSPROBE_OK;
}

/* A retry names the transaction before it, which must have been one. */
static psprobe_code check_retry(psp_documents_request *request, const char *retry,
                                psprobe_error *error) {
  psp_buf id = {0};
  if (retry == NULL) return PSPROBE_OK;
  psprobe_code code = decode_id(retry, &id, error);
  if (code == PSPROBE_OK) code = psp_transactions_known(request->transactions, &id, error);
  psp_buf_free(&id);
  return code;
}

static psprobe_code begin(psp_documents_request *request, const psp_json *json,
                          psp_documents_session *session, psprobe_error *error) {
  options found = {0};
  psprobe_code code = read_options(json, &found, error);
  if (code == PSPROBE_OK) code = check_retry(request, found.retry, error);
  if (code == PSPROBE_OK) {
    session->transaction = psp_transactions_open(request->transactions, found.read_only != NULL,
                                                 psprobe_clock_monotonic(), &session->begun);
    if (session->transaction == NULL) code = psp_fail_memory(error, "transaction");
  }
  free(found.retry);
  return code;
}

static psprobe_code find(psp_documents_request *request, const char *text,
                         psp_documents_session *session, psprobe_error *error) {
  psp_buf id = {0};
  psprobe_code code = decode_id(text, &id, error);
  if (code == PSPROBE_OK)
    code = psp_transactions_find(request->transactions, &id, psprobe_clock_monotonic(),
                                 &session->transaction, error);
  psp_buf_free(&id);
  return code;
}

psprobe_code psp_documents_join(psp_documents_request *request, const psp_documents_when *when,
                                psp_documents_session *session, psprobe_error *error) {
  int said = (when->transaction != NULL) + (when->begin != NULL) + (when->read_time != NULL);
  if (said > 1) return psp_documents_payload_invalid(error);
  if (when->read_time != NULL) return refuse_time(when->read_time, error);
  if (when->transaction != NULL) return find(request, when->transaction, session, error);
  return when->begin != NULL ? begin(request, when->begin, session, error) : PSPROBE_OK;
}

psprobe_code psp_documents_enter(psp_documents_request *request, const psp_documents_when *when,
                                 psp_documents_session *session, psprobe_error *error) {
  session->w = (psp_json_writer){.buf = &session->out, .pretty = true};
  psp_documents_begin(request->documents);
  session->entered = true;
  session->now = psp_documents_now(request->documents);
  psprobe_code code = psp_documents_join(request, when, session, error);
  if (code == PSPROBE_OK && session->transaction != NULL)
    code = psp_transaction_check(session->transaction, request->documents, error);
  psp_json_begin_array(&session->w);
  if (session->begun.len == 0) return code;
  psp_json_begin_object(&session->w);
  psp_json_put_key(&session->w, "transaction");
  psp_json_put_base64(&session->w, session->begun.data, session->begun.len);
  psp_json_end_object(&session->w);
  session->any = true;
  return code;
}

/* An array without elements has an empty line. */
void psp_documents_leave(psp_documents_request *request, psp_documents_session *session,
                         psprobe_code code, const psprobe_error *error) {
  if (code != PSPROBE_OK && session->begun.len > 0)
    psp_transactions_close(request->transactions, session->transaction);
  if (session->entered) psp_documents_end(request->documents, true, NULL);
  if (code == PSPROBE_OK) {
    if (!session->any) psp_buf_text(&session->out, "\n");
    psp_json_end_array(&session->w);
    psp_rest_reply(request->exchange, &session->out);
  } else {
    psp_documents_refuse(request, error, NULL);
    psp_buf_free(&session->out);
  }
  psp_buf_free(&session->begun);
}

/* ---- beginTransaction and rollback ---- */

void psp_documents_begin_transaction(psp_documents_request *request) {
  static const psp_field fields[] = {{"options", psp_read_part, 0}, {0}};
  const psp_json *json = NULL;
  psprobe_error error = {0};
  psp_documents_session session = {0};
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_documents_begin(request->documents);
  psprobe_code code = request->json != NULL && !psp_fields_read(request->json, fields, &json)
                          ? psp_documents_payload_invalid(&error)
                          : begin(request, json, &session, &error);
  psp_documents_end(request->documents, true, NULL);
  if (code != PSPROBE_OK) {
    psp_documents_refuse(request, &error, NULL);
  } else {
    psp_json_begin_object(&w);
    psp_json_put_key(&w, "transaction");
    psp_json_put_base64(&w, session.begun.data, session.begun.len);
    psp_json_end_object(&w);
    psp_rest_reply(request->exchange, &out);
  }
  psp_buf_free(&session.begun);
}

/* One that is over already is rolled back as well. */
static psprobe_code roll_back(psp_documents_request *request, const char *text,
                              psprobe_error *error) {
  psp_documents_session session = {0};
  psp_buf id = {0};
  psprobe_code code = text != NULL ? decode_id(text, &id, error) : PSPROBE_OK;
  if (code == PSPROBE_OK) code = psp_transactions_known(request->transactions, &id, error);
  psp_buf_free(&id);
  if (code == PSPROBE_OK && find(request, text, &session, NULL) == PSPROBE_OK)
    psp_transactions_close(request->transactions, session.transaction);
  return code;
}

void psp_documents_rollback(psp_documents_request *request) {
  static const psp_field fields[] = {{"transaction", psp_read_text, 0}, {0}};
  char *text = NULL;
  psprobe_error error = {0};
  bool ok = request->json == NULL || psp_fields_read(request->json, fields, &text);
  psp_documents_begin(request->documents);
  psprobe_code code = ok ? roll_back(request, text, &error) : psp_documents_payload_invalid(&error);
  psp_documents_end(request->documents, true, NULL);
  if (code != PSPROBE_OK)
    psp_documents_refuse(request, &error, NULL);
  else
    psp_rest_reply_empty(request->exchange);
  free(text);
}
