/* SPDX-License-Identifier: MIT */
/** @file Publishing: to a topic by name, or to a target that was prepared. */
#include <stdlib.h>

#include "base/error.h"
#include "os/latch.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"

typedef struct publishing {
  psprobe_publish_done *done;
  void *arg;
  size_t count;
} publishing;

static void on_answer(void *arg, const psp_http_response *response, const psprobe_error *error) {
  publishing *p = arg;
  const char **ids = NULL;
  psprobe_error failure = {0};
  if (response != NULL) {
    if (psp_publish_decode(response->body, response->body_len, p->count, &ids, &failure) !=
        PSPROBE_OK)
      error = &failure;
  }
  p->done(p->arg, ids, p->count, error);
  free(ids);
  free(p);
}

static psprobe_code start(psprobe_client *client, const psp_call *call, publishing publishing_now,
                          psprobe_error *error) {
  publishing *p = malloc(sizeof *p);
  if (p == NULL) return psp_fail_memory(error, call->what);
  *p = publishing_now;
  psprobe_code code = psp_call_start(client, call, on_answer, p, NULL, error);
  if (code != PSPROBE_OK) free(p);
  return code;
}

psprobe_code psp_publish_to(psprobe_client *client, const psp_target *target,
                            const psprobe_message *messages, size_t count, int64_t timeout_ns,
                            psprobe_publish_done *done, void *arg, psprobe_error *error) {
  psp_buf body = {0};
  psprobe_code code = psp_publish_check(messages, count, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "%s", target->what);
    return code;
  }
  psp_publish_encode(&body, messages, count);
  const psp_call call = {.service = PSP_PUBSUB,
                         .method = "POST",
                         .path = target->path.data,
                         .body = body.data,
                         .body_len = body.len,
                         .attempt_ns = timeout_ns,
                         .total_ns = timeout_ns,
                         .retry = PSP_RETRY_PUBLISH,
                         .once = true,
                         .what = target->what};
  code = body.failed ? psp_fail_memory(error, target->what)
                     : start(client, &call, (publishing){done, arg, count}, error);
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_publish_start(psprobe_client *client, const char *topic,
                                   const psprobe_message *messages, size_t count,
                                   const psprobe_publish_options *options,
                                   psprobe_publish_done *done, void *arg, psprobe_error *error) {
  psp_target target;
  psprobe_code code =
      psp_target_init(&target, client, PSP_TOPIC, topic, ":publish", "publish to", error);
  if (code == PSPROBE_OK)
    code = psp_publish_to(client, &target, messages, count,
                          options != NULL ? options->timeout_ns : 0, done, arg, error);
  psp_target_free(&target);
  return code;
}

typedef struct waiting {
  psp_latch done;
  psprobe_error outcome;
} waiting;

static void on_done(void *arg, const char *const *ids, size_t count, const psprobe_error *error) {
  waiting *w = arg;
  (void)ids, (void)count;
  if (error != NULL) w->outcome = *error;
  psp_latch_post(&w->done);
}

psprobe_code psprobe_publish(psprobe_client *client, const char *topic,
                             const psprobe_message *messages, size_t count,
                             const psprobe_publish_options *options, psprobe_error *error) {
  waiting w = {.outcome.code = PSPROBE_OK};
  psp_latch_init(&w.done);
  psprobe_code code =
      psprobe_publish_start(client, topic, messages, count, options, on_done, &w, error);
  if (code == PSPROBE_OK) {
    psp_latch_wait(&w.done);
    code = w.outcome.code;
    if (code != PSPROBE_OK && error != NULL) *error = w.outcome;
  }
  psp_latch_destroy(&w.done);
  return code;
}
