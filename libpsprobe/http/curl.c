/* SPDX-License-Identifier: MIT */
#include "http/curl.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "http/queue.h"
#include "http/sockets.h"

#define MAX_IDLE_CONNECTIONS 256
#define NEVER                INT64_MAX

struct psp_curl {
  psp_watch timer_watch;
  psp_curl_options options;
  psp_transfer_defaults defaults;
  bool helped; /* other threads may drive curl */
  bool due;    /* the timer went off; the I/O thread's */
  psp_queue queue;

  pthread_mutex_t drive_lock; /* over all that follows */
  CURLM *multi;
  psp_sockets sockets;
  int timer;
  int64_t timeout_at;         /* when curl wants to be called, monotonic */
  int64_t armed_at;           /* when the timer goes off: not after that, maybe before */
  psp_transfer_list finished; /* results that wait for the I/O thread */
};

static int socket_callback(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused) {
  (void)easy, (void)unused;
  psp_curl *o = arg;
  uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  /* Without memory or room in the set the request still ends, by its deadline. */
  psp_sockets_want(&o->sockets, fd, events);
  return 0;
}

static int timer_callback(CURLM *multi, long timeout_ms, void *arg) {
  (void)multi;
  psp_curl *o = arg;
  if (timeout_ms < 0)
    o->timeout_at = NEVER;
  else
    o->timeout_at = timeout_ms == 0 ? 0 : psp_monotonic_ns() + (int64_t)timeout_ms * 1000000;
  return 0;
}

/* Close-on-exec: programs that we start have no business with our connections. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose;
  psp_curl *o = arg;
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0 && !psp_sockets_opened(&o->sockets, fd)) {
    close(fd);
    fd = -1;
  }
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *arg, curl_socket_t fd) {
  psp_curl *o = arg;
  psp_sockets_closed(&o->sockets, fd);
  return close(fd);
}

static void finish(psp_curl *o, psp_transfer *t, CURLcode result) {
  t->result = result;
  psp_queue_settle(&o->queue, t);
  psp_transfer_append(&o->finished, t);
}

static void begin(psp_curl *o, psp_transfer *t) {
  CURLMcode rc = curl_multi_add_handle(o->multi, t->easy);
  t->in_multi = rc == CURLM_OK;
  if (!t->in_multi)
    finish(o, t, rc == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
}

static void cancel(psp_curl *o, psp_transfer *t) {
  if (!t->in_multi) return; /* it never began, and has its result */
  curl_multi_remove_handle(o->multi, t->easy);
  t->in_multi = false;
  t->cancelled = true;
  finish(o, t, CURLE_ABORTED_BY_CALLBACK);
}

/* The timer is left alone when it goes off too early: that costs one idle wake-up, and setting it
 * anew for each request would cost a system call each. */
static void arm(psp_curl *o) {
  if (o->timeout_at >= o->armed_at) return;
  o->armed_at = o->timeout_at;
  psp_timer_set(o->timer, o->timeout_at);
}

/* With the drive lock held: takes what was sent, lets curl do what is due, collects results. */
static void drive(psp_curl *o) {
  psp_transfer_list sent;
  psp_transfer *t, *cancels;
  int running;
  psp_queue_drain(&o->queue, &sent, &cancels);
  while ((t = psp_transfer_take(&sent)) != NULL)
    begin(o, t);
  for (; (t = cancels) != NULL; cancel(o, t))
    cancels = t->next_cancel;
  while ((t = psp_queue_unsettled(&o->queue)) != NULL)
    cancel(o, t);

  while (o->timeout_at == 0 || (o->timeout_at != NEVER && o->timeout_at <= psp_monotonic_ns())) {
    o->timeout_at = NEVER; /* curl says anew what it wants */
    curl_multi_socket_action(o->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  int left;
  for (CURLMsg *m; (m = curl_multi_info_read(o->multi, &left)) != NULL;) {
    if (m->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
    finish(o, t, m->data.result);
  }
  arm(o);
}

/* After something was queued. If the lock is taken, its holder looks at the queue again after
 * letting go of it, so nothing is left behind. */
static void help(psp_curl *o) {
  if (!o->helped) {
    psp_loop_wake(&o->options.loop);
    return;
  }
  do {
    if (pthread_mutex_trylock(&o->drive_lock) != 0) return;
    drive(o);
    bool finished = o->finished.first != NULL;
    pthread_mutex_unlock(&o->drive_lock);
    if (finished) psp_loop_wake(&o->options.loop); /* callbacks are for the I/O thread */
  } while (psp_queue_has_work(&o->queue));
}

psprobe_code psp_curl_send(psp_curl *o, const psp_http_request *request, psp_http_done *done,
                           void *arg, uint64_t *id, psprobe_error *error) {
  psp_transfer *t = psp_queue_acquire(&o->queue);
  if (!t) return psp_fail_memory(error, "HTTP request");
  if (!psp_transfer_prepare(t, request)) {
    psp_queue_release(&o->queue, t);
    return psp_fail_memory(error, "HTTP request");
  }
  t->done = done;
  t->arg = arg;
  if (!psp_queue_submit(&o->queue, t, id)) {
    psp_queue_release(&o->queue, t);
    return psp_fail(error, PSPROBE_CANCELLED, "the HTTP client is being closed");
  }
  help(o);
  return PSPROBE_OK;
}

void psp_curl_cancel(psp_curl *o, uint64_t id) {
  if (psp_queue_cancel(&o->queue, id)) help(o);
}

/* One round of the I/O thread. @return the results to deliver */
static psp_transfer_list turn(psp_curl *o, const psp_curl_event *events, size_t count) {
  int running;
  pthread_mutex_lock(&o->drive_lock);
  if (o->due) o->armed_at = NEVER;
  o->due = false;
  for (size_t i = 0; i < count; i++) {
    int what = 0;
    if (!psp_sockets_ready(&o->sockets, events[i].fd)) continue;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) what |= CURL_CSELECT_IN;
    if (events[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(o->multi, events[i].fd, what, &running);
  }
  drive(o);
  psp_transfer_list finished = o->finished;
  o->finished = (psp_transfer_list){0};
  pthread_mutex_unlock(&o->drive_lock);
  return finished;
}

static void deliver(psp_curl *o, psp_transfer_list finished) {
  for (psp_transfer *t = finished.first; t; t = t->next)
    psp_transfer_finish(t, o->options.logger);
  pthread_mutex_lock(&o->drive_lock);
  for (psp_transfer *t = finished.first; t; t = t->next) {
    if (t->in_multi) curl_multi_remove_handle(o->multi, t->easy);
    t->in_multi = false;
  }
  pthread_mutex_unlock(&o->drive_lock);
  for (psp_transfer *t; (t = psp_transfer_take(&finished)) != NULL;)
    psp_queue_release(&o->queue, t);
}

void psp_curl_run(psp_curl *o, const psp_curl_event *events, size_t count) {
  do {
    psp_transfer_list finished = turn(o, events, count);
    if (finished.first)
      deliver(o, finished);
    else if (!psp_queue_has_work(&o->queue))
      return;
    count = 0;
  } while (true);
}

bool psp_curl_is_due(const psp_curl *o) {
  return o->due;
}
void psp_curl_close(psp_curl *o) {
  psp_queue_close(&o->queue);
}
bool psp_curl_is_over(psp_curl *o) {
  return psp_queue_is_over(&o->queue);
}

static void on_timer(psp_watch *watch, uint32_t events) {
  psp_curl *o = (psp_curl *)(void *)watch;
  uint64_t ignored;
  (void)events;
  if (read(o->timer, &ignored, sizeof ignored) > 0) o->due = true;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;
static void start_curl(void) {
  curl_ready = curl_global_init(CURL_GLOBAL_ALL);
}

/* A holder is done within microseconds as a rule, so spin before sleeping. */
static void init_drive_lock(psp_curl *o) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&o->drive_lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

static bool open_parts(psp_curl *o) {
  pthread_once(&curl_once, start_curl);
  if (curl_ready != CURLE_OK) return false;
  o->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  o->multi = curl_multi_init();
  if (o->timer < 0 || !o->multi) return false;
  if (!psp_watch_add(o->options.loop.epoll, o->timer, &o->timer_watch, EPOLLIN)) return false;
  curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
  curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o);
  curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, timer_callback);
  curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o);
  curl_multi_setopt(o->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
  curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
  curl_multi_setopt(o->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 0L);
  return true;
}

psp_curl *psp_curl_new(const psp_curl_options *options) {
  psp_curl *o = calloc(1, sizeof *o);
  if (!o) return NULL;
  o->options = *options;
  o->timer_watch.ready = on_timer;
  o->timer = -1;
  o->timeout_at = o->armed_at = NEVER;
  o->defaults = (psp_transfer_defaults){.ca_file = options->ca_file,
                                        .user_agent = options->user_agent,
                                        .connect_timeout_ns = options->connect_timeout_ns,
                                        .open_socket = open_socket,
                                        .close_socket = close_socket,
                                        .socket_arg = o};
  psp_queue_init(&o->queue, &o->defaults);
  psp_sockets_init(&o->sockets, options->loop.epoll);
  init_drive_lock(o);
  /* Before 7.87 curl's TLS wrote with plain write(2), which can raise SIGPIPE; only the I/O thread
   * has that blocked. */
  o->helped = curl_version_info(CURLVERSION_NOW)->version_num >= 0x075700;
  if (open_parts(o)) return o;
  psp_curl_free(o);
  return NULL;
}

void psp_curl_free(psp_curl *o) {
  if (!o) return;
  psp_queue_clear(&o->queue);
  if (o->multi) curl_multi_cleanup(o->multi);
  psp_sockets_clear(&o->sockets);
  if (o->timer >= 0) close(o->timer);
  pthread_mutex_destroy(&o->drive_lock);
  free(o);
}
