/* SPDX-License-Identifier: MIT */
/** @file Snapshots of what a subscription has not acknowledged. */
#include <string.h>

#include "base/error.h"
#include "base/timestamp.h"
#include "pubsub/admin/calls.h"
#include "pubsub/calls.h"

static void put_labels(psp_json_writer *w, const char *name, const void *config) {
  const psprobe_snapshot_config *c = config;
  (void)name;
  psp_put_labels(w, c->labels, c->label_count);
}

static void put_expire_time(psp_json_writer *w, const char *name, const void *config) {
  const psprobe_timestamp time = ((const psprobe_snapshot_config *)config)->expire_time;
  char text[PSP_TIMESTAMP_SIZE];
  psp_json_put_member(w, name, psp_timestamp_format(text, time.seconds, time.nanos));
}

#define FIELDS 2
static const psp_admin_field fields[FIELDS] = {
    {PSPROBE_SNAPSHOT_LABELS, "labels", put_labels},
    {PSPROBE_SNAPSHOT_EXPIRE_TIME, "expireTime", put_expire_time}};

psprobe_code psprobe_snapshot_create(psprobe_client *client, const char *snapshot,
                                     const char *subscription, const psprobe_attribute *list,
                                     size_t count, psprobe_error *error) {
  psp_buf of = {0}, body = {0};
  psp_json_writer w = {.buf = &body};
  psprobe_code code = psp_labels_check(list, count, error);
  if (code == PSPROBE_OK)
    code = psp_pubsub_resolve(client, PSP_SUBSCRIPTION, subscription, &of, error);
  if (code == PSPROBE_OK) {
    psp_json_begin_object(&w);
    psp_json_put_member(&w, "subscription", of.data);
    psp_put_labels(&w, list, count);
    psp_json_end_object(&w);
    code = psp_admin_create(client, PSP_SNAPSHOT, snapshot, 0, &body, NULL, error);
  } else {
    psp_fail_in(error, "create snapshot");
  }
  psp_buf_free(&of);
  psp_buf_free(&body);
  return code;
}

static psprobe_code decode(const char *body, size_t len, psprobe_snapshot_info *info,
                           psprobe_error *error) {
  psp_admin_memory *memory = NULL;
  psprobe_code code = psp_admin_memory_read(body, len, "snapshot answer", &memory, error);
  if (code != PSPROBE_OK) return code;
  const char *expires = psp_admin_text(memory->json, "expireTime");
  psprobe_snapshot_info read = {.name = psp_admin_text(memory->json, "name"),
                                .topic = psp_admin_text(memory->json, "topic"),
                                .memory = memory};
  read.labels = psp_admin_labels(memory, &read.label_count);
  psprobe_timestamp *time = &read.expire_time;
  if (memory->failed)
    code = psp_fail_memory(error, "a snapshot");
  else if (read.name == NULL || read.topic == NULL ||
           (expires != NULL &&
            !psp_timestamp_parse(expires, strlen(expires), &time->seconds, &time->nanos)))
    code = psp_fail(error, PSPROBE_INTERNAL,
                    "snapshot answer: name, topic or expireTime is not as it should");
  if (code == PSPROBE_OK)
    *info = read;
  else
    psp_admin_memory_free(memory);
  return code;
}

psprobe_code psprobe_snapshot_get(psprobe_client *client, const char *snapshot,
                                  psprobe_snapshot_info *info, psprobe_error *error) {
  psp_buf answer = {0};
  psprobe_code code = psp_admin_get(client, PSP_SNAPSHOT, snapshot, 0, &answer, error);
  if (code == PSPROBE_OK) code = decode(answer.data, answer.len, info, error);
  psp_buf_free(&answer);
  return code;
}

void psprobe_snapshot_info_free(psprobe_snapshot_info *info) {
  if (info == NULL) return;
  psp_admin_memory_free(info->memory);
  *info = (psprobe_snapshot_info){0};
}

psprobe_code psprobe_snapshot_update(psprobe_client *client, const char *snapshot,
                                     const psprobe_snapshot_config *config, unsigned which,
                                     psprobe_error *error) {
  psprobe_code code = psp_labels_check(config->labels, config->label_count, error);
  char text[PSP_TIMESTAMP_SIZE];
  if (code == PSPROBE_OK && (which & PSPROBE_SNAPSHOT_EXPIRE_TIME) != 0)
    code = psp_time_write(text, config->expire_time, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "update snapshot");
    return code;
  }
  return psp_admin_update(client, PSP_SNAPSHOT, snapshot, fields, FIELDS, which, config, error);
}

psprobe_code psprobe_snapshot_delete(psprobe_client *client, const char *snapshot,
                                     psprobe_error *error) {
  return psp_admin_delete(client, PSP_SNAPSHOT, snapshot, error);
}

psprobe_code psprobe_snapshot_list(psprobe_client *client, psprobe_name_each *each, void *arg,
                                   psprobe_error *error) {
  return psp_admin_list_project(client, "snapshots", "list snapshots", each, arg, error);
}
