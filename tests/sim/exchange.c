/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "books.h"
#include "fibers.h"
#include "grpc/server.h"
#include "http/server/router.h"
#include "http/url.h"
#include "kernel.h"
#include "os/clock.h"
#include "weather.h"

#define MOST_HEADERS 32

struct psp_server {
  psp_server *next;
  unsigned machine;
  int port;
  char url[40];
  psp_router *router;
  psp_handler *admit;
  void *admit_arg;
  bool closed;
  unsigned handling;
  psp_exchange *exchanges;
};

/* A text that lives as long as its exchange. */
typedef struct kept {
  struct kept *next;
  char text[];
} kept;

struct psp_exchange {
  psp_exchange *next; /* of its server */
  psp_server *server; /* NULL: it is gone */
  sim_call *call;
  bool again;
  char *path, *query;
  psp_buf scratch;
  psp_match match;
  psp_route_match found;
  int64_t received_ns;
  kept *kept;
  psp_header headers[MOST_HEADERS];
  size_t header_count;
};

struct psp_reply {
  int status;
  char *type, *body;
  size_t len;
};

static psp_server *servers;
static int last_port;

void sim_servers_begin(void) {
  servers = NULL;
  last_port = 20000;
}

void sim_servers_forget(unsigned machine) {
  for (psp_server **at = &servers; *at != NULL;) {
    if ((*at)->machine == machine)
      *at = (*at)->next;
    else
      at = &(*at)->next;
  }
}

/* ---- a request comes ---- */

static psp_server *find(const char *url) {
  size_t len = 0;
  const char *host = psp_http_url_authority(url, &len);
  const char *colon = memchr(host, ':', len);
  int port = colon != NULL ? atoi(colon + 1) : 0;
  psp_server *s = servers;
  while (s != NULL && s->port != port)
    s = s->next;
  return s;
}

int sim_serves(const char *url) {
  const psp_server *s = find(url);
  return s != NULL ? (int)s->machine : -1;
}

static void refuse_route(psp_exchange *x) {
  psp_exchange_reply_error(x, x->found == PSP_OTHER_METHODS ? 405 : 404, PSPROBE_NOT_FOUND,
                           "there is nothing at this path");
}

static void *handle(void *arg) {
  psp_exchange *x = arg;
  psp_server *s = x->server;
  if (x->found == PSP_FOUND)
    x->match.route->handler(x->match.route->arg, x);
  else
    refuse_route(x);
  s->handling--;
  sim_wake(s, true);
  return NULL;
}

static void *ask(void *arg) {
  psp_exchange *x = arg;
  psp_server *s = x->server;
  s->admit(s->admit_arg, x);
  s->handling--;
  sim_wake(s, true);
  return NULL;
}

/* On a fiber of its own, which the server's end waits for. */
static void begin(psp_exchange *x, void *(*run)(void *)) {
  x->server->handling++;
  sim_spawn(x->server->machine, "server", run, x);
}

static char *copy_part(const char *text, size_t len) {
  char *part = strndup(text, len);
  if (part == NULL) abort();
  return part;
}

bool sim_server_take(sim_call *call, bool again) {
  psp_server *s = find(call->url);
  if (s == NULL) return false;
  psp_exchange *x = calloc(1, sizeof *x);
  if (x == NULL) abort();
  const char *path = sim_call_path(call);
  size_t len = strcspn(path, "?");
  x->next = s->exchanges;
  s->exchanges = x;
  x->server = s;
  x->call = call;
  x->again = again;
  x->path = copy_part(*path != '\0' ? path : "/", *path != '\0' ? len : 1);
  x->query = copy_part(path[len] == '?' ? path + len + 1 : "", strlen(path));
  x->received_ns = sim_mono_of(s->machine, sim_now());
  x->found = psp_router_find(s->router, call->method, x->path, &x->scratch, &x->match);
  sim_call_hold(call);
  sim_saw_arrival(call, (int)s->machine, x);
  bool brings = strcmp(call->method, "GET") != 0 && strcmp(call->method, "HEAD") != 0;
  begin(x, s->admit != NULL && brings && x->found == PSP_FOUND ? ask : handle);
  return true;
}

void psp_exchange_admit(psp_exchange *x) {
  begin(x, handle);
}

/* ---- what a handler asks ---- */

const char *psp_exchange_method(const psp_exchange *x) {
  return x->call->method;
}

const char *psp_exchange_path(const psp_exchange *x) {
  return x->path;
}

const char *psp_exchange_raw_query(const psp_exchange *x) {
  return x->query;
}

int64_t psp_exchange_received_ns(const psp_exchange *x) {
  return x->received_ns;
}

const char *psp_exchange_segment(const psp_exchange *x, unsigned index) {
  return index < x->match.capture_count ? x->match.captures[index] : NULL;
}

const char *psp_exchange_header(const psp_exchange *x, const char *name) {
  for (size_t i = 0; i < x->call->header_count; i++)
    if (strcasecmp(x->call->headers[i].name, name) == 0) return x->call->headers[i].value;
  return NULL;
}

unsigned psp_exchange_header_count(const psp_exchange *x, const char *name) {
  unsigned count = 0;
  for (size_t i = 0; i < x->call->header_count; i++)
    count += strcasecmp(x->call->headers[i].name, name) == 0;
  return count;
}

void psp_exchange_headers(const psp_exchange *x, psp_exchange_header_each *each, void *arg) {
  for (size_t i = 0; i < x->call->header_count; i++)
    each(arg, x->call->headers[i].name, x->call->headers[i].value);
}

const char *psp_exchange_body(const psp_exchange *x, size_t *len) {
  return sim_body_of(x->call, len);
}

bool psp_exchange_is_gone(const psp_exchange *x) {
  return x->call->over;
}

static const char *keep(psp_exchange *x, const char *text) {
  size_t size = strlen(text) + 1;
  kept *k = malloc(sizeof *k + size);
  if (k == NULL) abort();
  memcpy(k->text, text, size);
  k->next = x->kept;
  x->kept = k;
  return k->text;
}

const char *psp_exchange_query(const psp_exchange *exchange, const char *name, unsigned nth) {
  psp_exchange *x = (psp_exchange *)exchange;
  const char *found = NULL;
  for (const char *at = x->query; *at != '\0' && found == NULL;) {
    size_t len = strcspn(at, "&"), key = strcspn(at, "=&");
    if (strlen(name) == key && memcmp(at, name, key) == 0 && nth-- == 0) {
      psp_buf text = {0};
      size_t skip = key < len ? key + 1 : len;
      psp_percent_decode(&text, at + skip, len - skip);
      found = keep(x, text.data != NULL ? text.data : "");
      psp_buf_free(&text);
    }
    at += at[len] != '\0' ? len + 1 : len;
  }
  return found;
}

/* ---- answering ---- */

static void free_exchange(psp_exchange *x) {
  if (x->server != NULL) {
    psp_exchange **at = &x->server->exchanges;
    while (*at != x)
      at = &(*at)->next;
    *at = x->next;
  }
  for (kept *k = x->kept, *next; k != NULL; k = next) {
    next = k->next;
    free(k);
  }
  psp_buf_free(&x->scratch);
  sim_call_let_go(x->call);
  free(x->path);
  free(x->query);
  free(x);
}

void psp_exchange_set_header(psp_exchange *x, const char *name, const char *value) {
  char lower[64];
  size_t len = strlen(name);
  if (x->header_count == MOST_HEADERS || len >= sizeof lower) abort();
  for (size_t i = 0; i <= len; i++)
    lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
  x->headers[x->header_count++] = (psp_header){keep(x, lower), keep(x, value)};
}

void psp_exchange_reply(psp_exchange *x, int status, const char *type, const char *body,
                        size_t len) {
  if (x->server != NULL) {
    if (type != NULL) psp_exchange_set_header(x, "content-type", type);
    sim_saw_reply(x, status);
    if (!x->again) sim_answer_through(x->call, status, x->headers, x->header_count, body, len);
  }
  free_exchange(x);
}

void psp_exchange_reply_error(psp_exchange *x, int status, psprobe_code code, const char *message) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_put_error(&w, status, code, message);
  psp_exchange_reply(x, status, "application/json", body.data, body.len);
  psp_buf_free(&body);
}

psp_reply *psp_reply_new(int status, const char *type, const char *body, size_t len) {
  psp_reply *reply = calloc(1, sizeof *reply);
  if (reply == NULL) abort();
  reply->status = status;
  reply->type = type != NULL ? copy_part(type, strlen(type)) : NULL;
  reply->body = copy_part(body, len);
  reply->len = len;
  return reply;
}

void psp_reply_free(psp_reply *reply) {
  if (reply == NULL) return;
  free(reply->type);
  free(reply->body);
  free(reply);
}

void psp_exchange_reply_shared(psp_exchange *x, psp_reply *reply) {
  psp_exchange_reply(x, reply->status, reply->type, reply->body, reply->len);
}

/* ---- servers ---- */

psprobe_code psp_server_new(const psp_server_options *options, psp_server **server,
                            psprobe_error *error) {
  (void)error;
  psp_server *s = calloc(1, sizeof *s);
  if (s == NULL) abort();
  const char *colon = strrchr(options->listen, ':');
  s->port = colon != NULL ? atoi(colon + 1) : 0;
  if (s->port == 0) s->port = ++last_port;
  s->machine = sim_machine();
  s->router = psp_router_new(options->routes, options->route_count);
  s->admit = options->admit;
  s->admit_arg = options->admit_arg;
  snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
  s->next = servers;
  servers = s;
  *server = s;
  return PSPROBE_OK;
}

void psp_server_quiesce(psp_server *s) {
  s->closed = true;
  for (psp_server **at = &servers; *at != NULL; at = &(*at)->next) {
    if (*at != s) continue;
    *at = s->next;
    return;
  }
}

void psp_server_free(psp_server *s) {
  if (s == NULL) return;
  psp_server_quiesce(s);
  while (s->handling > 0)
    sim_wait(s, INT64_MAX);
  for (psp_exchange *x; (x = s->exchanges) != NULL;) {
    sim_answer_through(x->call, 503, NULL, 0, "", 0);
    s->exchanges = x->next;
    x->server = NULL; /* its holder frees it */
  }
  psp_router_free(s->router);
  free(s);
}

void psp_server_get_stats(psp_server *s, psp_server_stats *stats) {
  (void)s;
  *stats = (psp_server_stats){0};
}

bool psp_server_has_missed(const psp_server *s, int64_t since_ns) {
  (void)s, (void)since_ns;
  return false;
}

/* No connection begins with HTTP/2 here. */
void psp_server_set_busy(void *server, int fd, bool busy) {
  (void)server, (void)fd, (void)busy;
}

void psp_server_part(void *server, int fd) {
  (void)server, (void)fd;
}

psprobe_code psp_rpc_server_new(const psp_rpc_server_options *options, psp_rpc_server **server,
                                psprobe_error *error) {
  (void)options, (void)error;
  *server = NULL;
  return PSPROBE_OK;
}

void psp_rpc_server_free(psp_rpc_server *server) {
  (void)server;
}

int psp_server_port(const psp_server *s) {
  return s->port;
}

const char *psp_server_url(const psp_server *s) {
  return s->url;
}
