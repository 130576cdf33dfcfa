/* SPDX-License-Identifier: MIT */
/** @file The routes of many reads, whose answers are arrays: batchGet, runQuery. */
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "local/documents/rest.h"
#include "local/proto_fields.h"

/* The body of batchGet. */
typedef struct get_body {
  const psp_json *documents, *mask;
  psp_documents_when when;
} get_body;

static psprobe_code read_get(const psp_documents_request *request, get_body *found,
                             psp_documents_mask *mask, psprobe_error *error) {
  static const psp_field fields[] = {
      {"documents", psp_read_part, offsetof(get_body, documents)},
      {"mask", psp_read_part, offsetof(get_body, mask)},
      {"transaction", psp_read_text, offsetof(get_body, when.transaction)},
      {"newTransaction", psp_read_part, offsetof(get_body, when.begin)},
      {"readTime", psp_read_part, offsetof(get_body, when.read_time)},
      {0}};
  if (request->json != NULL && !psp_fields_read(request->json, fields, found))
    return psp_documents_payload_invalid(error);
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

static psprobe_code put_found(psp_documents_request *request, psp_documents_session *session,
                              const char *name, const psp_documents_mask *mask,
                              psprobe_error *error) {
  psp_json_writer *w = &session->w;
  psp_stored_document document;
  psprobe_code code = psp_documents_get(request->documents, name, &document, error);
  bool found = code == PSPROBE_OK;
  if (!found && code != PSPROBE_NOT_FOUND) return code;
  code = PSPROBE_OK;
  if (session->transaction != NULL &&
      !psp_transaction_note(session->transaction, name, found ? document.update_us : 0))
    code = psp_fail_memory(error, "transaction");
  psp_json_begin_object(w);
  psp_json_put_key(w, found ? "found" : "missing");
  if (found)
    psp_documents_encode(w, &document, mask);
  else
    psp_json_put_string(w, name);
  psp_documents_put_time(w, "readTime", session->now);
  psp_json_end_object(w);
  session->any = true;
  psp_stored_document_free(&document);
  return code;
}

void psp_documents_batch_get(psp_documents_request *request) {
  psprobe_error error = {0};
  get_body found = {0};
  psp_documents_mask mask = {0};
  psp_documents_session session = {0};
  psprobe_code code = read_get(request, &found, &mask, &error);
  const psp_json *first = psp_json_first(found.documents);
  if (code == PSPROBE_OK) code = psp_documents_enter(request, &found.when, &session, &error);
  for (const psp_json *item = first; item != NULL && code == PSPROBE_OK; item = psp_json_next(item))
    if (!repeated(first, item))
      code = put_found(request, &session, psp_json_string(item), &mask, &error);
  psp_documents_leave(request, &session, code, &error);
  psp_documents_mask_free(&mask);
  free(found.when.transaction);
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

static void put_all(psp_documents_session *session, const psp_local_query *query,
                    const psp_query_found *found) {
  for (size_t i = 0; i < found->count; i++)
    put_element(&session->w, query, &found->items[i], session->now, i + 1 == found->count);
  if (found->count == 0) put_element(&session->w, query, NULL, session->now, true);
  session->any = true;
}

/* The body of runQuery. */
typedef struct query_body {
  const psp_json *query;
  psp_documents_when when;
} query_body;

static psprobe_code read_query(const psp_documents_request *request, query_body *found,
                               psprobe_error *error) {
  static const psp_field fields[] = {
      {"structuredQuery", psp_read_part, offsetof(query_body, query)},
      {"transaction", psp_read_text, offsetof(query_body, when.transaction)},
      {"newTransaction", psp_read_part, offsetof(query_body, when.begin)},
      {"readTime", psp_read_part, offsetof(query_body, when.read_time)},
      {"explainOptions", NULL, 0},
      {0}};
  if (request->json != NULL && !psp_fields_read(request->json, fields, found))
    return psp_documents_payload_invalid(error);
  return PSPROBE_OK;
}

static psprobe_code parse_query(const psp_documents_request *request, const psp_json *json,
                                psp_local_query *query, psprobe_error *error) {
  if (json == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "only structured queries are supported");
  psprobe_code code = psp_documents_parent_check(request->name, error);
  return code != PSPROBE_OK ? code : psp_local_query_read(json, query, error);
}

void psp_documents_run_query(psp_documents_request *request) {
  psprobe_error error = {0};
  query_body body = {0};
  psp_local_query query = {.limit = -1};
  psp_query_found found = {0};
  psp_documents_session session = {0};
  psprobe_code code = read_query(request, &body, &error);
  if (code == PSPROBE_OK) code = psp_documents_enter(request, &body.when, &session, &error);
  if (code == PSPROBE_OK) code = parse_query(request, body.query, &query, &error);
  if (code == PSPROBE_OK)
    code = psp_local_query_run(request->documents, request->name, &query, &found, &error);
  if (code == PSPROBE_OK) put_all(&session, &query, &found);
  if (code == PSPROBE_OK && session.transaction != NULL &&
      !psp_transaction_note_query(session.transaction, request->name, &query, &found))
    code = psp_fail_memory(&error, "transaction");
  psp_documents_leave(request, &session, code, &error);
  psp_query_found_free(&found);
  psp_local_query_free(&query);
  free(body.when.transaction);
}
