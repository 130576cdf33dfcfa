/* SPDX-License-Identifier: MIT */
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "books.h"
#include "exchange.h"
#include "fibers.h"
#include "http/url.h"
#include "kernel.h"
#include "os/clock.h"
#include "weather.h"

#define TIMEOUT_NS (60 * PSP_SECOND_NS)
#define REFUSED_NS (200 * PSP_US_NS)

/* A client's side: what stands behind psp_http. */
typedef struct line {
  unsigned under_way;
} line;

static struct {
  sim_call *calls;
  uint64_t last_id;
} network;

void sim_network_begin(void) {
  memset(&network, 0, sizeof network);
  sim_servers_begin();
}

static char *copy(const void *bytes, size_t len) {
  char *text = malloc(len + 1);
  if (text == NULL) abort();
  if (len > 0) memcpy(text, bytes, len);
  text[len] = '\0';
  return text;
}

static psp_header *copy_headers(const psp_header *headers, size_t count) {
  psp_header *list = calloc(count + 1, sizeof *list);
  if (list == NULL) abort();
  for (size_t i = 0; i < count; i++)
    list[i] = (psp_header){copy(headers[i].name, strlen(headers[i].name)),
                           copy(headers[i].value, strlen(headers[i].value))};
  return list;
}

static void free_headers(psp_header *headers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    free((char *)headers[i].name);
    free((char *)headers[i].value);
  }
  free(headers);
}

void sim_call_hold(sim_call *call) {
  call->holders++;
}

void sim_call_let_go(sim_call *call) {
  if (--call->holders > 0) return;
  sim_call **at = &network.calls;
  while (*at != call)
    at = &(*at)->next;
  *at = call->next;
  free_headers(call->headers, call->header_count);
  free(call->method);
  free(call->url);
  free(call->body);
  free(call);
}

const char *sim_call_path(const sim_call *call) {
  return call->url + psp_http_url_origin_len(call->url);
}

/* ---- the end of a call ---- */

/* An answer, or none, on its way to the callback. */
typedef struct outcome {
  sim_call *call;
  psp_http_response response;
  psprobe_error error;
} outcome;

static void free_outcome(outcome *o) {
  free_headers((psp_header *)o->response.headers, o->response.header_count);
  free((char *)o->response.body);
  sim_call_let_go(o->call);
  free(o);
}

/* On a fiber of the machine that asked. */
static void *give(void *arg) {
  outcome *o = arg;
  sim_call *call = o->call;
  line *l = (line *)call->http;
  call->done(call->arg, o->error.code == PSPROBE_OK ? &o->response : NULL,
             o->error.code == PSPROBE_OK ? NULL : &o->error);
  l->under_way--;
  sim_wake(l, true);
  free_outcome(o);
  return NULL;
}

/* Ends a call, unless it has ended; takes the outcome. */
static void end(outcome *o) {
  sim_call *call = o->call;
  if (call->over || call->from_life != sim_life_of(call->from)) {
    call->over = true;
    free_outcome(o);
    return;
  }
  call->over = true;
  if (o->error.code == PSPROBE_OK) sim_saw_answer(call, o->response.status);
  sim_trace("%s %s ends: %d %s", call->method, sim_call_path(call), o->response.status,
            o->error.code == PSPROBE_OK ? "" : o->error.message);
  sim_spawn(call->from, "io", give, o);
}

static outcome *make_outcome(sim_call *call) {
  outcome *o = calloc(1, sizeof *o);
  if (o == NULL) abort();
  o->call = call;
  sim_call_hold(call);
  return o;
}

static void fail(sim_call *call, psprobe_code code, const char *why) {
  size_t len = 0;
  const char *host = psp_http_url_authority(call->url, &len);
  outcome *o = make_outcome(call);
  psp_fail(&o->error, code, "%s %.*s: %s", call->method, (int)len, host, why);
  o->error.retryable = code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED;
  end(o);
}

static void time_out(void *arg) {
  sim_call *call = arg;
  if (!call->over) fail(call, PSPROBE_DEADLINE_EXCEEDED, "no answer in time");
  sim_call_let_go(call);
}

static void refuse(void *arg) {
  sim_call *call = arg;
  if (!call->over) fail(call, PSPROBE_UNAVAILABLE, "connection refused");
  sim_call_let_go(call);
}

static void cut_off(void *arg) {
  sim_call *call = arg;
  if (!call->over) fail(call, PSPROBE_UNAVAILABLE, "the connection was reset");
  sim_call_let_go(call);
}

static void call_off(void *arg) {
  sim_call *call = arg;
  if (!call->over) fail(call, PSPROBE_CANCELLED, "cancelled");
  sim_call_let_go(call);
}

/* Something will happen to it. */
static void later(sim_call *call, int64_t after_ns, void (*what)(void *)) {
  sim_call_hold(call);
  sim_at(sim_now() + after_ns, what, call);
}

/* ---- the answer ---- */

static void come_back(void *arg) {
  end(arg);
}

void sim_call_answer(sim_call *call, int status, const psp_header *headers, size_t count,
                     const char *body, size_t len) {
  if (call->back_ns < 0) {
    if (sim_odds(SIM_WEATHER, 500)) later(call, REFUSED_NS, cut_off);
    return; /* or silence, until its time is over */
  }
  outcome *o = make_outcome(call);
  o->response = (psp_http_response){.status = status,
                                    .body = copy(body, len),
                                    .body_len = len,
                                    .headers = copy_headers(headers, count),
                                    .header_count = count};
  sim_at(sim_now() + call->back_ns, come_back, o);
}

/* ---- on the way there ---- */

void sim_call_arrive(sim_call *call, bool again) {
  bool served = sim_server_take(call, again);
  if (!served && !again) later(call, REFUSED_NS, refuse);
}

static void arrive(void *arg) {
  sim_call *call = arg;
  sim_call_arrive(call, false); /* also when who sent it has given up, or died, before */
  sim_call_let_go(call);
}

static void arrive_again(void *arg) {
  sim_call *call = arg;
  sim_call_arrive(call, true);
  sim_call_let_go(call);
}

static void depart(sim_call *call, const sim_fate *fate) {
  call->back_ns = fate->back_ns;
  if (fate->status != 0) {
    psp_header headers[2] = {{"content-type", "application/json"}, {"retry-after", fate->retry}};
    if (call->back_ns < 0) call->back_ns = 0;
    call->back_ns += fate->there_ns;
    sim_call_answer(call, fate->status, headers, fate->retry != NULL ? 2 : 1, fate->body,
                    strlen(fate->body));
    return;
  }
  if (fate->there_ns >= 0)
    later(call, fate->there_ns, arrive);
  else if (sim_odds(SIM_WEATHER, 500))
    later(call, REFUSED_NS, cut_off);
  if (fate->again_ns >= 0) later(call, fate->again_ns, arrive_again);
}

static psprobe_code send(void *self, const psp_http_request *request, psp_http_done *done,
                         void *arg, uint64_t *id, psprobe_error *error) {
  (void)error;
  line *l = self;
  sim_call *call = calloc(1, sizeof *call);
  if (call == NULL) abort();
  *call = (sim_call){.next = network.calls,
                     .id = ++network.last_id,
                     .from = sim_machine(),
                     .from_life = sim_life(),
                     .http = self,
                     .method = copy(request->method, strlen(request->method)),
                     .url = copy(request->url, strlen(request->url)),
                     .body = copy(request->body, request->body_len),
                     .body_len = request->body_len,
                     .headers = copy_headers(request->headers, request->header_count),
                     .header_count = request->header_count,
                     .done = done,
                     .arg = arg};
  network.calls = call;
  l->under_way++;
  if (id != NULL) *id = call->id;
  sim_call_hold(call);
  sim_fate fate = sim_fate_of(call);
  sim_trace("%s %s, there in %lld, back in %lld", call->method, sim_call_path(call),
            (long long)fate.there_ns, (long long)fate.back_ns);
  later(call, request->timeout_ns > 0 ? request->timeout_ns : TIMEOUT_NS, time_out);
  depart(call, &fate);
  sim_call_let_go(call);
  return PSPROBE_OK;
}

static void cancel(void *self, uint64_t id) {
  for (sim_call *call = network.calls; call != NULL; call = call->next)
    if (call->http == self && call->id == id && !call->over) later(call, 0, call_off);
}

static void close_line(void *self) {
  line *l = self;
  for (sim_call *call = network.calls; call != NULL; call = call->next)
    if (call->http == self && !call->over) later(call, 0, call_off);
  while (l->under_way > 0)
    sim_wait(l, INT64_MAX);
  free(l);
}

bool psp_http_begin(void) {
  return true;
}

psprobe_code psp_http_new(const psp_http_options *options, psp_http **http, psprobe_error *error) {
  static const psp_transport table = {.send = send, .cancel = cancel, .free = close_line};
  (void)options;
  line *l = calloc(1, sizeof *l);
  if (l == NULL) abort();
  return psp_http_new_transport(&table, l, http, error);
}

void sim_network_forget(unsigned machine) {
  for (sim_call *call = network.calls; call != NULL; call = call->next)
    if (call->from == machine) call->over = true;
  sim_servers_forget(machine);
}
