/* SPDX-License-Identifier: MIT */
/** @file The pulls: asked for, answered, rested after a failure, asked for again. */
#include "base/error.h"
#include "os/clock.h"
#include "os/random.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

/* Above the 89 s after which the emulator answers a pull that found nothing. One that takes longer
 * hangs on a dead connection; the next pull gets a new one. */
/* An answer without messages that took less was not a long poll. */
#define QUICK_NS     PSP_SECOND_NS
#define QUICK_FREE   3
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

/* The end of a long poll that found nothing, in words of a gateway on the way. */
static bool is_empty_answer(const psprobe_error *error) {
  return error->http_status == 504 || error->http_status == 499;
}

static void rest_pull(psp_pull *pull, unsigned failures, const psprobe_error *error, int64_t now) {
  pull->state = PSP_PULL_RESTING;
  pull->resume_ns = now + rest_ns(failures, error, now);
}

static void after_failure(psp_pull *pull, const psprobe_error *error, int64_t now, psp_note *note) {
  psprobe_subscriber *s = pull->subscriber;
  s->pull_errors++;
  if (error->code == PSPROBE_DEADLINE_EXCEEDED) {
    s->silent++;
    *note = (psp_note){PSPROBE_LOG_WARNING, "pull_silent",
                       .meaning =
                           "no answer in 100 s, not even an empty one: the connection is "
                           "dead, taking another"};
    pull->state = PSP_PULL_RESTING;
    pull->resume_ns = now;
    return;
  }
  s->pull_failures++;
  if (error->code == PSPROBE_NOT_FOUND) s->own_known = s->own_asked = false;
  note_failure(s, error, now, note);
  rest_pull(pull, s->pull_failures, error, now);
}

/* True: pull again at once. */
static bool after_answer(psp_pull *pull, size_t count, int64_t now, psp_note *note) {
  psprobe_subscriber *s = pull->subscriber;
  if (s->pull_failures > 0)
    *note =
        (psp_note){PSPROBE_LOG_INFO, "pull_recovered", .meaning = "the subscription answers again",
                   .count_name = "failures", .count = s->pull_failures};
  s->pull_failures = 0;
  bool quick = count == 0 && now - pull->asked_ns < QUICK_NS;
  pull->quick = quick ? pull->quick + 1 : 0;
  if (pull->quick > QUICK_FREE) {
    if (!s->push_told)
      *note = (psp_note){PSPROBE_LOG_WARNING, "pull_not_waiting",
                         .meaning =
                             "pulls are answered at once with nothing: is it a push "
                             "subscription?"};
    s->push_told = true;
    static const psprobe_error not_now = {.code = PSPROBE_UNAVAILABLE};
    rest_pull(pull, pull->quick - QUICK_FREE, &not_now, now);
    return false;
  }
  if (count > 0) s->push_told = false;
  return psp_pull_go_on(pull);
}

static void wake_workers(psprobe_subscriber *s, size_t count, unsigned idle) {
  for (; count > 0 && idle > 0; count--, idle--)
    pthread_cond_signal(&s->work);
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
  psp_leases_free(&gone);
  if (s->state != PSP_RUNNING) pthread_cond_broadcast(&s->changed);
}

/* What is to be done once the lock is free. */
typedef struct sequel {
  bool again, ask, create, hurry;
  psp_note note;
} sequel;

/* With the lock, while it runs. */
static void decide(psp_pull *pull, size_t count, const psprobe_error *error, int64_t now,
                   sequel *next) {
  psprobe_subscriber *s = pull->subscriber;
  if (error != NULL && !is_empty_answer(error))
    after_failure(pull, error, now, &next->note);
  else
    next->again = after_answer(pull, count, now, &next->note);
  if (error == NULL && !s->own_known && !s->own_asked) s->own_asked = next->ask = true;
  if (error != NULL && error->code == PSPROBE_NOT_FOUND && s->create_body.len > 0 && !s->creating)
    s->creating = next->create = true;
}

/* With the lock, when it stops or has stopped. */
static void end_pull(psp_pull *pull, int64_t now) {
  psprobe_subscriber *s = pull->subscriber;
  pull->state = PSP_PULL_ENDED;
  psp_leases_refuse_waiting(&s->leases, now);
  if (s->state == PSP_STOPPED) psp_subscriber_tell(s, true);
}

/* Without the lock, so that who wakes up finds it free. */
static void follow(psp_pull *pull, const sequel *next) {
  psprobe_subscriber *s = pull->subscriber;
  if (next->again) psp_pull_start(pull);
  if (next->hurry) pthread_cond_signal(&s->wake);
  if (next->ask) psp_subscriber_look(s);
  if (next->create) psp_subscriber_create(s);
  psp_subscriber_log(s, &next->note);
}

/* Ends one pull and settles what comes next. Takes the delivery; it or `error` is NULL, or both for
 * an answer without messages. */
static void settle(psp_pull *pull, psp_delivery *delivery, const psprobe_error *error) {
  psprobe_subscriber *s = pull->subscriber;
  int64_t now = psprobe_clock_monotonic();
  size_t count = delivery != NULL ? delivery->left : 0;
  sequel next = {.again = false};
  pthread_mutex_lock(&s->lock);
  if (delivery != NULL) psp_leases_add(&s->leases, delivery, now);
  if (count > 0) s->look_at_ns = now + s->look_ns;
  if (s->at_once && count > 0) receive_all(s);
  unsigned idle = s->idle;
  if (s->state == PSP_RUNNING)
    decide(pull, count, error, now, &next);
  else
    end_pull(pull, now);
  next.hurry = s->state != PSP_STOPPED && psp_subscriber_hurry(s);
  pthread_mutex_unlock(&s->lock);
  wake_workers(s, count, idle);
  follow(pull, &next);
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

void psp_pull_start(psp_pull *pull) {
  psprobe_subscriber *s = pull->subscriber;
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "POST",
                   .path = s->pull.path.data,
                   .body = s->pull_body.data,
                   .body_len = s->pull_body.len,
                   .attempt_ns = PSP_PULL_NS,
                   .total_ns = PSP_PULL_NS,
                   .what = s->pull.what};
  psprobe_error error = {0};
  pull->asked_ns = psprobe_clock_monotonic();
  if (psp_call_start(s->client, &call, on_pulled, pull, NULL, &error) != PSPROBE_OK)
    settle(pull, NULL, &error);
}
