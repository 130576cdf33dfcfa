/* SPDX-License-Identifier: MIT */
/** @file One instance of a function: its thread, its program, its events one after the other. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include <psprobe/timing.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "local/functions/address.h"
#include "local/functions/parts.h"
#include "os/process.h"
#include "os/thread.h"

static const int64_t stop_ns = 5000000000; /* from SIGTERM to SIGKILL */

#define ADDRESSES 8        /* that a program may print and not, or not yet, listen at */
#define LISTEN_NS 20000000 /* how often we look whether it does */

/* What only the instance's own thread sees. */
typedef struct work {
  psp_function_instance *instance;
  psp_process process;
  char line[512]; /* what it printed last */
  size_t line_len;
  psp_address printed[ADDRESSES]; /* the latest */
  size_t printed_count;
  char url[PSP_ADDRESS_SIZE]; /* "" until it listens where it said */
  bool coming;                /* it counts among its function's coming ones */
} work;

/* ---- its output ---- */

/* Notes the addresses that its latest line holds so far. */
static void note_addresses(work *w) {
  const char *at = w->line;
  w->line[w->line_len] = '\0';
  for (psp_address address; w->url[0] == '\0' && psp_address_next(&at, &address);) {
    bool known = false;
    for (size_t i = 0; i < ADDRESSES && i < w->printed_count; i++)
      known |= w->printed[i].port == address.port;
    if (!known) w->printed[w->printed_count++ % ADDRESSES] = address;
  }
}

/* Follows an address at which the program itself listens. */
static bool find_url(work *w) {
  for (size_t i = 0; w->url[0] == '\0' && i < ADDRESSES && i < w->printed_count; i++)
    if (psp_address_is_of(&w->printed[i], w->process.pid))
      memcpy(w->url, w->printed[i].url, sizeof w->url);
  return w->url[0] != '\0';
}

/* Reads what the program has printed, so that it never waits for us. False: it printed its last. */
static bool read_output(work *w) {
  char block[512];
  ssize_t got;
  while ((got = read(w->process.output, block, sizeof block)) > 0) {
    for (ssize_t i = 0; i < got; i++) {
      if (block[i] != '\n' && w->line_len + 1 < sizeof w->line) w->line[w->line_len++] = block[i];
      if (block[i] != '\n') continue;
      note_addresses(w);
      w->line_len = 0;
    }
    note_addresses(w); /* nobody has to end a line */
  }
  return got < 0 && (errno == EAGAIN || errno == EINTR);
}

typedef enum woken { BY_WAKE, BY_TIME, BY_OUTPUT, BY_END } woken;

/* Waits for a wake, for something printed, for the program's end, or until `until_ns`. */
static woken wait_for(work *w, int64_t until_ns) {
  struct pollfd fds[] = {{.fd = w->instance->wake, .events = POLLIN},
                         {.fd = w->process.output, .events = POLLIN}}; /* -1 is passed by */
  int64_t left = until_ns - psprobe_clock_monotonic();
  if (left <= 0) return BY_TIME;
  int64_t ms = left / 1000000 + 1;
  int ready = poll(fds, 2, ms > 3600000 ? 3600000 : (int)ms);
  eventfd_t count;
  if (ready > 0 && fds[0].revents) {
    eventfd_read(w->instance->wake, &count);
    return BY_WAKE;
  }
  if (ready > 0 && fds[1].revents && !read_output(w)) {
    close(w->process.output); /* it would wake us for ever */
    w->process.output = -1;
    return BY_END;
  }
  return psprobe_clock_monotonic() >= until_ns ? BY_TIME : BY_OUTPUT;
}

static bool is_closing(work *w) {
  psp_function_host *host = w->instance->function->host;
  pthread_mutex_lock(&host->lock);
  bool closing = host->closing;
  pthread_mutex_unlock(&host->lock);
  return closing;
}

/* ---- its program ---- */

static void log_end(work *w, const char *event, const char *why) {
  psp_log_line line;
  const psp_function *function = w->instance->function;
  if (!psp_log_begin(&line, &function->host->logger, PSPROBE_LOG_DEBUG, event)) return;
  psp_log_text(&line, "program", function->argv[0]);
  psp_log_text(&line, "why", why);
  psp_log_int(&line, "status", w->process.status);
  psp_log_end(&line);
}

static void stop_program(work *w, const char *why) {
  if (w->process.pid == 0) return;
  psp_process_stop(&w->process, stop_ns);
  atomic_fetch_sub(&w->instance->function->host->running, 1);
  log_end(w, "instance_stopped", why);
}

/* True while the program runs; one that has ended by itself is reaped. */
static bool is_running(work *w) {
  if (w->process.pid == 0) return false;
  if (!psp_process_ended(&w->process)) return true;
  atomic_fetch_sub(&w->instance->function->host->running, 1);
  log_end(w, "instance_ended", "it ended by itself");
  return false;
}

/* After its last output: a program that dies closes it a moment before it can be reaped, one that
 * goes on has closed it for reasons of its own. */
static bool has_ended(work *w) {
  for (int ms = 0; ms < 50 && is_running(w); ms++)
    poll(NULL, 0, 1);
  return w->process.pid == 0;
}

/* Waits until it listens where it has printed that it does. */
static psprobe_code await_url(work *w, psprobe_error *error) {
  const psp_function *function = w->instance->function;
  int64_t until = psprobe_clock_monotonic() + function->start_ns;
  while (!find_url(w)) {
    int64_t soon = psprobe_clock_monotonic() + LISTEN_NS;
    woken by = wait_for(w, w->printed_count > 0 && soon < until ? soon : until);
    if (by == BY_END && (w->printed_count == 0 || has_ended(w)))
      return psp_fail(error, PSPROBE_UNAVAILABLE, "%s ended before it printed where it listens",
                      function->argv[0]);
    if (psprobe_clock_monotonic() >= until)
      return psp_fail(error, PSPROBE_UNAVAILABLE,
                      "%s did not print in time where it listens (\"http://127.0.0.1:PORT\")",
                      function->argv[0]);
    if (by == BY_WAKE && is_closing(w))
      return psp_fail(error, PSPROBE_UNAVAILABLE, "the function host is being stopped");
  }
  return PSPROBE_OK;
}

static psprobe_code start_program(work *w, psprobe_error *error) {
  psp_function_host *host = w->instance->function->host;
  w->url[0] = '\0';
  w->line_len = w->printed_count = 0;
  int64_t began = psprobe_clock_monotonic();
  psprobe_code code =
      psp_process_start(&w->process, (const char *const *)w->instance->function->argv, NULL, error);
  if (code != PSPROBE_OK) return code;
  atomic_fetch_add(&host->running, 1);
  atomic_fetch_add(&host->started, 1);
  code = await_url(w, error);
  if (code != PSPROBE_OK) stop_program(w, "it did not become ready");
  psp_log_line line;
  if (code == PSPROBE_OK &&
      psp_log_begin(&line, &host->logger, PSPROBE_LOG_DEBUG, "instance_started")) {
    psp_log_text(&line, "program", w->instance->function->argv[0]);
    psp_log_text(&line, "url", w->url);
    psp_log_int(&line, "took_ns", psprobe_clock_monotonic() - began);
    psp_log_end(&line);
  }
  return code;
}

/* ---- an event ---- */

/* Waits for the answer, which comes soon, as an error, when the program dies; gives up when the
 * host ends. */
static void await_answer(work *w, psp_function_flight *flight) {
  while (!psp_function_flight_done(flight))
    if (wait_for(w, INT64_MAX) == BY_WAKE && is_closing(w)) psp_function_flight_cancel(flight);
}

static void coming(psp_function *function, int change) {
  pthread_mutex_lock(&function->host->lock);
  function->coming += change;
  pthread_mutex_unlock(&function->host->lock);
}

/* Hands an event to the running program and its answer back. */
static void serve(work *w, psp_function_event *event) {
  psprobe_error error = {0};
  psp_function_flight *flight = psp_function_flight_new(w->instance->function, w->url,
                                                        event->exchange, w->instance->wake, &error);
  if (flight == NULL) {
    psp_function_fail(event, error.message);
    return;
  }
  await_answer(w, flight);
  if (psp_function_flight_answered(flight)) {
    coming(w->instance->function, 1); /* who has the answer may send the next event at once */
    w->coming = true;
    psp_function_flight_reply(flight, event->exchange);
    free(event);
  } else {
    psp_function_fail(event, "the instance gave no answer");
    stop_program(w, "it gave no answer"); /* whatever state it is in */
  }
  psp_function_flight_release(flight);
}

/* ---- its life ---- */

/* Leaves those that take events. With the lock held, in the same breath as the look that found
 * none: what comes later finds another instance, or makes one. */
static void retire(psp_function_instance *instance) {
  psp_function_not_idle(instance);
  instance->function->instances--;
}

/* The next event; waits for it while the instance may stay idle. NULL: it has retired. */
static psp_function_event *next_event(work *w) {
  psp_function_instance *instance = w->instance;
  psp_function *function = instance->function;
  psp_function_host *host = function->host;
  int64_t until = psprobe_clock_monotonic() + function->idle_ns;
  psp_function_event *event;
  bool over = false;
  pthread_mutex_lock(&host->lock);
  function->coming -= w->coming;
  w->coming = false;
  while ((event = psp_function_next(function)) == NULL && !over && !host->closing) {
    if (!instance->idle) {
      instance->idle = true;
      instance->next_idle = function->idle;
      function->idle = instance;
    }
    pthread_mutex_unlock(&host->lock);
    woken by = wait_for(w, until);
    over = by == BY_TIME || (by == BY_END && has_ended(w));
    pthread_mutex_lock(&host->lock);
  }
  if (event != NULL)
    psp_function_not_idle(instance);
  else
    retire(instance);
  pthread_mutex_unlock(&host->lock);
  return event;
}

/* The program does not start: one event pays for it. NULL: none waits, and the instance has
 * retired. */
static psp_function_event *next_to_fail(work *w) {
  psp_function *function = w->instance->function;
  pthread_mutex_lock(&function->host->lock);
  function->coming -= w->coming;
  w->coming = false;
  psp_function_event *event = psp_function_next(function);
  if (event == NULL) retire(w->instance);
  pthread_mutex_unlock(&function->host->lock);
  return event;
}

static psprobe_code start_or_log(work *w, psprobe_error *error) {
  psp_log_line line;
  const psprobe_logger *logger = &w->instance->function->host->logger;
  psprobe_code code = start_program(w, error);
  if (code != PSPROBE_OK &&
      psp_log_begin(&line, logger, PSPROBE_LOG_WARNING, "instance_not_started")) {
    psp_log_error(&line, error);
    psp_log_end(&line);
  }
  return code;
}

static void live(work *w) {
  psprobe_error error = {0};
  psprobe_code code = start_or_log(w, &error);
  psp_function_event *event;
  while ((event = code != PSPROBE_OK ? next_to_fail(w) : next_event(w)) != NULL) {
    bool failed = code != PSPROBE_OK;
    if (failed) psp_function_fail(event, error.message);
    if (failed || !is_running(w)) code = start_or_log(w, &error);
    if (!failed && code != PSPROBE_OK)
      psp_function_fail(event, error.message);
    else if (!failed)
      serve(w, event);
  }
}

static void *run(void *arg) {
  psp_function_instance *instance = arg;
  psp_function_host *host = instance->function->host;
  work w = {.instance = instance, .process = {.output = -1}, .coming = true};
  live(&w);
  stop_program(&w, "it was idle");
  pthread_mutex_lock(&host->lock);
  DL_DELETE(instance->function->all, instance);
  close(instance->wake);
  instance->function->threads--;
  free(instance);
  pthread_cond_broadcast(&host->ended_one);
  pthread_mutex_unlock(&host->lock);
  return NULL;
}

bool psp_function_instance_begin(psp_function *function) {
  psp_function_instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return false;
  instance->function = function;
  instance->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_t thread;
  bool ok = instance->wake >= 0 && psp_thread_start(&thread, "psp-function", run, instance);
  if (ok) pthread_detach(thread);
  if (ok) {
    function->threads++;
    DL_APPEND(function->all, instance);
    return true;
  }
  if (instance->wake >= 0) close(instance->wake);
  free(instance);
  return false;
}
