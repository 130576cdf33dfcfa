/* SPDX-License-Identifier: MIT */
/** @file Transactions: begun, written into, committed, and run anew when they were ABORTED. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/document.h"
#include "firestore/parts.h"
#include "firestore/path.h"
#include "firestore/service.h"
#include "firestore/write.h"
#include "os/clock.h"
#include "os/random.h"

#define ATTEMPTS 5

/* ---- beginning ---- */

/* The body of beginTransaction. */
static psprobe_code encode_begin(psp_buf *out, const psprobe_transaction_options *options,
                                 const char *retry, psprobe_error *error) {
  psp_json_writer w = {.buf = out};
  const psprobe_read read = {.read_time = options->read_time};
  if (!options->read_only && psp_read_is_special(&read))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "only a transaction that reads can be as of a time");
  psp_json_begin_object(&w);
  psp_json_begin_object_member(&w, "options");
  psp_json_begin_object_member(&w, options->read_only ? "readOnly" : "readWrite");
  psp_read_encode(&w, &read);
  if (!options->read_only) psp_json_put_member(&w, "retryTransaction", retry);
  psp_json_end_object(&w);
  psp_json_end_object(&w);
  psp_json_end_object(&w);
  return out->failed ? psp_fail_memory(error, "a transaction") : PSPROBE_OK;
}

/* POSTs `body` to the verb of all documents. */
static psprobe_code call(psprobe_client *client, const psp_firestore_root *root, const char *verb,
                         psp_firestore_kind kind, const psp_buf *body, psp_json **answer,
                         psprobe_error *error) {
  psp_buf url = {0};
  psp_path_url(&url, root->project, root->database, NULL);
  psp_buf_text(&url, verb);
  psp_firestore_request request = {
      .kind = kind, .method = "POST", .path = &url, .body = body, .what = verb + 1};
  psprobe_code code = psp_firestore_call(client, &request, answer, error);
  psp_buf_free(&url);
  return code;
}

static psprobe_code take_id(psprobe_transaction *t, const psp_json *answer, psprobe_error *error) {
  const char *id = psp_json_string(psp_json_get(answer, "transaction"));
  if (id == NULL || *id == '\0')
    return psp_firestore_bad_answer(
        psp_fail(error, PSPROBE_INVALID_ARGUMENT, "there is no transaction in it"),
        "beginTransaction", error);
  t->id = psp_strdup(id);
  return t->id != NULL ? PSPROBE_OK : psp_fail_memory(error, "a transaction");
}

static psprobe_code begin(psprobe_client *client, const psprobe_transaction_options *options,
                          const char *retry, psprobe_transaction **out, psprobe_error *error) {
  psp_buf body = {0};
  psp_json *answer = NULL;
  psprobe_transaction *t = calloc(1, sizeof *t);
  if (t == NULL) return psp_fail_memory(error, "a transaction");
  *t = (psprobe_transaction){.client = client, .read_only = options->read_only, .w.buf = &t->body};
  psprobe_code code = psp_firestore_root_of(client, &t->root, error);
  if (code == PSPROBE_OK) code = encode_begin(&body, options, retry, error);
  if (code == PSPROBE_OK)
    code = call(client, &t->root, ":beginTransaction", PSP_FIRESTORE_READ, &body, &answer, error);
  if (code == PSPROBE_OK) code = take_id(t, answer, error);
  psp_json_free(answer);
  psp_buf_free(&body);
  psp_json_begin_object(&t->w);
  psp_json_begin_array_member(&t->w, "writes");
  if (code == PSPROBE_OK)
    *out = t;
  else
    psprobe_transaction_free(t);
  return code;
}

psprobe_code psprobe_transaction_begin(psprobe_client *client,
                                       const psprobe_transaction_options *options,
                                       psprobe_transaction **transaction, psprobe_error *error) {
  static const psprobe_transaction_options none;
  return begin(client, options != NULL ? options : &none, NULL, transaction, error);
}

void psprobe_transaction_free(psprobe_transaction *t) {
  if (t == NULL) return;
  free(t->id);
  psp_buf_free(&t->body);
  free(t);
}

/* ---- writing and ending ---- */

static psprobe_code fail_over(const psprobe_transaction *t, psprobe_error *error) {
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                  t->over ? "the transaction is over" : "the transaction only reads");
}

psprobe_code psprobe_transaction_write(psprobe_transaction *t, const psprobe_write *writes,
                                       size_t count, psprobe_error *error) {
  if (t->over || t->read_only) return fail_over(t, error);
  for (size_t i = 0; i < count; i++) {
    psprobe_code code = psp_write_check(&writes[i], error);
    if (code != PSPROBE_OK) {
      if (error != NULL)
        psp_fail_in(error, "write %zu of a transaction, %.200s", t->count + 1,
                    writes[i].path != NULL ? writes[i].path : "without a path");
      return code;
    }
    psp_write_encode(&t->w, t->root.project, t->root.database, &writes[i]);
    t->count++;
  }
  return psp_request_check(&t->body, t->count, "writes of a transaction", error);
}

psprobe_code psprobe_transaction_commit(psprobe_transaction *t, psprobe_written **written,
                                        psprobe_error *error) {
  psp_json *answer = NULL;
  if (t->over) return fail_over(t, error);
  t->over = true;
  psp_json_end_array(&t->w);
  psp_json_put_member(&t->w, "transaction", t->id);
  psp_json_end_object(&t->w);
  if (t->count == 0 && written != NULL) *written = NULL;
  psprobe_code code =
      call(t->client, &t->root, ":commit", PSP_FIRESTORE_WRITE, &t->body, &answer, error);
  if (code == PSPROBE_OK && t->count > 0) {
    code = psp_commit_decode(answer, t->count, written, error);
    if (code != PSPROBE_OK) code = psp_firestore_bad_answer(code, "commit of a transaction", error);
  }
  psp_json_free(answer);
  return code;
}

psprobe_code psprobe_transaction_rollback(psprobe_transaction *t, psprobe_error *error) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  if (t->over) return fail_over(t, error);
  t->over = true;
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "transaction", t->id);
  psp_json_end_object(&w);
  psprobe_code code =
      call(t->client, &t->root, ":rollback", PSP_FIRESTORE_READ, &body, NULL, error);
  psp_buf_free(&body);
  return code;
}

/* ---- running ---- */

/* One attempt; `retry` is the id of the one before and receives that of this one. */
static psprobe_code attempt(psprobe_client *client, const psprobe_transaction_options *options,
                            char **retry, psprobe_transaction_body *body, void *arg,
                            psprobe_written **written, psprobe_error *error) {
  psprobe_transaction *t = NULL;
  psprobe_code code = begin(client, options, *retry, &t, error);
  if (code != PSPROBE_OK) return code;
  code = body(arg, t, error);
  if (code == PSPROBE_OK)
    code = psprobe_transaction_commit(t, written, error);
  else
    psprobe_transaction_rollback(t, NULL);
  free(*retry);
  *retry = t->id;
  t->id = NULL;
  psprobe_transaction_free(t);
  return code;
}

/* How long to wait after attempt `number`; -1: it was the last. */
static int64_t delay_after(psprobe_code code, unsigned number, unsigned most) {
  const psp_retry_policy policy = {
      .codes = PSP_RETRY_ON(PSPROBE_ABORTED), .factor = 2, .max_attempts = most};
  const psprobe_error error = {.code = code};
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  return psp_retry_delay(&policy, &error, number, 0, INT64_MAX, random);
}

psprobe_code psprobe_transaction_run(psprobe_client *client,
                                     const psprobe_transaction_options *options,
                                     psprobe_transaction_body *body, void *arg,
                                     psprobe_written **written, psprobe_error *error) {
  static const psprobe_transaction_options none;
  if (options == NULL) options = &none;
  unsigned most = options->attempts > 0 ? options->attempts : ATTEMPTS;
  char *retry = NULL;
  for (unsigned number = 1;; number++) {
    psprobe_code code = attempt(client, options, &retry, body, arg, written, error);
    int64_t delay = delay_after(code, number, most);
    if (code == PSPROBE_OK && error != NULL) psprobe_error_clear(error); /* of what was ABORTED */
    if (code == PSPROBE_OK || delay < 0) {
      free(retry);
      return code;
    }
    const struct timespec pause = {delay / PSP_SECOND_NS, delay % PSP_SECOND_NS};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
  }
}
