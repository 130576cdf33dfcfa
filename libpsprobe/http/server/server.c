/* SPDX-License-Identifier: MIT */
#include "http/server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "http/server/exchange.h"
#include "http/server/listen.h"
#include "os/wait.h"

#define DEFAULT_MAX_BODY    ((size_t)1 << 20)
#define DEFAULT_CONNECTIONS 1000
#define DEFAULT_THREADS     2
#define DEFAULT_IDLE_NS     120000000000
#define LAST_ANSWERS_NS     1000000000
#define FIRST_BODY          ((size_t)256 << 10) /* room that a mere promise of a body gets */
#define MAX_THROWN_AWAY     ((size_t)16 << 20)

static psp_connection *context_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

/* The connection and an abandoned exchange part: its holder may still have it. */
static bool part(psp_connection *c) {
  psp_exchange *x = c->exchange;
  if (!x || atomic_load(&x->state) != PSP_ABANDONED) return false;
  c->exchange = NULL;
  psp_exchange_let_go(x);
  return true;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
    psp_connection *c = *context;
    if (c && !part(c)) psp_exchange_free(c->exchange);
    free(c);
    *context = NULL;
    return;
  }
  psp_connection *c = calloc(1, sizeof *c);
  if (c) c->exchange = psp_exchange_new(arg, connection);
  *context = c;
}

/* The request line is there: the first that we hear of a request, before libmicrohttpd cuts its
 * path and query to pieces. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *connection) {
  int64_t received_ns = psprobe_clock_monotonic();
  (void)arg;
  psp_connection *c = context_of(connection);
  psp_exchange *x = c ? c->exchange : NULL;
  if (!x) return NULL;
  x->received_ns = received_ns;
  size_t path_len = target ? strcspn(target, "?") : 0;
  psp_buf_reset(&x->target);
  if (path_len > 0) psp_buf_add(&x->target, target, path_len);
  psp_buf_char(&x->target, 0);
  size_t query_at = x->target.len;
  psp_buf_text(&x->target, target && target[path_len] ? target + path_len + 1 : "");
  if (x->target.failed) return NULL;
  x->query = x->target.data + query_at;
  return x;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why) {
  (void)why;
  psp_server *s = arg;
  psp_connection *c = context_of(connection);
  *state = NULL;
  if (!c) return;
  /* Abandoned and not passed on: its client had left before. */
  if (!part(c) && c->exchange) psp_exchange_reset(c->exchange);
  if (!c->counted) return;
  c->counted = false;
  if (atomic_fetch_sub(&s->active, 1) > 1) return;
  pthread_mutex_lock(&s->lock);
  if (s->closing) pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

/* Paths and queries stay as they came: they are decoded part by part. */
static size_t leave_escaped(void *arg, struct MHD_Connection *connection, char *text) {
  (void)arg, (void)connection;
  return strlen(text);
}

static enum MHD_Result queue(psp_exchange *x, struct MHD_Response *response, unsigned status) {
  return response ? MHD_queue_response(x->connection, status, response) : MHD_NO;
}

/* The exchange is answered or given up: passes its answer on. */
static enum MHD_Result send_answer(psp_exchange *x, void **state) {
  psp_server *s = x->server;
  if (atomic_load(&x->state) != PSP_ABANDONED) {
    enum MHD_Result done = queue(x, x->response, x->status);
    if (!x->response_shared && x->response) MHD_destroy_response(x->response);
    x->response = NULL;
    return done;
  }
  enum MHD_Result done = queue(x, s->unavailable->response, s->unavailable->status);
  *state = NULL;
  part(context_of(x->connection));
  return done;
}

#define TOO_LARGE "the request body is larger than this server takes"

/* libmicrohttpd takes no answer in the middle of a body, and closes the connection right after one
 * at its beginning, which resets it under a client that still sends. So 413 is written to the
 * socket beside it; nothing else has been sent for this request. What still comes is thrown away,
 * up to a bound, so that the client finds the answer. */
static void refuse_body(psp_exchange *x) {
  static const char body[] =
      "{\"error\":{\"code\":413,\"message\":\"" TOO_LARGE "\",\"status\":\"INVALID_ARGUMENT\"}}";
  char answer[512];
  int len = snprintf(answer, sizeof answer,
                     "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     sizeof body - 1, body);
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  x->refused = true;
  if (!info) return;
  send(info->connect_fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(info->connect_fd, SHUT_WR);
}

static void begin(psp_exchange *x) {
  x->begun = true;
  const char *text = psp_exchange_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
  int64_t length = 0;
  if (!text) return;
  bool fits =
      psp_parse_int64(text, 0, INT64_MAX, &length) && (uint64_t)length <= x->server->max_body;
  if (!fits)
    refuse_body(x);
  else if (length > 0)
    psp_buf_reserve(&x->body, (size_t)length < FIRST_BODY ? (size_t)length : FIRST_BODY);
}

static enum MHD_Result take_body(psp_exchange *x, const char *data, size_t *len) {
  size_t max = x->server->max_body;
  if (!x->refused && *len > max - x->body.len) {
    refuse_body(x);
    psp_buf_free(&x->body);
  }
  if (x->refused) {
    x->thrown_away += *len;
    if (x->thrown_away > MAX_THROWN_AWAY) return MHD_NO;
  } else {
    psp_buf_add(&x->body, data, *len);
    if (x->body.failed) return MHD_NO;
  }
  *len = 0;
  return MHD_YES;
}

static void refuse(psp_exchange *x, psp_found found) {
  switch (found) {
    case PSP_OTHER_METHODS:
      psp_exchange_set_header(x, "Allow", x->match.allow);
      if (strcmp(x->method, "OPTIONS") == 0)
        psp_exchange_reply(x, 204, NULL, NULL, 0);
      else
        psp_exchange_reply_error(x, 405, PSPROBE_UNIMPLEMENTED,
                                 "this path does not take this method");
      return;
    case PSP_BAD_PATH:
      psp_exchange_reply_error(x, 400, PSPROBE_INVALID_ARGUMENT,
                               "the path has a broken percent-escape");
      return;
    case PSP_NO_MEMORY:
      psp_exchange_reply_error(x, 503, PSPROBE_UNAVAILABLE, "out of memory");
      return;
    default:
      psp_exchange_reply_error(x, 404, PSPROBE_NOT_FOUND, "there is nothing at this path");
  }
}

static enum MHD_Result dispatch(psp_exchange *x, void **state) {
  psp_server *s = x->server;
  if (x->refused) return MHD_NO;
  context_of(x->connection)->counted = true;
  atomic_fetch_add(&s->active, 1);
  atomic_store(&x->state, PSP_HANDLING);
  psp_found found = psp_router_find(s->router, x->method, x->target.data, &x->scratch, &x->match);
  if (found == PSP_FOUND)
    x->match.route->handler(x->match.route->arg, x);
  else
    refuse(x, found);
  return psp_exchange_settle(x) ? send_answer(x, state) : MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state) {
  (void)arg, (void)connection, (void)url, (void)version;
  psp_exchange *x = *state;
  if (!x) return MHD_NO;
  x->method = method;
  if (!x->begun) {
    begin(x);
    return MHD_YES;
  }
  if (*len > 0) return take_body(x, data, len);
  switch (atomic_load(&x->state)) {
    case PSP_READING:
      return dispatch(x, state);
    case PSP_ANSWERED:
    case PSP_ABANDONED:
      return send_answer(x, state);
    default:
      return MHD_YES;
  }
}

static void on_log(void *arg, const char *format, va_list list) {
  psp_server *s = arg;
  psp_log_line line;
  if (!psp_log_begin(&line, &s->logger, PSPROBE_LOG_DEBUG, "http_server")) return;
  char text[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  int len = vsnprintf(text, sizeof text, format, list); /* libmicrohttpd's own format */
#pragma GCC diagnostic pop
  if (len > 0 && (size_t)len < sizeof text && text[len - 1] == '\n') text[len - 1] = 0;
  psp_log_text(&line, "message", text);
  psp_log_end(&line);
}

static bool start_daemon(psp_server *s, const psp_server_options *options) {
  unsigned threads = options->threads ? options->threads : DEFAULT_THREADS;
  unsigned connections = options->max_connections ? options->max_connections : DEFAULT_CONNECTIONS;
  int64_t idle_ns = options->idle_timeout_ns > 0 ? options->idle_timeout_ns : DEFAULT_IDLE_NS;
  if (connections < threads) connections = threads; /* each thread has its share */
  struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
                                  {MHD_OPTION_END, 0, NULL}};
  if (threads == 1) pool[0].option = MHD_OPTION_END;
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  /* Signals are for the program's own threads. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  s->daemon = MHD_start_daemon(
      flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
      MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_CONNECTION_LIMIT, connections,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((idle_ns + 999999999) / 1000000000),
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
      MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
      MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return s->daemon != NULL;
}

static void discard(psp_server *s) {
  if (s->daemon) MHD_stop_daemon(s->daemon);
  if (s->listener >= 0) close(s->listener);
  psp_router_free(s->router);
  psp_reply_free(s->unavailable);
  psp_hub_release(s->hub);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

static psp_reply *make_unavailable(void) {
  static const char body[] =
      "{\"error\":{\"code\":503,\"message\":\"the server is being stopped\","
      "\"status\":\"UNAVAILABLE\"}}";
  psp_reply *reply = psp_reply_new(503, "application/json", body, sizeof body - 1);
  if (reply) MHD_add_response_header(reply->response, MHD_HTTP_HEADER_CONNECTION, "close");
  return reply;
}

static void init_locks(psp_server *s) {
  psp_cond_init(&s->changed);
  pthread_mutex_init(&s->lock, NULL);
}

psprobe_code psp_server_new(const psp_server_options *options, psp_server **server,
                            psprobe_error *error) {
  const char *what = options->what ? options->what : "listen";
  for (size_t i = 0; i < options->route_count; i++) {
    if (*options->routes[i].pattern != '/')
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "route \"%s\" must begin with a slash",
                      options->routes[i].pattern);
  }
  psp_server *s = calloc(1, sizeof *s);
  if (!s) return psp_fail_memory(error, "HTTP server");
  init_locks(s);
  s->hub = psp_hub_new();
  s->max_body = options->max_body ? options->max_body : DEFAULT_MAX_BODY;
  if (options->logger) s->logger = *options->logger;
  psprobe_code code = psp_listen(options->listen, what, &s->listener, &s->port, s->url, error);
  if (code != PSPROBE_OK) {
    s->listener = -1;
    discard(s);
    return code;
  }
  s->router = psp_router_new(options->routes, options->route_count);
  s->unavailable = make_unavailable();
  if (!s->hub || !s->router || !s->unavailable || !start_daemon(s, options)) {
    discard(s);
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                    "HTTP server: no memory, threads or file descriptors left");
  }
  *server = s;
  return PSPROBE_OK;
}

void psp_server_quiesce(psp_server *s) {
  pthread_mutex_lock(&s->lock);
  bool first = !s->quiesced;
  s->quiesced = true;
  pthread_mutex_unlock(&s->lock);
  if (!first) return;
  MHD_quiesce_daemon(s->daemon);
  /* From here on the kernel refuses connections instead of letting them wait. The number is kept
   * until the threads, which may still hold it, have ended. */
  shutdown(s->listener, SHUT_RDWR);
}

static void wait_for_last_answers(psp_server *s) {
  int64_t until_ns = psprobe_clock_monotonic() + LAST_ANSWERS_NS;
  pthread_mutex_lock(&s->lock);
  while (atomic_load(&s->active) > 0 && psp_cond_wait_until(&s->changed, &s->lock, until_ns)) {
  }
  pthread_mutex_unlock(&s->lock);
}

void psp_server_free(psp_server *s) {
  if (!s) return;
  psp_server_quiesce(s);
  psp_exchange_abandon_all(s);
  psp_hub_close(s->hub);
  wait_for_last_answers(s);
  discard(s);
}

int psp_server_port(const psp_server *s) {
  return s->port;
}
const char *psp_server_url(const psp_server *s) {
  return s->url;
}
