/* SPDX-License-Identifier: MIT */
/* What the I/O thread does for the plain engine. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "http/outcome.h"
#include "http/plain_parts.h"

#define DEFAULT_CONNECT_NS 10000000000
#define READ_SIZE          ((size_t)4 << 10)
#define NEVER              INT64_MAX

static void set_events(psp_plain_connection *c, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = &c->watch};
  epoll_ctl(c->plain->options.loop.epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* ---- ends ---- */

/* Nobody may take or use it any more; with the lock held, in which it also was let go of. @return
 * whether it can be closed now; else the last sender brings it back to us, as one of the doomed */
static bool doom(psp_plain_connection *c) {
  psp_plain_drop_idle(c);
  c->doomed = true;
  return c->senders == 0;
}

static void bury(psp_plain_connection *c, bool now) {
  psp_plain *p = c->plain;
  /* Closing alone would not do it while a child that was just forked holds a copy. */
  epoll_ctl(p->options.loop.epoll, EPOLL_CTL_DEL, c->fd, NULL);
  if (!now) return;
  close(c->fd);
  c->next_closed = p->buried;
  p->buried = c;
}

static void drop_cancel(psp_plain *p, psp_plain_request *r) {
  psp_plain_request **at = &p->cancels;
  while (*at && *at != r)
    at = &(*at)->next_cancel;
  if (*at) *at = r->next_cancel;
}

static void drop_handed_over(psp_plain *p, psp_plain_request *r) {
  psp_plain_request **at = &p->handed_over;
  while (*at && *at != r)
    at = &(*at)->next;
  if (!*at) return;
  *at = r->next;
  if (!*at) p->handed_over_end = at;
  r->handed_over = false;
}

/* The request has its result: nobody finds it any more. With the lock held. @return its connection,
 * which is nobody's now; NULL: it had none */
static psp_plain_connection *settle(psp_plain *p, psp_plain_request *r) {
  psp_plain_connection *c = r->connection;
  r->id = 0;
  *r->open_at = r->next_open;
  if (r->next_open) r->next_open->open_at = r->open_at;
  if (r->cancel_asked) drop_cancel(p, r);
  if (r->handed_over) drop_handed_over(p, r);
  r->connection = NULL;
  if (c) c->request = NULL;
  return c;
}

void psp_plain_fail(psp_plain *p, psp_plain_request *r, psprobe_code code, const char *format,
                    ...) {
  psprobe_error error;
  char cause[256];
  va_list list;
  va_start(list, format);
  vsnprintf(cause, sizeof cause, format, list);
  va_end(list);
  psprobe_error_clear(&error);
  psp_fail(&error, code, "%s %.*s: %s", r->method, 255, r->host->authority, cause);
  pthread_mutex_lock(&p->lock);
  psp_plain_connection *c = settle(p, r);
  bool now = c && doom(c);
  pthread_mutex_unlock(&p->lock);
  if (c) bury(c, now);
  psp_http_log_outcome(p->options.logger, r->method, r->host->authority, 0, &error);
  r->done(r->arg, NULL, &error);
  psp_plain_release(p, r);
}

/* The answer is there. The connection is free before the callback, which may want it. */
static void succeed(psp_plain_connection *c, psp_plain_request *r) {
  psp_plain *p = c->plain;
  int64_t now = psp_monotonic_ns();
  pthread_mutex_lock(&p->lock);
  settle(p, r);
  bool kept = r->answer.keep_alive;
  /* With a sender, it is the sender that knows whether all was sent, and acts by it. */
  if (kept && c->senders == 0) kept = r->sent == r->out.len && psp_plain_put_idle(c, now);
  bool close_now = !kept && doom(c);
  pthread_mutex_unlock(&p->lock);
  if (!kept) bury(c, close_now);
  psp_http_response response = psp_http_answer_response(&r->answer);
  psp_http_log_outcome(p->options.logger, r->method, r->host->authority, response.status, NULL);
  r->done(r->arg, &response, NULL);
  psp_plain_release(p, r);
}

/* ---- connecting ---- */

static void on_ready(psp_watch *watch, uint32_t events);

/* Starts a connection to the request's present address. @return 0, or an errno */
static int start(psp_plain *p, psp_plain_request *r) {
  const psp_plain_address *to = &r->host->addresses[r->address];
  bool v6 = to->generic.sa_family == AF_INET6;
  psp_plain_connection *c = calloc(1, sizeof *c);
  if (!c) return ENOMEM;
  int one = 1;
  c->fd = socket(to->generic.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = c->fd < 0 ? errno : 0;
  if (!error && connect(c->fd, &to->generic, v6 ? sizeof to->v6 : sizeof to->v4) != 0 &&
      errno != EINPROGRESS)
    error = errno;
  c->watch.ready = on_ready;
  c->plain = p;
  c->host = r->host;
  c->connecting = true;
  /* Ready to be written is how a connection says that it is there. */
  if (!error &&
      !psp_watch_add(p->options.loop.epoll, c->fd, &c->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP))
    error = errno;
  if (error) {
    if (c->fd >= 0) close(c->fd);
    free(c);
    return error;
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  pthread_mutex_lock(&p->lock);
  psp_plain_attach(c, r, false);
  pthread_mutex_unlock(&p->lock);
  return 0;
}

/* Tries the addresses from the present one on. */
static void connect_to_host(psp_plain *p, psp_plain_request *r) {
  int error = 0;
  for (; r->address < r->host->address_count; r->address++) {
    error = start(p, r);
    if (!error) return;
  }
  psp_plain_fail(
      p, r, error == ENOMEM || error == EMFILE ? PSPROBE_RESOURCE_EXHAUSTED : PSPROBE_UNAVAILABLE,
      "cannot connect: %s", strerror(error));
}

static void connect_anew(psp_plain *p, psp_plain_request *r) {
  int64_t allowed = p->options.connect_timeout_ns;
  if (allowed <= 0) allowed = DEFAULT_CONNECT_NS;
  r->address = 0;
  r->sent = 0;
  pthread_mutex_lock(&p->lock);
  r->connect_deadline = psp_monotonic_ns() + allowed;
  psp_plain_arm(p, r->connect_deadline);
  pthread_mutex_unlock(&p->lock);
  connect_to_host(p, r);
}

static void send_rest(psp_plain_connection *c, psp_plain_request *r);

void psp_plain_open(psp_plain *p, psp_plain_request *r) {
  int64_t now = psp_monotonic_ns();
  pthread_mutex_lock(&p->lock);
  psp_plain_connection *c = psp_plain_take_idle(p, r->host, now);
  if (c) psp_plain_attach(c, r, true);
  pthread_mutex_unlock(&p->lock);
  if (c)
    send_rest(c, r);
  else
    connect_anew(p, r);
}

static void detach(psp_plain_connection *c, psp_plain_request *r) {
  pthread_mutex_lock(&c->plain->lock);
  c->request = NULL;
  r->connection = NULL;
  bool now = doom(c);
  pthread_mutex_unlock(&c->plain->lock);
  bury(c, now);
}

/* @return whether the connection is there */
static bool finish_connecting(psp_plain_connection *c, psp_plain_request *r, uint32_t events) {
  psp_plain *p = c->plain;
  int error = 0;
  socklen_t len = sizeof error;
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return false;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
  if (!error) {
    c->connecting = false;
    pthread_mutex_lock(&p->lock);
    r->connect_deadline = 0;
    pthread_mutex_unlock(&p->lock);
    return true;
  }
  if (++r->address == r->host->address_count) {
    psp_plain_fail(p, r, PSPROBE_UNAVAILABLE, "cannot connect: %s", strerror(error));
    return false;
  }
  detach(c, r);
  connect_to_host(p, r);
  return false;
}

/* ---- sending what the sender could not, and reading ---- */

static void send_rest(psp_plain_connection *c, psp_plain_request *r) {
  pthread_mutex_lock(&c->plain->lock);
  bool ours = c->senders == 0;
  size_t sent = r->sent;
  pthread_mutex_unlock(&c->plain->lock);
  if (!ours) return;
  while (sent < r->out.len) {
    ssize_t n = send(c->fd, r->out.data + sent, r->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    /* An error shows itself to the reader as well, who may still find an answer before it. */
    if (n < 0) break;
    sent += (size_t)n;
  }
  bool blocked = sent < r->out.len && errno == EAGAIN;
  pthread_mutex_lock(&c->plain->lock);
  r->sent = sent;
  pthread_mutex_unlock(&c->plain->lock);
  set_events(c, EPOLLIN | EPOLLRDHUP | (blocked ? EPOLLOUT : 0));
}

static void end_of_connection(psp_plain_connection *c, psp_plain_request *r, int error) {
  psp_plain *p = c->plain;
  if (r->reused && !r->got_bytes) {
    /* An idle connection turned out to be closed: once more, on a new one. */
    detach(c, r);
    connect_anew(p, r);
  } else if (!error && psp_http_answer_end(&r->answer) == PSP_ANSWER_DONE) {
    succeed(c, r);
  } else if (error) {
    psp_plain_fail(p, r, PSPROBE_UNAVAILABLE, "the connection broke: %s", strerror(error));
  } else {
    psp_plain_fail(p, r, PSPROBE_UNAVAILABLE, "the server closed the connection: %s",
                   r->answer.why);
  }
}

/* Looks at what was read. @return whether more is to come */
static bool look(psp_plain_connection *c, psp_plain_request *r) {
  psp_plain *p = c->plain;
  switch (psp_http_answer_parse(&r->answer)) {
    case PSP_ANSWER_MORE:
      return true;
    case PSP_ANSWER_DONE:
      succeed(c, r);
      return false;
    case PSP_ANSWER_TOO_LARGE:
      psp_plain_fail(p, r, PSPROBE_RESOURCE_EXHAUSTED, "the answer is larger than %zu bytes",
                     r->max_response);
      return false;
    case PSP_ANSWER_NO_MEMORY:
      psp_plain_fail(p, r, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: HTTP answer");
      return false;
    default:
      psp_plain_fail(p, r, PSPROBE_UNAVAILABLE, "cannot read the answer: %s", r->answer.why);
      return false;
  }
}

static void receive(psp_plain_connection *c, psp_plain_request *r) {
  psp_buf *in = &r->answer.in;
  for (;;) {
    if (in->cap < in->len + 2 && !psp_buf_reserve(in, READ_SIZE)) {
      psp_plain_fail(c->plain, r, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: HTTP answer");
      return;
    }
    size_t room = in->cap - in->len - 1; /* a zero stands behind the bytes */
    ssize_t n = recv(c->fd, in->data + in->len, room, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      end_of_connection(c, r, n < 0 ? errno : 0);
      return;
    }
    in->len += (size_t)n;
    in->data[in->len] = 0;
    r->got_bytes = true;
    if (!look(c, r) || (size_t)n < room) return;
  }
}

static void on_ready(psp_watch *watch, uint32_t events) {
  psp_plain_connection *c = (psp_plain_connection *)(void *)watch;
  pthread_mutex_lock(&c->plain->lock);
  psp_plain_request *r = c->request;
  bool over = c->doomed; /* earlier in this batch */
  bool now = !over && !r && doom(c);
  pthread_mutex_unlock(&c->plain->lock);
  if (over) return;
  if (!r) {
    bury(c, now);
    return;
  }
  if (c->connecting) {
    if (finish_connecting(c, r, events)) send_rest(c, r);
    return;
  }
  if (events & EPOLLOUT) send_rest(c, r);
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) receive(c, r);
}

/* ---- deadlines, and what other threads have left to us ---- */

/* The first request whose time is up, or NULL and the timer set for the next. */
static psp_plain_request *find_expired(psp_plain *p) {
  int64_t now = psp_monotonic_ns(), next = NEVER;
  psp_plain_request *found = NULL;
  pthread_mutex_lock(&p->lock);
  for (psp_plain_request *r = p->open; r && !found; r = r->next_open) {
    int64_t at = r->deadline;
    if (r->connect_deadline != 0 && r->connect_deadline < at) at = r->connect_deadline;
    if (at <= now) found = r;
    if (at < next) next = at;
  }
  if (!found) {
    p->armed_at = NEVER;
    if (next != NEVER) psp_plain_arm(p, next);
  }
  pthread_mutex_unlock(&p->lock);
  return found;
}

static void on_timer(psp_watch *watch, uint32_t events) {
  psp_plain *p = (psp_plain *)(void *)((char *)watch - offsetof(psp_plain, timer_watch));
  uint64_t ignored;
  (void)events;
  if (read(p->timer, &ignored, sizeof ignored) < 0) return;
  for (psp_plain_request *r; (r = find_expired(p)) != NULL;) {
    int64_t now = psp_monotonic_ns();
    if (now >= r->deadline)
      psp_plain_fail(p, r, PSPROBE_DEADLINE_EXCEEDED, "no answer within %lld ms",
                     (long long)(r->timeout_ns / 1000000));
    else
      psp_plain_fail(p, r, PSPROBE_UNAVAILABLE, "cannot connect: no reply from the server");
  }
}

void psp_plain_run(psp_plain *p) {
  pthread_mutex_lock(&p->lock);
  for (;;) {
    psp_plain_request *cancelled = p->closing ? p->open : p->cancels;
    psp_plain_request *opened = p->handed_over;
    psp_plain_connection *doomed = p->doomed;
    if (!cancelled && opened) drop_handed_over(p, opened);
    if (!cancelled && !opened && doomed) p->doomed = doomed->next_closed;
    pthread_mutex_unlock(&p->lock);
    if (cancelled)
      psp_plain_fail(p, cancelled, PSPROBE_CANCELLED, "cancelled");
    else if (opened)
      psp_plain_open(p, opened);
    else if (doomed)
      bury(doomed, true);
    else
      return;
    pthread_mutex_lock(&p->lock);
  }
}

void psp_plain_sweep(psp_plain *p) {
  while (p->buried) {
    psp_plain_connection *c = p->buried;
    p->buried = c->next_closed;
    free(c);
  }
}

psp_plain *psp_plain_new(const psp_plain_options *options) {
  psp_plain *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->options = *options;
  p->armed_at = NEVER;
  p->handed_over_end = &p->handed_over;
  p->timer_watch.ready = on_timer;
  pthread_mutex_init(&p->lock, NULL);
  p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (p->timer >= 0 && psp_watch_add(options->loop.epoll, p->timer, &p->timer_watch, EPOLLIN))
    return p;
  psp_plain_free(p);
  return NULL;
}

void psp_plain_free(psp_plain *p) {
  if (!p) return;
  for (psp_plain_host *host = p->hosts, *next; host; host = next) {
    next = host->next;
    for (psp_plain_connection *c; (c = host->idle) != NULL;)
      bury(c, doom(c));
    free(host);
  }
  psp_plain_run(p);
  psp_plain_sweep(p);
  for (psp_plain_request *r = p->free, *next; r; r = next) {
    next = r->next;
    psp_plain_free_request(r);
  }
  if (p->timer >= 0) close(p->timer);
  pthread_mutex_destroy(&p->lock);
  free(p);
}
