/* SPDX-License-Identifier: MIT */
#include "pubsub/admin/topic.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "pubsub/admin/settings.h"

static void put_labels(psp_json_writer *w, const char *name, const void *config) {
  const psprobe_topic_config *c = config;
  (void)name;
  psp_put_labels(w, c->labels, c->label_count);
}

static void put_retention(psp_json_writer *w, const char *name, const void *config) {
  psp_put_seconds(w, name, ((const psprobe_topic_config *)config)->retention_ns);
}

static void put_schema(psp_json_writer *w, const char *name, const void *config) {
  const psprobe_topic_config *c = config;
  if (c->schema == NULL) return;
  psp_json_begin_object_member(w, name);
  psp_json_put_member(w, "schema", c->schema);
  psp_json_put_member(w, "encoding", c->schema_encoding);
  psp_json_put_member(w, "firstRevisionId", c->first_revision);
  psp_json_put_member(w, "lastRevisionId", c->last_revision);
  psp_json_end_object(w);
}

static void put_storage(psp_json_writer *w, const char *name, const void *config) {
  const psprobe_topic_config *c = config;
  if (c->region_count == 0) return;
  psp_json_begin_object_member(w, name);
  psp_json_begin_array_member(w, "allowedPersistenceRegions");
  for (size_t i = 0; i < c->region_count; i++)
    psp_json_put_string(w, c->regions[i]);
  psp_json_end_array(w);
  if (c->enforce_in_transit) psp_json_put_bool_member(w, "enforceInTransit", true);
  psp_json_end_object(w);
}

static void put_kms_key(psp_json_writer *w, const char *name, const void *config) {
  psp_json_put_member(w, name, ((const psprobe_topic_config *)config)->kms_key);
}

static void put_ingestion(psp_json_writer *w, const char *name, const void *config) {
  psp_put_passed(w, name, ((const psprobe_topic_config *)config)->ingestion);
}

const psp_admin_field psp_topic_fields[PSP_TOPIC_FIELDS] = {
    {PSPROBE_TOPIC_LABELS, "labels", put_labels},
    {PSPROBE_TOPIC_RETENTION, "messageRetentionDuration", put_retention},
    {PSPROBE_TOPIC_SCHEMA, "schemaSettings", put_schema},
    {PSPROBE_TOPIC_STORAGE, "messageStoragePolicy", put_storage},
    {PSPROBE_TOPIC_KMS_KEY, "kmsKeyName", put_kms_key},
    {PSPROBE_TOPIC_INGESTION, "ingestionDataSourceSettings", put_ingestion},
};

static psprobe_code check_schema(const psprobe_topic_config *c, psprobe_error *error) {
  const char *encoding = c->schema_encoding;
  if (c->schema == NULL && encoding == NULL) return PSPROBE_OK;
  if (c->schema == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a schema's encoding is given, and no schema");
  if (psp_text_equal(encoding, "JSON") || psp_text_equal(encoding, "BINARY")) return PSPROBE_OK;
  return psp_setting_refuse(error, "schema encoding", encoding, "it is JSON or BINARY");
}

psprobe_code psp_topic_check(const psprobe_topic_config *c, psprobe_error *error) {
  psprobe_code code = psp_labels_check(c->labels, c->label_count, error);
  if (code == PSPROBE_OK)
    code = psp_seconds_check("retention", c->retention_ns, PSP_RETENTION_LEAST_NS,
                             PSP_RETENTION_MOST_NS, error);
  if (code == PSPROBE_OK) code = check_schema(c, error);
  for (size_t i = 0; i < c->region_count && code == PSPROBE_OK; i++)
    if (c->regions[i] == NULL || *c->regions[i] == 0)
      code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "region %zu has no name", i);
  if (code == PSPROBE_OK && c->enforce_in_transit && c->region_count == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "enforce_in_transit, and no region is named");
  return code == PSPROBE_OK ? psp_passed_check("ingestion", c->ingestion, error) : code;
}

void psp_topic_encode(psp_buf *out, const psprobe_topic_config *config) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  if (config != NULL) psp_admin_fields_put(psp_topic_fields, PSP_TOPIC_FIELDS, ~0U, config, &w);
  psp_json_end_object(&w);
}

static void read_regions(psp_admin_memory *memory, psprobe_topic_config *c) {
  const psp_json *policy = psp_json_get(memory->json, "messageStoragePolicy");
  const psp_json *list = psp_json_get(policy, "allowedPersistenceRegions");
  size_t room = psp_json_is_array(list) ? psp_json_count(list) : 0;
  psp_json_bool(psp_json_get(policy, "enforceInTransit"), &c->enforce_in_transit);
  if (room == 0) return;
  memory->regions = calloc(room, sizeof *memory->regions);
  memory->failed = memory->failed || memory->regions == NULL;
  for (const psp_json *r = psp_json_first(list); r != NULL && memory->regions != NULL;
       r = psp_json_next(r))
    if (psp_json_string(r) != NULL) memory->regions[c->region_count++] = psp_json_string(r);
  c->regions = memory->regions;
}

psprobe_code psp_topic_decode(const char *body, size_t len, psprobe_topic_info *info,
                              psprobe_error *error) {
  psp_admin_memory *memory = NULL;
  psprobe_code code = psp_admin_memory_read(body, len, "topic answer", &memory, error);
  if (code != PSPROBE_OK) return code;
  const psp_json *json = memory->json, *schema = psp_json_get(json, "schemaSettings");
  psprobe_topic_info read = {
      .name = psp_admin_text(json, "name"),
      .state = psp_admin_text(json, "state"),
      .config = {.retention_ns = psp_read_seconds(psp_json_get(json, "messageRetentionDuration")),
                 .schema = psp_admin_text(schema, "schema"),
                 .schema_encoding = psp_admin_text(schema, "encoding"),
                 .first_revision = psp_admin_text(schema, "firstRevisionId"),
                 .last_revision = psp_admin_text(schema, "lastRevisionId"),
                 .kms_key = psp_admin_text(json, "kmsKeyName")},
      .memory = memory};
  read.config.labels = psp_admin_labels(memory, &read.config.label_count);
  read.config.ingestion = psp_admin_passed(memory, 0, "ingestionDataSourceSettings");
  read_regions(memory, &read.config);
  if (memory->failed)
    code = psp_fail_memory(error, "a topic");
  else if (read.name == NULL)
    code = psp_fail(error, PSPROBE_INTERNAL, "topic answer: there is no name");
  if (code == PSPROBE_OK)
    *info = read;
  else
    psp_admin_memory_free(memory);
  return code;
}

void psprobe_topic_info_free(psprobe_topic_info *info) {
  if (info == NULL) return;
  psp_admin_memory_free(info->memory);
  *info = (psprobe_topic_info){0};
}
