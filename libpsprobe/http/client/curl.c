/* SPDX-License-Identifier: MIT */
/** @file
 * The transport on libcurl. Its sockets stand in an epoll set of our own
 * (curl's multi_socket interface), so that a hundred waiting long polls cost
 * the next call nothing, and so that more than one thread can drive curl:
 *
 * - The I/O thread sleeps in epoll_wait, passes what is ready to curl and calls
 *   the callbacks.
 * - A thread that sends a request hands it to curl itself when nobody else is
 *   driving, which writes it to a warm connection at once: no other thread has
 *   to wake up for that. When somebody is driving, that thread takes the
 *   request along before it stops. Nobody ever waits for the drive lock but the
 *   I/O thread.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "http/client/queue.h"
#include "http/client/sockets.h"
#include "http/client/transport.h"
#include "os/limit.h"
#include "os/thread.h"
#include "os/wait.h"

#define MAX_IDLE_CONNECTIONS 256
#define MAX_CONNECTIONS      1000000 /* there may be no bound */
#define MAX_EVENTS           64
#define NEVER                INT64_MAX

typedef struct io {
  psp_transfer_defaults defaults;
  char *ca_file, *user_agent;
  psprobe_logger logger;
  pthread_t thread;
  bool helped; /* other threads may drive curl */
  psp_queue queue;

  pthread_mutex_t drive_lock; /* over all that follows */
  CURLM *multi;
  psp_sockets sockets;
  bool no_memory;             /* for a socket's entry */
  int wake, timer;            /* an eventfd and a timerfd in the epoll set */
  int64_t timeout_at;         /* when curl wants to be called, monotonic */
  int64_t armed_at;           /* when the timer goes off: not after that, maybe before */
  psp_transfer_list finished; /* results that wait for the I/O thread */
} io;

static int socket_callback(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused) {
  (void)easy, (void)unused;
  io *o = arg;
  uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  /* Without memory or room in the set the request still ends, by its deadline. */
  psp_sockets_want(&o->sockets, fd, events);
  return 0;
}

static int timer_callback(CURLM *multi, long timeout_ms, void *arg) {
  (void)multi;
  io *o = arg;
  if (timeout_ms < 0)
    o->timeout_at = NEVER;
  else
    o->timeout_at = timeout_ms == 0 ? 0 : psprobe_clock_monotonic() + (int64_t)timeout_ms * 1000000;
  return 0;
}

/* Close-on-exec: programs that we start have no business with our connections. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose;
  io *o = arg;
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0 && !psp_sockets_opened(&o->sockets, fd)) {
    close(fd);
    fd = -1;
    o->no_memory = true;
  }
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *arg, curl_socket_t fd) {
  io *o = arg;
  psp_sockets_closed(&o->sockets, fd);
  return close(fd);
}

static void finish(io *o, psp_transfer *t, CURLcode result) {
  /* To curl, a socket that open_socket did not give is a server that is not there. */
  if (result == CURLE_COULDNT_CONNECT && o->no_memory) result = CURLE_OUT_OF_MEMORY;
  o->no_memory = false;
  t->result = result;
  psp_queue_settle(&o->queue, t);
  psp_transfer_append(&o->finished, t);
}

static void begin(io *o, psp_transfer *t) {
  CURLMcode rc = curl_multi_add_handle(o->multi, t->easy);
  t->in_multi = rc == CURLM_OK;
  if (!t->in_multi)
    finish(o, t, rc == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
}

static void cancel(io *o, psp_transfer *t) {
  if (!t->in_multi) return; /* it never began, and has its result */
  curl_multi_remove_handle(o->multi, t->easy);
  t->in_multi = false;
  t->cancelled = true;
  finish(o, t, CURLE_ABORTED_BY_CALLBACK);
}

/* curl gives the part that was not taken again, and sees to the socket in its next turn. */
static void resume(psp_transfer *t) {
  if (t->in_multi) curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

/* The timer is left alone when it goes off too early: that costs one idle wake-up, and setting it
 * anew for each request would cost a system call each. */
static void arm(io *o) {
  if (o->timeout_at >= o->armed_at) return;
  o->armed_at = o->timeout_at;
  int64_t at = o->timeout_at > 0 ? o->timeout_at : 1; /* 0 would disarm it */
  struct itimerspec when = {.it_value = {at / 1000000000, at % 1000000000}};
  timerfd_settime(o->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* With the drive lock held: takes what was sent, lets curl do what is due, collects results. */
static void drive(io *o) {
  psp_transfer_list sent;
  psp_transfer *t, *due;
  int running;
  psp_queue_drain(&o->queue, &sent, &due);
  while ((t = psp_transfer_take(&sent)) != NULL)
    begin(o, t);
  while ((t = due) != NULL) {
    due = t->next_due;
    if (t->cancel_due)
      cancel(o, t);
    else
      resume(t);
  }
  while ((t = psp_queue_unsettled(&o->queue)) != NULL)
    cancel(o, t);

  while (o->timeout_at == 0 ||
         (o->timeout_at != NEVER && o->timeout_at <= psprobe_clock_monotonic())) {
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

static void wake(io *o) {
  uint64_t one = 1;
  while (write(o->wake, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

/* After something was queued. If the lock is taken, its holder looks at the queue again after
 * letting go of it, so nothing is left behind. */
static void help(io *o) {
  if (!o->helped) {
    wake(o);
    return;
  }
  do {
    if (pthread_mutex_trylock(&o->drive_lock) != 0) return;
    drive(o);
    bool finished = o->finished.first != NULL;
    pthread_mutex_unlock(&o->drive_lock);
    if (finished) wake(o); /* callbacks are for the I/O thread */
  } while (psp_queue_has_work(&o->queue));
}

static psprobe_code closing(psprobe_error *error) {
  return psp_fail(error, PSPROBE_CANCELLED, "the HTTP client is being closed");
}

static psprobe_code io_send(void *self, const psp_http_request *request, psp_http_done *done,
                            void *arg, uint64_t *id, psprobe_error *error) {
  io *o = self;
  psp_transfer *t = psp_queue_acquire(&o->queue);
  if (t == NULL) return psp_fail_memory(error, "HTTP request");
  if (!psp_transfer_prepare(t, request)) {
    psp_queue_release(&o->queue, t);
    return psp_fail_memory(error, "HTTP request");
  }
  t->done = done;
  t->arg = arg;
  if (!psp_queue_submit(&o->queue, t, id)) {
    psp_queue_release(&o->queue, t);
    return closing(error);
  }
  help(o);
  psp_queue_leave(&o->queue);
  return PSPROBE_OK;
}

static void io_cancel(void *self, uint64_t id) {
  io *o = self;
  if (!psp_queue_cancel(&o->queue, id)) return;
  help(o);
  psp_queue_leave(&o->queue);
}

static void io_resume(void *self, uint64_t id) {
  io *o = self;
  if (!psp_queue_resume(&o->queue, id)) return;
  help(o);
  psp_queue_leave(&o->queue);
}

/* One round of the I/O thread. @return the results to deliver */
static psp_transfer_list turn(io *o, const struct epoll_event *events, int count) {
  uint64_t ignored;
  int running;
  pthread_mutex_lock(&o->drive_lock);
  for (int i = 0; i < count; i++) {
    int fd = events[i].data.fd, what = 0;
    if (fd == o->wake || fd == o->timer) {
      if (read(fd, &ignored, sizeof ignored) > 0 && fd == o->timer) o->armed_at = NEVER;
    } else if (psp_sockets_ready(&o->sockets, fd)) {
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) what |= CURL_CSELECT_IN;
      if (events[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
      curl_multi_socket_action(o->multi, fd, what, &running);
    }
  }
  drive(o);
  psp_transfer_list finished = o->finished;
  o->finished = (psp_transfer_list){0};
  pthread_mutex_unlock(&o->drive_lock);
  return finished;
}

static void deliver(io *o, psp_transfer_list finished) {
  for (psp_transfer *t = finished.first; t != NULL; t = t->next)
    psp_transfer_finish(t, &o->logger);
  pthread_mutex_lock(&o->drive_lock);
  for (psp_transfer *t = finished.first; t != NULL; t = t->next) {
    if (t->in_multi) curl_multi_remove_handle(o->multi, t->easy);
    t->in_multi = false;
  }
  pthread_mutex_unlock(&o->drive_lock);
  for (psp_transfer *t; (t = psp_transfer_take(&finished)) != NULL;)
    psp_queue_release(&o->queue, t);
}

static void *run(void *arg) {
  io *o = arg;
  while (!psp_queue_is_over(&o->queue)) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(o->sockets.epoll, events, MAX_EVENTS, -1);
    do {
      psp_transfer_list finished = turn(o, events, count);
      if (finished.first != NULL)
        deliver(o, finished);
      else if (!psp_queue_has_work(&o->queue))
        break;
      count = 0;
    } while (true);
  }
  return NULL;
}

/* Frees what there is of a client, whose thread has ended or never began. */
static void discard(io *o) {
  psp_queue_clear(&o->queue);
  if (o->multi != NULL) curl_multi_cleanup(o->multi);
  psp_sockets_clear(&o->sockets);
  if (o->wake >= 0) close(o->wake);
  if (o->timer >= 0) close(o->timer);
  pthread_mutex_destroy(&o->drive_lock);
  free(o->ca_file);
  free(o->user_agent);
  free(o);
}

static void io_free(void *self) {
  io *o = self;
  psp_queue_close(&o->queue);
  wake(o);
  pthread_join(o->thread, NULL);
  psp_queue_await_callers(&o->queue);
  discard(o);
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;
static void start_curl(void) {
  curl_ready = curl_global_init(CURL_GLOBAL_ALL);
}

bool psp_http_begin(void) {
  pthread_once(&curl_once, start_curl);
  return curl_ready == CURLE_OK;
}

static bool watch(io *o, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return fd >= 0 && epoll_ctl(o->sockets.epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_parts(io *o) {
  if (!psp_http_begin() || !psp_sockets_init(&o->sockets)) return false;
  o->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  o->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  o->multi = curl_multi_init();
  if (!watch(o, o->wake) || !watch(o, o->timer) || o->multi == NULL) return false;
  curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
  curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o);
  curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, timer_callback);
  curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o);
  curl_multi_setopt(o->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
  curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
  /* One that hangs does not starve the others. What does not fit waits in curl, and its time runs.
   */
  long most = (long)psp_limit_files_share(PSP_FILES_CALLS, MAX_CONNECTIONS);
  long each = (long)psp_limit_files_share(PSP_FILES_ONE_HOST, PSP_FILES_ONE_HOST_MOST);
  curl_multi_setopt(o->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  curl_multi_setopt(o->multi, CURLMOPT_MAX_HOST_CONNECTIONS, each);
  return true;
}

/* A holder is done within microseconds as a rule, so spin before sleeping. */
static void init_drive_lock(io *o) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&o->drive_lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

static const psp_transport curl_transport = {io_send, io_cancel, io_resume, io_free};

psprobe_code psp_http_new(const psp_http_options *options, psp_http **http, psprobe_error *error) {
  static const psp_http_options none = {0};
  if (options == NULL) options = &none;
  io *o = calloc(1, sizeof *o);
  if (o == NULL) return psp_fail_memory(error, "HTTP client");
  o->wake = o->timer = o->sockets.epoll = -1;
  o->timeout_at = o->armed_at = NEVER;
  if (options->logger != NULL) o->logger = *options->logger;
  psp_queue_init(&o->queue, &o->defaults);
  init_drive_lock(o);
  o->ca_file = psp_strdup(options->ca_file);
  o->user_agent =
      psp_strdup(options->user_agent != NULL ? options->user_agent : "psprobe/" PSPROBE_VERSION);
  o->defaults = (psp_transfer_defaults){.ca_file = o->ca_file,
                                        .user_agent = o->user_agent,
                                        .connect_timeout_ns = options->connect_timeout_ns,
                                        .open_socket = open_socket,
                                        .close_socket = close_socket,
                                        .socket_arg = o};
  /* Before 7.87 curl's TLS wrote with plain write(2), which can raise SIGPIPE; only the I/O thread
   * has that blocked. */
  o->helped = LIBCURL_VERSION_NUM >= 0x075700;
  psp_http *made = NULL;
  bool ready = (o->ca_file != NULL || options->ca_file == NULL) && o->user_agent != NULL &&
               open_parts(o) &&
               psp_http_new_transport(&curl_transport, o, &made, NULL) == PSPROBE_OK;
  if (ready && psp_thread_start(&o->thread, "psprobe-io", run, o)) {
    *http = made;
    return PSPROBE_OK;
  }
  free(made);
  discard(o);
  return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                  "HTTP client: no memory, threads or file descriptors left");
}
