/* SPDX-License-Identifier: MIT */
#include "pubsub/calls.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#include <psprobe/pubsub.h>

/* What psp_call borrows. */
typedef struct prepared {
  psp_buf full, path;
  char what[128];
} prepared;

static void release(prepared *p) {
  psp_buf_free(&p->full);
  psp_buf_free(&p->path);
}

psprobe_code psp_pubsub_resolve(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                                psp_buf *full, psprobe_error *error) {
  const char *project = NULL;
  if (name && !strchr(name, '/')) {
    psprobe_code code = psprobe_pubsub_name_check(psp_pubsub_kind_name(kind), name, error);
    if (code == PSPROBE_OK) code = psprobe_client_project(client, &project, error);
    if (code != PSPROBE_OK) return code;
  }
  return psp_pubsub_full_name(kind, project, name, full, error);
}

static psprobe_code prepare(psprobe_client *client, const psp_pubsub_call *call, prepared *p,
                            psp_call *out, psprobe_error *error) {
  snprintf(p->what, sizeof p->what, "%s %s %s", call->action, psp_pubsub_kind_name(call->kind),
           call->name ? call->name : "?");
  psprobe_code code = psp_pubsub_resolve(client, call->kind, call->name, &p->full, error);
  if (code != PSPROBE_OK) {
    /* What is wrong with a name is told with it. */
    psp_fail_in(error, "%s", code == PSPROBE_INVALID_ARGUMENT ? call->action : p->what);
    return code;
  }
  psp_pubsub_path(&p->path, p->full.data, call->verb ? call->verb : "");
  if (p->path.failed || (call->body && call->body->failed)) return psp_fail_memory(error, p->what);
  *out = (psp_call){
      .service = PSP_PUBSUB,
      .method = call->method ? call->method : "POST",
      .path = p->path.data,
      .body = call->body ? call->body->data : NULL,
      .body_len = call->body ? call->body->len : 0,
      .attempt_ns = call->timeout_ns,
      .total_ns = call->timeout_ns,
      .retry = call->retry,
      .what = p->what,
  };
  return PSPROBE_OK;
}

psprobe_code psp_pubsub_run(psprobe_client *client, const psp_pubsub_call *call, psp_buf *answer,
                            psprobe_error *error) {
  prepared p = {0};
  psp_call out;
  psp_buf ignored = {0};
  psprobe_code code = prepare(client, call, &p, &out, error);
  if (code == PSPROBE_OK) code = psp_call_run(client, &out, answer ? answer : &ignored, error);
  psp_buf_free(&ignored);
  release(&p);
  return code;
}

psprobe_code psp_pubsub_start(psprobe_client *client, const psp_pubsub_call *call,
                              psp_call_done *done, void *arg, psp_pending **pending,
                              psprobe_error *error) {
  prepared p = {0};
  psp_call out;
  psprobe_code code = prepare(client, call, &p, &out, error);
  if (code == PSPROBE_OK) code = psp_call_start(client, &out, done, arg, pending, error);
  release(&p);
  return code;
}
