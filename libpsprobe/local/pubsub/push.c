/* SPDX-License-Identifier: MIT */
#include "local/pubsub/push.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "http/client/transport.h"
#include "local/broker/endpoint.h"
#include "local/pubsub/json.h"

struct psp_broker_pusher {
  psp_broker_push_over *over;
  void *arg;
  psprobe_logger logger;
  pthread_mutex_t lock;
  psp_http *http; /* made at the first push: who only pulls pays nothing for it */
};

/* A push in flight. */
typedef struct flight {
  psp_broker_pusher *pusher;
  psp_broker_push *push;
} flight;

psp_broker_pusher *psp_broker_pusher_new(psp_broker_push_over *over, void *arg,
                                         const psprobe_logger *logger) {
  psp_broker_pusher *pusher = calloc(1, sizeof *pusher);
  if (pusher == NULL) return NULL;
  psp_http_begin(); /* the first push is sent on a server's thread */
  pusher->over = over;
  pusher->arg = arg;
  if (logger != NULL) pusher->logger = *logger;
  pthread_mutex_init(&pusher->lock, NULL);
  return pusher;
}

void psp_broker_pusher_free(psp_broker_pusher *pusher) {
  if (pusher == NULL) return;
  psp_http_free(pusher->http);
  pthread_mutex_destroy(&pusher->lock);
  free(pusher);
}

static psp_http *http_of(psp_broker_pusher *pusher, psprobe_error *error) {
  pthread_mutex_lock(&pusher->lock);
  psp_http_options options = {.user_agent = "CloudPubSub-Google (psprobe " PSPROBE_VERSION ")",
                              .logger = &pusher->logger};
  if (pusher->http == NULL) psp_http_new(&options, &pusher->http, error);
  psp_http *http = pusher->http;
  pthread_mutex_unlock(&pusher->lock);
  return http;
}

/* https://cloud.google.com/pubsub/docs/push#receive_push: these acknowledge, and no other. */
static bool acknowledges(int status) {
  return status == 102 || status == 200 || status == 201 || status == 202 || status == 204;
}

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  flight *done = arg;
  bool ok = response != NULL && acknowledges(response->status);
  psp_log_line line;
  if (!ok && psp_log_begin(&line, &done->pusher->logger, PSPROBE_LOG_DEBUG, "push_refused")) {
    psp_log_text(&line, "subscription", done->push->target->subscription);
    psp_log_int(&line, "message_id", (int64_t)done->push->delivery.letter->id);
    if (response != NULL) psp_log_int(&line, "http", response->status);
    if (response == NULL) psp_log_error(&line, error);
    psp_log_end(&line);
  }
  done->pusher->over(done->pusher->arg, done->push, ok);
  free(done);
}

#define OWN_HEADERS 5

/* Headers of a push; their texts lie in the letter, the target, `id` and `time`. */
static size_t make_headers(const psp_broker_push *push, psp_header *headers, const char *id,
                           const char *time) {
  const psp_letter *letter = push->delivery.letter;
  size_t count = 0;
  if (!push->target->no_wrapper) {
    headers[count++] = (psp_header){"Content-Type", "application/json"};
    return count;
  }
  bool typed = false;
  for (uint32_t i = 0; push->target->write_metadata && i < letter->attribute_count; i++) {
    const psp_pair *pair = &letter->attributes[i];
    if (!psp_endpoint_header(pair->key, pair->value)) continue;
    bool type = strcasecmp(pair->key, "Content-Type") == 0;
    if (type && typed) continue; /* the same in another spelling */
    typed |= type;
    headers[count++] = (psp_header){pair->key, pair->value};
  }
  if (!typed) headers[count++] = (psp_header){"Content-Type", "application/octet-stream"};
  if (!push->target->write_metadata) return count;
  if (letter->ordering_key != NULL && psp_http_header_check("x", letter->ordering_key))
    headers[count++] = (psp_header){"x-goog-pubsub-ordering-key", letter->ordering_key};
  headers[count++] = (psp_header){"x-goog-pubsub-message-id", id};
  headers[count++] = (psp_header){"x-goog-pubsub-publish-time", time};
  headers[count++] = (psp_header){"x-goog-pubsub-subscription-name", push->target->subscription};
  return count;
}

static bool send_one(psp_broker_pusher *pusher, psp_broker_push *push, flight *one,
                     psprobe_error *error) {
  const psp_letter *letter = push->delivery.letter;
  psp_http *http = http_of(pusher, error);
  psp_header *headers = malloc((letter->attribute_count + OWN_HEADERS) * sizeof *headers);
  char id[24], time[PSP_TIMESTAMP_SIZE];
  snprintf(id, sizeof id, "%llu", (unsigned long long)letter->id);
  psp_timestamp_format_ns(time, letter->published_ms * 1000000);
  psp_buf body = {0};
  if (push->target->no_wrapper)
    psp_buf_add(&body, letter->data, letter->data_len);
  else
    psp_broker_push_encode(&body, push);
  bool sent = false;
  if (http != NULL && headers != NULL && !body.failed) {
    psp_http_request request = {.method = "POST",
                                .url = push->target->url,
                                .headers = headers,
                                .header_count = make_headers(push, headers, id, time),
                                .body = body.data != NULL ? body.data : "",
                                .body_len = body.len,
                                .timeout_ns = push->timeout_ns,
                                .no_response = true};
    sent = psp_http_send(http, &request, on_done, one, NULL, error) == PSPROBE_OK;
  }
  psp_buf_free(&body);
  free(headers);
  return sent;
}

void psp_broker_pusher_send(psp_broker_pusher *pusher, psp_broker_push *push) {
  flight *one = malloc(sizeof *one);
  psprobe_error error = {0};
  if (one != NULL) *one = (flight){pusher, push};
  if (one != NULL && send_one(pusher, push, one, &error)) return;
  psp_log_line line;
  if (psp_log_begin(&line, &pusher->logger, PSPROBE_LOG_WARNING, "push_not_sent")) {
    psp_log_text(&line, "subscription", push->target->subscription);
    psp_log_error(&line, &error);
    psp_log_end(&line);
  }
  free(one);
  pusher->over(pusher->arg, push, false);
}
