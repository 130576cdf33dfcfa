/* SPDX-License-Identifier: MIT */
#include "firestore/document.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "firestore/parts.h"
#include "firestore/path.h"

/* Its zero bytes as C0 80: psp_json_string refuses those. */
char *psp_json_take_name(const psp_json *json) {
  psp_buf text = {0}, name = {0};
  char *out = NULL;
  if (psp_json_text(json, &text)) {
    for (size_t i = 0; i < text.len; i++) {
      if (text.data[i] == '\0')
        psp_buf_text(&name, "\xC0\x80");
      else
        psp_buf_char(&name, text.data[i]);
    }
    out = psp_buf_take(&name, NULL);
  }
  psp_buf_free(&text);
  psp_buf_free(&name);
  return out;
}

const char *psprobe_document_name(const psprobe_document *document) {
  return document->name;
}

const psprobe_value *psprobe_document_fields(const psprobe_document *document) {
  return document->fields;
}

psprobe_timestamp psprobe_document_create_time(const psprobe_document *document) {
  return document->create_time;
}

psprobe_timestamp psprobe_document_update_time(const psprobe_document *document) {
  return document->update_time;
}

void psprobe_document_free(psprobe_document *document) {
  if (document == NULL) return;
  free(document->name);
  psprobe_value_free(document->fields);
  free(document);
}

static psprobe_code decode_into(const psp_json *json, psprobe_document *document,
                                psprobe_error *error) {
  if (!psp_json_is_string(psp_json_get(json, "name")))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a document without a name");
  document->name = psp_json_take_name(psp_json_get(json, "name"));
  if (document->name == NULL) return psp_fail_memory(error, "a document");
  if (!psp_timestamp_decode(psp_json_get2(json, "createTime", "create_time"),
                            &document->create_time) ||
      !psp_timestamp_decode(psp_json_get2(json, "updateTime", "update_time"),
                            &document->update_time))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "document %.200s: a time that is none",
                    document->name);
  psprobe_code code = psp_fields_decode(psp_json_get(json, "fields"), &document->fields, error);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "document %.200s", document->name);
  return code;
}

psprobe_code psp_document_decode(const psp_json *json, psprobe_document **out,
                                 psprobe_error *error) {
  if (!psp_json_is_object(json))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a document is an object");
  psprobe_document *document = calloc(1, sizeof *document);
  if (document == NULL) return psp_fail_memory(error, "a document");
  psprobe_code code = decode_into(json, document, error);
  if (code != PSPROBE_OK) {
    psprobe_document_free(document);
    return code;
  }
  *out = document;
  return PSPROBE_OK;
}

psprobe_document *psp_document_copy(const psprobe_document *document) {
  psprobe_document *copy = malloc(sizeof *copy);
  if (copy == NULL) return NULL;
  *copy = *document;
  copy->name = psp_strdup(document->name);
  copy->fields = psp_value_copy(document->fields);
  if (copy->name != NULL && copy->fields != NULL) return copy;
  psprobe_document_free(copy);
  return NULL;
}

void psp_document_encode(psp_json_writer *w, const char *name, const psprobe_value *fields) {
  psp_json_begin_object(w);
  if (name != NULL) {
    psp_json_put_key(w, "name");
    psp_json_put_name(w, name);
  }
  psp_json_put_key(w, "fields");
  psp_fields_encode(w, fields);
  psp_json_end_object(w);
}

void psp_json_put_name(psp_json_writer *w, const char *name) {
  psp_buf text = {0};
  psp_name_text(&text, name);
  if (text.failed) w->buf->failed = true;
  psp_json_put_text(w, text.data, text.failed ? 0 : text.len);
  psp_buf_free(&text);
}

static bool is_set(psprobe_timestamp time) {
  return time.seconds != 0 || time.nanos != 0;
}

static bool has_time(const psprobe_precondition *precondition) {
  return is_set(precondition->update_time);
}

static void put_time(psp_json_writer *w, const char *name, psprobe_timestamp time) {
  char text[PSP_TIMESTAMP_SIZE];
  psp_json_put_member(w, name, psp_timestamp_format(text, time.seconds, time.nanos));
}

bool psp_read_is_special(const psprobe_read *read) {
  return read != NULL &&
         (read->mask != NULL || is_set(read->read_time) || read->transaction != NULL);
}

void psp_read_encode(psp_json_writer *w, const psprobe_read *read) {
  if (read != NULL && read->transaction != NULL)
    psp_json_put_member(w, "transaction", read->transaction->id);
  else if (read != NULL && is_set(read->read_time))
    put_time(w, "readTime", read->read_time);
}

bool psp_precondition_empty(const psprobe_precondition *precondition) {
  return precondition == NULL ||
         (!precondition->must_exist && !precondition->must_not_exist && !has_time(precondition));
}

psprobe_code psp_precondition_check(const psprobe_precondition *precondition,
                                    psprobe_error *error) {
  if (precondition == NULL || !precondition->must_not_exist) return PSPROBE_OK;
  if (!precondition->must_exist && !has_time(precondition)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "a precondition that the document must not exist and must %s",
                  precondition->must_exist ? "exist" : "have been changed at some time");
}

/* A time says by itself that the document exists; the service takes one or the other. */
void psp_precondition_encode(psp_json_writer *w, const psprobe_precondition *precondition) {
  psp_json_begin_object(w);
  if (has_time(precondition))
    put_time(w, "updateTime", precondition->update_time);
  else
    psp_json_put_bool_member(w, "exists", precondition->must_exist);
  psp_json_end_object(w);
}

psprobe_code psp_mask_check(const char *const *mask, size_t count, psprobe_error *error) {
  for (size_t i = 0; mask != NULL && i < count; i++) {
    psprobe_code code = psp_field_path_parse(mask[i], NULL, error);
    if (code != PSPROBE_OK) return code;
  }
  return PSPROBE_OK;
}

void psp_mask_encode(psp_json_writer *w, const char *name, const char *const *mask, size_t count) {
  if (mask == NULL) return;
  psp_json_begin_object_member(w, name);
  psp_json_begin_array_member(w, "fieldPaths");
  for (size_t i = 0; i < count; i++)
    psp_json_put_name(w, mask[i]);
  psp_json_end_array(w);
  psp_json_end_object(w);
}
