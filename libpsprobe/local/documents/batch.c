/* SPDX-License-Identifier: MIT */
/** @file The routes of many documents: commit, batchWrite, batchGet, runQuery. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
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

/* The body of both. */
typedef struct body {
  const psp_json *writes;
  char *transaction;
} body;

static psprobe_code read_writes(const psp_documents_request *request, batch *all,
                                psprobe_error *error) {
  static const psp_field fields[] = {{"writes", psp_read_part, offsetof(body, writes)},
                                     {"transaction", psp_read_text, offsetof(body, transaction)},
                                     {"labels", NULL, 0},
                                     {0}};
  body found = {0};
  bool ok = request->json == NULL || psp_fields_read(request->json, fields, &found);
  bool transaction = found.transaction != NULL;
  free(found.transaction);
  if (!ok || (found.writes != NULL && !psp_json_is_array(found.writes)))
    return psp_documents_payload_invalid(error);
  if (transaction)
    return psp_fail(error, PSPROBE_UNIMPLEMENTED, "Transactions are not implemented here.");
  size_t count = psp_json_count(found.writes) + 1;
  all->writes = calloc(count, sizeof *all->writes);
  all->results = calloc(count, sizeof *all->results);
  all->errors = calloc(count, sizeof *all->errors);
  all->messages = calloc(count, sizeof *all->messages);
  if (all->writes == NULL || all->results == NULL || all->errors == NULL || all->messages == NULL)
    return psp_fail_memory(error, "writes");
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(found.writes); item != NULL && code == PSPROBE_OK;
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

void psp_documents_commit(psp_documents_request *request) {
  psprobe_error error = {0};
  batch all = {0};
  size_t at = 0;
  int64_t now = 0;
  psp_buf out = {0};
  psprobe_code code = read_writes(request, &all, &error);
  if (code == PSPROBE_OK) {
    psp_documents_begin(request->documents);
    now = psp_documents_now(request->documents);
    for (; code == PSPROBE_OK && at < all.count; at++)
      code = psp_local_write_apply(request->documents, &all.writes[at], now, &all.results[at],
                                   &all.messages[at], &error);
    psprobe_code end = psp_documents_end(request->documents, code == PSPROBE_OK,
                                         code != PSPROBE_OK ? NULL : &error);
    if (code == PSPROBE_OK) code = end;
  }
  if (code != PSPROBE_OK) {
    psp_documents_refuse(request, &error, at ? &all.messages[at - 1] : NULL);
  } else {
    psp_json_writer w = {.buf = &out, .pretty = true};
    psp_json_begin_object(&w);
    if (all.count) put_results(&w, &all);
    if (all.count) psp_documents_put_time(&w, "commitTime", now);
    psp_json_end_object(&w);
    psp_rest_reply(request->exchange, &out);
  }
  batch_free(&all);
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
  psprobe_error error = {0};
  batch all = {0};
  psp_buf out = {0};
  psprobe_code code = read_writes(request, &all, &error);
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

/* ---- reads ---- */

/* Array answers: each element on lines of its own (the writer does that for an outermost array);
 * one without elements has an empty line. */
static void array_end(psp_json_writer *w, bool any) {
  if (!any) psp_buf_text(w->buf, "\n");
  psp_json_end_array(w);
}

/* The body of batchGet. */
typedef struct get_body {
  const psp_json *documents, *mask;
  const psp_json *transaction, *new_transaction, *read_time;
} get_body;

static psprobe_code read_get(const psp_documents_request *request, get_body *found,
                             psp_documents_mask *mask, psprobe_error *error) {
  static const psp_field fields[] = {
      {"documents", psp_read_part, offsetof(get_body, documents)},
      {"mask", psp_read_part, offsetof(get_body, mask)},
      {"transaction", psp_read_part, offsetof(get_body, transaction)},
      {"newTransaction", psp_read_part, offsetof(get_body, new_transaction)},
      {"readTime", psp_read_part, offsetof(get_body, read_time)},
      {0}};
  if (request->json != NULL && !psp_fields_read(request->json, fields, found))
    return psp_documents_payload_invalid(error);
  if (found->transaction != NULL || found->new_transaction != NULL || found->read_time != NULL)
    return psp_fail(error, PSPROBE_UNIMPLEMENTED, "Transactions are not implemented here.");
  if (found->documents != NULL && !psp_json_is_array(found->documents))
    return psp_documents_payload_invalid(error);
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(found->documents); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item)) {
    const char *name = psp_json_string(item);
    code = name != NULL ? psp_documents_name_check("Document name", name, error)
                        : psp_documents_payload_invalid(error);
  }
  const psp_json *paths = psp_json_get2(found->mask, "fieldPaths", "field_paths");
  mask->set = found->mask != NULL;
  for (const psp_json *path = psp_json_first(paths); path != NULL && code == PSPROBE_OK;
       path = psp_json_next(path)) {
    const char *text = psp_json_string(path);
    code = text != NULL ? psp_documents_mask_add(mask, text, error)
                        : psp_documents_payload_invalid(error);
  }
  return code;
}

/* Has this name come before in the list? */
static bool repeated(const psp_json *first, const psp_json *item) {
  for (; first != item; first = psp_json_next(first))
    if (psp_text_equal(psp_json_string(first), psp_json_string(item))) return true;
  return false;
}

static psprobe_code put_found(psp_documents_request *request, const char *name,
                              const psp_documents_mask *mask, int64_t now, psp_json_writer *w,
                              psprobe_error *error) {
  psp_stored_document document;
  psprobe_code code = psp_documents_get(request->documents, name, &document, error);
  if (code != PSPROBE_OK && code != PSPROBE_NOT_FOUND) return code;
  psp_json_begin_object(w);
  psp_json_put_key(w, code != PSPROBE_OK ? "missing" : "found");
  if (code != PSPROBE_OK)
    psp_json_put_string(w, name);
  else
    psp_documents_encode(w, &document, mask);
  psp_documents_put_time(w, "readTime", now);
  psp_json_end_object(w);
  psp_stored_document_free(&document);
  return PSPROBE_OK;
}

void psp_documents_batch_get(psp_documents_request *request) {
  psprobe_error error = {0};
  get_body found = {0};
  psp_documents_mask mask = {0};
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psprobe_code code = read_get(request, &found, &mask, &error);
  const psp_json *first = psp_json_first(found.documents);
  if (code == PSPROBE_OK) {
    psp_json_begin_array(&w);
    psp_documents_begin(request->documents);
    int64_t now = psp_documents_now(request->documents);
    for (const psp_json *item = first; item != NULL && code == PSPROBE_OK;
         item = psp_json_next(item))
      if (!repeated(first, item))
        code = put_found(request, psp_json_string(item), &mask, now, &w, &error);
    psp_documents_end(request->documents, true, NULL);
    array_end(&w, first != NULL);
  }
  if (code != PSPROBE_OK)
    psp_documents_refuse(request, &error, NULL);
  else
    psp_rest_reply(request->exchange, &out);
  if (code != PSPROBE_OK) psp_buf_free(&out);
  psp_documents_mask_free(&mask);
}

/* ---- queries ---- */

static void put_element(psp_json_writer *w, const psp_local_query *query,
                        const psp_stored_document *document, int64_t now, bool last) {
  psp_json_begin_object(w);
  if (document != NULL) {
    psp_json_put_key(w, "document");
    psp_documents_encode(w, document, &query->select);
  }
  psp_documents_put_time(w, "readTime", now);
  if (!last && query->offset) {
    psp_json_put_int64_member(w, "skippedResults", query->offset);
  }
  if (last) {
    psp_json_put_bool_member(w, "done", true);
  }
  psp_json_end_object(w);
}

static void reply_found(psp_documents_request *request, const psp_local_query *query,
                        const psp_query_found *found, int64_t now) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_json_begin_array(&w);
  for (size_t i = 0; i < found->count; i++)
    put_element(&w, query, &found->items[i], now, i + 1 == found->count);
  if (found->count == 0) put_element(&w, query, NULL, now, true);
  psp_json_end_array(&w);
  psp_rest_reply(request->exchange, &out);
}

/* The body of runQuery. */
typedef struct query_body {
  const psp_json *query, *transaction;
} query_body;

static psprobe_code read_query(const psp_documents_request *request, psp_local_query *query,
                               psprobe_error *error) {
  static const psp_field fields[] = {
      {"structuredQuery", psp_read_part, offsetof(query_body, query)},
      {"transaction", psp_read_part, offsetof(query_body, transaction)},
      {"newTransaction", psp_read_part, offsetof(query_body, transaction)},
      {"readTime", psp_read_part, offsetof(query_body, transaction)},
      {"explainOptions", NULL, 0},
      {0}};
  query_body found = {0};
  if (request->json != NULL && !psp_fields_read(request->json, fields, &found))
    return psp_documents_payload_invalid(error);
  if (found.transaction != NULL)
    return psp_fail(error, PSPROBE_UNIMPLEMENTED, "Transactions are not implemented here.");
  if (found.query == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "only structured queries are supported");
  psprobe_code code = psp_documents_parent_check(request->name, error);
  return code != PSPROBE_OK ? code : psp_local_query_read(found.query, query, error);
}

void psp_documents_run_query(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_local_query query = {.limit = -1};
  psp_query_found found = {0};
  int64_t now = 0;
  psprobe_code code = read_query(request, &query, &error);
  if (code == PSPROBE_OK) {
    psp_documents_begin(request->documents);
    now = psp_documents_now(request->documents);
    code = psp_local_query_run(request->documents, request->name, &query, &found, &error);
    psp_documents_end(request->documents, true, NULL);
  }
  if (code != PSPROBE_OK)
    psp_documents_refuse(request, &error, NULL);
  else
    reply_found(request, &query, &found, now);
  psp_query_found_free(&found);
  psp_local_query_free(&query);
}
