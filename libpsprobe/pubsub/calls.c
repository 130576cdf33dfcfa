/* SPDX-License-Identifier: MIT */
#include "pubsub/calls.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#include <psprobe/pubsub.h>

psprobe_code psp_pubsub_resolve(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                                psp_buf *full, psprobe_error *error) {
  const char *project = NULL;
  if (name != NULL && strchr(name, '/') == NULL) {
    psprobe_code code = psprobe_pubsub_name_check(psp_pubsub_kind_name(kind), name, error);
    if (code == PSPROBE_OK) code = psprobe_client_project(client, &project, error);
    if (code != PSPROBE_OK) return code;
  }
  return psp_pubsub_full_name(kind, project, name, full, error);
}

psprobe_code psp_target_init(psp_target *target, psprobe_client *client, psp_pubsub_kind kind,
                             const char *name, const char *verb, const char *action,
                             psprobe_error *error) {
  *target = (psp_target){0};
  snprintf(target->what, sizeof target->what, "%s %s %s", action, psp_pubsub_kind_name(kind),
           name != NULL ? name : "?");
  psprobe_code code = psp_pubsub_resolve(client, kind, name, &target->full, error);
  if (code == PSPROBE_OK) {
    psp_pubsub_path(&target->path, target->full.data, verb);
    psp_buf_printf(&target->params, "%s=", psp_pubsub_kind_name(kind));
    psp_percent_encode(&target->params, target->full.data);
    if (target->path.failed || target->params.failed) code = psp_fail_memory(error, target->what);
  } else {
    /* What is wrong with a name is told with it. */
    psp_fail_in(error, "%s", code == PSPROBE_INVALID_ARGUMENT ? action : target->what);
  }
  return code;
}

void psp_target_free(psp_target *target) {
  psp_buf_free(&target->full);
  psp_buf_free(&target->params);
  psp_buf_free(&target->path);
}

static psprobe_code prepare(psprobe_client *client, const psp_pubsub_call *call, psp_target *target,
                            psp_call *out, psprobe_error *error) {
  psprobe_code code = psp_target_init(target, client, call->kind, call->name,
                                      call->verb != NULL ? call->verb : "", call->action, error);
  if (code != PSPROBE_OK) return code;
  if (call->body != NULL && call->body->failed) return psp_fail_memory(error, target->what);
  *out = (psp_call){
      .service = PSP_PUBSUB,
      .method = call->method != NULL ? call->method : "POST",
      .path = target->path.data,
      .body = call->body != NULL ? call->body->data : NULL,
      .body_len = call->body != NULL ? call->body->len : 0,
      .attempt_ns = call->timeout_ns,
      .total_ns = call->timeout_ns,
      .retry = call->retry,
      .what = target->what,
  };
  return PSPROBE_OK;
}

psprobe_code psp_pubsub_run(psprobe_client *client, const psp_pubsub_call *call, psp_buf *answer,
                            psprobe_error *error) {
  psp_target target = {0};
  psp_call out;
  psprobe_code code = prepare(client, call, &target, &out, error);
  if (code == PSPROBE_OK) code = psp_call_run(client, &out, answer, error);
  psp_target_free(&target);
  return code;
}

psprobe_code psp_pubsub_start(psprobe_client *client, const psp_pubsub_call *call,
                              psp_call_done *done, void *arg, psp_pending **pending,
                              psprobe_error *error) {
  psp_target target = {0};
  psp_call out;
  psprobe_code code = prepare(client, call, &target, &out, error);
  if (code == PSPROBE_OK) code = psp_call_start(client, &out, done, arg, pending, error);
  psp_target_free(&target);
  return code;
}
