/* SPDX-License-Identifier: MIT */
#include "local/functions/keeper.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include <psprobe/timing.h>

#include "local/functions/flight.h"
#include "local/functions/instance.h"
#include "local/functions/seats.h"
#include "os/thread.h"

#define NO_MEMORY_NS 1000000000 /* until the next try */

/* With the lock held: instances that are to come, and those that are to go. */
static void scale(psp_function *function, int64_t now_ns) {
  for (int more = psp_function_wanted(function, now_ns); more > 0; more--) {
    psp_function_instance *made = psp_function_instance_new(function, function->made + 1);
    if (made == NULL) {
      function->retry_ns = now_ns + NO_MEMORY_NS;
      return;
    }
    function->made++;
    DL_APPEND(function->all, made);
  }
  for (psp_function_instance *spare; (spare = psp_function_spare(function, now_ns)) != NULL;) {
    spare->state = PSP_INSTANCE_ENDING;
    spare->why = "it was idle";
  }
}

/* With the lock held: no instance lasts. */
static void wind_up(psp_function *function) {
  for (psp_function_instance *each = function->all; each != NULL; each = each->next) {
    if (each->state != PSP_INSTANCE_ENDING) each->why = "the function host is being stopped";
    each->state = PSP_INSTANCE_ENDING;
  }
}

/* An event that is not to wait any longer; NULL: none. `*status` receives how it is refused. */
static psp_function_event *take_overdue(psp_function *function, int64_t now_ns, int *status) {
  psp_function_host *host = function->host;
  pthread_mutex_lock(&host->lock);
  psp_function_event *event =
      host->closing ? psp_function_next(function) : psp_function_overdue(function, now_ns);
  *status = host->closing ? 503 : 429;
  function->stats.refused += event != NULL && !host->closing;
  pthread_mutex_unlock(&host->lock);
  return event;
}

static void refuse_overdue(psp_function *function, int64_t now_ns) {
  char full[200];
  int status;
  snprintf(full, sizeof full, "no instance of %s is free, and there may be %d (max_instances)",
           function->name, function->max_instances);
  for (psp_function_event *event; (event = take_overdue(function, now_ns, &status)) != NULL;)
    psp_function_refuse(event, status, status == 429 ? full : "the function host is being stopped");
}

/* @return when something is due; `*left` receives whether there are instances */
static int64_t look(psp_function *function, int64_t now_ns, bool *left) {
  psp_function_host *host = function->host;
  int64_t due = INT64_MAX;
  refuse_overdue(function, now_ns);
  pthread_mutex_lock(&host->lock);
  if (host->closing)
    wind_up(function);
  else
    scale(function, now_ns);
  pthread_mutex_unlock(&host->lock);
  for (psp_function_instance *each = function->all, *next; each != NULL; each = next) {
    next = each->next;
    if (psp_function_instance_step(each, now_ns)) {
      if (each->due_ns < due) due = each->due_ns;
      continue;
    }
    pthread_mutex_lock(&host->lock);
    DL_DELETE(function->all, each);
    pthread_mutex_unlock(&host->lock);
    psp_function_instance_free(each);
    due = now_ns; /* there may be room for another */
  }
  *left |= function->all != NULL;
  pthread_mutex_lock(&host->lock);
  int64_t own = psp_function_due(function, now_ns);
  pthread_mutex_unlock(&host->lock);
  return own < due ? own : due;
}

static void wait_until(const psp_function_host *host, int64_t due_ns) {
  struct epoll_event ready[16];
  eventfd_t count;
  int64_t left = due_ns - psprobe_clock_monotonic();
  int ms = due_ns == INT64_MAX || left > 3600000000000 ? 3600000
           : left > 0                                  ? (int)((left + 999999) / 1000000)
                                                       : 0;
  epoll_wait(host->epoll, ready, sizeof ready / sizeof *ready, ms);
  eventfd_read(host->wake, &count);
}

static void *keep(void *arg) {
  psp_function_host *host = arg;
  bool closing, left;
  do {
    int64_t due = INT64_MAX, now = psprobe_clock_monotonic();
    left = false;
    pthread_mutex_lock(&host->lock);
    psp_function *functions = host->functions; /* those behind it stay as they are */
    closing = host->closing;
    pthread_mutex_unlock(&host->lock);
    for (psp_function *each = functions; each != NULL; each = each->next) {
      int64_t its = look(each, now, &left);
      if (its < due) due = its;
    }
    if (left || !closing) wait_until(host, due);
  } while (left || !closing);
  return NULL;
}

bool psp_function_keeper_start(psp_function_host *host) {
  host->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  host->epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  host->kept = host->wake >= 0 && host->epoll >= 0 &&
               epoll_ctl(host->epoll, EPOLL_CTL_ADD, host->wake, &event) == 0 &&
               psp_thread_start(&host->keeper, "psp-functions", keep, host);
  return host->kept;
}

void psp_function_keeper_stop(psp_function_host *host) {
  pthread_mutex_lock(&host->lock);
  host->closing = true;
  pthread_mutex_unlock(&host->lock);
  if (host->kept) {
    eventfd_write(host->wake, 1);
    pthread_join(host->keeper, NULL);
  }
  if (host->wake >= 0) close(host->wake);
  if (host->epoll >= 0) close(host->epoll);
}
