/* SPDX-License-Identifier: MIT */
#include "local/pubsub/rest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "http/server/server.h"
#include "local/pubsub/acks.h"
#include "local/pubsub/json.h"

static void publish(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_letters letters = {0};
  psp_buf body = {0};
  uint64_t first;
  /* The emulator looks for the topic before it looks at the messages. */
  bool known = psp_broker_topic(psp_broker_host_lock(request->host), request->name) != NULL;
  psp_broker_host_unlock(request->host);
  psprobe_code code = known
                          ? psp_broker_publish_decode(request->body, request->len, &letters, &error)
                          : psp_fail(&error, PSPROBE_NOT_FOUND, "Topic not found");
  if (code == PSPROBE_OK) {
    psp_broker *broker = psp_broker_host_lock(request->host);
    code = psp_broker_publish(broker, request->name, letters.items, letters.count,
                              psp_broker_host_now(), &first, &error);
    psp_broker_host_unlock(request->host);
  }
  if (code == PSPROBE_OK) psp_broker_publish_encode(&body, first, letters.count);
  psp_letters_free(&letters);
  if (code != PSPROBE_OK)
    psp_broker_reply(request, code, error.message, NULL);
  else
    psp_broker_reply(request, code, NULL, &body);
}

/* A pull that may wait: it outlives the handler. */
typedef struct waiting {
  psp_broker_waiter pull;
  psp_broker_caller caller;
  char name[];
} waiting;

static bool is_there(void *arg) {
  const waiting *one = arg;
  return !one->caller.is_gone(one->caller.arg);
}

static void answer(psp_broker_waiter *done) {
  waiting *one = done->arg;
  psp_buf body = {0};
  if (done->code == PSPROBE_OK) psp_broker_pull_encode(&body, one->name, done);
  one->caller.reply(one->caller.arg, done->code, done->why,
                    done->code == PSPROBE_OK ? &body : NULL);
  psp_broker_waiter_clear(done);
  free(one);
}

static void pull(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_pull_request asked;
  psprobe_code code = psp_broker_pull_decode(request->body, request->len, &asked, &error);
  size_t size = strlen(request->name) + 1;
  waiting *one = code != PSPROBE_OK ? NULL : calloc(1, sizeof *one + size);
  if (one == NULL) {
    if (code == PSPROBE_OK) code = psp_fail_memory(&error, "pull");
    psp_broker_reply(request, code, error.message, NULL);
    return;
  }
  one->pull = (psp_broker_waiter){.max = (size_t)asked.max,
                                  .immediate = asked.immediate,
                                  .alive = is_there,
                                  .answer = answer,
                                  .arg = one};
  one->caller = request->caller;
  memcpy(one->name, request->name, size);
  psp_broker *broker = psp_broker_host_lock(request->host);
  psp_broker_pull(broker, one->name, &one->pull, psp_broker_host_now());
  psp_broker_host_unlock(request->host);
}

/* OK: those of exactly-once delivery that count no more are marked. */
static psprobe_code settle(psp_broker_request *request, bool modify, const psp_ack_request *asked,
                           bool *stale, psprobe_error *error) {
  psp_broker *broker = psp_broker_host_lock(request->host);
  psp_instant now = psp_broker_host_now();
  psprobe_code code =
      modify ? psp_broker_modify_deadline(broker, request->name, asked->acks, asked->count,
                                          asked->deadline_s, stale, now, error)
             : psp_broker_acknowledge(broker, request->name, asked->acks, asked->count, stale, now,
                                      error);
  psp_broker_host_unlock(request->host);
  return code;
}

static void reply_settled(psp_broker_request *request, const psp_ack_request *asked,
                          const bool *stale) {
  psp_buf detail = {0};
  if (memchr(stale, true, asked->count * sizeof *stale) == NULL) {
    psp_broker_reply(request, PSPROBE_OK, NULL, NULL);
    return;
  }
  psp_broker_stale_encode(&detail, request->name, asked->acks, stale, asked->count);
  psp_broker_reply(request, PSPROBE_INVALID_ARGUMENT, PSP_WHY_STALE, &detail);
}

static void acknowledge_or_modify(psp_broker_request *request, bool modify) {
  psprobe_error error = {0};
  psp_ack_request asked = {0};
  bool known = psp_broker_subscription(psp_broker_host_lock(request->host), request->name) != NULL;
  psp_broker_host_unlock(request->host);
  psprobe_code code = known ? psp_broker_ack_decode(request->body, request->len, request->name,
                                                    modify, &asked, &error)
                            : psp_fail(&error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  bool *stale = code == PSPROBE_OK ? calloc(asked.count, sizeof *stale) : NULL;
  if (code == PSPROBE_OK && stale == NULL) code = psp_fail_memory(&error, "ack ids");
  if (code == PSPROBE_OK) code = settle(request, modify, &asked, stale, &error);
  if (code == PSPROBE_OK)
    reply_settled(request, &asked, stale);
  else
    psp_broker_reply(request, code, error.message, NULL);
  free(stale);
  free(asked.acks);
}

static void acknowledge(psp_broker_request *request) {
  acknowledge_or_modify(request, false);
}
static void modify_deadline(psp_broker_request *request) {
  acknowledge_or_modify(request, true);
}

static void no_schemas(psp_broker_request *request) {
  psp_broker_reply(request, PSPROBE_UNIMPLEMENTED, "This stand-in has no schemas.", NULL);
}

/* ---- which of them ---- */

typedef enum shape {
  LIST, /* projects/P/kind */
  ITEM, /* projects/P/kind/ID */
  PART  /* projects/P/topics/ID/subscriptions, whose last is `verb` */
} shape;

/* Those with a verb first: to the others it is the end of a name. */
static const struct route {
  const char *method, *kind, *verb;
  shape of;
  psp_broker_route *handler;
} routes[] = {
    {"POST", "topics", "publish", ITEM, publish},
    {"POST", "subscriptions", "pull", ITEM, pull},
    {"POST", "subscriptions", "acknowledge", ITEM, acknowledge},
    {"POST", "subscriptions", "modifyAckDeadline", ITEM, modify_deadline},
    {"POST", "subscriptions", "modifyPushConfig", ITEM, psp_broker_subscription_push},
    {"POST", "subscriptions", "detach", ITEM, psp_broker_subscription_detach},
    {"POST", "subscriptions", "seek", ITEM, psp_broker_subscription_seek},
    {"GET", "topics", "getIamPolicy", ITEM, psp_broker_policy_get},
    {"POST", "topics", "setIamPolicy", ITEM, psp_broker_policy_set},
    {"POST", "topics", "testIamPermissions", ITEM, psp_broker_policy_test},
    {"GET", "subscriptions", "getIamPolicy", ITEM, psp_broker_policy_get},
    {"POST", "subscriptions", "setIamPolicy", ITEM, psp_broker_policy_set},
    {"POST", "subscriptions", "testIamPermissions", ITEM, psp_broker_policy_test},
    {"GET", "snapshots", "getIamPolicy", ITEM, psp_broker_policy_get},
    {"POST", "snapshots", "setIamPolicy", ITEM, psp_broker_policy_set},
    {"POST", "snapshots", "testIamPermissions", ITEM, psp_broker_policy_test},
    {"PUT", "topics", NULL, ITEM, psp_broker_topic_put},
    {"GET", "topics", NULL, ITEM, psp_broker_topic_get},
    {"PATCH", "topics", NULL, ITEM, psp_broker_topic_patch},
    {"DELETE", "topics", NULL, ITEM, psp_broker_topic_remove},
    {"GET", "topics", NULL, LIST, psp_broker_topic_list},
    {"GET", "topics", "subscriptions", PART, psp_broker_topic_subscriptions},
    {"GET", "topics", "snapshots", PART, psp_broker_topic_snapshots},
    {"PUT", "subscriptions", NULL, ITEM, psp_broker_subscription_put},
    {"GET", "subscriptions", NULL, ITEM, psp_broker_subscription_get},
    {"PATCH", "subscriptions", NULL, ITEM, psp_broker_subscription_patch},
    {"DELETE", "subscriptions", NULL, ITEM, psp_broker_subscription_remove},
    {"GET", "subscriptions", NULL, LIST, psp_broker_subscription_list},
    {"PUT", "snapshots", NULL, ITEM, psp_broker_snapshot_put},
    {"GET", "snapshots", NULL, ITEM, psp_broker_snapshot_get},
    {"PATCH", "snapshots", NULL, ITEM, psp_broker_snapshot_patch},
    {"DELETE", "snapshots", NULL, ITEM, psp_broker_snapshot_remove},
    {"GET", "snapshots", NULL, LIST, psp_broker_snapshot_list},
    {"POST", "schemas", NULL, LIST, no_schemas},
    {"GET", "schemas", NULL, LIST, no_schemas},
    {"GET", "schemas", NULL, ITEM, no_schemas},
};

static const struct route *find_route(const char *method, const psp_rest_path *path) {
  char **at = path->segments;
  if (path->count < 4 || path->count > 6 || strcmp(at[1], "projects") != 0) return NULL;
  shape of = (shape)(path->count - 4);
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
    if (routes[i].of == of && strcmp(routes[i].method, method) == 0 &&
        strcmp(routes[i].kind, at[3]) == 0 &&
        (of == PART ? strcmp(routes[i].verb, at[5]) == 0
                    : psp_rest_path_has_verb(path, routes[i].verb)))
      return &routes[i];
  return NULL;
}

/* On a body with a Content-Type that is not JSON, Google's emulator knows no route. */
static bool type_fits(const psp_exchange *exchange) {
  const char *type = psp_exchange_header(exchange, "Content-Type");
  size_t len = strlen("application/json");
  return type == NULL || (strncasecmp(type, "application/json", len) == 0 &&
                          (type[len] == '\0' || type[len] == ';' || type[len] == ' '));
}

/* What has no JSON in its answer. True: answered. */
static bool answer_plain(psp_exchange *exchange, const char *method, const psp_rest_path *path) {
  const char *first = path->count ? path->segments[0] : "";
  if (strcmp(method, "OPTIONS") == 0) {
    psp_exchange_reply(exchange, 200, NULL, "", 0);
  } else if (path->count == 1 && !*first && strcmp(method, "GET") == 0) {
    psp_exchange_reply(exchange, 200, NULL, "Ok\n", 3); /* "are you there?" */
  } else if (first[0] == 'v' && first[1] >= '0' && first[1] <= '9' && strcmp(first, "v1") != 0) {
    psp_buf text = {0};
    psp_buf_printf(&text, "Not Found (Unsupported API version \"%s\")\n", first);
    psp_exchange_reply(exchange, 404, NULL, text.data != NULL ? text.data : "", text.len);
    psp_buf_free(&text);
  } else {
    return false;
  }
  return true;
}

static void call_route(psp_broker_request *request, const struct route *route) {
  psprobe_error error = {0};
  size_t end = request->path.count > 5 ? 5 : request->path.count;
  if (route->of == ITEM) psp_rest_path_cut_verb(&request->path, route->verb);
  request->name = psp_rest_path_join(&request->path, 1, end);
  if (request->name == NULL)
    psp_broker_reply(request, PSPROBE_RESOURCE_EXHAUSTED, "out of memory", NULL);
  else if (route->of == ITEM &&
           psp_resource_check(route->kind, request->name, &error) != PSPROBE_OK)
    psp_broker_reply(request, error.code, error.message, NULL);
  else
    route->handler(request);
  free(request->name);
}

bool psp_broker_route_request(psp_broker_request *request, const char *method) {
  const struct route *route = find_route(method, &request->path);
  if (route != NULL) call_route(request, route);
  return route != NULL;
}

/* ---- who asks by REST ---- */

static void reply(void *arg, psprobe_code code, const char *message, psp_buf *body) {
  if (code != PSPROBE_OK) {
    psp_rest_error_with(arg, code, message, body);
    if (body != NULL) psp_buf_free(body);
  } else if (body != NULL) {
    psp_rest_reply(arg, body);
  } else {
    psp_rest_reply_empty(arg);
  }
}

static bool is_gone(void *arg) {
  return psp_exchange_is_gone(arg);
}

static const char *query(void *arg, const char *name) {
  return psp_exchange_query(arg, name, 0);
}

void psp_broker_rest_handle(void *host, psp_exchange *exchange) {
  const char *method = psp_exchange_method(exchange);
  psp_broker_request request = {.host = host, .caller = {reply, is_gone, query, exchange}};
  if (!psp_rest_path_parse(psp_exchange_path(exchange), &request.path)) {
    psp_rest_not_found(exchange);
    return;
  }
  if (!answer_plain(exchange, method, &request.path)) {
    request.body = psp_exchange_body(exchange, &request.len);
    bool fits = strcmp(method, "GET") == 0 || type_fits(exchange);
    if (!fits || !psp_broker_route_request(&request, method)) psp_rest_not_found(exchange);
  }
  psp_rest_path_free(&request.path);
}
