/* SPDX-License-Identifier: MIT */
/** @file What a feed brings, and what its failure comes to, whichever way it is. */
#include "os/clock.h"
#include "os/random.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

#define LOG_AGAIN_NS (60 * PSP_SECOND_NS)
#define REST_MAX_NS  (60 * PSP_SECOND_NS)

/* Any failure may pass: a broker comes back, a subscription is created, a right is granted. */
static const psp_retry_policy rest = {.codes = UINT32_MAX,
                                      .initial_ns = PSP_SECOND_NS / 10,
                                      .max_ns = 10 * PSP_SECOND_NS,
                                      .factor = 2};

static int64_t rest_ns(unsigned failures, const psprobe_error *error, int64_t now) {
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  int64_t wait = psp_retry_delay(&rest, error, failures, now, INT64_MAX, random);
  /* A Retry-After of hours is not obeyed: nobody would know that we still wait. */
  return wait >= 0 && wait < REST_MAX_NS ? wait : REST_MAX_NS;
}

void psp_feed_rest(psp_feed *feed, unsigned failures, const psprobe_error *error, int64_t now) {
  feed->state = PSP_FEED_RESTING;
  feed->resume_ns = now + rest_ns(failures, error, now);
}

/* Said once, when the failure is another one, and each minute. */
static void note_failure(psprobe_subscriber *s, const psprobe_error *error, int64_t now,
                         psp_note *note) {
  if (s->pull_failures > 1 && error->code == s->pull_code && now - s->pull_logged_ns < LOG_AGAIN_NS)
    return;
  s->pull_code = error->code;
  s->pull_logged_ns = now;
  *note = (psp_note){.level = PSPROBE_LOG_WARNING,
                     .event = "pull_failed",
                     .count_name = "in_a_row",
                     .count = s->pull_failures,
                     .error = *error};
}

void psp_feed_failed(psp_feed *feed, const psprobe_error *error, int64_t now, psp_sequel *next) {
  psprobe_subscriber *s = feed->subscriber;
  s->pull_failures++;
  note_failure(s, error, now, &next->note);
  psp_feed_rest(feed, s->pull_failures, error, now);
  if (error->code != PSPROBE_NOT_FOUND) return;
  s->own_known = s->own_asked = false;
  if (s->create_body.len > 0 && !s->creating) s->creating = next->create = true;
}

void psp_feed_recovered(psp_feed *feed, psp_sequel *next) {
  psprobe_subscriber *s = feed->subscriber;
  if (s->pull_failures > 0)
    next->note =
        (psp_note){PSPROBE_LOG_INFO, "pull_recovered", .meaning = "the subscription answers again",
                   .count_name = "failures", .count = s->pull_failures};
  s->pull_failures = 0;
  if (!s->own_known && !s->own_asked) s->own_asked = next->look = true;
}

size_t psp_feed_bring(psp_feed *feed, psp_delivery *delivery, int64_t now) {
  psprobe_subscriber *s = feed->subscriber;
  size_t count = delivery->left;
  psp_leases_add(&s->leases, delivery, now);
  s->look_at_ns = now + s->look_ns;
  if (s->at_once) psp_subscriber_dispatch(s);
  return count;
}

void psp_feed_refuse(psprobe_subscriber *s, int64_t now) {
  psp_leases_refuse_waiting(&s->leases, now);
  if (s->state == PSP_STOPPED) psp_subscriber_tell(s, true);
}

void psp_feed_end(psp_feed *feed, int64_t now) {
  feed->state = PSP_FEED_ENDED;
  psp_feed_refuse(feed->subscriber, now);
}

static void wake_workers(psprobe_subscriber *s, size_t count, unsigned idle) {
  for (; count > 0 && idle > 0; count--, idle--)
    pthread_cond_signal(&s->work);
}

void psp_feed_unlock_follow(psp_feed *feed, size_t came, const psp_sequel *next) {
  psprobe_subscriber *s = feed->subscriber;
  unsigned idle = s->idle;
  bool hurry = s->state != PSP_STOPPED && psp_subscriber_hurry(s);
  pthread_mutex_unlock(&s->lock); /* so that who wakes up finds it free */
  wake_workers(s, came, idle);
  if (next->again) psp_feed_start(feed);
  if (hurry) pthread_cond_signal(&s->wake);
  if (next->look) psp_subscriber_look(s);
  if (next->create) psp_subscriber_create(s);
  psp_subscriber_log(s, &next->note);
}
