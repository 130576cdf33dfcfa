/* SPDX-License-Identifier: MIT */
#include "functions/function.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "functions/parts.h"
#include "os/wait.h"

/* Cloud Run lets no more through (https://cloud.google.com/run/quotas). */
#define MAX_BODY            ((size_t)32 << 20)
#define DEFAULT_CONCURRENCY 80
#define HEALTH              "/health"

static void on_health(void *arg, psp_exchange *exchange) {
  static const char body[] = "{\"status\":\"ok\"}";
  (void)arg;
  psp_exchange_reply(exchange, 200, "application/json", body, sizeof body - 1);
}

/* Browsers ask for these by themselves: they are no calls (the frameworks' contract). */
static void on_nothing(void *arg, psp_exchange *exchange) {
  (void)arg;
  psp_exchange_reply_error(exchange, 404, PSPROBE_NOT_FOUND, "there is nothing at this path");
}

/* Any path: a push endpoint may have one, and Eventarc posts to the root. */
static psprobe_code listen_with(psprobe_function *f, const psprobe_function_options *options,
                                psprobe_error *error) {
  psp_route routes[] = {
      {"GET", options->health != NULL ? options->health : HEALTH, on_health, NULL},
      {"*", "/robots.txt", on_nothing, NULL},
      {"*", "/favicon.ico", on_nothing, NULL},
      {"*", "/*", psp_served_begin, f}};
  size_t count = sizeof routes / sizeof *routes;
  if (f->target.kind != PSPROBE_TARGET_HTTP) {
    routes[1] = (psp_route){"POST", "/*", psp_served_begin, f};
    count = 2;
  }
  bool message = f->target.kind == PSPROBE_TARGET_MESSAGE;
  psp_server_options server = {.listen = options->listen != NULL ? options->listen : ":8080",
                               .what = "--listen",
                               .routes = routes,
                               .route_count = count,
                               .admit = psp_gate_admit,
                               .admit_arg = &f->gate,
                               .max_body = message ? PSPROBE_PUSH_BODY_MOST : MAX_BODY,
                               .threads = 1, /* no handler waits, or reads a large body */
                               .logger = &f->logger};
  return psp_server_new(&server, &f->server, error);
}

static psprobe_code set_up(psprobe_function *f, const psprobe_function_options *options,
                           psprobe_error *error) {
  unsigned concurrency = options->concurrency > 0 ? options->concurrency : DEFAULT_CONCURRENCY;
  if (options->logger != NULL) f->logger = *options->logger;
  f->instance = f->hooks.instance;
  if (f->instance == NULL && !psp_instance_init(f->instance = &f->own))
    return psp_fail(error, PSPROBE_INTERNAL, "function: the kernel gave no random numbers");
  f->pool = psp_pool_new("psp-call", concurrency);
  if (f->pool == NULL) return psp_fail_memory(error, "function");
  psprobe_code code = PSPROBE_OK;
  f->gate.verifier = f->hooks.verifier;
  if (options->verify != NULL && f->gate.verifier == NULL)
    code = psprobe_verifier_new(options->verify, &f->gate.verifier, error);
  if (code == PSPROBE_OK) code = listen_with(f, options, error);
  if (code == PSPROBE_OK) psp_instance_is_ready(f->instance);
  return code;
}

psprobe_code psp_function_begin(const psprobe_target *target,
                                const psprobe_function_options *options,
                                const psp_function_hooks *hooks, psprobe_function **function,
                                psprobe_error *error) {
  static const psprobe_function_options none = {0};
  psprobe_function *f = calloc(1, sizeof *f);
  if (f == NULL) return psp_fail_memory(error, "function");
  pthread_mutex_init(&f->lock, NULL);
  psp_cond_init(&f->changed);
  f->target = *target;
  if (hooks != NULL) f->hooks = *hooks;
  psprobe_code code = set_up(f, options != NULL ? options : &none, error);
  if (code != PSPROBE_OK) {
    psprobe_function_free(f);
    return code;
  }
  *function = f;
  return PSPROBE_OK;
}

psprobe_code psprobe_function_new(const psprobe_target *target,
                                  const psprobe_function_options *options,
                                  psprobe_function **function, psprobe_error *error) {
  return psp_function_begin(target, options, NULL, function, error);
}

int psprobe_function_port(const psprobe_function *function) {
  return psp_server_port(function->server);
}

void psp_function_quiesce(psprobe_function *f) {
  if (f->server != NULL) psp_server_quiesce(f->server);
  psp_verifier_stop(f->gate.verifier);
}

static bool wait_for_calls(psprobe_function *f, int64_t until_ns) {
  pthread_mutex_lock(&f->lock);
  while (f->active > 0 && psp_cond_wait_until(&f->changed, &f->lock, until_ns)) {
  }
  bool ended = f->active == 0;
  pthread_mutex_unlock(&f->lock);
  return ended;
}

bool psprobe_function_stop(psprobe_function *f, int64_t timeout_ns) {
  psp_function_quiesce(f);
  return wait_for_calls(f, psprobe_clock_monotonic() + timeout_ns);
}

void psprobe_function_free(psprobe_function *f) {
  if (f == NULL) return;
  psp_function_quiesce(f);
  wait_for_calls(f, INT64_MAX);
  psp_server_free(f->server);
  psp_pool_free(f->pool);
  if (f->hooks.verifier == NULL) psprobe_verifier_free(f->gate.verifier);
  pthread_cond_destroy(&f->changed);
  pthread_mutex_destroy(&f->lock);
  free(f);
}
