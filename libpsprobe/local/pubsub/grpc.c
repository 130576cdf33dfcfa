/* SPDX-License-Identifier: MIT */
#include "local/pubsub/grpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grpc/server.h"
#include "local/pubsub/acks.h"
#include "local/pubsub/rest.h"
#include "local/pubsub/shapes.h"
#include "local/pubsub/streaming.h"

#define MAX_PARAMETER 512

/* "/v1/{name}suffix", where `name` is a member of the request, or "a.b" of one within. */
static const struct method {
  const char *path, *http, *name, *suffix;
  const psp_proto_field *request, *answer;
} methods[] = {
    {"Publisher/CreateTopic", "PUT", "name", "", psp_shape_topic, psp_shape_topic},
    {"Publisher/UpdateTopic", "PATCH", "topic.name", "", psp_shape_update_topic, psp_shape_topic},
    {"Publisher/Publish", "POST", "topic", ":publish", psp_shape_publish, psp_shape_published},
    {"Publisher/GetTopic", "GET", "topic", "", psp_shape_get_topic, psp_shape_topic},
    {"Publisher/ListTopics", "GET", "project", "/topics", psp_shape_list, psp_shape_topics},
    {"Publisher/ListTopicSubscriptions", "GET", "topic", "/subscriptions", psp_shape_list_of_topic,
     psp_shape_names},
    {"Publisher/DeleteTopic", "DELETE", "topic", "", psp_shape_get_topic, psp_shape_empty},
    {"Publisher/DetachSubscription", "POST", "subscription", ":detach", psp_shape_get_subscription,
     psp_shape_empty},
    {"Subscriber/CreateSubscription", "PUT", "name", "", psp_shape_subscription,
     psp_shape_subscription},
    {"Subscriber/GetSubscription", "GET", "subscription", "", psp_shape_get_subscription,
     psp_shape_subscription},
    {"Subscriber/UpdateSubscription", "PATCH", "subscription.name", "",
     psp_shape_update_subscription, psp_shape_subscription},
    {"Subscriber/ListSubscriptions", "GET", "project", "/subscriptions", psp_shape_list,
     psp_shape_subscriptions},
    {"Subscriber/DeleteSubscription", "DELETE", "subscription", "", psp_shape_get_subscription,
     psp_shape_empty},
    {"Subscriber/ModifyAckDeadline", "POST", "subscription", ":modifyAckDeadline", psp_shape_modify,
     psp_shape_empty},
    {"Subscriber/Acknowledge", "POST", "subscription", ":acknowledge", psp_shape_acknowledge,
     psp_shape_empty},
    {"Subscriber/Pull", "POST", "subscription", ":pull", psp_shape_pull, psp_shape_pulled},
    {"Subscriber/ModifyPushConfig", "POST", "subscription", ":modifyPushConfig", psp_shape_push,
     psp_shape_empty},
    {"Publisher/ListTopicSnapshots", "GET", "topic", "/snapshots", psp_shape_list_of_topic,
     psp_shape_snapshot_names},
    {"Subscriber/CreateSnapshot", "PUT", "name", "", psp_shape_create_snapshot, psp_shape_snapshot},
    {"Subscriber/GetSnapshot", "GET", "snapshot", "", psp_shape_get_snapshot, psp_shape_snapshot},
    {"Subscriber/UpdateSnapshot", "PATCH", "snapshot.name", "", psp_shape_update_snapshot,
     psp_shape_snapshot},
    {"Subscriber/ListSnapshots", "GET", "project", "/snapshots", psp_shape_list,
     psp_shape_snapshots},
    {"Subscriber/DeleteSnapshot", "DELETE", "snapshot", "", psp_shape_get_snapshot,
     psp_shape_empty},
    {"IAMPolicy/GetIamPolicy", "GET", "resource", ":getIamPolicy", psp_shape_get_policy,
     psp_shape_policy},
    {"IAMPolicy/SetIamPolicy", "POST", "resource", ":setIamPolicy", psp_shape_set_policy,
     psp_shape_policy},
    {"IAMPolicy/TestIamPermissions", "POST", "resource", ":testIamPermissions",
     psp_shape_test_policy, psp_shape_granted},
    {"Subscriber/Seek", "POST", "subscription", ":seek", psp_shape_seek, psp_shape_empty},
};

/* One call: held by the server until its end, and by the broker until its answer. */
typedef struct call {
  atomic_int holders;
  atomic_bool gone;
  psp_broker_host *host;
  uint64_t id;
  const struct method *method;
  bool asked;
  psp_json *json; /* the request */
  char number[24];
} call;

static void let_go(call *c) {
  if (atomic_fetch_sub(&c->holders, 1) != 1) return;
  psp_json_free(c->json);
  free(c);
}

static void finish(const call *c, psprobe_code code, const char *message) {
  psp_rpc_server_finish(psp_broker_host_grpc(c->host), c->id, code, message);
}

/* ---- the caller of a route ---- */

/* An error's detail, an ErrorInfo, within a google.rpc.Status. */
static void send_detail(const call *c, psprobe_code code, const char *message,
                        const psp_buf *detail) {
  psp_json *json = NULL;
  psp_buf info = {0}, any = {0}, status = {0};
  if (psp_json_parse(detail->data, detail->len, "detail", &json, NULL) == PSPROBE_OK)
    psp_proto_from_json(psp_shape_error_info, json, &info);
  psp_wire_put_text(&any, 1, PSP_ERROR_INFO);
  psp_wire_put_bytes(&any, 2, info.data, info.len);
  psp_wire_put_int(&status, 1, code);
  psp_wire_put_text(&status, 2, message);
  psp_wire_put_bytes(&status, 3, any.data, any.len);
  if (json != NULL && !info.failed && !any.failed && !status.failed)
    psp_rpc_server_detail(psp_broker_host_grpc(c->host), c->id, status.data, status.len);
  psp_json_free(json);
  psp_buf_free(&info);
  psp_buf_free(&any);
  psp_buf_free(&status);
}

static void reply(void *arg, psprobe_code code, const char *message, psp_buf *body) {
  call *c = arg;
  psp_buf bytes = {0};
  psp_json *json = NULL;
  if (code != PSPROBE_OK && body != NULL && !body->failed) send_detail(c, code, message, body);
  if (code == PSPROBE_OK && body != NULL) {
    bool ok =
        !body->failed && psp_json_parse(body->data, body->len, "answer", &json, NULL) == PSPROBE_OK;
    if (!ok) code = PSPROBE_RESOURCE_EXHAUSTED;
    if (ok) psp_proto_from_json(c->method->answer, json, &bytes);
    psp_json_free(json);
  }
  if (bytes.failed) code = PSPROBE_RESOURCE_EXHAUSTED;
  if (code == PSPROBE_OK)
    code = psp_rpc_server_send(psp_broker_host_grpc(c->host), c->id, bytes.data, bytes.len);
  finish(c, code, message != NULL ? message : "");
  psp_buf_free(&bytes);
  if (body != NULL) psp_buf_free(body);
  let_go(c);
}

static bool is_gone(void *arg) {
  return atomic_load(&((const call *)arg)->gone);
}

/* What REST has in its query is a member of the request here. */
static const char *query(void *arg, const char *name) {
  call *c = arg;
  int64_t number;
  const psp_json *value = psp_json_get(c->json, name);
  if (!psp_json_is_number(value)) return psp_json_string(value);
  if (!psp_json_int64(value, &number)) return NULL;
  snprintf(c->number, sizeof c->number, "%lld", (long long)number);
  return c->number;
}

/* ---- requests ---- */

/* "/v1/projects/p/topics/t:publish". False: the request names nothing. */
static bool put_path(const call *c, psp_buf *path) {
  char whole[32];
  const psp_json *at = c->json;
  psp_buf name = {0};
  snprintf(whole, sizeof whole, "%s", c->method->name);
  char *dot = strchr(whole, '.');
  if (dot != NULL) {
    *dot = 0;
    at = psp_json_get(at, whole);
  }
  const char *text = psp_json_string(psp_json_get(at, dot != NULL ? dot + 1 : whole));
  psp_buf_text(path, "/v1/");
  for (; text != NULL && *text != 0; text += *text == '/') {
    size_t len = strcspn(text, "/");
    psp_buf_reset(&name);
    psp_buf_add(&name, text, len);
    if (!name.failed) psp_percent_encode(path, name.data);
    text += len;
    if (*text == '/') psp_buf_char(path, '/');
  }
  psp_buf_free(&name);
  psp_buf_text(path, c->method->suffix);
  return text != NULL && !path->failed;
}

/* GET and DELETE have no body. */
static bool has_body(const struct method *method) {
  return strcmp(method->http, "GET") != 0 && strcmp(method->http, "DELETE") != 0;
}

static void ask(call *c, const psp_buf *body) {
  psp_buf path = {0};
  psp_broker_request request = {.host = c->host, .caller = {reply, is_gone, query, c}};
  if (has_body(c->method)) {
    request.body = body->data;
    request.len = body->len;
  }
  bool named = put_path(c, &path) && psp_rest_path_parse(path.data, &request.path);
  if (!named || !psp_broker_route_request(&request, c->method->http))
    reply(c, PSPROBE_INVALID_ARGUMENT, "Invalid resource name given.", NULL);
  if (named) psp_rest_path_free(&request.path);
  psp_buf_free(&path);
}

static void on_message(void *arg, const void *data, size_t len) {
  call *c = arg;
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  if (c->asked) return;
  c->asked = true;
  atomic_fetch_add(&c->holders, 1);
  bool ok = psp_proto_to_json(c->method->request, data, len, &w) &&
            psp_json_parse(body.data, body.len, "request", &c->json, NULL) == PSPROBE_OK;
  if (ok)
    ask(c, &body);
  else
    reply(c, PSPROBE_INVALID_ARGUMENT, "The request is no valid protobuf message.", NULL);
  psp_buf_free(&body);
}

static void on_half_closed(void *arg) {
  const call *c = arg;
  if (!c->asked) finish(c, PSPROBE_INTERNAL, "There was no request.");
}

static void on_end(void *arg, const psp_rpc_status *status) {
  call *c = arg;
  (void)status;
  atomic_store(&c->gone, true);
  let_go(c);
}

static const psp_rpc_events events = {
    .message = on_message, .half_closed = on_half_closed, .end = on_end};

/* "Publisher/Publish" of a path; "": it is of no service that there is. */
static const char *name_of(const char *path) {
  static const char *const packages[] = {"/google.pubsub.v1.", "/google.iam.v1."};
  for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
    if (psp_text_starts(path, packages[i])) return path + strlen(packages[i]);
  return "";
}

void psp_broker_grpc_accept(void *host, psp_rpc *rpc, const char *path) {
  const struct method *method = NULL;
  const char *name = name_of(path);
  if (strcmp(name, "Subscriber/StreamingPull") == 0) {
    psp_broker_streaming_accept(host, rpc);
    return;
  }
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(methods[i].path, name) == 0) method = &methods[i];
  call *c = method != NULL ? calloc(1, sizeof *c) : NULL;
  if (c == NULL) {
    psp_rpc_finish(rpc, method != NULL ? PSPROBE_RESOURCE_EXHAUSTED : PSPROBE_UNIMPLEMENTED,
                   method != NULL ? "out of memory" : "Method not found");
    return;
  }
  c->holders = 1;
  c->host = host;
  c->id = psp_rpc_id(rpc);
  c->method = method;
  psp_rpc_set_events(rpc, &events, c);
}
