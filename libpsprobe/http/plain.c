/* SPDX-License-Identifier: MIT */
/* What threads that send do. */
#include "http/plain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "http/plain_parts.h"
#include "http/url.h"

#define MAX_HOSTS          64
#define MAX_IDLE           256
#define MAX_IDLE_NS        90000000000
#define MAX_FREE           256
#define KEPT_MEMORY        ((size_t)64 << 10)
#define DEFAULT_TIMEOUT_NS 60000000000
#define DEFAULT_MAX_BODY   ((size_t)32 << 20)

/* ---- hosts ---- */

static void add_v4(psp_plain_host *host, struct in_addr address, uint16_t port) {
  host->addresses[host->address_count++].v4 =
      (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
}

static void add_v6(psp_plain_host *host, struct in6_addr address, uint16_t port) {
  host->addresses[host->address_count++].v6 = (struct sockaddr_in6){
      .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = address};
}

/* Reads the addresses that a host is, if it is any without asking a resolver. */
static bool read_addresses(psp_plain_host *host) {
  char name[INET6_ADDRSTRLEN];
  const char *text = host->authority, *end = text + host->authority_len;
  const char *colon = strrchr(text, ':'), *name_end = end;
  bool bracket = *text == '[';
  long port = 80;
  if (colon && (!bracket || colon[-1] == ']')) {
    port = strtol(colon + 1, NULL, 10);
    name_end = colon;
  }
  if (bracket) text++, name_end--;
  size_t len = (size_t)(name_end - text);
  if (len >= sizeof name || port < 1 || port > 65535) return false;
  memcpy(name, text, len);
  name[len] = 0;

  struct in_addr v4;
  struct in6_addr v6;
  if (!bracket && strcasecmp(name, "localhost") == 0) {
    add_v4(host, (struct in_addr){htonl(INADDR_LOOPBACK)}, (uint16_t)port);
    add_v6(host, in6addr_loopback, (uint16_t)port);
  } else if (!bracket && inet_pton(AF_INET, name, &v4) == 1) {
    add_v4(host, v4, (uint16_t)port);
  } else if (bracket && inet_pton(AF_INET6, name, &v6) == 1) {
    add_v6(host, v6, (uint16_t)port);
  }
  return host->address_count > 0;
}

static psp_plain_host *make_host(psp_plain *p, const char *url, const char *authority, size_t len) {
  if (p->host_count >= MAX_HOSTS) return NULL;
  psp_plain_host *host = calloc(1, sizeof *host + len + 1);
  if (!host) return NULL;
  memcpy(host->authority, authority, len);
  host->authority_len = len;
  if (!read_addresses(host)) {
    free(host);
    return NULL;
  }
  host->is_loopback = psp_http_url_is_loopback(url);
  host->next = p->hosts;
  p->hosts = host;
  p->host_count++;
  return host;
}

psp_plain_host *psp_plain_find_host(psp_plain *p, const psp_http_request *request) {
  size_t len;
  if (strncasecmp(request->url, "http://", 7) != 0) return NULL;
  const char *authority = psp_http_url_authority(request->url, &len);
  pthread_mutex_lock(&p->lock);
  psp_plain_host *host = p->hosts;
  while (host && (host->authority_len != len || memcmp(host->authority, authority, len) != 0))
    host = host->next;
  /* A proxy may be meant for any address but this machine's. */
  bool direct =
      request->no_proxy || (host ? host->is_loopback : psp_http_url_is_loopback(request->url));
  if (!host && direct) host = make_host(p, request->url, authority, len);
  pthread_mutex_unlock(&p->lock);
  return direct ? host : NULL;
}

/* ---- connections and requests, with the lock held ---- */

psp_plain_connection *psp_plain_take_idle(psp_plain *p, psp_plain_host *host, int64_t now) {
  psp_plain_connection *c = host->idle;
  (void)p;
  if (!c || now - c->idle_since > MAX_IDLE_NS) return NULL;
  psp_plain_drop_idle(c);
  return c;
}

bool psp_plain_put_idle(psp_plain_connection *c, int64_t now) {
  psp_plain *p = c->plain;
  if (p->closing || p->idle_count >= MAX_IDLE) return false;
  p->idle_count++;
  c->idle_since = now;
  c->is_idle = true;
  c->next = c->host->idle;
  c->at = &c->host->idle;
  if (c->next) c->next->at = &c->next;
  c->host->idle = c;
  return true;
}

void psp_plain_drop_idle(psp_plain_connection *c) {
  if (!c->is_idle) return;
  c->plain->idle_count--;
  c->is_idle = false;
  *c->at = c->next;
  if (c->next) c->next->at = c->at;
}

void psp_plain_attach(psp_plain_connection *c, psp_plain_request *r, bool reused) {
  c->request = r;
  r->connection = c;
  r->reused = reused;
}

void psp_plain_arm(psp_plain *p, int64_t at_ns) {
  if (at_ns >= p->armed_at) return;
  p->armed_at = at_ns;
  psp_timer_set(p->timer, at_ns);
}

static psp_plain_request *acquire(psp_plain *p) {
  pthread_mutex_lock(&p->lock);
  psp_plain_request *r = p->free;
  if (r) {
    p->free = r->next;
    p->free_count--;
  }
  pthread_mutex_unlock(&p->lock);
  return r ? r : calloc(1, sizeof *r);
}

void psp_plain_free_request(psp_plain_request *r) {
  psp_buf_free(&r->out);
  psp_http_answer_free(&r->answer);
  free(r);
}

static void recycle(psp_plain *p, psp_plain_request *r) {
  if (r->out.cap > KEPT_MEMORY) psp_buf_free(&r->out);
  if (r->answer.in.cap > KEPT_MEMORY) psp_buf_free(&r->answer.in);
  pthread_mutex_lock(&p->lock);
  bool kept = p->free_count < MAX_FREE;
  if (kept) {
    r->next = p->free;
    p->free = r;
    p->free_count++;
  }
  pthread_mutex_unlock(&p->lock);
  if (!kept) psp_plain_free_request(r);
}

void psp_plain_release(psp_plain *p, psp_plain_request *r) {
  pthread_mutex_lock(&p->lock);
  bool last = --r->holders == 0;
  pthread_mutex_unlock(&p->lock);
  if (last) recycle(p, r);
}

/* ---- sending ---- */

static bool has_header(const psp_http_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (strcasecmp(request->headers[i].name, name) == 0) return true;
  }
  return false;
}

static void add_header(psp_buf *out, const char *name, const char *value) {
  psp_buf_text(out, name);
  psp_buf_add(out, ": ", 2);
  psp_buf_text(out, value);
  psp_buf_add(out, "\r\n", 2);
}

/* Head and body in one piece, so that they leave in one packet where they fit. */
static bool write_request(const psp_plain *p, psp_plain_request *r,
                          const psp_http_request *request) {
  psp_buf *out = &r->out;
  size_t body_len = request->body ? request->body_len : 0, authority_len;
  const char *method = request->method;
  const char *target = psp_http_url_authority(request->url, &authority_len) + authority_len;
  psp_buf_reset(out);
  psp_buf_text(out, method);
  psp_buf_add(out, " /", *target == '/' ? 1 : 2);
  psp_buf_text(out, target);
  psp_buf_text(out, " HTTP/1.1\r\n");
  if (!has_header(request, "host")) add_header(out, "Host", r->host->authority);
  if (!has_header(request, "user-agent")) add_header(out, "User-Agent", p->options.user_agent);
  if (!has_header(request, "accept")) add_header(out, "Accept", "*/*");
  for (size_t i = 0; i < request->header_count; i++) {
    if (strcasecmp(request->headers[i].name, "content-length") != 0)
      add_header(out, request->headers[i].name, request->headers[i].value);
  }
  if (body_len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
      strcmp(method, "PATCH") == 0)
    psp_buf_printf(out, "Content-Length: %zu\r\n", body_len);
  psp_buf_add(out, "\r\n", 2);
  if (body_len > 0) psp_buf_add(out, request->body, body_len);
  return !out->failed;
}

static bool prepare(const psp_plain *p, psp_plain_request *r, psp_plain_host *host,
                    const psp_http_request *request, int64_t now) {
  size_t shown = strnlen(request->method, sizeof r->method - 1);
  memcpy(r->method, request->method, shown);
  r->method[shown] = 0;
  r->host = host;
  r->connection = NULL;
  r->address = 0;
  r->sent = 0;
  r->max_response = request->max_response ? request->max_response : DEFAULT_MAX_BODY;
  r->timeout_ns = request->timeout_ns > 0 ? request->timeout_ns : DEFAULT_TIMEOUT_NS;
  r->deadline = r->timeout_ns < INT64_MAX - now ? now + r->timeout_ns : INT64_MAX;
  r->connect_deadline = 0;
  r->reused = r->got_bytes = r->cancel_asked = r->handed_over = false;
  r->holders = 1;
  psp_http_answer_begin(&r->answer, strcmp(request->method, "HEAD") == 0, r->max_response);
  return write_request(p, r, request);
}

/* Notes a request as open; with the lock held. */
static void enter(psp_plain *p, psp_plain_request *r) {
  r->id = PSP_PLAIN_ID | ++p->serial;
  r->next_open = p->open;
  r->open_at = &p->open;
  if (r->next_open) r->next_open->open_at = &r->next_open;
  p->open = r;
  psp_plain_arm(p, r->deadline);
}

static void hand_over(psp_plain *p, psp_plain_request *r) {
  r->handed_over = true;
  r->next = NULL;
  *p->handed_over_end = r;
  p->handed_over_end = &r->next;
}

/* What has become of a send; with the lock held. The request may have had its answer meanwhile, and
 * the connection may wait for us to be idle or closed. @return whether the I/O thread has to know
 */
static bool note_sent(psp_plain_connection *c, psp_plain_request *r, ssize_t n, int error,
                      int64_t now) {
  size_t len = r->out.len;
  c->senders--;
  if (c->request == r) {
    r->sent = n > 0 ? (size_t)n : 0;
    if (r->sent == len) return false;
    if (n < 0 && error != EAGAIN) {
      shutdown(c->fd, SHUT_RDWR); /* the I/O thread sees its end, and decides */
    } else {
      struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT, .data.ptr = &c->watch};
      epoll_ctl(c->plain->options.loop.epoll, EPOLL_CTL_MOD, c->fd, &event);
    }
    return false;
  }
  if (n != (ssize_t)len) c->doomed = true; /* answered before it was sent whole */
  if (c->senders > 0) return false;
  if (!c->doomed && psp_plain_put_idle(c, now)) return false;
  c->next_closed = c->plain->doomed;
  c->plain->doomed = c;
  return true;
}

static void send_on(psp_plain *p, psp_plain_connection *c, psp_plain_request *r, int64_t now) {
  ssize_t n = send(c->fd, r->out.data, r->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
  int error = errno;
  pthread_mutex_lock(&p->lock);
  bool tell = note_sent(c, r, n, error, now);
  bool last = --r->holders == 0;
  pthread_mutex_unlock(&p->lock);
  if (tell) psp_loop_wake(&p->options.loop);
  if (last) recycle(p, r);
}

psprobe_code psp_plain_send(psp_plain *p, psp_plain_host *host, const psp_http_request *request,
                            psp_http_done *done, void *arg, uint64_t *id, psprobe_error *error) {
  int64_t now = psp_monotonic_ns();
  psp_plain_request *r = acquire(p);
  if (!r) return psp_fail_memory(error, "HTTP request");
  if (!prepare(p, r, host, request, now)) {
    recycle(p, r);
    return psp_fail_memory(error, "HTTP request");
  }
  r->done = done;
  r->arg = arg;
  pthread_mutex_lock(&p->lock);
  if (p->closing) {
    pthread_mutex_unlock(&p->lock);
    recycle(p, r);
    return psp_fail(error, PSPROBE_CANCELLED, "the HTTP client is being closed");
  }
  enter(p, r);
  if (id) *id = r->id;
  psp_plain_connection *c = psp_plain_take_idle(p, host, now);
  if (c) {
    psp_plain_attach(c, r, true);
    c->senders++;
    r->holders++;
  } else {
    hand_over(p, r);
  }
  pthread_mutex_unlock(&p->lock);
  if (c)
    send_on(p, c, r, now);
  else
    psp_loop_wake(&p->options.loop);
  return PSPROBE_OK;
}

void psp_plain_cancel(psp_plain *p, uint64_t id) {
  pthread_mutex_lock(&p->lock);
  psp_plain_request *r = p->open;
  while (r && r->id != id)
    r = r->next_open;
  bool found = r && !r->cancel_asked;
  if (found) {
    r->cancel_asked = true;
    r->next_cancel = p->cancels;
    p->cancels = r;
  }
  pthread_mutex_unlock(&p->lock);
  if (found) psp_loop_wake(&p->options.loop);
}

void psp_plain_close(psp_plain *p) {
  pthread_mutex_lock(&p->lock);
  p->closing = true;
  pthread_mutex_unlock(&p->lock);
}

bool psp_plain_is_over(psp_plain *p) {
  pthread_mutex_lock(&p->lock);
  bool over = p->closing && !p->open;
  pthread_mutex_unlock(&p->lock);
  return over;
}
