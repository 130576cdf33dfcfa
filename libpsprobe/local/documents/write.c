/* SPDX-License-Identifier: MIT */
#include "local/documents/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "local/proto_fields.h"

void psp_local_write_free(psp_local_write *write) {
  for (size_t i = 0; i < write->transform_count; i++) {
    psp_documents_path_free(&write->transforms[i].path);
    psprobe_value_free(write->transforms[i].operand);
  }
  free(write->transforms);
  free(write->name);
  psprobe_value_free(write->fields);
  psp_documents_mask_free(&write->mask);
  *write = (psp_local_write){0};
}

void psp_write_result_free(psp_write_result *result) {
  for (size_t i = 0; i < result->count; i++)
    psprobe_value_free(result->transform_results[i]);
  free(result->transform_results);
  *result = (psp_write_result){0};
}

/* ---- reading ---- */

/* Reads a Precondition; NULL or null asks nothing. Pure. */
static psprobe_code read_condition(const psp_json *json, psp_condition *out, psprobe_error *error) {
  *out = (psp_condition){0};
  if (json == NULL || psp_json_is_null(json)) return PSPROBE_OK;
  if (!psp_json_is_object(json) || psp_json_count(json) > 1)
    return psp_documents_payload_invalid(error);
  const psp_json *member = psp_json_first(json);
  if (member == NULL || psp_json_is_null(member)) return PSPROBE_OK;
  const char *text = psp_json_string(member);
  bool exists;
  int64_t seconds;
  int32_t nanos;
  if (psp_field_is(psp_json_key(member), "exists") && psp_read_bool(member, &exists)) {
    out->kind = exists ? PSP_CONDITION_EXISTS : PSP_CONDITION_ABSENT;
  } else if (psp_field_is(psp_json_key(member), "updateTime") && text != NULL &&
             psp_timestamp_parse(text, strlen(text), &seconds, &nanos)) {
    out->kind = PSP_CONDITION_TIME;
    out->update_us = seconds * 1000000 + nanos / 1000;
  } else {
    return psp_documents_payload_invalid(error);
  }
  return PSPROBE_OK;
}

static psprobe_code read_mask(const psp_json *json, psp_documents_mask *mask,
                              psprobe_error *error) {
  if (json == NULL) return PSPROBE_OK;
  static const psp_field fields[] = {{"fieldPaths", psp_read_part, 0}, {0}};
  const psp_json *paths = NULL;
  mask->set = true;
  if (!psp_fields_read(json, fields, &paths) || (paths != NULL && !psp_json_is_array(paths)))
    return psp_documents_payload_invalid(error);
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *path = psp_json_first(paths); path != NULL && code == PSPROBE_OK;
       path = psp_json_next(path)) {
    const char *text = psp_json_string(path);
    code = text != NULL ? psp_documents_mask_add(mask, text, error)
                        : psp_documents_payload_invalid(error);
  }
  return code;
}

/* The members of a write, as they lie in the JSON. */
typedef struct parts {
  const psp_json *update, *transform, *removed, *verified, *mask, *condition, *transforms;
} parts;

/* A Document, or a DocumentTransform. */
typedef struct target {
  char *name;
  const psp_json *content;
} target;

static psprobe_code read_update(const psp_json *json, psp_local_write *out, psprobe_error *error) {
  static const psp_field fields[] = {{"name", psp_read_text, offsetof(target, name)},
                                     {"fields", psp_read_part, offsetof(target, content)},
                                     {"createTime", NULL, 0},
                                     {"updateTime", NULL, 0},
                                     {0}};
  target document = {0};
  bool ok = psp_fields_read(json, fields, &document);
  out->kind = PSP_WRITE_UPDATE;
  out->name = document.name;
  if (!ok) return psp_documents_payload_invalid(error);
  return psp_documents_fields_read(document.content, &out->fields, error);
}

static psprobe_code read_transform(const psp_json *json, psp_local_write *out,
                                   psprobe_error *error) {
  static const psp_field fields[] = {{"document", psp_read_text, offsetof(target, name)},
                                     {"fieldTransforms", psp_read_part, offsetof(target, content)},
                                     {0}};
  target document = {0};
  bool ok = psp_fields_read(json, fields, &document);
  out->kind = PSP_WRITE_TRANSFORM;
  out->name = document.name;
  if (!ok) return psp_documents_payload_invalid(error);
  return psp_transforms_read(document.content, out, error);
}

/* A delete or a verify is a name alone. */
static psprobe_code read_name(const parts *found, psp_local_write *out, psprobe_error *error) {
  const psp_json *name = found->removed != NULL ? found->removed : found->verified;
  out->kind = found->removed != NULL ? PSP_WRITE_DELETE : PSP_WRITE_VERIFY;
  return psp_read_text(name, &out->name) ? PSPROBE_OK : psp_documents_payload_invalid(error);
}

static psprobe_code read_kind(const parts *found, psp_local_write *out, psprobe_error *error) {
  if (found->transform != NULL) return read_transform(found->transform, out, error);
  if (found->removed != NULL || found->verified != NULL) return read_name(found, out, error);
  if (found->update == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "empty write operation");
  psprobe_code code = read_update(found->update, out, error);
  return code == PSPROBE_OK ? psp_transforms_read(found->transforms, out, error) : code;
}

static psprobe_code check_write(psp_local_write *out, psprobe_error *error) {
  if (out->name == NULL && (out->name = psp_strdup("")) == NULL)
    return psp_fail_memory(error, "write");
  psprobe_code code = psp_documents_name_check("Document name", out->name, error);
  if (code != PSPROBE_OK) return code;
  if (out->kind == PSP_WRITE_VERIFY && out->condition.kind == PSP_CONDITION_NONE)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a verify must contain a precondition");
  return PSPROBE_OK;
}

static psprobe_code read_parts(const parts *found, psp_local_write *out, psprobe_error *error) {
  int kinds = (found->update != NULL) + (found->transform != NULL) + (found->removed != NULL) +
              (found->verified != NULL);
  if (kinds > 1) return psp_documents_payload_invalid(error);
  psprobe_code code = read_condition(found->condition, &out->condition, error);
  if (code == PSPROBE_OK) code = read_mask(found->mask, &out->mask, error);
  if (code == PSPROBE_OK) code = read_kind(found, out, error);
  return code == PSPROBE_OK ? check_write(out, error) : code;
}

psprobe_code psp_local_write_read(const psp_json *json, psp_local_write *out,
                                  psprobe_error *error) {
  static const psp_field fields[] = {
      {"update", psp_read_part, offsetof(parts, update)},
      {"delete", psp_read_part, offsetof(parts, removed)},
      {"verify", psp_read_part, offsetof(parts, verified)},
      {"transform", psp_read_part, offsetof(parts, transform)},
      {"updateMask", psp_read_part, offsetof(parts, mask)},
      {"updateTransforms", psp_read_part, offsetof(parts, transforms)},
      {"currentDocument", psp_read_part, offsetof(parts, condition)},
      {0}};
  parts found = {0};
  *out = (psp_local_write){0};
  if (!psp_fields_read(json, fields, &found)) return psp_documents_payload_invalid(error);
  return read_parts(&found, out, error);
}

/* ---- doing ---- */

/* The parts of "projects/p/databases/d/documents/c/x". */
static void put_path(psp_buf *out, const char *name, bool multi_line) {
  const char *project = name + strlen("projects/"), *path = strstr(name, "/documents/");
  int project_len = (int)strcspn(project, "/");
  path += strlen("/documents");
  if (!multi_line) {
    psp_buf_printf(out, "entity already exists: EntityRef{partitionRef=dev~%.*s, path=%s}",
                   project_len, project, path);
    return;
  }
  psp_buf_printf(out, "no entity to update: app: \"dev~%.*s\"\npath <\n", project_len, project);
  while (*path) {
    int type = (int)strcspn(++path, "/");
    const char *id = path + type + 1;
    int id_len = (int)strcspn(id, "/");
    psp_buf_printf(out, "  Element {\n    type: \"%.*s\"\n    name: \"%.*s\"\n  }\n", type, path,
                   id_len, id);
    path = id + id_len;
  }
  psp_buf_text(out, ">\n");
}

static psprobe_code check_condition(const psp_local_write *write, const psp_stored_document *old,
                                    bool exists, int64_t now_us, psp_buf *message,
                                    psprobe_error *error) {
  switch (write->condition.kind) {
    case PSP_CONDITION_NONE:
      return PSPROBE_OK;
    case PSP_CONDITION_EXISTS:
      if (exists) return PSPROBE_OK;
      put_path(message, write->name, true);
      return psp_fail(error, PSPROBE_NOT_FOUND, "no entity to update: %s", write->name);
    case PSP_CONDITION_ABSENT:
      if (!exists) return PSPROBE_OK;
      if (old->create_us == now_us)
        return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                        "Cannot insert then insert an entity in the same request.");
      put_path(message, write->name, false);
      return psp_fail(error, PSPROBE_ALREADY_EXISTS, "entity already exists: %s", write->name);
    case PSP_CONDITION_TIME:
      break;
  }
  int64_t version = exists ? old->update_us : 0;
  if (exists && version == write->condition.update_us) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                  "the stored version (%lld) does not match the required base version (%lld)",
                  (long long)version, (long long)write->condition.update_us);
}

/* The fields that the document will have, before transforms. NULL: no memory. */
static psprobe_value *next_fields(const psp_local_write *write, const psp_stored_document *old,
                                  bool exists) {
  bool keep = write->mask.set || write->kind == PSP_WRITE_TRANSFORM;
  if (!keep) return psp_value_copy(write->fields);
  psprobe_value *fields = exists ? psp_value_copy(old->fields) : psprobe_value_map();
  for (size_t i = 0; fields != NULL && write->fields != NULL && i < write->mask.count; i++) {
    const psp_documents_path *path = &write->mask.paths[i];
    const psprobe_value *value = psp_documents_path_find(write->fields, path);
    psprobe_value *copy = value != NULL ? psp_value_copy(value) : NULL;
    if ((value != NULL && copy == NULL) || !psp_documents_path_put(fields, path, copy)) {
      psprobe_value_free(fields);
      return NULL;
    }
  }
  return fields;
}

static psprobe_code transform(const psp_local_write *write, int64_t now_us, psprobe_value *fields,
                              psp_write_result *result, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (write->transform_count == 0) return code;
  result->transform_results = calloc(write->transform_count, sizeof(psprobe_value *));
  if (result->transform_results == NULL) return psp_fail_memory(error, "transforms");
  for (size_t i = 0; code == PSPROBE_OK && i < write->transform_count; i++)
    code = psp_transform_apply(&write->transforms[i], now_us, fields,
                               &result->transform_results[result->count++], error);
  return code;
}

static psprobe_code update(psp_documents *documents, const psp_local_write *write,
                           const psp_stored_document *old, bool exists, int64_t now_us,
                           psp_write_result *result, psprobe_error *error) {
  psp_stored_document next = {.name = write->name,
                              .fields = next_fields(write, old, exists),
                              .create_us = exists ? old->create_us : now_us,
                              .update_us = now_us};
  if (next.fields == NULL) return psp_fail_memory(error, "document");
  psprobe_code code = transform(write, now_us, next.fields, result, error);
  /* What changes nothing keeps its version. */
  bool same = code == PSPROBE_OK && exists && psprobe_value_equal(old->fields, next.fields);
  if (same) next.update_us = old->update_us;
  const char *path = strstr(next.name, "/documents/") + strlen("/documents/");
  if (code == PSPROBE_OK && psp_document_size(path, next.fields) > PSP_DOCUMENT_MAX)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "maximum entity size is %d bytes",
                    PSP_DOCUMENT_MAX);
  if (code == PSPROBE_OK && !same) code = psp_documents_put(documents, &next, error);
  result->update_us = next.update_us;
  psprobe_value_free(next.fields);
  return code;
}

psprobe_code psp_local_write_apply(psp_documents *documents, const psp_local_write *write,
                                   int64_t now_us, psp_write_result *result, psp_buf *message,
                                   psprobe_error *error) {
  psp_stored_document old;
  *result = (psp_write_result){0};
  psprobe_code code = psp_documents_name_fits(write->name, error);
  if (code != PSPROBE_OK) return code;
  code = psp_documents_get(documents, write->name, &old, error);
  bool exists = code == PSPROBE_OK;
  if (code == PSPROBE_NOT_FOUND) code = PSPROBE_OK;
  if (code == PSPROBE_OK) code = check_condition(write, &old, exists, now_us, message, error);
  if (code == PSPROBE_OK && write->kind == PSP_WRITE_VERIFY)
    result->update_us = exists ? old.update_us : 0;
  else if (code == PSPROBE_OK && write->kind == PSP_WRITE_DELETE)
    code = exists ? psp_documents_remove(documents, write->name, error) : PSPROBE_OK;
  else if (code == PSPROBE_OK)
    code = update(documents, write, &old, exists, now_us, result, error);
  psp_stored_document_free(&old);
  return code;
}
