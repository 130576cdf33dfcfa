/* SPDX-License-Identifier: MIT */
/** @file One request to a function: from its bytes to the calls of it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/json.h"
#include "functions/parts.h"

/* A larger body is read on a thread of its own, so that the server's goes on answering. */
#define AT_ONCE_BYTES ((size_t)64 << 10)
#define MAX_HEADERS   128

/* ---- its calls ---- */

static void call(psp_served *served, psprobe_call *c) {
  const psprobe_target *target = &served->function->target;
  psprobe_error error = {0};
  c->number = psp_instance_call(served->function->instance);
  atomic_fetch_add(&served->left, 2); /* the function that runs, and the end of the call */
  psprobe_code code = target->function(target->arg, c, &error);
  if (!c->later) psprobe_call_end(c, code, &error);
  psp_served_end_call(served);
}

static psprobe_code fit(const psprobe_function *function, psprobe_call *c, psprobe_error *error) {
  if (function->target.kind == PSPROBE_TARGET_EVENT)
    return psprobe_event_legacy(c->event, &c->legacy, error);
  if (function->target.kind == PSPROBE_TARGET_MESSAGE && c->event->message == NULL)
    return psp_fail(error, PSPROBE_UNIMPLEMENTED, "an event of the type %.200s holds no message",
                    c->event->type);
  return PSPROBE_OK;
}

static void leave_out(psp_served *served, psprobe_code code, const psprobe_error *error) {
  bool unhandled = code == PSPROBE_UNIMPLEMENTED;
  psp_function_note_event(served->function, unhandled ? "event_not_handled" : "request_refused",
                          code, error);
  if (!unhandled) served->refusal = *error;
}

static void call_with_events(psp_served *served) {
  size_t count = psprobe_events_count(served->events);
  served->calls = calloc(count + 1, sizeof *served->calls);
  if (served->calls == NULL) {
    atomic_store(&served->outcome, PSPROBE_RESOURCE_EXHAUSTED);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    psprobe_call *c = &served->calls[i];
    psprobe_error error = {0};
    *c = (psprobe_call){.served = served, .event = psprobe_events_get(served->events, i)};
    psprobe_code code = fit(served->function, c, &error);
    if (code == PSPROBE_OK)
      call(served, c);
    else
      leave_out(served, code, &error);
  }
}

/* ---- its reading ---- */

typedef struct header_list {
  psprobe_attribute list[MAX_HEADERS];
  size_t count;
} header_list;

/* The server has unpacked the body. */
static void add_header(void *arg, const char *name, const char *value) {
  header_list *headers = arg;
  if (headers->count == MAX_HEADERS || strcasecmp(name, "Content-Encoding") == 0) return;
  headers->list[headers->count++] = (psprobe_attribute){name, value != NULL ? value : ""};
}

static psprobe_code decode(psp_served *served, psprobe_error *error) {
  static const psprobe_event_want wants[] = {[PSPROBE_TARGET_CLOUDEVENT] = PSPROBE_WANT_CLOUDEVENT,
                                             [PSPROBE_TARGET_EVENT] = PSPROBE_WANT_LEGACY,
                                             [PSPROBE_TARGET_MESSAGE] = PSPROBE_WANT_MESSAGE};
  const psprobe_function *function = served->function;
  header_list headers;
  headers.count = 0;
  psp_exchange_headers(served->exchange, add_header, &headers);
  psprobe_event_request request = {.path = psp_exchange_path(served->exchange),
                                   .query = psp_exchange_raw_query(served->exchange),
                                   .headers = headers.list,
                                   .header_count = headers.count,
                                   .want = wants[function->target.kind],
                                   .plain = function->target.plain};
  request.body = psp_exchange_body(served->exchange, &request.body_len);
  if (function->hooks.is_plain != NULL)
    request.plain = function->hooks.is_plain(request.body, request.body_len);
  return psprobe_events_decode(&request, &served->events, error);
}

/* The words are about what was sent, and for whoever sent it. */
static void refuse(psp_served *served, psprobe_code code, const psprobe_error *error) {
  int status = error->http_status != 0 ? error->http_status : 400;
  if (code == PSPROBE_UNIMPLEMENTED) {
    psp_function_note_event(served->function, "event_not_handled", code, error);
    psp_exchange_reply(served->exchange, 204, NULL, NULL, 0);
  } else if (code == PSPROBE_INVALID_ARGUMENT) {
    psp_function_note_event(served->function, "request_refused", code, error);
    psp_exchange_reply_error(served->exchange, status, code, error->message);
  } else {
    psp_exchange_reply_error(served->exchange, 503, PSPROBE_UNAVAILABLE, error->message);
  }
  psp_served_free(served);
}

static psprobe_code check_json(psp_served *served, psprobe_error *error) {
  static const psp_json_rules rules = {.depth = PSP_JSON_DEPTH};
  psp_json_fault fault;
  size_t len;
  const char *body = psp_exchange_body(served->exchange, &len);
  if (psp_json_check(body, len, &rules, NULL, &fault)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the body is not good JSON: at byte %zu, %s",
                  fault.at, fault.why);
}

static void call_without_event(psp_served *served) {
  served->calls = calloc(1, sizeof *served->calls);
  if (served->calls == NULL) {
    atomic_store(&served->outcome, PSPROBE_RESOURCE_EXHAUSTED);
    return;
  }
  served->calls->served = served;
  call(served, served->calls);
}

static void run(psp_served *served) {
  psprobe_target_kind kind = served->function->target.kind;
  psprobe_error error = {0};
  psprobe_code code = PSPROBE_OK;
  bool eventless = kind == PSPROBE_TARGET_HTTP || kind == PSPROBE_TARGET_TYPED;
  if (!eventless)
    code = decode(served, &error);
  else if (kind == PSPROBE_TARGET_TYPED)
    code = check_json(served, &error);
  if (code != PSPROBE_OK) {
    refuse(served, code, &error);
    return;
  }
  if (eventless)
    call_without_event(served);
  else
    call_with_events(served);
  psp_served_end_call(served);
}

static void run_task(psp_task *task) {
  run((psp_served *)task);
}

void psp_served_begin(void *arg, psp_exchange *exchange) {
  psprobe_function *function = arg;
  psp_served *served = calloc(1, sizeof *served);
  size_t len;
  if (served == NULL) {
    psp_exchange_reply_error(exchange, 503, PSPROBE_UNAVAILABLE, "out of memory");
    return;
  }
  served->task.run = run_task;
  served->function = function;
  served->exchange = exchange;
  atomic_init(&served->left, 1);
  psp_exchange_body(exchange, &len);
  pthread_mutex_lock(&function->lock);
  function->active++;
  pthread_mutex_unlock(&function->lock);
  if (function->target.at_once && len <= AT_ONCE_BYTES) {
    run(served);
  } else if (!psp_pool_add(function->pool, &served->task)) {
    psp_exchange_reply_error(exchange, 503, PSPROBE_UNAVAILABLE, "there is no thread for it");
    psp_served_free(served);
  }
}
