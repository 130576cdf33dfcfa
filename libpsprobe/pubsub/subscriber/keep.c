/* SPDX-License-Identifier: MIT */
/** @file The keeper: what is due is told, leases are extended, feeds go on. */
#include "os/clock.h"
#include "os/wait.h"
#include "pubsub/subscriber/parts.h"

static void resume(psprobe_subscriber *s) {
  for (psp_feed *feed; (feed = psp_subscriber_resume(s, psprobe_clock_monotonic())) != NULL;) {
    pthread_mutex_unlock(&s->lock);
    psp_feed_start(feed);
    pthread_mutex_lock(&s->lock);
  }
}

/* A subscription that brings nothing may be none that can. */
static void look(psprobe_subscriber *s) {
  if (s->state != PSP_RUNNING || s->own_asked || s->look_at_ns > psprobe_clock_monotonic()) return;
  s->own_asked = true;
  pthread_mutex_unlock(&s->lock);
  psp_subscriber_look(s);
  pthread_mutex_lock(&s->lock);
}

void *psp_subscriber_keep(void *subscriber) {
  psprobe_subscriber *s = subscriber;
  pthread_mutex_lock(&s->lock);
  while (s->state != PSP_STOPPED) {
    s->kept_until = 0; /* whatever happens while the lock is away is looked at before sleeping */
    resume(s);
    look(s);
    if (s->way->keep != NULL) s->way->keep(s);
    psp_subscriber_tell(s, s->state == PSP_STOPPING);
    while (psp_subscriber_extend(s))
      continue;
    s->kept_until = psp_subscriber_due_ns(s);
    /* What is due and was not done, for want of memory, waits a little. */
    int64_t soonest = psprobe_clock_monotonic() + PSP_MS_NS;
    if (s->kept_until < soonest) s->kept_until = soonest;
    if (s->state == PSP_STOPPED) break;
    psp_cond_wait_until(&s->wake, &s->lock, s->kept_until);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}
