/* SPDX-License-Identifier: MIT */
/** @file The routes of many writes: commit, batchWrite. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "local/documents/rest.h"
#include "local/proto_fields.h"

/* ---- writes ---- */

/* The writes of a commit or a batch, and what became of each. */
typedef struct batch {
  psp_local_write *writes;
  psp_write_result *results;
  psprobe_error *errors;
  psp_buf *messages;
  size_t count;
} batch;

static void batch_free(batch *all) {
  for (size_t i = 0; i < all->count; i++) {
    psp_local_write_free(&all->writes[i]);
    psp_write_result_free(&all->results[i]);
    psp_buf_free(&all->messages[i]);
  }
  free(all->writes);
  free(all->results);
  free(all->errors);
  free(all->messages);
}

/* The body of both; only a commit can be a transaction's. */
typedef struct body {
  const psp_json *writes;
  psp_documents_when when;
} body;

static psprobe_code read_writes(const psp_json *writes, batch *all, psprobe_error *error) {
  if (writes != NULL && !psp_json_is_array(writes)) return psp_documents_payload_invalid(error);
  size_t count = psp_json_count(writes) + 1;
  all->writes = calloc(count, sizeof *all->writes);
  all->results = calloc(count, sizeof *all->results);
  all->errors = calloc(count, sizeof *all->errors);
  all->messages = calloc(count, sizeof *all->messages);
  if (all->writes == NULL || all->results == NULL || all->errors == NULL || all->messages == NULL)
    return psp_fail_memory(error, "writes");
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(writes); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item))
    code = psp_local_write_read(item, &all->writes[all->count++], error);
  return code;
}

static void put_results(psp_json_writer *w, const batch *all) {
  psp_json_begin_array_member(w, "writeResults");
  for (size_t i = 0; i < all->count; i++)
    psp_documents_result_encode(w, &all->results[i]);
  psp_json_end_array(w);
}

/* All of them; `at` receives how many were tried. What a transaction read must still be so. */
static psprobe_code apply_all(psp_documents_request *request, const psp_transaction *transaction,
                              batch *all, int64_t now, size_t *at, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (transaction != NULL) code = psp_transaction_check(transaction, request->documents, error);
  for (*at = 0; code == PSPROBE_OK && *at < all->count; ++*at)
    code = psp_local_write_apply(request->documents, &all->writes[*at], now, &all->results[*at],
                                 &all->messages[*at], error);
  return code;
}

static psprobe_code commit(psp_documents_request *request, const body *found, batch *all,
                           int64_t *now, size_t *at, psprobe_error *error) {
  psp_documents_session session = {0};
  psp_documents_begin(request->documents);
  *now = psp_documents_now(request->documents);
  psprobe_code code = psp_documents_join(request, &found->when, &session, error);
  psp_transaction *transaction = session.transaction;
  if (code == PSPROBE_OK && transaction != NULL && all->count > 0 &&
      psp_transaction_is_read_only(transaction))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Cannot modify entities in a read-only transaction.");
  else if (code == PSPROBE_OK) {
    code = apply_all(request, transaction, all, *now, at, error);
    psp_transactions_close(request->transactions, transaction);
  }
  psprobe_code end =
      psp_documents_end(request->documents, code == PSPROBE_OK, code != PSPROBE_OK ? NULL : error);
  return code == PSPROBE_OK ? end : code;
}

void psp_documents_commit(psp_documents_request *request) {
  static const psp_field fields[] = {
      {"writes", psp_read_part, offsetof(body, writes)},
      {"transaction", psp_read_text, offsetof(body, when.transaction)},
      {"labels", NULL, 0},
      {0}};
  psprobe_error error = {0};
  body found = {0};
  batch all = {0};
  size_t at = 0;
  int64_t now = 0;
  psp_buf out = {0};
  bool ok = request->json == NULL || psp_fields_read(request->json, fields, &found);
  psprobe_code code =
      ok ? read_writes(found.writes, &all, &error) : psp_documents_payload_invalid(&error);
  if (code == PSPROBE_OK) code = commit(request, &found, &all, &now, &at, &error);
  if (code != PSPROBE_OK) {
    psp_documents_refuse(request, &error, at > 0 ? &all.messages[at - 1] : NULL);
  } else {
    psp_json_writer w = {.buf = &out, .pretty = true};
    psp_json_begin_object(&w);
    if (all.count) put_results(&w, &all);
    if (all.count) psp_documents_put_time(&w, "commitTime", now);
    psp_json_end_object(&w);
    psp_rest_reply(request->exchange, &out);
  }
  batch_free(&all);
  free(found.when.transaction);
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static psprobe_code check_distinct(const batch *all, psprobe_error *error) {
  char **names = calloc(all->count + 1, sizeof *names);
  if (names == NULL) return psp_fail_memory(error, "writes");
  for (size_t i = 0; i < all->count; i++)
    names[i] = all->writes[i].name;
  qsort(names, all->count, sizeof *names, by_text);
  bool twice = false;
  for (size_t i = 1; i < all->count; i++)
    twice |= strcmp(names[i - 1], names[i]) == 0;
  free(names);
  if (!twice) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "the same document cannot be written more than once in a single request");
}

static void put_statuses(psp_json_writer *w, const batch *all) {
  psp_json_begin_array_member(w, "status");
  for (size_t i = 0; i < all->count; i++) {
    const psp_buf *message = &all->messages[i];
    psp_json_begin_object(w);
    if (all->errors[i].code != PSPROBE_OK) {
      psp_json_put_int64_member(w, "code", all->errors[i].code);
      psp_json_put_member(w, "message", message->len ? message->data : all->errors[i].message);
    }
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
}

void psp_documents_batch_write(psp_documents_request *request) {
  static const psp_field fields[] = {
      {"writes", psp_read_part, offsetof(body, writes)}, {"labels", NULL, 0}, {0}};
  psprobe_error error = {0};
  body found = {0};
  batch all = {0};
  psp_buf out = {0};
  bool ok = request->json == NULL || psp_fields_read(request->json, fields, &found);
  psprobe_code code =
      ok ? read_writes(found.writes, &all, &error) : psp_documents_payload_invalid(&error);
  if (code == PSPROBE_OK) code = check_distinct(&all, &error);
  if (code != PSPROBE_OK) {
    psp_documents_refuse(request, &error, NULL);
    batch_free(&all);
    return;
  }
  /* Each write checks all that can fail before it changes anything, so one transaction does. */
  psp_documents_begin(request->documents);
  int64_t now = psp_documents_now(request->documents);
  for (size_t i = 0; i < all.count; i++) {
    psprobe_code one = psp_local_write_apply(request->documents, &all.writes[i], now,
                                             &all.results[i], &all.messages[i], &all.errors[i]);
    if (one != PSPROBE_OK) psp_write_result_free(&all.results[i]);
  }
  code = psp_documents_end(request->documents, true, &error);
  if (code != PSPROBE_OK) {
    psp_documents_refuse(request, &error, NULL);
  } else {
    psp_json_writer w = {.buf = &out, .pretty = true};
    psp_json_begin_object(&w);
    if (all.count) put_results(&w, &all);
    if (all.count) put_statuses(&w, &all);
    psp_json_end_object(&w);
    psp_rest_reply(request->exchange, &out);
  }
  batch_free(&all);
}
