/* SPDX-License-Identifier: MIT */
#include "pubsub/publishing.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "client/unary.h"
#include "pubsub/messages.h"
#include "pubsub/parts.h"
#include "pubsub/proto.h"
#include "pubsub/proto_publish.h"

#define WARM_NS (10 * PSP_SECOND_NS)

struct psp_publishing {
  psprobe_client *client;
  const psp_target *target;
  psp_target own; /* the target, where it was not given */
  psprobe_publish_done *done;
  void *arg;
  size_t count;
  int64_t timeout_ns, deadline_ns;
  bool rest; /* the request is REST's */
  psp_grpc_here here;
  psp_buf request;
  psp_unary unary;
};

void psp_publishing_free(psp_publishing *p) {
  if (p == NULL) return;
  psp_target_free(&p->own);
  psp_buf_free(&p->request);
  free(p);
}

static void finish(psp_publishing *p, const char *const *ids, const psprobe_error *error) {
  p->done(p->arg, ids, p->count, error);
  psp_publishing_free(p);
}

/* ---- by REST ---- */

static void log_foreign(psprobe_client *client, psp_grpc_here here, const psprobe_error *error) {
  psp_log_line line;
  if (!psp_grpc_set_foreign(client, PSP_PUBSUB, here) ||
      !psp_log_begin(&line, psp_client_logger(client), PSPROBE_LOG_WARNING, "no_grpc_here"))
    return;
  psp_log_text(&line, "meaning", "the endpoint speaks no gRPC: publishing by REST");
  if (error != NULL) psp_log_error(&line, error);
  psp_log_end(&line);
}

static void on_answer(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psp_publishing *p = arg;
  const char **ids = NULL;
  psprobe_error failure = {0};
  const bool answered = response != NULL || error->http_status != 0;
  if (answered && p->here == PSP_GRPC_DOUBTED) log_foreign(p->client, p->here, NULL);
  if (response != NULL && psp_publish_decode(response->body, response->body_len, p->count, &ids,
                                             &failure) != PSPROBE_OK)
    error = &failure;
  finish(p, ids, error);
  free(ids);
}

static psprobe_code go_by_rest(psp_publishing *p, psprobe_error *error) {
  const int64_t left = p->deadline_ns - psprobe_clock_monotonic();
  const psp_call call = {.service = PSP_PUBSUB,
                         .method = "POST",
                         .path = p->target->path.data,
                         .body = p->request.data,
                         .body_len = p->request.len,
                         .attempt_ns = p->timeout_ns,
                         .total_ns = left > 1 ? left : 1,
                         .retry = PSP_RETRY_PUBLISH,
                         .once = true,
                         .what = p->target->what};
  return psp_call_start(p->client, &call, on_answer, p, NULL, error);
}

/* The request was made for gRPC. */
static psprobe_code turn_to_rest(psp_publishing *p, psprobe_error *error) {
  psprobe_batch *batch = NULL;
  psp_buf body = {0};
  psprobe_code code = psp_proto_publish_read(p->request.data, p->request.len, &batch, error);
  if (code != PSPROBE_OK) return code;
  psp_publish_encode(&body, batch->messages, batch->count);
  psprobe_batch_free(batch);
  psp_buf_free(&p->request);
  p->request = body;
  p->rest = true;
  return body.failed ? psp_fail_memory(error, p->target->what) : PSPROBE_OK;
}

/* ---- by gRPC ---- */

static void on_end(void *arg, const void *answer, size_t len, const psprobe_error *error,
                   psp_grpc_here here) {
  psp_publishing *p = arg;
  psprobe_error failure = {0};
  const char **ids = NULL;
  if (here != PSP_GRPC_SPOKEN) {
    if (here == PSP_GRPC_FOREIGN) log_foreign(p->client, here, error);
    p->here = here;
    if (turn_to_rest(p, &failure) == PSPROBE_OK && go_by_rest(p, &failure) == PSPROBE_OK) return;
    error = &failure;
  } else if (error == NULL &&
             psp_proto_published(answer, len, p->count, &ids, &failure) != PSPROBE_OK) {
    error = &failure;
  }
  finish(p, ids, error);
  free(ids);
}

static psprobe_code go_by_grpc(psp_publishing *p, psprobe_error *error) {
  const psp_unary_call call = {.service = PSP_PUBSUB,
                               .method = "/google.pubsub.v1.Publisher/Publish",
                               .params = p->target->params.data,
                               .message = p->request.data,
                               .len = p->request.len,
                               .apart = true,
                               .deadline_ns = p->deadline_ns,
                               .retry = PSP_RETRY_PUBLISH,
                               .what = p->target->what,
                               .explain = psp_proto_explain,
                               .done = on_end,
                               .arg = p};
  return psp_unary_start(&p->unary, p->client, &call, error);
}

/* ---- before the first ---- */

typedef struct warming {
  psp_unary unary;
  psp_buf request;
  void (*done)(void *arg);
  void *arg;
} warming;

static void free_warming(warming *w) {
  psp_buf_free(&w->request);
  free(w);
}

static void on_warm(void *arg, const void *answer, size_t len, const psprobe_error *error,
                    psp_grpc_here here) {
  warming *w = arg;
  (void)answer, (void)len;
  /* A server that knows the language and not this word of it is none that knows REST alone. */
  if (here == PSP_GRPC_FOREIGN && !error->from_service) log_foreign(w->unary.client, here, error);
  w->done(w->arg);
  free_warming(w);
}

psprobe_code psp_publishing_warm(psprobe_client *client, const psp_target *target,
                                 void (*done)(void *arg), void *arg, psprobe_error *error) {
  warming *w = calloc(1, sizeof *w);
  if (w == NULL) return psp_fail_memory(error, target->what);
  w->done = done;
  w->arg = arg;
  /* GetTopicRequest is the same bytes as a PublishRequest of no message. */
  psp_proto_publish(&w->request, target->full.data, NULL, 0);
  const psp_unary_call call = {.service = PSP_PUBSUB,
                               .method = "/google.pubsub.v1.Publisher/GetTopic",
                               .params = target->params.data,
                               .message = w->request.data,
                               .len = w->request.len,
                               .apart = true,
                               .deadline_ns = psprobe_clock_monotonic() + WARM_NS,
                               .what = target->what,
                               .explain = psp_proto_explain,
                               .done = on_warm,
                               .arg = w};
  psprobe_code code = w->request.failed ? psp_fail_memory(error, target->what)
                                        : psp_unary_start(&w->unary, client, &call, error);
  if (code != PSPROBE_OK) free_warming(w);
  return code;
}

/* ---- from its making to its start ---- */

psprobe_code psp_publishing_new(psprobe_client *client, const psp_target *target,
                                const psprobe_message *messages, size_t count,
                                const psprobe_publish_options *options, psprobe_publish_done *done,
                                void *arg, psp_publishing **publishing, psprobe_error *error) {
  psprobe_code code = psp_publish_check(messages, count, error);
  if (code != PSPROBE_OK) {
    psp_fail_in(error, "%s", target->what);
    return code;
  }
  psp_publishing *p = calloc(1, sizeof *p);
  if (p == NULL) return psp_fail_memory(error, target->what);
  *p = (psp_publishing){.client = client,
                        .target = target,
                        .done = done,
                        .arg = arg,
                        .count = count,
                        .timeout_ns = options->timeout_ns};
  p->rest = options->by != PSPROBE_PUBLISH_BY_GRPC || psp_grpc_is_foreign(client, PSP_PUBSUB);
  if (p->rest)
    psp_publish_encode(&p->request, messages, count);
  else
    psp_proto_publish(&p->request, target->full.data, messages, count);
  if (!p->request.failed) {
    *publishing = p;
    return PSPROBE_OK;
  }
  psp_publishing_free(p);
  return psp_fail_memory(error, target->what);
}

void psp_publishing_own(psp_publishing *p, psp_target *target) {
  p->own = *target;
  p->target = &p->own;
  *target = (psp_target){.what = ""};
}

psprobe_code psp_publishing_go(psp_publishing *p, psprobe_error *error) {
  const int64_t most = p->timeout_ns > 0 ? p->timeout_ns : psp_client_timeout(p->client);
  p->deadline_ns = psprobe_clock_monotonic() + most;
  psprobe_code code = PSPROBE_OK;
  if (!p->rest && psp_grpc_is_foreign(p->client, PSP_PUBSUB)) code = turn_to_rest(p, error);
  if (code == PSPROBE_OK) code = p->rest ? go_by_rest(p, error) : go_by_grpc(p, error);
  if (code != PSPROBE_OK) psp_publishing_free(p);
  return code;
}
