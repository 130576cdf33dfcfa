/* SPDX-License-Identifier: MIT */
#include "pubsub/subscriber/parts.h"

#include <stdlib.h>

#include "base/log.h"
#include "os/clock.h"

void psp_subscriber_ref(psprobe_subscriber *s) {
  s->refs++;
}

static void destroy(psprobe_subscriber *s) {
  psp_leases_drop(&s->leases);
  psp_target_free(&s->get);
  psp_target_free(&s->pull);
  psp_target_free(&s->acknowledge);
  psp_target_free(&s->modify);
  psp_buf_free(&s->pull_body);
  psp_buf_free(&s->create_body);
  psp_buf_free(&s->full_name);
  psp_buf_free(&s->params);
  psp_buf_free(&s->opening);
  pthread_cond_destroy(&s->work);
  pthread_cond_destroy(&s->wake);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s->subscription);
  free(s->topic);
  free(s->workers);
  free(s->feeds);
  free(s);
}

void psp_subscriber_unlock_unref(psprobe_subscriber *s) {
  bool last = --s->refs == 0;
  pthread_mutex_unlock(&s->lock);
  if (last) destroy(s);
}

void psp_subscriber_log(const psprobe_subscriber *s, const psp_note *note) {
  psp_log_line line;
  if (note->event == NULL || !psp_log_begin(&line, &s->logger, note->level, note->event)) return;
  psp_log_text(&line, "subscription", s->subscription);
  if (note->count_name != NULL) psp_log_int(&line, note->count_name, (int64_t)note->count);
  psp_log_text(&line, "meaning", note->meaning);
  if (note->error.code != PSPROBE_OK) psp_log_error(&line, &note->error);
  psp_log_end(&line);
}

void psp_subscriber_call(psprobe_subscriber *s, const psp_call *call, psp_http_done *done) {
  psprobe_error error = {0};
  pthread_mutex_lock(&s->lock);
  psp_subscriber_ref(s);
  pthread_mutex_unlock(&s->lock);
  if (psp_call_start(s->client, call, done, s, NULL, &error) != PSPROBE_OK) done(s, NULL, &error);
}

/* ---- feeds ---- */

static void begin(psprobe_subscriber *s, psp_feed *feed) {
  feed->state = PSP_FEED_OPEN;
  psp_subscriber_ref(s);
}

/* Enough for now: what waits longer here could be worked on elsewhere. */
static bool has_enough(const psprobe_subscriber *s) {
  const psp_leases *l = &s->leases;
  return l->waiting.count >= s->waiting_most || psp_leases_in_hand(l) >= s->in_hand_most ||
         l->bytes >= s->bytes_most;
}

void psp_feed_start(psp_feed *feed) {
  psprobe_subscriber *s = feed->subscriber;
  pthread_mutex_lock(&s->lock);
  const psp_way *way = s->way;
  pthread_mutex_unlock(&s->lock);
  way->start(feed);
}

bool psp_feed_park(psp_feed *feed) {
  psprobe_subscriber *s = feed->subscriber;
  if (!has_enough(s)) return false;
  feed->state = PSP_FEED_PARKED;
  s->parked++;
  return true;
}

bool psp_feed_go_on(psp_feed *feed) {
  if (psp_feed_park(feed)) return false;
  begin(feed->subscriber, feed);
  return true;
}

psp_feed *psp_subscriber_unpark(psprobe_subscriber *s) {
  if (s->parked == 0 || s->state != PSP_RUNNING || has_enough(s)) return NULL;
  for (size_t i = 0; i < s->feed_count; i++)
    if (s->feeds[i].state == PSP_FEED_PARKED) {
      s->parked--;
      begin(s, &s->feeds[i]);
      return &s->feeds[i];
    }
  return NULL;
}

psp_feed *psp_subscriber_resume(psprobe_subscriber *s, int64_t now) {
  if (s->state != PSP_RUNNING) return NULL;
  for (size_t i = 0; i < s->feed_count; i++)
    if (s->feeds[i].state == PSP_FEED_RESTING && s->feeds[i].resume_ns <= now) {
      begin(s, &s->feeds[i]);
      return &s->feeds[i];
    }
  return NULL;
}

/* How many times max_messages may be left for later. */
#define LATER_MAX 10

void psp_subscriber_go_unary(psprobe_subscriber *s, const psp_way *unary) {
  s->way = unary;
  s->waiting_most = (size_t)s->max_messages;
  s->in_hand_most = (size_t)s->max_messages * LATER_MAX + s->worker_most;
  s->feed_count = s->unary_count;
  s->leases.adaptive = false;
  psp_leases_set_own(&s->leases, s->own_s > 0 ? s->own_s : PSP_DEADLINE_S, s->deadline_s,
                     psprobe_clock_monotonic());
}

/* ---- the keeper is woken ---- */

static int64_t resume_ns(const psprobe_subscriber *s) {
  int64_t due = PSP_NEVER;
  if (s->state != PSP_RUNNING) return due;
  for (size_t i = 0; i < s->feed_count; i++)
    if (s->feeds[i].state == PSP_FEED_RESTING && s->feeds[i].resume_ns < due)
      due = s->feeds[i].resume_ns;
  return due;
}

int64_t psp_subscriber_due_ns(const psprobe_subscriber *s) {
  int64_t due = s->telling < PSP_TELLING_MAX ? psp_leases_due(&s->leases) : PSP_NEVER;
  int64_t resume = resume_ns(s);
  const int64_t keep = s->way->due != NULL ? s->way->due(s) : PSP_NEVER;
  if (keep < due) due = keep;
  if (s->state == PSP_RUNNING && !s->own_asked && s->look_at_ns < due) due = s->look_at_ns;
  return resume < due ? resume : due;
}

bool psp_subscriber_hurry(const psprobe_subscriber *s) {
  return psp_subscriber_due_ns(s) < s->kept_until;
}

/* ---- messages ---- */

void psp_subscriber_settle(psprobe_subscriber *s, psp_lease *lease, psprobe_settlement verdict) {
  const size_t waiting = s->leases.waiting.count;
  if (lease->back && s->settled != NULL) {
    pthread_mutex_unlock(&s->lock);
    s->settled(s->arg, &lease->message, PSPROBE_CANCELLED);
    pthread_mutex_lock(&s->lock);
  }
  psp_leases_verdict(&s->leases, lease, verdict != PSPROBE_SETTLE_ACK, psprobe_clock_monotonic());
  if (s->leases.waiting.count > waiting) psp_subscriber_dispatch(s); /* the next of its key */
  if (s->state != PSP_RUNNING) pthread_cond_broadcast(&s->changed);
  if (psp_subscriber_hurry(s)) pthread_cond_signal(&s->wake);
}

void psp_subscriber_receive(psprobe_subscriber *s, psp_lease *lease) {
  pthread_mutex_unlock(&s->lock);
  psprobe_settlement verdict = s->receive(s->arg, &lease->message);
  pthread_mutex_lock(&s->lock);
  /* If it is left for later, another thread may have settled it already, and the lease be gone. */
  if (verdict != PSPROBE_SETTLE_LATER) psp_subscriber_settle(s, lease, verdict);
}

/* With the lock: the callbacks, here and now. */
static void receive_all(psprobe_subscriber *s) {
  psp_lease_list gone = {0};
  s->receiving++;
  for (psp_lease *lease;
       s->state == PSP_RUNNING &&
       (lease = psp_leases_next(&s->leases, psprobe_clock_monotonic(), &gone)) != NULL;) {
    s->receiver = pthread_self();
    psp_subscriber_receive(s, lease);
  }
  s->receiving--;
  psp_leases_free(&s->leases, &gone);
  if (s->state != PSP_RUNNING) pthread_cond_broadcast(&s->changed);
}

void psp_subscriber_dispatch(psprobe_subscriber *s) {
  if (s->leases.waiting.count == 0) return;
  if (!s->at_once)
    pthread_cond_broadcast(&s->work);
  else if (s->receiving == 0) /* else who receives comes by */
    receive_all(s);
}
