/* SPDX-License-Identifier: MIT */
/** @file The routes of one document: create, get, patch, delete; and a collection's listing. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "firestore/path.h"
#include "local/documents/rest.h"
#include "local/proto_fields.h"

#define DEFAULT_PAGE 30
#define MAX_PAGE     300

/* The body of create and patch: a Document. */
typedef struct body {
  char *name;
  const psp_json *fields;
} body;

static psprobe_code read_document(const psp_documents_request *request, char **name,
                                  psprobe_value **fields, psprobe_error *error) {
  static const psp_field known[] = {{"name", psp_read_text, offsetof(body, name)},
                                    {"fields", psp_read_part, offsetof(body, fields)},
                                    {"createTime", NULL, 0},
                                    {"updateTime", NULL, 0},
                                    {0}};
  body found = {0};
  bool ok = request->json == NULL || psp_fields_read(request->json, known, &found);
  *name = found.name;
  return ok ? psp_documents_fields_read(found.fields, fields, error)
            : psp_documents_payload_invalid(error);
}

/* `collection` is the URL's; one that cannot be is told by what would be its parent. */
static psprobe_code check_place(const char *collection, const char *id, const char *name,
                                psprobe_error *error) {
  char *parent = psp_strdup(collection), *slash = parent != NULL ? strrchr(parent, '/') : NULL;
  if (slash != NULL) *slash = '\0';
  psprobe_code code = slash != NULL ? psp_documents_parent_check(parent, error)
                                    : psp_fail_memory(error, "document");
  free(parent);
  if (code == PSPROBE_OK) code = psp_documents_id_check("Resource id", id, error);
  return code != PSPROBE_OK ? code : psp_documents_name_check("Document name", name, error);
}

static void reply_document(psp_documents_request *request, const psp_stored_document *document,
                           const psp_documents_mask *mask) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_documents_encode(&w, document, mask);
  psp_rest_reply(request->exchange, &out);
}

/* Writes, and answers with what is stored then. */
static void write_and_reply(psp_documents_request *request, psp_local_write *write,
                            const psp_documents_mask *mask, psprobe_code code,
                            psprobe_error *error) {
  psp_stored_document stored = {0};
  psp_buf message = {0};
  if (code == PSPROBE_OK) code = psp_documents_write_one(request, write, &stored, &message, error);
  if (code != PSPROBE_OK)
    psp_documents_refuse(request, error, &message);
  else
    reply_document(request, &stored, mask);
  psp_buf_free(&message);
  psp_stored_document_free(&stored);
}

void psp_documents_create(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_local_write write = {.kind = PSP_WRITE_UPDATE, .condition = {.kind = PSP_CONDITION_ABSENT}};
  psp_documents_mask mask = {0};
  char made[PSP_DOCUMENT_ID_SIZE], *named = NULL;
  const char *id = psp_documents_query_text(request, "documentId", "document_id");
  if ((id == NULL || !*id) && psp_document_id_new(made)) id = made;
  psp_buf name = {0};
  psp_buf_printf(&name, "%s/%s", request->name, id != NULL ? id : "");
  write.name = psp_buf_take(&name, NULL);
  psprobe_code code = read_document(request, &named, &write.fields, &error);
  if (code == PSPROBE_OK && named != NULL)
    code = psp_fail(&error, PSPROBE_INVALID_ARGUMENT, "document.name must not be set");
  if (code == PSPROBE_OK && (write.name == NULL || id == NULL))
    code = psp_fail_memory(&error, "document");
  if (code == PSPROBE_OK)
    code = psp_documents_query_mask(request, "mask.fieldPaths", "mask.field_paths", &mask, &error);
  if (code == PSPROBE_OK) code = check_place(request->name, id, write.name, &error);
  write_and_reply(request, &write, &mask, code, &error);
  free(named);
  psp_documents_mask_free(&mask);
  psp_local_write_free(&write);
}

void psp_documents_read(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_documents_mask mask = {0};
  psp_stored_document document = {0};
  psprobe_code code = psp_documents_name_check("Document name", request->name, &error);
  if (code == PSPROBE_OK)
    code = psp_documents_query_mask(request, "mask.fieldPaths", "mask.field_paths", &mask, &error);
  if (code == PSPROBE_OK) {
    psp_documents_begin(request->documents);
    code = psp_documents_get(request->documents, request->name, &document, &error);
    psp_documents_end(request->documents, true, NULL);
    if (code == PSPROBE_NOT_FOUND)
      psp_fail(&error, code, "Document (%s) not found.", request->name);
  }
  if (code != PSPROBE_OK)
    psp_documents_refuse(request, &error, NULL);
  else
    reply_document(request, &document, &mask);
  psp_stored_document_free(&document);
  psp_documents_mask_free(&mask);
}

/* The emulator reads only `exists` here and takes a time for 0; the real service knows both. */
static psprobe_code query_condition(const psp_documents_request *request, psp_condition *condition,
                                    psprobe_error *error) {
  const char *exists =
      psp_documents_query_text(request, "currentDocument.exists", "current_document.exists");
  const char *time = psp_documents_query_text(request, "currentDocument.updateTime",
                                              "current_document.update_time");
  int64_t seconds;
  int32_t nanos;
  if (exists != NULL)
    condition->kind = strcmp(exists, "true") == 0 ? PSP_CONDITION_EXISTS : PSP_CONDITION_ABSENT;
  if (time == NULL) return PSPROBE_OK;
  if (exists != NULL || !psp_timestamp_parse(time, strlen(time), &seconds, &nanos))
    return psp_documents_payload_invalid(error);
  *condition = (psp_condition){PSP_CONDITION_TIME, seconds * 1000000 + nanos / 1000};
  return PSPROBE_OK;
}

void psp_documents_patch(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_local_write write = {.kind = PSP_WRITE_UPDATE, .name = psp_strdup(request->name)};
  psp_documents_mask mask = {0};
  char *named = NULL;
  psprobe_code code = read_document(request, &named, &write.fields, &error);
  if (code == PSPROBE_OK && named != NULL && strcmp(named, request->name) != 0)
    code =
        psp_fail(&error, PSPROBE_INVALID_ARGUMENT, "The name in the body is not that of the URL.");
  if (code == PSPROBE_OK && write.name == NULL) code = psp_fail_memory(&error, "document");
  if (code == PSPROBE_OK) code = psp_documents_name_check("Document name", write.name, &error);
  if (code == PSPROBE_OK)
    code = psp_documents_query_mask(request, "updateMask.fieldPaths", "update_mask.field_paths",
                                    &write.mask, &error);
  if (code == PSPROBE_OK)
    code = psp_documents_query_mask(request, "mask.fieldPaths", "mask.field_paths", &mask, &error);
  if (code == PSPROBE_OK) code = query_condition(request, &write.condition, &error);
  write_and_reply(request, &write, &mask, code, &error);
  free(named);
  psp_documents_mask_free(&mask);
  psp_local_write_free(&write);
}

void psp_documents_delete(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_buf message = {0};
  psp_local_write write = {.kind = PSP_WRITE_DELETE, .name = psp_strdup(request->name)};
  psprobe_code code = write.name != NULL ? PSPROBE_OK : psp_fail_memory(&error, "document");
  if (code == PSPROBE_OK) code = psp_documents_name_check("Document name", write.name, &error);
  if (code == PSPROBE_OK) code = query_condition(request, &write.condition, &error);
  if (code == PSPROBE_OK) code = psp_documents_write_one(request, &write, NULL, &message, &error);
  if (code != PSPROBE_OK)
    psp_documents_refuse(request, &error, &message);
  else
    psp_rest_reply_empty(request->exchange);
  psp_local_write_free(&write);
}

void psp_documents_clear(psp_documents_request *request) {
  psprobe_error error = {0};
  psp_documents_begin(request->documents);
  psprobe_code code = psp_documents_wipe(request->documents, request->root, &error);
  psprobe_code end =
      psp_documents_end(request->documents, code == PSPROBE_OK, code != PSPROBE_OK ? NULL : &error);
  if (code != PSPROBE_OK || end != PSPROBE_OK)
    psp_documents_refuse(request, &error, NULL);
  else
    psp_rest_reply_empty(request->exchange);
}

/* ---- listing ---- */

/* A page token is the name of the page's last document, as base64: where the next one begins. The
 * document's place in the order is found again from what it is now. */
static psprobe_code begin_after_token(const psp_documents_request *request, const char *token,
                                      psp_local_query *query, psprobe_error *error) {
  psp_buf name = {0};
  psp_stored_document last = {0};
  bool ok = psp_base64_decode(&name, token, strlen(token)) && name.data != NULL &&
            strlen(name.data) == name.len &&
            psp_documents_name_check("page token", name.data, NULL) == PSPROBE_OK;
  bool by_name = query->order_count == 1;
  if (ok && !by_name)
    ok = psp_documents_get(request->documents, name.data, &last, NULL) == PSPROBE_OK;
  query->start = (psp_cursor){.set = true, .values = psprobe_value_array()};
  for (size_t i = 0; ok && i < query->order_count; i++) {
    const psp_documents_path *path = &query->orders[i].path;
    const psprobe_value *value = psp_documents_path_find(last.fields, path);
    psprobe_value *copy = psp_documents_path_is_name(path) ? psprobe_value_reference(name.data)
                          : value != NULL                  ? psp_value_copy(value)
                                                           : NULL;
    ok = psprobe_value_append(query->start.values, copy);
  }
  psp_stored_document_free(&last);
  psp_buf_free(&name);
  return ok ? PSPROBE_OK : psp_fail(error, PSPROBE_INVALID_ARGUMENT, "invalid page token");
}

/* How many a page may have. */
static psprobe_code page_size(const psp_documents_request *request, int64_t *size,
                              psprobe_error *error) {
  const char *text = psp_documents_query_text(request, "pageSize", "page_size");
  *size = 0;
  if (text != NULL && !psp_parse_int64(text, INT32_MIN, INT32_MAX, size))
    return psp_documents_payload_invalid(error);
  if (*size < 0) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Page size must be nonnegative.");
  if (*size == 0) *size = DEFAULT_PAGE;
  if (*size > MAX_PAGE) *size = MAX_PAGE;
  return PSPROBE_OK;
}

/* Documents that are not there and have others below them are not listed here. */
static psprobe_code check_missing(const psp_documents_request *request, bool ordered,
                                  psprobe_error *error) {
  if (!psp_text_equal(psp_documents_query_text(request, "showMissing", "show_missing"), "true"))
    return PSPROBE_OK;
  if (!request->admin)
    return psp_fail(error, PSPROBE_PERMISSION_DENIED,
                    "Metadata operations require admin authentication.");
  if (ordered)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "cannot specify an order when show_missing is true");
  return psp_fail(error, PSPROBE_UNIMPLEMENTED, "showMissing is not implemented here.");
}

static void reply_page(psp_documents_request *request, const psp_query_found *found, size_t size,
                       const psp_documents_mask *mask) {
  psp_buf out = {0}, token = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  size_t count = found->count < size ? found->count : size;
  psp_json_begin_object(&w);
  if (count) {
    psp_json_begin_array_member(&w, "documents");
    for (size_t i = 0; i < count; i++)
      psp_documents_encode(&w, &found->items[i], mask);
    psp_json_end_array(&w);
  }
  if (found->count > size) {
    const char *last = found->items[size - 1].name;
    psp_base64_encode(&token, last, strlen(last));
    psp_json_put_member(&w, "nextPageToken", token.data);
  }
  psp_json_end_object(&w);
  psp_buf_free(&token);
  psp_rest_reply(request->exchange, &out);
}

/* A listing while it is read. */
typedef struct listing {
  char *parent;
  const char *token;
  int64_t size;
  psp_local_query query;
  psp_documents_mask mask;
} listing;

/* Parts the collection's name from its parent's; without a collection every document is meant. */
static psprobe_code read_parent(psp_documents_request *request, listing *asked,
                                psprobe_error *error) {
  asked->parent = psp_strdup(request->name);
  char *slash = asked->parent != NULL ? strrchr(asked->parent, '/') : NULL;
  if (slash == NULL) return psp_fail_memory(error, "listing");
  *slash = '\0';
  asked->query.descendants = slash[1] == '\0';
  if (slash[1] == '\0') return PSPROBE_OK;
  asked->query.collection = psp_strdup(slash + 1);
  return asked->query.collection != NULL ? PSPROBE_OK : psp_fail_memory(error, "listing");
}

static psprobe_code read_listing(psp_documents_request *request, listing *asked,
                                 psprobe_error *error) {
  const char *order = psp_documents_query_text(request, "orderBy", "order_by");
  bool ordered = order != NULL && *order != '\0';
  asked->token = psp_documents_query_text(request, "pageToken", "page_token");
  psprobe_code code = read_parent(request, asked, error);
  if (code == PSPROBE_OK) code = page_size(request, &asked->size, error);
  if (code == PSPROBE_OK) code = check_missing(request, ordered, error);
  if (code == PSPROBE_OK && ordered) code = psp_local_query_order(&asked->query, order, error);
  if (code == PSPROBE_OK)
    code = psp_documents_query_mask(request, "mask.fieldPaths", "mask.field_paths", &asked->mask,
                                    error);
  if (code == PSPROBE_OK) code = psp_local_query_imply(&asked->query, error);
  asked->query.limit = asked->size + 1;
  return code;
}

static psprobe_code run_listing(psp_documents_request *request, listing *asked,
                                psp_query_found *found, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_documents_begin(request->documents);
  if (asked->token != NULL && *asked->token != '\0')
    code = begin_after_token(request, asked->token, &asked->query, error);
  if (code == PSPROBE_OK)
    code = psp_local_query_run(request->documents, asked->parent, &asked->query, found, error);
  psp_documents_end(request->documents, true, NULL);
  return code;
}

void psp_documents_list(psp_documents_request *request) {
  psprobe_error error = {0};
  listing asked = {.query = {.limit = -1}};
  psp_query_found found = {0};
  psprobe_code code = read_listing(request, &asked, &error);
  if (code == PSPROBE_OK) code = run_listing(request, &asked, &found, &error);
  if (code == PSPROBE_OK)
    reply_page(request, &found, (size_t)asked.size, &asked.mask);
  else
    psp_documents_refuse(request, &error, NULL);
  psp_query_found_free(&found);
  psp_documents_mask_free(&asked.mask);
  psp_local_query_free(&asked.query);
  free(asked.parent);
}
