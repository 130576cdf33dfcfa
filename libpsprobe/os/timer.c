/* SPDX-License-Identifier: MIT */
#include "os/timer.h"

#include <stdlib.h>

#include "os/thread.h"
#include "os/wait.h"

/* A pairing heap: arming is O(1), firing and disarming O(log n) amortised, and no memory is
 * needed beyond the timers, so that a call in trouble cannot fail for want of it. Siblings hang
 * on a list; `prev` is the previous sibling, or the parent for the first child. */
struct psp_timers {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  psp_timer *root;
  bool started, closed;
};

static psp_timer *meld(psp_timer *a, psp_timer *b) {
  if (a == NULL) return b;
  if (b == NULL) return a;
  if (b->due_ns < a->due_ns) {
    psp_timer *swap = a;
    a = b;
    b = swap;
  }
  b->prev = a;
  b->next = a->child;
  if (a->child != NULL) a->child->prev = b;
  a->child = b;
  return a;
}

/* Melds the children of one that leaves: in pairs from the left, then all from the right. */
static psp_timer *meld_children(psp_timer *first) {
  psp_timer *pairs = NULL;
  while (first != NULL) {
    psp_timer *second = first->next;
    psp_timer *rest = second != NULL ? second->next : NULL;
    first->next = first->prev = NULL;
    if (second != NULL) second->next = second->prev = NULL;
    psp_timer *pair = meld(first, second);
    pair->next = pairs;
    pairs = pair;
    first = rest;
  }
  psp_timer *root = NULL;
  while (pairs != NULL) {
    psp_timer *rest = pairs->next;
    pairs->next = NULL;
    root = meld(root, pairs);
    pairs = rest;
  }
  return root;
}

static void take_out(psp_timers *timers, psp_timer *timer) {
  psp_timer *children = meld_children(timer->child);
  if (timer == timers->root) {
    timers->root = children;
  } else {
    if (timer->prev->child == timer)
      timer->prev->child = timer->next;
    else
      timer->prev->next = timer->next;
    if (timer->next != NULL) timer->next->prev = timer->prev;
    timers->root = meld(timers->root, children);
  }
  timer->child = timer->next = timer->prev = NULL;
  timer->armed = false;
}

static void put_in(psp_timers *timers, psp_timer *timer, int64_t due_ns) {
  timer->due_ns = due_ns;
  timer->child = timer->next = timer->prev = NULL;
  timer->armed = true;
  timers->root = meld(timers->root, timer);
  if (timers->root == timer) pthread_cond_signal(&timers->changed);
}

static void *run(void *arg) {
  psp_timers *timers = arg;
  pthread_mutex_lock(&timers->lock);
  for (;;) {
    psp_timer *first = timers->root;
    if (first == NULL) {
      if (timers->closed) break;
      pthread_cond_wait(&timers->changed, &timers->lock);
    } else if (timers->closed || first->due_ns <= psprobe_clock_monotonic()) {
      take_out(timers, first);
      pthread_mutex_unlock(&timers->lock);
      first->fire(first);
      pthread_mutex_lock(&timers->lock);
    } else {
      psp_cond_wait_until(&timers->changed, &timers->lock, first->due_ns);
    }
  }
  pthread_mutex_unlock(&timers->lock);
  return NULL;
}

psp_timers *psp_timers_new(void) {
  psp_timers *timers = calloc(1, sizeof *timers);
  if (timers == NULL) return NULL;
  psp_cond_init(&timers->changed);
  pthread_mutex_init(&timers->lock, NULL);
  return timers;
}

bool psp_timers_arm(psp_timers *timers, psp_timer *timer, int64_t due_ns) {
  pthread_mutex_lock(&timers->lock);
  if (!timers->closed && !timers->started)
    timers->started = psp_thread_start(&timers->thread, "psprobe-timer", run, timers);
  bool armed = !timers->closed && timers->started;
  if (armed) put_in(timers, timer, due_ns);
  pthread_mutex_unlock(&timers->lock);
  return armed;
}

bool psp_timers_disarm(psp_timers *timers, psp_timer *timer) {
  pthread_mutex_lock(&timers->lock);
  bool armed = timer->armed;
  if (armed) take_out(timers, timer);
  pthread_mutex_unlock(&timers->lock);
  return armed;
}

void psp_timers_hasten(psp_timers *timers, psp_timer *timer) {
  pthread_mutex_lock(&timers->lock);
  if (timer->armed) {
    take_out(timers, timer);
    put_in(timers, timer, INT64_MIN);
  }
  pthread_mutex_unlock(&timers->lock);
}

void psp_timers_close(psp_timers *timers) {
  pthread_mutex_lock(&timers->lock);
  bool join = timers->started && !timers->closed;
  timers->closed = true;
  pthread_cond_signal(&timers->changed);
  pthread_mutex_unlock(&timers->lock);
  if (join) pthread_join(timers->thread, NULL);
}

void psp_timers_free(psp_timers *timers) {
  if (timers == NULL) return;
  psp_timers_close(timers);
  pthread_cond_destroy(&timers->changed);
  pthread_mutex_destroy(&timers->lock);
  free(timers);
}
