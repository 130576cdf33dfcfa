/* SPDX-License-Identifier: MIT */
/** @file The routes that make, show, change and remove topics and subscriptions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "local/broker/json.h"
#include "local/broker/rest.h"
#include "local/broker/settings_json.h"
#include "local/proto_fields.h"

/* The body as JSON, NULL for an empty one. */
static psprobe_code parse(const psp_broker_request *request, psp_json **json,
                          psprobe_error *error) {
  *json = NULL;
  if (request->len == 0 ||
      psp_json_parse(request->body, request->len, "body", json, NULL) == PSPROBE_OK)
    return PSPROBE_OK;
  return psp_payload_invalid(error);
}

/* Gives `*name` the name of the URL; one in the body must be the same (the emulator hangs). */
static psprobe_code take_name(const psp_broker_request *request, char **name,
                              psprobe_error *error) {
  if (*name != NULL && strcmp(*name, request->name) != 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "The name in the body is not that of the URL.");
  if (*name == NULL) *name = psp_strdup(request->name);
  return *name != NULL ? PSPROBE_OK : psp_fail_memory(error, "name");
}

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
  psprobe_code code = parse(request, &json, &error);
  if (json != NULL && !psp_topic_settings_decode(json, &settings))
    code = psp_payload_invalid(&error);
  psp_json_free(json);
  if (code == PSPROBE_OK) code = take_name(request, &settings.name, &error);
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

/* The body of a PATCH: the thing and the mask. */
typedef struct change {
  const psp_json *thing;
  char *mask;
} change;

static psprobe_code read_change(const psp_json *json, const char *thing, change *out,
                                psprobe_error *error) {
  const psp_field fields[] = {{thing, psp_read_part, offsetof(change, thing)},
                              {"updateMask", psp_read_text, offsetof(change, mask)},
                              {0}};
  return json == NULL || psp_fields_read(json, fields, out) ? PSPROBE_OK
                                                            : psp_payload_invalid(error);
}

void psp_broker_topic_patch(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_json *json;
  psp_topic_settings settings = {0};
  change asked = {0};
  psp_buf body = {0};
  psprobe_code code = parse(request, &json, &error);
  if (code == PSPROBE_OK) code = read_change(json, "topic", &asked, &error);
  if (code == PSPROBE_OK && asked.thing != NULL &&
      !psp_topic_settings_decode(asked.thing, &settings))
    code = psp_payload_invalid(&error);
  if (code == PSPROBE_OK) code = take_name(request, &settings.name, &error);
  if (code == PSPROBE_OK) code = psp_topic_mask_parse(asked.mask, &error);
  psp_topic_settings *topic = psp_broker_topic(psp_broker_host_lock(request->host), request->name);
  if (code == PSPROBE_OK && topic == NULL)
    code = psp_fail(&error, PSPROBE_NOT_FOUND, "Topic not found.");
  if (code == PSPROBE_OK) code = psp_topic_settings_check(&settings, &error);
  if (code == PSPROBE_OK) {
    topic->retention = settings.retention;
    put_topic(&body, topic);
  }
  psp_broker_finish(request, code, &error, &body);
  free(asked.mask);
  psp_topic_settings_free(&settings);
  psp_json_free(json);
}

void psp_broker_topic_remove(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_buf body = {0};
  psp_buf_text(&body, "{\n}\n");
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = psp_broker_topic_delete(broker, request->name, &error);
  psp_broker_finish(request, code, &error, &body);
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
  psprobe_code code = parse(request, &json, &error);
  if (json != NULL && !psp_subscription_settings_decode(json, &settings))
    code = psp_payload_invalid(&error);
  psp_json_free(json);
  if (code == PSPROBE_OK) code = take_name(request, &settings.name, &error);
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
  change asked = {0};
  unsigned mask = 0;
  psp_buf body = {0};
  psprobe_code code = parse(request, &json, &error);
  if (code == PSPROBE_OK) code = read_change(json, "subscription", &asked, &error);
  if (code == PSPROBE_OK && asked.thing != NULL &&
      !psp_subscription_settings_decode(asked.thing, &settings))
    code = psp_payload_invalid(&error);
  if (code == PSPROBE_OK) code = take_name(request, &settings.name, &error);
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
  psp_buf body = {0};
  psprobe_code code = parse(request, &json, &error);
  if (json != NULL && !psp_fields_read(json, fields, &settings)) code = psp_payload_invalid(&error);
  psp_json_free(json);
  psp_buf_text(&body, "{\n}\n");
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK)
    code = psp_broker_subscription_update(broker, request->name, &settings, PSP_SUB_PUSH,
                                          psp_broker_host_now(), &error);
  psp_broker_finish(request, code, &error, &body);
  psp_subscription_settings_free(&settings);
}

void psp_broker_subscription_remove(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_buf body = {0};
  psp_buf_text(&body, "{\n}\n");
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = psp_broker_subscription_delete(broker, request->name, &error);
  psp_broker_finish(request, code, &error, &body);
}

/* ---- listings ---- */

/* A page under way. */
typedef struct page {
  psp_json_writer w;
  int64_t left;    /* how many more; negative: all */
  const char *key; /* of the array, begun with the first item */
  bool any;
} page;

static const char *query(const psp_broker_request *request, const char *name, const char *other) {
  const psp_broker_caller *caller = &request->caller;
  const char *value = caller->query(caller->arg, name);
  return value != NULL ? value : caller->query(caller->arg, other);
}

/* pageSize 0, negative or none: everything in one page. What is no number is an error (the
 * emulator never answers it). */
static bool page_begin(const psp_broker_request *request, const char *key, page *out) {
  const char *size = query(request, "pageSize", "page_size");
  out->key = key;
  out->left = -1;
  if (size != NULL && !psp_parse_int64(size, INT32_MIN, INT32_MAX, &out->left)) return false;
  if (out->left == 0) out->left = -1;
  psp_json_begin_object(&out->w);
  return true;
}

/* Room for another item? If not, `name` is where the next page begins. */
static bool page_next(page *at, const char *name) {
  if (!at->any) {
    psp_json_begin_array_member(&at->w, at->key);
    at->any = true;
  }
  if (at->left < 0 || at->left-- > 0) return true;
  psp_json_end_array(&at->w);
  at->any = false;
  psp_json_put_member(&at->w, "nextPageToken", name);
  return false;
}

static void page_end(page *at) {
  if (at->any) psp_json_end_array(&at->w);
  psp_json_end_object(&at->w);
}

/* Where the page begins: the token is the name of its first item. */
static const char *page_from(const psp_broker_request *request, const char *prefix) {
  const char *token = query(request, "pageToken", "page_token");
  return token != NULL && strcmp(token, prefix) > 0 ? token : prefix;
}

void psp_broker_topic_list(psp_broker_request *request) {
  psp_buf body = {0};
  page at = {.w = {.buf = &body, .pretty = true}};
  char prefix[512];
  psprobe_error error = {0};
  snprintf(prefix, sizeof prefix, "%s/", request->name);
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = page_begin(request, "topics", &at) ? PSPROBE_OK : psp_payload_invalid(&error);
  const psp_topic_settings *topic;
  for (size_t i = psp_broker_topic_place(broker, page_from(request, prefix));
       code == PSPROBE_OK && (topic = psp_broker_topic_at(broker, i)) != NULL &&
       psp_text_starts(topic->name, prefix) && page_next(&at, topic->name);
       i++)
    psp_topic_settings_encode(&at.w, topic);
  page_end(&at);
  psp_broker_finish(request, code, &error, &body);
}

static void list_subscriptions(psp_broker_request *request, const char *topic) {
  psp_buf body = {0};
  page at = {.w = {.buf = &body, .pretty = true}};
  char prefix[512];
  psprobe_error error = {0};
  snprintf(prefix, sizeof prefix, "projects/%s/subscriptions/", request->path.segments[2]);
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code =
      page_begin(request, "subscriptions", &at) ? PSPROBE_OK : psp_payload_invalid(&error);
  const char *from = page_from(request, topic != NULL ? "" : prefix);
  const psp_subscription_settings *one;
  for (size_t i = psp_broker_subscription_place(broker, from);
       code == PSPROBE_OK && (one = psp_broker_subscription_at(broker, i)) != NULL; i++) {
    if (topic != NULL ? strcmp(one->topic, topic) != 0 : !psp_text_starts(one->name, prefix)) {
      if (topic != NULL) continue;
      break;
    }
    if (!page_next(&at, one->name)) break;
    if (topic != NULL)
      psp_json_put_string(&at.w, one->name);
    else
      psp_subscription_settings_encode(&at.w, one);
  }
  page_end(&at);
  psp_broker_finish(request, code, &error, &body);
}

void psp_broker_subscription_list(psp_broker_request *request) {
  list_subscriptions(request, NULL);
}
void psp_broker_topic_subscriptions(psp_broker_request *request) {
  list_subscriptions(request, request->name);
}
