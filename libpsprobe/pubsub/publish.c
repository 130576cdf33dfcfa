/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/error.h"
#include "pubsub/calls.h"
#include "pubsub/codec.h"

static psprobe_code prepare(const char *topic, const psprobe_message *messages, size_t count,
                            psp_buf *body, psp_pubsub_call *call, psprobe_error *error) {
  psprobe_code code = psp_publish_check(messages, count, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "publish to topic %s", topic ? topic : "?");
    return code;
  }
  psp_publish_encode(body, messages, count);
  *call = (psp_pubsub_call){.action = "publish to",
                            .kind = PSP_TOPIC,
                            .name = topic,
                            .verb = ":publish",
                            .body = body,
                            .retry = PSP_RETRY_PUBLISH};
  return PSPROBE_OK;
}

psprobe_code psprobe_publish(psprobe_client *client, const char *topic,
                             const psprobe_message *messages, size_t count, psprobe_error *error) {
  psp_buf body = {0}, answer = {0};
  psp_pubsub_call call;
  const char **ids = NULL;
  psprobe_code code = prepare(topic, messages, count, &body, &call, error);
  if (code == PSPROBE_OK) code = psp_pubsub_run(client, &call, &answer, error);
  if (code == PSPROBE_OK) code = psp_publish_decode(answer.data, answer.len, count, &ids, error);
  free(ids);
  psp_buf_free(&answer);
  psp_buf_free(&body);
  return code;
}

typedef struct publishing {
  psprobe_publish_done *done;
  void *arg;
  size_t count;
} publishing;

static void on_answer(void *arg, const psp_http_response *response, const psprobe_error *error) {
  publishing *p = arg;
  const char **ids = NULL;
  psprobe_error failure = {0};
  if (response) {
    if (psp_publish_decode(response->body, response->body_len, p->count, &ids, &failure) !=
        PSPROBE_OK)
      error = &failure;
  }
  p->done(p->arg, ids, p->count, error);
  free(ids);
  free(p);
}

psprobe_code psp_publish_start(psprobe_client *client, const char *topic,
                               const psprobe_message *messages, size_t count, int64_t timeout_ns,
                               psprobe_publish_done *done, void *arg, psprobe_error *error) {
  psp_buf body = {0};
  psp_pubsub_call call;
  psprobe_code code = prepare(topic, messages, count, &body, &call, error);
  if (code != PSPROBE_OK) return code;
  call.timeout_ns = timeout_ns;
  publishing *p = malloc(sizeof *p);
  if (p) {
    *p = (publishing){.done = done, .arg = arg, .count = count};
    code = psp_pubsub_start(client, &call, on_answer, p, NULL, error);
    if (code != PSPROBE_OK) free(p);
  } else {
    code = psp_fail_memory(error, "publish");
  }
  psp_buf_free(&body);
  return code;
}

psprobe_code psprobe_publish_start(psprobe_client *client, const char *topic,
                                   const psprobe_message *messages, size_t count,
                                   psprobe_publish_done *done, void *arg, psprobe_error *error) {
  return psp_publish_start(client, topic, messages, count, 0, done, arg, error);
}
