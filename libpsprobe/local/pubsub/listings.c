/* SPDX-License-Identifier: MIT */
/** @file The routes that list topics, subscriptions and snapshots, page by page. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "local/broker/settings_json.h"
#include "local/pubsub/json.h"
#include "local/pubsub/rest.h"

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

/* ---- what is listed ---- */

/* One of a listing: its name, the topic that it is of, and itself. */
typedef struct item {
  const char *name, *topic;
  const void *settings;
} item;

typedef struct kind {
  const char *key; /* as in paths, too */
  size_t (*place)(const psp_broker *broker, const char *name);
  bool (*at)(const psp_broker *broker, size_t place, item *out); /* false: beyond the end */
  void (*encode)(psp_json_writer *w, const void *settings);
} kind;

static bool topic_at(const psp_broker *broker, size_t place, item *out) {
  const psp_topic_settings *one = psp_broker_topic_at(broker, place);
  if (one != NULL) *out = (item){one->name, NULL, one};
  return one != NULL;
}

/* One that is detached is of no topic. */
static bool subscription_at(const psp_broker *broker, size_t place, item *out) {
  const psp_subscription_settings *one = psp_broker_subscription_at(broker, place);
  if (one != NULL) *out = (item){one->name, one->detached ? NULL : one->topic, one};
  return one != NULL;
}

static bool snapshot_at(const psp_broker *broker, size_t place, item *out) {
  const psp_snapshot_settings *one = psp_broker_snapshot_at(broker, place);
  if (one != NULL) *out = (item){one->name, one->topic, one};
  return one != NULL;
}

static void put_topic(psp_json_writer *w, const void *settings) {
  psp_topic_settings_encode(w, settings);
}
static void put_subscription(psp_json_writer *w, const void *settings) {
  psp_subscription_settings_encode(w, settings);
}
static void put_snapshot(psp_json_writer *w, const void *settings) {
  psp_snapshot_settings_encode(w, settings);
}

static const kind topics = {"topics", psp_broker_topic_place, topic_at, put_topic};
static const kind subscriptions = {"subscriptions", psp_broker_subscription_place, subscription_at,
                                   put_subscription};
static const kind snapshots = {"snapshots", psp_broker_snapshot_place, snapshot_at, put_snapshot};

/* ---- listing ---- */

/* Those of a project, whole, or of a topic, by name. */
static void list(psp_broker_request *request, const kind *of, const char *topic) {
  psp_buf body = {0};
  page at = {.w = {.buf = &body, .pretty = true}};
  char prefix[512];
  psprobe_error error = {0};
  item one;
  snprintf(prefix, sizeof prefix, "projects/%s/%s/", request->path.segments[2], of->key);
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = page_begin(request, of->key, &at) ? PSPROBE_OK : psp_payload_invalid(&error);
  size_t place = of->place(broker, page_from(request, topic != NULL ? "" : prefix));
  for (; code == PSPROBE_OK && of->at(broker, place, &one); place++) {
    if (topic != NULL && !psp_text_equal(one.topic, topic)) continue;
    if (topic == NULL && !psp_text_starts(one.name, prefix)) break;
    if (!page_next(&at, one.name)) break;
    if (topic != NULL)
      psp_json_put_string(&at.w, one.name);
    else
      of->encode(&at.w, one.settings);
  }
  page_end(&at);
  psp_broker_finish(request, code, &error, &body);
}

void psp_broker_topic_list(psp_broker_request *request) {
  list(request, &topics, NULL);
}
void psp_broker_subscription_list(psp_broker_request *request) {
  list(request, &subscriptions, NULL);
}
void psp_broker_snapshot_list(psp_broker_request *request) {
  list(request, &snapshots, NULL);
}
void psp_broker_topic_subscriptions(psp_broker_request *request) {
  list(request, &subscriptions, request->name);
}
void psp_broker_topic_snapshots(psp_broker_request *request) {
  list(request, &snapshots, request->name);
}
