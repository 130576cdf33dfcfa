/* SPDX-License-Identifier: MIT */
/**
 * @file Signals, taken by a thread with sigtimedwait, so that what they set off may do anything
 * and no handler needs a global.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/parts.h"
#include "os/thread.h"
#include "os/wait.h"

/* The signal that tells the thread to end; not one that people send. */
#define SIGNAL_END SIGUSR2
/* A person who presses Ctrl-C this often wants out, whatever is unfinished. */
#define SIGNAL_LAST 3

struct psprobe_signals {
  pthread_t thread;
  sigset_t taken;
  pthread_mutex_t lock;
  pthread_cond_t came;
  int count;
  int64_t first_ns; /* when the first came, CLOCK_MONOTONIC; 0: none has */
  bool end;
  psprobe_on_signal *fn;
  void *arg;
};

/* A hang-up that is ignored stays so: that is what nohup is for. An ignored SIGINT is taken, since
 * a script's background programs are born with it and people send it to them. */
static void take(sigset_t *set) {
  struct sigaction hangup;
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
  if (sigaction(SIGHUP, NULL, &hangup) != 0 || hangup.sa_handler != SIG_IGN) sigaddset(set, SIGHUP);
  sigaddset(set, SIGNAL_END);
}

static void *run(void *arg) {
  psprobe_signals *signals = arg;
  for (;;) {
    int number = sigwaitinfo(&signals->taken, NULL);
    if (number < 0) continue; /* EINTR: a debugger, a stop and a continue */
    pthread_mutex_lock(&signals->lock);
    bool end = signals->end;
    if (!end && number != SIGNAL_END) {
      if (signals->count++ == 0) signals->first_ns = psprobe_clock_monotonic();
      if (signals->count >= SIGNAL_LAST) _exit(128 + number);
      if (signals->fn != NULL) signals->fn(signals->arg, signals->count);
      pthread_cond_broadcast(&signals->came);
    }
    pthread_mutex_unlock(&signals->lock);
    if (end) return NULL;
  }
}

static void discard(psprobe_signals *signals) {
  pthread_cond_destroy(&signals->came);
  pthread_mutex_destroy(&signals->lock);
  free(signals);
}

psprobe_code psprobe_signals_new(psprobe_signals **signals, psprobe_error *error) {
  psprobe_signals *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "take signals");
  pthread_mutex_init(&made->lock, NULL);
  psp_cond_init(&made->came);
  take(&made->taken);
  pthread_sigmask(SIG_BLOCK, &made->taken, NULL);
  /* A reader of our output that goes away is an error of write(2), not the end of the program. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); /* and a limit of a file's size is a full disk */
  if (!psp_thread_start(&made->thread, "psp-signals", run, made)) {
    discard(made);
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "take signals: no thread could be started");
  }
  *signals = made;
  return PSPROBE_OK;
}

void psprobe_signals_to(psprobe_signals *signals, psprobe_on_signal *fn, void *arg) {
  pthread_mutex_lock(&signals->lock);
  signals->fn = fn;
  signals->arg = arg;
  if (fn != NULL && signals->count > 0) fn(arg, signals->count);
  pthread_mutex_unlock(&signals->lock);
}

int psprobe_signals_count(psprobe_signals *signals) {
  pthread_mutex_lock(&signals->lock);
  int count = signals->count;
  pthread_mutex_unlock(&signals->lock);
  return count;
}

int64_t psp_signals_first(psprobe_signals *signals) {
  pthread_mutex_lock(&signals->lock);
  int64_t first_ns = signals->first_ns;
  pthread_mutex_unlock(&signals->lock);
  return first_ns;
}

bool psprobe_signals_wait(psprobe_signals *signals, int64_t timeout_ns) {
  int64_t until_ns = timeout_ns < 0 ? INT64_MAX : psprobe_clock_monotonic() + timeout_ns;
  pthread_mutex_lock(&signals->lock);
  while (signals->count == 0 && psp_cond_wait_until(&signals->came, &signals->lock, until_ns)) {
  }
  bool came = signals->count > 0;
  pthread_mutex_unlock(&signals->lock);
  return came;
}

void psprobe_signals_free(psprobe_signals *signals) {
  if (signals == NULL) return;
  pthread_mutex_lock(&signals->lock);
  signals->end = true;
  pthread_mutex_unlock(&signals->lock);
  pthread_kill(signals->thread, SIGNAL_END);
  pthread_join(signals->thread, NULL);
  discard(signals);
}
