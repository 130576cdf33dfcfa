/* SPDX-License-Identifier: MIT */
/** @file The responder as a function: push requests over HTTP. */
#include <string.h>

#include <psprobe/pubsub.h>

#include "base/error.h"
#include "responder/parts.h"

static void on_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  psp_exchange *exchange = arg;
  /* 204 is the one status that acknowledges for both the service and its emulator. What holds no
   * probe is acknowledged too, or it would come again for days. */
  if (code == PSPROBE_OK || code == PSPROBE_INVALID_ARGUMENT)
    psp_exchange_reply(exchange, 204, NULL, NULL, 0);
  else
    psp_exchange_reply_error(exchange, 503, PSPROBE_UNAVAILABLE, error->message);
}

static void on_push(void *arg, psp_exchange *exchange) {
  int64_t received_ns = psp_exchange_received_ns(exchange);
  psprobe_responder *responder = arg;
  psprobe_error error = {0};
  psprobe_push *push = NULL;
  size_t len;
  const char *body = psp_exchange_body(exchange, &len);
  psprobe_code code = psprobe_push_decode(body, len, &push, &error);
  if (code == PSPROBE_OK) {
    psp_responder_begin(responder, psprobe_push_message(push), received_ns, on_answered, exchange);
    psprobe_push_free(push);
  } else if (code == PSPROBE_INVALID_ARGUMENT) {
    psp_exchange_reply_error(exchange, 400, code, error.message);
  } else {
    psp_exchange_reply_error(exchange, 503, PSPROBE_UNAVAILABLE, error.message);
  }
}

static void on_health(void *arg, psp_exchange *exchange) {
  static const char body[] = "{\"status\":\"ok\"}";
  (void)arg;
  psp_exchange_reply(exchange, 200, "application/json", body, sizeof body - 1);
}

psprobe_code psprobe_responder_listen(psprobe_responder *responder, const char *listen, int *port,
                                      psprobe_error *error) {
  if (responder->server != NULL)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "responder: it listens already");
  /* Any path: a push endpoint may have one, and Eventarc posts to the root. */
  const psp_route routes[] = {{"GET", "/health", on_health, responder},
                              {"POST", "/*", on_push, responder}};
  psp_server_options options = {.listen = listen,
                                .what = "--listen",
                                .routes = routes,
                                .route_count = 2,
                                .admit = psp_gate_admit,
                                .admit_arg = &responder->gate,
                                .max_body = PSPROBE_PUSH_BODY_MOST,
                                .threads = 1, /* no handler waits */
                                .logger = &responder->logger};
  psprobe_code code = psp_server_new(&options, &responder->server, error);
  if (code == PSPROBE_OK && port != NULL) *port = psp_server_port(responder->server);
  return code;
}
