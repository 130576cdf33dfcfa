/* SPDX-License-Identifier: MIT */
/** @file The way of REST: long polls, asked for again and again; acks and leases by a call each. */
#include <stdlib.h>

#include "base/error.h"
#include "os/clock.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

/* An answer without messages that took less was not a long poll. */
#define QUICK_NS   PSP_SECOND_NS
#define QUICK_FREE 3

/* ---- pulling ---- */

/* The end of a long poll that found nothing, in words of a gateway on the way. */
static bool is_empty_answer(const psprobe_error *error) {
  return error->http_status == 504 || error->http_status == 499;
}

/* With the lock. */
static void after_failure(psp_feed *feed, const psprobe_error *error, int64_t now,
                          psp_sequel *next) {
  psprobe_subscriber *s = feed->subscriber;
  s->pull_errors++;
  if (error->code != PSPROBE_DEADLINE_EXCEEDED) {
    psp_feed_failed(feed, error, now, next);
    return;
  }
  s->silent++;
  next->note = (psp_note){PSPROBE_LOG_WARNING, "pull_silent",
                          .meaning =
                              "no answer in 100 s, not even an empty one: the connection is "
                              "dead, taking another"};
  feed->state = PSP_FEED_RESTING;
  feed->resume_ns = now;
}

/* With the lock. */
static void after_answer(psp_feed *feed, size_t count, int64_t now, psp_sequel *next) {
  psprobe_subscriber *s = feed->subscriber;
  psp_feed_recovered(feed, next);
  bool quick = count == 0 && now - feed->asked_ns < QUICK_NS;
  feed->quick = quick ? feed->quick + 1 : 0;
  if (feed->quick > QUICK_FREE) {
    if (!s->push_told)
      next->note = (psp_note){PSPROBE_LOG_WARNING, "pull_not_waiting",
                              .meaning =
                                  "pulls are answered at once with nothing: is it a push "
                                  "subscription?"};
    s->push_told = true;
    static const psprobe_error not_now = {.code = PSPROBE_UNAVAILABLE};
    psp_feed_rest(feed, feed->quick - QUICK_FREE, &not_now, now);
    return;
  }
  if (count > 0) s->push_told = false;
  next->again = psp_feed_go_on(feed);
}

/* Ends one pull and settles what comes next. Takes the delivery; it or `error` is NULL, or both for
 * an answer without messages. */
static void settle(psp_feed *feed, psp_delivery *delivery, const psprobe_error *error) {
  psprobe_subscriber *s = feed->subscriber;
  int64_t now = psprobe_clock_monotonic();
  psp_sequel next = {.again = false};
  pthread_mutex_lock(&s->lock);
  size_t count = delivery != NULL ? psp_feed_bring(feed, delivery, now) : 0;
  if (s->state != PSP_RUNNING)
    psp_feed_end(feed, now);
  else if (error != NULL && !is_empty_answer(error))
    after_failure(feed, error, now, &next);
  else
    after_answer(feed, count, now, &next);
  psp_feed_unlock_follow(feed, count, &next);
  pthread_mutex_lock(&s->lock);
  psp_subscriber_unlock_unref(s);
}

static void on_pulled(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psprobe_batch *batch = NULL;
  psp_delivery *delivery = NULL;
  psprobe_error failure = {0};
  if (response != NULL &&
      psp_pull_decode(response->body, response->body_len, &batch, &failure) != PSPROBE_OK) {
    error = &failure;
  } else if (batch != NULL && psprobe_batch_count(batch) > 0) {
    delivery = psp_delivery_new(batch);
    if (delivery == NULL) {
      psp_fail_memory(&failure, "received messages");
      error = &failure;
    }
  } else {
    psprobe_batch_free(batch);
  }
  settle(arg, delivery, error);
}

static void start(psp_feed *feed) {
  psprobe_subscriber *s = feed->subscriber;
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "POST",
                   .path = s->pull.path.data,
                   .body = s->pull_body.data,
                   .body_len = s->pull_body.len,
                   .attempt_ns = PSP_PULL_NS,
                   .total_ns = PSP_PULL_NS,
                   .what = s->pull.what};
  psprobe_error error = {0};
  feed->asked_ns = psprobe_clock_monotonic();
  if (psp_call_start(s->client, &call, on_pulled, feed, NULL, &error) != PSPROBE_OK)
    settle(feed, NULL, &error);
}

/* ---- telling ---- */

typedef struct told {
  psp_told *done;
  void *arg;
} told;

static void on_told(void *arg, const psp_http_response *response, const psprobe_error *error) {
  told *t = arg;
  (void)response;
  t->done(t->arg, error, NULL);
  free(t);
}

/* Takes what `body` holds. */
static psprobe_code call(psprobe_subscriber *s, const psp_target *target, psp_buf *body,
                         const psp_tidings *tidings, psprobe_error *error) {
  told *t = malloc(sizeof *t);
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "POST",
                   .path = target->path.data,
                   .body = body->data,
                   .body_len = body->len,
                   .attempt_ns = tidings->timeout_ns,
                   .total_ns = tidings->timeout_ns,
                   .what = target->what};
  psprobe_code code = PSPROBE_RESOURCE_EXHAUSTED;
  if (t == NULL || body->failed) {
    psp_fail_memory(error, call.what);
  } else {
    *t = (told){tidings->done, tidings->arg};
    code = psp_call_start(s->client, &call, on_told, t, NULL, error);
  }
  if (code != PSPROBE_OK) free(t);
  psp_buf_free(body);
  return code;
}

static psprobe_code extend(psprobe_subscriber *s, const psp_tidings *tidings, int seconds,
                           psprobe_error *error) {
  psp_buf body = {0};
  psp_modify_encode(&body, tidings->ack_ids, tidings->count, seconds);
  return call(s, &s->modify, &body, tidings, error);
}

static psprobe_code tell(psprobe_subscriber *s, const psp_tidings *tidings, bool nack,
                         psprobe_error *error) {
  psp_buf body = {0};
  if (nack) return extend(s, tidings, 0, error);
  psp_acknowledge_encode(&body, tidings->ack_ids, tidings->count);
  return call(s, &s->acknowledge, &body, tidings, error);
}

const psp_way psp_way_unary = {.own_lease = true, .start = start, .tell = tell, .extend = extend};
