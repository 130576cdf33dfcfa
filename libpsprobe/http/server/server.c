/* SPDX-License-Identifier: MIT */
#include "http/server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "http/server/accept.h"
#include "http/server/intake.h"
#include "http/server/listen.h"
#include "http/server/parts.h"
#include "os/clock.h"
#include "os/limit.h"
#include "os/thread.h"
#include "os/wait.h"

#define DEFAULT_MAX_BODY    ((size_t)1 << 20)
#define DEFAULT_MAX_HELD    ((size_t)64 << 20)
#define DEFAULT_CONNECTIONS 1000
#define DEFAULT_THREADS     2
#define DEFAULT_IDLE_NS     120000000000
#define DEFAULT_REQUEST_NS  60000000000
#define LAST_ANSWERS_NS     1000000000

static psp_connection *context_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info != NULL ? info->socket_context : NULL;
}

/* The connection and an abandoned exchange part: its holder may still have it. */
static bool part(psp_connection *c) {
  psp_exchange *x = c->exchange;
  if (x == NULL || atomic_load(&x->state) != PSP_ABANDONED) return false;
  c->exchange = NULL;
  psp_exchange_let_go(x);
  return true;
}

static int socket_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info != NULL ? info->connect_fd : -1;
}

/* Before its socket is closed, on its thread. */
static void leave(psp_server *s, struct MHD_Connection *connection) {
  pthread_mutex_lock(&s->room_lock);
  psp_room_leave(&s->room, socket_of(connection));
  pthread_mutex_unlock(&s->room_lock);
}

static psp_guest *guest_of(psp_server *s, struct MHD_Connection *connection) {
  pthread_mutex_lock(&s->room_lock);
  psp_guest *guest = psp_room_begin(&s->room, socket_of(connection));
  pthread_mutex_unlock(&s->room_lock);
  return guest;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
  psp_server *s = arg;
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
    psp_connection *c = *context;
    leave(s, connection);
    if (c != NULL && !part(c)) psp_exchange_free(c->exchange);
    free(c);
    *context = NULL;
    return;
  }
  psp_connection *c = calloc(1, sizeof *c);
  if (c != NULL) {
    c->exchange = psp_exchange_new(s, connection);
    c->guest = guest_of(s, connection);
  }
  *context = c;
}

/* The request line is there: the first that we hear of a request, before libmicrohttpd cuts its
 * path and query to pieces. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *connection) {
  int64_t received_ns = psprobe_clock_monotonic();
  (void)arg;
  psp_connection *c = context_of(connection);
  psp_exchange *x = c != NULL ? c->exchange : NULL;
  if (x == NULL) return NULL;
  x->received_ns = received_ns;
  atomic_store(&c->guest->stirred_ns, received_ns);
  atomic_store(&c->guest->asks, true);
  atomic_store(&c->guest->due_ns, received_ns + x->server->request_ns);
  x->line_at = target;
  x->line_end = target != NULL ? target + strlen(target) : NULL;
  size_t path_len = target != NULL ? strcspn(target, "?") : 0;
  psp_buf_reset(&x->target);
  if (path_len > 0) psp_buf_add(&x->target, target, path_len);
  psp_buf_char(&x->target, 0);
  size_t query_at = x->target.len;
  psp_buf_text(&x->target, target != NULL && target[path_len] ? target + path_len + 1 : "");
  if (x->target.failed) return NULL;
  x->query = x->target.data + query_at;
  return x;
}

/* Somebody is about to be answered: the server's end waits a moment for him. */
static void count_in(psp_server *s, psp_connection *c) {
  if (!c->counted) atomic_fetch_add(&s->active, 1);
  c->counted = true;
}

static void count_out(psp_server *s, psp_connection *c) {
  if (!c->counted) return;
  c->counted = false;
  if (atomic_fetch_sub(&s->active, 1) > 1) return;
  pthread_mutex_lock(&s->lock);
  if (s->closing) pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why) {
  psp_server *s = arg;
  psp_connection *c = context_of(connection);
  *state = NULL;
  if (c == NULL) return;
  if (why == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED && atomic_load(&c->guest->asks))
    psp_server_miss(s);
  atomic_store(&c->guest->due_ns, psprobe_clock_monotonic() + s->idle_ns);
  /* Abandoned and not passed on: its client had left before. */
  if (!part(c) && c->exchange != NULL) psp_exchange_reset(c->exchange);
  count_out(s, c);
}

/* Paths and queries stay as they came: they are decoded part by part. */
static size_t leave_escaped(void *arg, struct MHD_Connection *connection, char *text) {
  (void)arg, (void)connection;
  return strlen(text);
}

static enum MHD_Result queue(psp_exchange *x, struct MHD_Response *response, unsigned status) {
  return response != NULL ? MHD_queue_response(x->connection, status, response) : MHD_NO;
}

/* The exchange is answered or given up: passes its answer on. */
static enum MHD_Result send_answer(psp_exchange *x, void **state) {
  psp_server *s = x->server;
  psp_guest *guest = context_of(x->connection)->guest;
  atomic_store(&guest->streams, x->streams);
  psp_room_answered(&s->room, guest);
  if (atomic_load(&x->state) != PSP_ABANDONED) {
    enum MHD_Result done = queue(x, x->response, x->status);
    if (!x->response_shared && x->response != NULL) MHD_destroy_response(x->response);
    x->response = NULL;
    return done;
  }
  enum MHD_Result done = queue(x, s->unavailable->last, s->unavailable->status);
  *state = NULL;
  part(context_of(x->connection));
  return done;
}

/* The request is whole. */
static enum MHD_Result dispatch(psp_exchange *x, void **state) {
  psp_server *s = x->server;
  psp_connection *c = context_of(x->connection);
  if (x->refused) return MHD_NO;
  count_in(s, c);
  atomic_store(&c->guest->due_ns, INT64_MAX);
  atomic_store(&c->guest->busy, true);
  atomic_store(&x->state, PSP_HANDLING);
  psp_exchange_call(x);
  return psp_exchange_settle(x) ? send_answer(x, state) : MHD_YES;
}

/* The head was let in, or is answered already: then the answer follows the body, which is thrown
 * away. A server that ends answers at once. */
static enum MHD_Result leave_head(psp_exchange *x, void **state) {
  int now = atomic_load(&x->state);
  if (now == PSP_HANDLING || now == PSP_WAITING) return MHD_YES;
  x->at_head = false;
  if (now == PSP_ABANDONED) return send_answer(x, state);
  psp_connection *c = context_of(x->connection);
  atomic_store(&c->guest->busy, false);
  count_out(x->server, c); /* its body can take long */
  return MHD_YES;
}

static bool is_safe(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* The head is there. */
static enum MHD_Result begin(psp_exchange *x, const char *version, void **state) {
  x->begun = true;
  x->found = psp_router_find(x->server->router, x->method, x->target.data, &x->scratch, &x->match);
  psp_intake_begin(x, version);
  psp_server *s = x->server;
  if (x->refused || s->admit == NULL || x->found != PSP_FOUND || is_safe(x->method)) return MHD_YES;
  x->at_head = true;
  count_in(s, context_of(x->connection));
  atomic_store(&context_of(x->connection)->guest->busy, true);
  atomic_store(&x->state, PSP_HANDLING);
  s->admit(s->admit_arg, x);
  return psp_exchange_settle(x) ? leave_head(x, state) : MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state) {
  (void)arg, (void)connection, (void)url;
  psp_exchange *x = *state;
  if (x == NULL) return MHD_NO;
  x->method = method;
  if (!x->begun) return begin(x, version, state);
  if (x->at_head) return leave_head(x, state);
  if (*len > 0) return psp_intake_take(x, data, len);
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
  struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
                                  {MHD_OPTION_END, 0, NULL}};
  if (threads == 1) pool[0].option = MHD_OPTION_END;
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                   MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
  /* The bound is the room's; libmicrohttpd's, of which each thread has its share, lies above it. */
  unsigned connections = 2 * (unsigned)(s->room.most + PSP_ROOM_AT_ONCE);
  /* Signals are for the program's own threads. */
  sigset_t before;
  psp_signals_block(&before);
  s->daemon = MHD_start_daemon(
      flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
      MHD_OPTION_CONNECTION_LIMIT, connections * threads, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned)((s->idle_ns + 999999999) / 1000000000), MHD_OPTION_NOTIFY_CONNECTION,
      on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_URI_LOG_CALLBACK,
      on_target, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_ARRAY, pool,
      MHD_OPTION_END);
  psp_signals_restore(&before);
  return s->daemon != NULL && psp_accept_start(s);
}

static void discard(psp_server *s) {
  psp_accept_stop(s);
  if (s->daemon != NULL) MHD_stop_daemon(s->daemon);
  if (s->listener >= 0) close(s->listener);
  if (s->wake >= 0) close(s->wake);
  psp_router_free(s->router);
  psp_reply_free(s->unavailable);
  psp_hub_release(s->hub);
  psp_room_clear(&s->room);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->room_lock);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

static psp_reply *make_unavailable(void) {
  static const char body[] =
      "{\"error\":{\"code\":503,\"message\":\"the server is being stopped\","
      "\"status\":\"UNAVAILABLE\"}}";
  return psp_reply_new(503, "application/json", body, sizeof body - 1);
}

static psp_server *make(const psp_server_options *options) {
  psp_server *s = calloc(1, sizeof *s);
  if (s == NULL) return NULL;
  s->wake = s->listener = -1;
  psp_cond_init(&s->changed);
  pthread_mutex_init(&s->lock, NULL);
  pthread_mutex_init(&s->room_lock, NULL);
  unsigned most = options->max_connections ? options->max_connections : DEFAULT_CONNECTIONS;
  psp_room_init(&s->room, psp_limit_files_share(PSP_FILES_SERVER, most));
  s->hub = psp_hub_new();
  s->admit = options->admit;
  s->admit_arg = options->admit_arg;
  s->http2 = options->http2;
  s->http2_arg = options->http2_arg;
  s->packed = options->packed;
  s->max_body = options->max_body ? options->max_body : DEFAULT_MAX_BODY;
  s->max_held = options->max_held ? options->max_held : DEFAULT_MAX_HELD;
  s->idle_ns = options->idle_timeout_ns > 0 ? options->idle_timeout_ns : DEFAULT_IDLE_NS;
  s->request_ns =
      options->request_timeout_ns > 0 ? options->request_timeout_ns : DEFAULT_REQUEST_NS;
  if (options->logger != NULL) s->logger = *options->logger;
  return s;
}

psprobe_code psp_server_new(const psp_server_options *options, psp_server **server,
                            psprobe_error *error) {
  const char *what = options->what != NULL ? options->what : "listen";
  for (size_t i = 0; i < options->route_count; i++) {
    if (*options->routes[i].pattern != '/')
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "route %s must begin with a slash",
                      options->routes[i].pattern);
  }
  psp_server *s = make(options);
  if (s == NULL) return psp_fail_memory(error, "HTTP server");
  psprobe_code code = psp_listen(options->listen, what, &s->listener, &s->port, s->url, error);
  if (code != PSPROBE_OK) {
    discard(s);
    return code;
  }
  if (s->http2 != NULL) psp_listen_for_words(s->listener);
  s->router = psp_router_new(options->routes, options->route_count);
  s->unavailable = make_unavailable();
  if (s->hub == NULL || s->router == NULL || s->unavailable == NULL || !start_daemon(s, options)) {
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
  psp_accept_stop(s);
  /* From here on the kernel refuses connections instead of letting them wait. */
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
  if (s == NULL) return;
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
