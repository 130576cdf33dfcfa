/* SPDX-License-Identifier: MIT */
/** @file A call, as its function sees it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "functions/parts.h"

psprobe_invocation psprobe_call_invocation(const psprobe_call *call) {
  const psprobe_function *function = call->served->function;
  const psp_instance *instance = function->instance;
  int64_t received_ns = psp_exchange_received_ns(call->served->exchange);
  return (psprobe_invocation){.target = function->target.name,
                              .instance = instance->id,
                              .number = call->number,
                              .cold = call->number == 1,
                              .age_ns = psp_instance_age_ns(instance, received_ns),
                              .ready_ns = atomic_load(&instance->ready_ns),
                              .received_ns = received_ns,
                              .arrived_ns = psp_arrived_wall_ns(received_ns)};
}

const psprobe_event *psprobe_call_event(const psprobe_call *call) {
  return call->event;
}

const psprobe_legacy_event *psprobe_call_legacy(const psprobe_call *call) {
  return call->legacy.context != NULL ? &call->legacy : NULL;
}

const psprobe_message *psprobe_call_message(const psprobe_call *call) {
  return call->event != NULL ? call->event->message : NULL;
}

const char *psprobe_call_method(const psprobe_call *call) {
  return psp_exchange_method(call->served->exchange);
}

const char *psprobe_call_path(const psprobe_call *call) {
  return psp_exchange_path(call->served->exchange);
}

const char *psprobe_call_query(const psprobe_call *call) {
  return psp_exchange_raw_query(call->served->exchange);
}

const char *psprobe_call_header(const psprobe_call *call, const char *name) {
  return psp_exchange_header(call->served->exchange, name);
}

const char *psprobe_call_body(const psprobe_call *call, size_t *len) {
  return psp_exchange_body(call->served->exchange, len);
}

void psprobe_call_reply(psprobe_call *call, int status, const char *type, const char *body,
                        size_t len) {
  psp_served_reply *reply = &call->served->reply;
  free(reply->type);
  free(reply->body);
  *reply = (psp_served_reply){.status = status, .type = psp_strdup(type), .len = len};
  if (len > 0) reply->body = malloc(len);
  reply->lost = (type != NULL && reply->type == NULL) || (len > 0 && reply->body == NULL);
  if (reply->body != NULL) memcpy(reply->body, body, len);
}

void psprobe_call_later(psprobe_call *call) {
  call->later = true;
}
