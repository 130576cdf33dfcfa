/* SPDX-License-Identifier: MIT */
/*
 * The HTTP client: one I/O thread for two engines. What goes to this machine in
 * plain HTTP takes the short way (plain.h), everything else goes through
 * libcurl (curl.h).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "http/curl.h"
#include "http/http.h"
#include "http/plain.h"

#define MAX_EVENTS 64

typedef struct client {
  psp_watch wake_watch;
  char *ca_file, *user_agent;
  psprobe_logger logger;
  bool curl_only;
  bool woken;
  psp_loop loop;
  psp_curl *curl;
  psp_plain *plain;
  pthread_t thread;
} client;

bool psp_watch_add(int epoll, int fd, psp_watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void psp_loop_wake(const psp_loop *loop) {
  uint64_t one = 1;
  while (write(loop->wake, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

int64_t psp_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void psp_timer_set(int timer, int64_t at_ns) {
  if (at_ns < 1) at_ns = 1; /* 0 would disarm it */
  struct itimerspec when = {.it_value = {at_ns / 1000000000, at_ns % 1000000000}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static psprobe_code client_send(void *self, const psp_http_request *request, psp_http_done *done,
                                void *arg, uint64_t *id, psprobe_error *error) {
  client *c = self;
  psp_plain_host *host = c->curl_only ? NULL : psp_plain_find_host(c->plain, request);
  if (host) return psp_plain_send(c->plain, host, request, done, arg, id, error);
  return psp_curl_send(c->curl, request, done, arg, id, error);
}

static void client_cancel(void *self, uint64_t id) {
  client *c = self;
  if (id & PSP_PLAIN_ID)
    psp_plain_cancel(c->plain, id);
  else
    psp_curl_cancel(c->curl, id);
}

static void on_wake(psp_watch *watch, uint32_t events) {
  client *c = (client *)(void *)watch;
  uint64_t ignored;
  (void)events;
  if (read(c->loop.wake, &ignored, sizeof ignored) > 0) c->woken = true;
}

static void *run(void *arg) {
  client *c = arg;
  pthread_setname_np(pthread_self(), "psprobe-io");
  while (!psp_plain_is_over(c->plain) || !psp_curl_is_over(c->curl)) {
    struct epoll_event events[MAX_EVENTS];
    psp_curl_event for_curl[MAX_EVENTS];
    size_t curl_count = 0;
    int count = epoll_wait(c->loop.epoll, events, MAX_EVENTS, -1);
    for (int i = 0; i < count; i++) {
      uint64_t data = events[i].data.u64;
      psp_watch *watch = events[i].data.ptr;
      if (data & 1)
        for_curl[curl_count++] = (psp_curl_event){(int)(data >> 1), events[i].events};
      else
        watch->ready(watch, events[i].events);
    }
    if (c->woken) psp_plain_run(c->plain);
    if (c->woken || curl_count > 0 || psp_curl_is_due(c->curl))
      psp_curl_run(c->curl, for_curl, curl_count);
    c->woken = false;
    psp_plain_sweep(c->plain);
  }
  return NULL;
}

/* Frees what there is of a client whose thread has ended or never began. */
static void discard(client *c) {
  psp_curl_free(c->curl);
  psp_plain_free(c->plain);
  if (c->loop.wake >= 0) close(c->loop.wake);
  if (c->loop.epoll >= 0) close(c->loop.epoll);
  free(c->ca_file);
  free(c->user_agent);
  free(c);
}

static void client_free(void *self) {
  client *c = self;
  psp_plain_close(c->plain);
  psp_curl_close(c->curl);
  psp_loop_wake(&c->loop);
  pthread_join(c->thread, NULL);
  discard(c);
}

static const psp_transport client_transport = {client_send, client_cancel, client_free};

/* Signals are for the program's own threads. */
static bool start_thread(client *c) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&c->thread, NULL, run, c);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc == 0;
}

static bool open_parts(client *c, const psp_http_options *options) {
  c->wake_watch.ready = on_wake;
  c->ca_file = psp_strdup(options->ca_file);
  c->user_agent =
      psp_strdup(options->user_agent ? options->user_agent : "psprobe/" PSPROBE_VERSION);
  c->loop.epoll = epoll_create1(EPOLL_CLOEXEC);
  c->loop.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if ((options->ca_file && !c->ca_file) || !c->user_agent) return false;
  if (c->loop.epoll < 0 || c->loop.wake < 0) return false;
  if (!psp_watch_add(c->loop.epoll, c->loop.wake, &c->wake_watch, EPOLLIN)) return false;
  const psp_plain_options for_plain = {c->loop, c->user_agent, options->connect_timeout_ns,
                                       &c->logger};
  const psp_curl_options for_curl = {c->loop, c->ca_file, c->user_agent,
                                     options->connect_timeout_ns, &c->logger};
  c->plain = psp_plain_new(&for_plain);
  c->curl = psp_curl_new(&for_curl);
  return c->plain && c->curl;
}

psprobe_code psp_http_new(const psp_http_options *options, psp_http **http, psprobe_error *error) {
  static const psp_http_options none = {0};
  if (!options) options = &none;
  client *c = calloc(1, sizeof *c);
  if (!c) return psp_fail_memory(error, "HTTP client");
  c->loop = (psp_loop){-1, -1};
  c->curl_only = options->curl_only;
  if (options->logger) c->logger = *options->logger;
  psp_http *made = NULL;
  bool ready = open_parts(c, options) &&
               psp_http_new_transport(&client_transport, c, &made, NULL) == PSPROBE_OK;
  if (ready && start_thread(c)) {
    *http = made;
    return PSPROBE_OK;
  }
  free(made);
  discard(c);
  return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                  "HTTP client: no memory, threads or file descriptors left");
}
