/* SPDX-License-Identifier: MIT */
#include "auth/verify/checker.h"

#include "os/thread.h"
#include "os/wait.h"

/* With the lock, which is open meanwhile. */
static void rest(psp_checker *c) {
  int64_t until_ns = psprobe_clock_monotonic() + PSP_CHECKER_REST_NS;
  while (!c->stopping && psp_cond_wait_until(&c->changed, &c->lock, until_ns)) {
  }
}

static void *run(void *arg) {
  psp_checker *c = arg;
  pthread_mutex_lock(&c->lock);
  for (;;) {
    psp_visitor *visitor = psp_visitor_line_take(&c->line);
    if (visitor == NULL && c->stopping) break;
    if (visitor == NULL) {
      pthread_cond_wait(&c->changed, &c->lock);
      continue;
    }
    pthread_mutex_unlock(&c->lock);
    bool good = c->look(c->arg, &visitor->visit);
    psp_visitor_free(visitor);
    pthread_mutex_lock(&c->lock);
    if (!good) rest(c);
  }
  pthread_mutex_unlock(&c->lock);
  return NULL;
}

bool psp_checker_start(psp_checker *c, psp_checker_look *look, void *arg) {
  c->look = look;
  c->arg = arg;
  pthread_mutex_init(&c->lock, NULL);
  psp_cond_init(&c->changed);
  c->started = psp_thread_start(&c->thread, "psprobe-tokens", run, c);
  return c->started;
}

bool psp_checker_add(psp_checker *c, const psp_visit *visit) {
  psp_visitor *visitor = psp_visitor_new(visit);
  if (visitor == NULL) return false;
  pthread_mutex_lock(&c->lock);
  bool taken = c->started && !c->stopping && psp_visitor_line_put(&c->line, visitor);
  if (taken) pthread_cond_signal(&c->changed);
  pthread_mutex_unlock(&c->lock);
  if (!taken) psp_visitor_free(visitor);
  return taken;
}

void psp_checker_stop(psp_checker *c) {
  if (!c->started) return;
  pthread_mutex_lock(&c->lock);
  bool first = !c->stopping;
  c->stopping = true;
  pthread_cond_signal(&c->changed);
  pthread_mutex_unlock(&c->lock);
  if (first) pthread_join(c->thread, NULL);
}

void psp_checker_clear(psp_checker *c) {
  pthread_cond_destroy(&c->changed);
  pthread_mutex_destroy(&c->lock);
}
