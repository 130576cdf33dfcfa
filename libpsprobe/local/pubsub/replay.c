/* SPDX-License-Identifier: MIT */
/** @file The routes of snapshots, of seeking to them or to a time, and of detaching. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "local/broker/settings_json.h"
#include "local/proto_fields.h"
#include "local/pubsub/json.h"
#include "local/pubsub/masks.h"
#include "local/pubsub/rest.h"

/* ---- snapshots ---- */

static void put_snapshot(psp_buf *body, const psp_snapshot_settings *settings) {
  psp_json_writer w = {.buf = body, .pretty = true};
  psp_snapshot_settings_encode(&w, settings);
}

typedef struct wish {
  psp_snapshot_settings settings;
  char *subscription;
} wish;

static bool read_wish(const psp_json *json, wish *out) {
  static const psp_field fields[] = {{"name", psp_read_text, offsetof(wish, settings.name)},
                                     {"subscription", psp_read_text, offsetof(wish, subscription)},
                                     {"labels", psp_read_pairs, offsetof(wish, settings.labels)},
                                     {0}};
  return json == NULL || psp_fields_read(json, fields, out);
}

void psp_broker_snapshot_put(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  wish asked = {0};
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (code == PSPROBE_OK && !read_wish(json, &asked)) code = psp_payload_invalid(&error);
  psp_json_free(json);
  if (code == PSPROBE_OK) code = psp_broker_request_name(request, &asked.settings.name, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK)
    code = psp_broker_snapshot_create(broker, &asked.settings, asked.subscription,
                                      psp_broker_host_now(), &error);
  if (code == PSPROBE_OK) put_snapshot(&body, psp_broker_snapshot(broker, request->name));
  psp_broker_finish(request, code, &error, &body);
  psp_snapshot_settings_free(&asked.settings);
  free(asked.subscription);
}

void psp_broker_snapshot_get(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_buf body = {0};
  psprobe_code code = PSPROBE_OK;
  const psp_snapshot_settings *settings =
      psp_broker_snapshot(psp_broker_host_lock(request->host), request->name);
  if (settings != NULL)
    put_snapshot(&body, settings);
  else
    code = psp_fail(&error, PSPROBE_NOT_FOUND, "Snapshot does not exist");
  psp_broker_finish(request, code, &error, &body);
}

void psp_broker_snapshot_patch(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  psp_snapshot_settings settings = {0};
  psp_broker_change asked = {0};
  unsigned mask = 0;
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (code == PSPROBE_OK) code = psp_broker_change_read(json, "snapshot", &asked, &error);
  if (code == PSPROBE_OK && asked.thing != NULL &&
      !psp_snapshot_settings_decode(asked.thing, &settings))
    code = psp_payload_invalid(&error);
  if (code == PSPROBE_OK) code = psp_broker_request_name(request, &settings.name, &error);
  if (code == PSPROBE_OK) code = psp_snapshot_mask_parse(asked.mask, &mask, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK)
    code = psp_broker_snapshot_update(broker, request->name, &settings, mask, psp_broker_host_now(),
                                      &error);
  if (code == PSPROBE_OK) put_snapshot(&body, psp_broker_snapshot(broker, request->name));
  psp_broker_finish(request, code, &error, &body);
  free(asked.mask);
  psp_snapshot_settings_free(&settings);
  psp_json_free(json);
}

void psp_broker_snapshot_remove(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = psp_broker_snapshot_delete(broker, request->name, &error);
  psp_broker_finish(request, code, &error, NULL);
}

/* ---- seeking ---- */

typedef struct target {
  bool to_time;
  int64_t time_ns;
  char *snapshot;
} target;

static bool read_time(const psp_json *json, void *out) {
  target *to = out;
  to->to_time = true;
  return psp_read_moment(json, &to->time_ns);
}

static psprobe_code seek(psp_broker *broker, const char *name, const target *to,
                         psprobe_error *error) {
  psp_instant now = psp_broker_host_now();
  if (psp_broker_subscription(broker, name) == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  if (to->to_time) return psp_broker_seek_time(broker, name, to->time_ns, now, error);
  if (to->snapshot != NULL) return psp_broker_seek_snapshot(broker, name, to->snapshot, now, error);
  return psp_fail(
      error, PSPROBE_INVALID_ARGUMENT,
      "No target was specified in the SeekRequest. Must specify either a time or a snapshot");
}

void psp_broker_subscription_seek(psp_broker_request *request) {
  static const psp_field fields[] = {{"time", read_time, 0},
                                     {"snapshot", psp_read_text, offsetof(target, snapshot)},
                                     {"subscription", NULL, 0},
                                     {0}};
  psprobe_error error = {0};
  psp_json *json;
  target to = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (json != NULL && (!psp_fields_read(json, fields, &to) || (to.to_time && to.snapshot != NULL)))
    code = psp_payload_invalid(&error);
  psp_json_free(json);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK) code = seek(broker, request->name, &to, &error);
  psp_broker_finish(request, code, &error, NULL);
  free(to.snapshot);
}

void psp_broker_subscription_detach(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = psp_broker_detach(broker, request->name, &error);
  psp_broker_finish(request, code, &error, NULL);
}
