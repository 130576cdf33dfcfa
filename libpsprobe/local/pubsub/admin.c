/* SPDX-License-Identifier: MIT */
/** @file The routes that make, show, change and remove topics and subscriptions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "local/broker/settings_json.h"
#include "local/proto_fields.h"
#include "local/pubsub/json.h"
#include "local/pubsub/masks.h"
#include "local/pubsub/rest.h"

/* ---- topics ---- */

static void put_topic(psp_buf *body, const psp_topic_settings *settings) {
  psp_json_writer w = {.buf = body, .pretty = true};
  psp_topic_settings_encode(&w, settings);
}

void psp_broker_topic_put(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  psp_topic_settings settings = {0};
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (json != NULL && !psp_topic_settings_decode(json, &settings))
    code = psp_payload_invalid(&error);
  psp_json_free(json);
  if (code == PSPROBE_OK) code = psp_broker_request_name(request, &settings.name, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK) code = psp_broker_topic_create(broker, &settings, &error);
  if (code == PSPROBE_OK) put_topic(&body, psp_broker_topic(broker, request->name));
  psp_broker_finish(request, code, &error, &body);
  psp_topic_settings_free(&settings);
}

void psp_broker_topic_get(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_buf body = {0};
  psprobe_code code = PSPROBE_OK;
  const psp_topic_settings *settings =
      psp_broker_topic(psp_broker_host_lock(request->host), request->name);
  if (settings != NULL)
    put_topic(&body, settings);
  else
    code = psp_fail(&error, PSPROBE_NOT_FOUND, "Topic not found");
  psp_broker_finish(request, code, &error, &body);
}

void psp_broker_topic_patch(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  psp_topic_settings settings = {0};
  psp_broker_change asked = {0};
  unsigned mask = 0;
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (code == PSPROBE_OK) code = psp_broker_change_read(json, "topic", &asked, &error);
  if (code == PSPROBE_OK && asked.thing != NULL &&
      !psp_topic_settings_decode(asked.thing, &settings))
    code = psp_payload_invalid(&error);
  if (code == PSPROBE_OK) code = psp_broker_request_name(request, &settings.name, &error);
  if (code == PSPROBE_OK) code = psp_topic_mask_parse(asked.mask, &mask, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK)
    code = psp_broker_topic_update(broker, request->name, &settings, mask, &error);
  if (code == PSPROBE_OK) put_topic(&body, psp_broker_topic(broker, request->name));
  psp_broker_finish(request, code, &error, &body);
  free(asked.mask);
  psp_topic_settings_free(&settings);
  psp_json_free(json);
}

void psp_broker_topic_remove(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = psp_broker_topic_delete(broker, request->name, &error);
  psp_broker_finish(request, code, &error, NULL);
}

/* ---- subscriptions ---- */

static void put_subscription(psp_buf *body, const psp_subscription_settings *settings) {
  psp_json_writer w = {.buf = body, .pretty = true};
  psp_subscription_settings_encode(&w, settings);
}

void psp_broker_subscription_put(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  psp_subscription_settings settings = {0};
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (json != NULL && !psp_subscription_settings_decode(json, &settings))
    code = psp_payload_invalid(&error);
  psp_json_free(json);
  if (code == PSPROBE_OK) code = psp_broker_request_name(request, &settings.name, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK) code = psp_broker_subscription_create(broker, &settings, &error);
  if (code == PSPROBE_OK) put_subscription(&body, psp_broker_subscription(broker, request->name));
  psp_broker_finish(request, code, &error, &body);
  psp_subscription_settings_free(&settings);
}

void psp_broker_subscription_get(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_buf body = {0};
  psprobe_code code = PSPROBE_OK;
  const psp_subscription_settings *settings =
      psp_broker_subscription(psp_broker_host_lock(request->host), request->name);
  if (settings != NULL)
    put_subscription(&body, settings);
  else
    code = psp_fail(&error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  psp_broker_finish(request, code, &error, &body);
}

void psp_broker_subscription_patch(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  psp_subscription_settings settings = {0};
  psp_broker_change asked = {0};
  unsigned mask = 0;
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (code == PSPROBE_OK) code = psp_broker_change_read(json, "subscription", &asked, &error);
  if (code == PSPROBE_OK && asked.thing != NULL &&
      !psp_subscription_settings_decode(asked.thing, &settings))
    code = psp_payload_invalid(&error);
  if (code == PSPROBE_OK) code = psp_broker_request_name(request, &settings.name, &error);
  if (code == PSPROBE_OK) code = psp_subscription_mask_parse(asked.mask, &mask, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK && psp_broker_subscription(broker, request->name) == NULL)
    code = psp_fail(&error, PSPROBE_NOT_FOUND, "Subscription not found.");
  if (code == PSPROBE_OK)
    code = psp_broker_subscription_update(broker, request->name, &settings, mask,
                                          psp_broker_host_now(), &error);
  if (code == PSPROBE_OK) put_subscription(&body, psp_broker_subscription(broker, request->name));
  psp_broker_finish(request, code, &error, &body);
  free(asked.mask);
  psp_subscription_settings_free(&settings);
  psp_json_free(json);
}

static bool read_push(const psp_json *json, void *out) {
  return psp_push_settings_decode(json, out);
}

void psp_broker_subscription_push(psp_broker_request *request) {
  static const psp_field fields[] = {
      {"pushConfig", read_push, offsetof(psp_subscription_settings, push)},
      {"subscription", NULL, 0},
      {0}};
  psprobe_error error = {0};
  psp_json *json;
  psp_subscription_settings settings = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (json != NULL && !psp_fields_read(json, fields, &settings)) code = psp_payload_invalid(&error);
  psp_json_free(json);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK)
    code = psp_broker_subscription_update(broker, request->name, &settings, PSP_SUB_PUSH,
                                          psp_broker_host_now(), &error);
  psp_broker_finish(request, code, &error, NULL);
  psp_subscription_settings_free(&settings);
}

void psp_broker_subscription_remove(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = psp_broker_subscription_delete(broker, request->name, &error);
  psp_broker_finish(request, code, &error, NULL);
}
