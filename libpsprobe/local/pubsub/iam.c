/* SPDX-License-Identifier: MIT */
/** @file The routes of policies: who may do what with a topic, a subscription or a snapshot. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/proto_fields.h"
#include "local/pubsub/json.h"
#include "local/pubsub/rest.h"

static bool is_there(psp_broker *broker, const psp_broker_request *request) {
  const char *kind = request->path.segments[3], *name = request->name;
  if (strcmp(kind, "topics") == 0) return psp_broker_topic(broker, name) != NULL;
  if (strcmp(kind, "snapshots") == 0) return psp_broker_snapshot(broker, name) != NULL;
  return psp_broker_subscription(broker, name) != NULL;
}

static psprobe_code find(psp_broker *broker, const psp_broker_request *request,
                         psprobe_error *error) {
  if (is_there(broker, request)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_NOT_FOUND, "Resource not found (resource=%s).",
                  request->path.segments[4]);
}

static void put_policy(psp_buf *body, const psp_policy *policy) {
  psp_json_writer w = {.buf = body, .pretty = true};
  psp_policy_encode(&w, policy);
}

void psp_broker_policy_get(psp_broker_request *request) {
  psprobe_error error = {0};
  psp_buf body = {0};
  psp_broker *broker = psp_broker_host_lock(request->host);
  psprobe_code code = find(broker, request, &error);
  if (code == PSPROBE_OK)
    put_policy(&body, psp_policies_get(psp_broker_policies(broker), request->name));
  psp_broker_finish(request, code, &error, &body);
}

static bool read_policy(const psp_json *json, void *out) {
  return psp_policy_decode(json, out);
}

void psp_broker_policy_set(psp_broker_request *request) {
  static const psp_field fields[] = {
      {"policy", read_policy, 0}, {"updateMask", NULL, 0}, {"resource", NULL, 0}, {0}};
  psprobe_error error = {0};
  psp_json *json;
  psp_policy policy = {0};
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (json != NULL && !psp_fields_read(json, fields, &policy)) code = psp_payload_invalid(&error);
  psp_json_free(json);
  if (code == PSPROBE_OK) code = psp_policy_check(&policy, &error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  psp_policies *policies = psp_broker_policies(broker);
  if (code == PSPROBE_OK) code = find(broker, request, &error);
  if (code == PSPROBE_OK) code = psp_policies_set(policies, request->name, &policy, &error);
  if (code == PSPROBE_OK) put_policy(&body, psp_policies_get(policies, request->name));
  psp_broker_finish(request, code, &error, &body);
  psp_policy_free(&policy);
}

/* Only those of a thing's own kind can be asked for: "pubsub.topics.publish". */
static psprobe_code check_permission(const psp_broker_request *request, const psp_json *json,
                                     psprobe_error *error) {
  const char *text = psp_json_string(json), *kind = request->path.segments[3];
  bool ours = text != NULL && psp_text_starts(text, "pubsub.") && strchr(text, '*') == NULL &&
              psp_text_starts(text + 7, kind) && text[7 + strlen(kind)] == '.';
  if (ours) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Permission %s is not valid for this resource.",
                  text != NULL ? text : "");
}

/* All are granted; of what is not there none (google.iam.v1, TestIamPermissions). */
static psprobe_code put_granted(const psp_broker_request *request, const psp_json *permissions,
                                bool there, psp_buf *body, psprobe_error *error) {
  psp_json_writer w = {.buf = body, .pretty = true};
  psprobe_code code = PSPROBE_OK;
  const bool any = there && psp_json_count(permissions) > 0;
  psp_json_begin_object(&w);
  if (any) psp_json_begin_array_member(&w, "permissions");
  for (const psp_json *one = psp_json_first(permissions); one != NULL && code == PSPROBE_OK;
       one = psp_json_next(one)) {
    code = check_permission(request, one, error);
    if (any && code == PSPROBE_OK) psp_json_put_json(&w, one);
  }
  if (any) psp_json_end_array(&w);
  psp_json_end_object(&w);
  return code;
}

void psp_broker_policy_test(psp_broker_request *request) {
  static const psp_field fields[] = {{"permissions", psp_read_part, 0}, {"resource", NULL, 0}, {0}};
  psprobe_error error = {0};
  psp_json *json;
  const psp_json *permissions = NULL;
  psp_buf body = {0};
  psprobe_code code = psp_broker_request_parse(request, &json, &error);
  if (json != NULL && (!psp_fields_read(json, fields, &permissions) ||
                       (permissions != NULL && !psp_json_is_array(permissions))))
    code = psp_payload_invalid(&error);
  psp_broker *broker = psp_broker_host_lock(request->host);
  if (code == PSPROBE_OK)
    code = put_granted(request, permissions, is_there(broker, request), &body, &error);
  psp_broker_finish(request, code, &error, &body);
  psp_json_free(json);
}
