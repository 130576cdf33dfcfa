/* SPDX-License-Identifier: MIT */
/** @file A subscriber: made, its workers, stopped. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"
#include "os/wait.h"
#include "pubsub/admin/subscription.h"
#include "pubsub/calls.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

#define PULLS            4
#define PULLS_MAX        1000
#define MESSAGES         100
#define WORKERS_MAX      1000
#define ACK_BATCH_NS     (PSP_SECOND_NS / 100)
#define MAX_EXTENSION_NS (3600 * PSP_SECOND_NS)
#define OUTSTANDING      1000
#define OUTSTANDING_B    ((int64_t)100 << 20)
#define ENDING_NS        PSP_SECOND_NS
#define STOP_NS          (30 * PSP_SECOND_NS)
#define LOOK_NS          (10 * PSP_SECOND_NS)

/* ---- workers ---- */

/* With the lock; waits. NULL: the end. */
static psp_lease *next_lease(psprobe_subscriber *s, psp_lease_list *gone) {
  for (;;) {
    if (s->state != PSP_RUNNING) return NULL;
    psp_lease *lease = psp_leases_next(&s->leases, psprobe_clock_monotonic(), gone);
    if (lease != NULL) return lease;
    psp_leases_free(&s->leases, gone);
    s->idle++;
    pthread_cond_wait(&s->work, &s->lock);
    s->idle--;
  }
}

void psprobe_subscriber_settle(psprobe_subscriber *s, const psprobe_message *message,
                               psprobe_settlement verdict) {
  psp_lease *lease = (psp_lease *)((char *)message - offsetof(psp_lease, message));
  pthread_mutex_lock(&s->lock);
  psp_subscriber_settle(s, lease, verdict);
  psp_feed *feed = psp_subscriber_unpark(s);
  pthread_mutex_unlock(&s->lock);
  if (feed != NULL) psp_feed_start(feed);
}

static void *work(void *subscriber) {
  psprobe_subscriber *s = subscriber;
  psp_lease_list gone = {0};
  pthread_mutex_lock(&s->lock);
  for (psp_lease *lease; (lease = next_lease(s, &gone)) != NULL;) {
    psp_feed *feed = psp_subscriber_unpark(s);
    if (feed != NULL) {
      pthread_mutex_unlock(&s->lock);
      psp_feed_start(feed);
      pthread_mutex_lock(&s->lock);
    }
    psp_leases_free(&s->leases, &gone);
    psp_subscriber_receive(s, lease);
  }
  psp_leases_free(&s->leases, &gone);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* ---- making ---- */

static const char *wrong_number(const psprobe_subscriber_options *o) {
  if (o->pulls < 0 || o->pulls > PULLS_MAX) return "pulls must be 1 to 1000";
  if (o->max_messages < 0 || o->max_messages > PSP_PULL_MESSAGES)
    return "max_messages must be 1 to 1000";
  if (o->workers < 0 || o->workers > WORKERS_MAX) return "workers must be 1 to 1000";
  if (o->max_outstanding < 0 || o->max_outstanding_bytes < 0)
    return "max_outstanding must be at least 1";
  if (o->ack_batch_ns < 0 || o->max_extension_ns < 0 || o->look_ns < 0)
    return "a duration is negative";
  return NULL;
}

static psprobe_code check(const psprobe_client *client, const psprobe_subscriber_options *o,
                          psprobe_error *error) {
  const char *wrong = wrong_number(o);
  if (o->receive == NULL)
    wrong = "there is no callback";
  else if (o->mode != PSPROBE_STREAMING && o->mode != PSPROBE_UNARY)
    wrong = "mode must be PSPROBE_STREAMING or PSPROBE_UNARY";
  else if (!psp_ack_deadline_check(o->ack_deadline_s, psp_client_is_emulator(client, PSP_PUBSUB)))
    wrong = "ack_deadline_s must be 10 to 600";
  if (wrong == NULL) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "subscriber of %s: %s",
                  o->subscription != NULL ? o->subscription : "?", wrong);
}

static psprobe_code prepare_calls(psprobe_subscriber *s, const char *name, psprobe_error *error) {
  const struct {
    psp_target *target;
    const char *verb, *action;
  } calls[] = {{&s->get, "", "get"},
               {&s->pull, ":pull", "pull from"},
               {&s->acknowledge, ":acknowledge", "acknowledge at"},
               {&s->modify, ":modifyAckDeadline", "modify ack deadline at"}};
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; i < sizeof calls / sizeof *calls && code == PSPROBE_OK; i++)
    code = psp_target_init(calls[i].target, s->client, PSP_SUBSCRIPTION, name, calls[i].verb,
                           calls[i].action, error);
  psp_pull_encode(&s->pull_body, s->max_messages, false);
  if (code == PSPROBE_OK && s->pull_body.failed) code = psp_fail_memory(error, "a subscriber");
  return code;
}

/* A stream's has 10 to 600 s, on emulators too. */
static int stream_deadline_s(const psprobe_subscriber *s) {
  return s->deadline_s >= PSP_DEADLINE_MIN_S ? s->deadline_s : PSP_STREAM_DEADLINE_S;
}

/* The subscription's full name, as a stream's calls carry it, and a stream's first request. */
static psprobe_code prepare_stream(psprobe_subscriber *s, const psprobe_subscriber_options *o,
                                   psprobe_error *error) {
  char client_id[PSP_ID_SIZE];
  uint64_t random[2];
  psprobe_code code =
      psp_pubsub_resolve(s->client, PSP_SUBSCRIPTION, o->subscription, &s->full_name, error);
  if (code != PSPROBE_OK) return code;
  psp_random(random, sizeof random);
  psp_id_format(client_id, random);
  psp_buf_text(&s->params, "subscription=");
  psp_percent_encode(&s->params, s->full_name.data);
  const psp_stream_opening opening = {.subscription = s->full_name.data,
                                      .client_id = client_id,
                                      .ack_deadline_s = stream_deadline_s(s),
                                      .max_messages = (int64_t)s->in_hand_most,
                                      .max_bytes = (int64_t)s->bytes_most};
  psp_proto_open_stream(&s->opening, &opening);
  return s->params.failed || s->opening.failed ? psp_fail_memory(error, "a subscriber")
                                               : PSPROBE_OK;
}

static psprobe_code prepare_create(psprobe_subscriber *s, const psprobe_subscriber_options *o,
                                   psprobe_error *error) {
  psp_buf topic = {0};
  const psprobe_subscription_config config = {.ack_deadline_s = o->ack_deadline_s};
  if (o->create_on == NULL) return PSPROBE_OK;
  psprobe_code code = psp_pubsub_resolve(s->client, PSP_TOPIC, o->create_on, &topic, error);
  if (code == PSPROBE_OK) psp_subscription_encode(&s->create_body, topic.data, NULL, &config);
  s->topic = psp_buf_take(&topic, NULL);
  if (code == PSPROBE_OK && (s->create_body.failed || s->topic == NULL))
    code = psp_fail_memory(error, "a subscriber");
  return code;
}

static void init_locks(psprobe_subscriber *s) {
  pthread_mutex_init(&s->lock, NULL);
  psp_cond_init(&s->work);
  psp_cond_init(&s->wake);
  psp_cond_init(&s->changed);
}

static size_t worker_count(const psprobe_subscriber_options *o) {
  if (o->at_once) return 0;
  return (size_t)(o->workers > 0 ? o->workers : o->pulls > 0 ? o->pulls : PULLS);
}

static void prepare_limits(psprobe_subscriber *s, const psprobe_subscriber_options *o) {
  s->max_messages = o->max_messages > 0 ? o->max_messages : MESSAGES;
  s->bytes_most = (size_t)(o->max_outstanding_bytes > 0 ? o->max_outstanding_bytes : OUTSTANDING_B);
  s->unary_count = (size_t)(o->pulls > 0 ? o->pulls : PULLS);
  s->deadline_s = o->ack_deadline_s;
  psp_leases_init(&s->leases, stream_deadline_s(s), o->ack_deadline_s,
                  o->max_extension_ns > 0 ? o->max_extension_ns : MAX_EXTENSION_NS,
                  o->ack_batch_ns > 0 ? o->ack_batch_ns : ACK_BATCH_NS);
  s->leases.whole = o->settled != NULL;
  if (o->ack_deadline_s == 0) psp_leases_adapt(&s->leases);
  s->worker_most = worker_count(o);
  s->way = &psp_way_streaming;
  s->waiting_most = SIZE_MAX;
  s->in_hand_most = (size_t)(o->max_outstanding > 0 ? o->max_outstanding : OUTSTANDING);
  s->feed_count = (size_t)(o->pulls > 0 ? o->pulls : 1);
  if (o->mode == PSPROBE_UNARY) psp_subscriber_go_unary(s, &psp_way_unary);
}

static psprobe_code prepare(psprobe_subscriber *s, const psprobe_subscriber_options *o,
                            psprobe_error *error) {
  s->receive = o->receive;
  s->arg = o->arg;
  s->settled = o->settled;
  prepare_limits(s, o);
  s->look_ns = o->look_ns > 0 ? o->look_ns : LOOK_NS;
  s->grace_ns = o->grace_ns;
  const psprobe_logger *logger = o->logger != NULL ? o->logger : psp_client_logger(s->client);
  if (logger != NULL) s->logger = *logger;
  psprobe_code code = prepare_calls(s, o->subscription, error);
  if (code == PSPROBE_OK) code = prepare_stream(s, o, error);
  if (code == PSPROBE_OK) code = prepare_create(s, o, error);
  if (code != PSPROBE_OK) return code;
  s->at_once = o->at_once;
  s->subscription = psp_strdup(o->subscription);
  s->workers = calloc(s->worker_most + 1, sizeof *s->workers);
  s->feeds = calloc(s->unary_count, sizeof *s->feeds);
  if (s->subscription == NULL || s->workers == NULL || s->feeds == NULL)
    return psp_fail_memory(error, "a subscriber");
  for (size_t i = 0; i < s->unary_count; i++)
    s->feeds[i] = (psp_feed){.subscriber = s, .state = PSP_FEED_ENDED};
  return PSPROBE_OK;
}

/* With the lock. */
static void end_threads(psprobe_subscriber *s) {
  s->state = PSP_STOPPED;
  pthread_cond_broadcast(&s->work);
  pthread_cond_signal(&s->wake);
}

static void join_workers(psprobe_subscriber *s) {
  for (size_t i = 0; i < s->worker_count; i++)
    pthread_join(s->workers[i], NULL);
}

static psprobe_code start_threads(psprobe_subscriber *s, psprobe_error *error) {
  bool keeper = psp_thread_start(&s->keeper, "psp-sub-keep", psp_subscriber_keep, s);
  while (keeper && s->worker_count < s->worker_most &&
         psp_thread_start(&s->workers[s->worker_count], "psp-sub-work", work, s))
    s->worker_count++;
  if (keeper && s->worker_count == s->worker_most) return PSPROBE_OK;
  pthread_mutex_lock(&s->lock);
  end_threads(s);
  pthread_mutex_unlock(&s->lock);
  join_workers(s);
  if (keeper) pthread_join(s->keeper, NULL);
  return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "subscriber of %s: no more threads",
                  s->subscription);
}

static void start_feeds(psprobe_subscriber *s) {
  const size_t count = s->feed_count; /* which the first may change */
  psp_subscriber_look(s);
  for (size_t i = 0; i < count; i++) {
    pthread_mutex_lock(&s->lock);
    s->feeds[i].state = PSP_FEED_OPEN;
    psp_subscriber_ref(s);
    pthread_mutex_unlock(&s->lock);
    psp_feed_start(&s->feeds[i]);
  }
}

psprobe_code psprobe_subscriber_new(psprobe_client *client,
                                    const psprobe_subscriber_options *options,
                                    psprobe_subscriber **subscriber, psprobe_error *error) {
  psprobe_code code = check(client, options, error);
  if (code != PSPROBE_OK) return code;
  psprobe_subscriber *s = calloc(1, sizeof *s);
  if (s == NULL) return psp_fail_memory(error, "a subscriber");
  s->client = client;
  s->refs = 1;
  s->own_asked = true; /* by start_feeds, so that the keeper does not look too */
  init_locks(s);
  code = prepare(s, options, error);
  if (code == PSPROBE_OK) code = start_threads(s, error);
  if (code != PSPROBE_OK) {
    pthread_mutex_lock(&s->lock);
    psp_subscriber_unlock_unref(s);
    return code;
  }
  start_feeds(s);
  *subscriber = s;
  return PSPROBE_OK;
}

/* ---- stopping ---- */

/* Is this called from within a callback? */
static bool in_callback(const psprobe_subscriber *s) {
  if (psp_subscriber_in_settled(s)) return true;
  if (s->receiving > 0 && pthread_equal(s->receiver, pthread_self())) return true;
  for (size_t i = 0; i < s->worker_count; i++)
    if (pthread_equal(s->workers[i], pthread_self())) return true;
  return false;
}

static void begin_stop(psprobe_subscriber *s) {
  if (s->state != PSP_RUNNING) return;
  s->state = PSP_STOPPING;
  psp_leases_refuse_waiting(&s->leases, psprobe_clock_monotonic());
  if (s->way->stop != NULL) s->way->stop(s, false);
  pthread_cond_broadcast(&s->work);
  pthread_cond_signal(&s->wake);
}

static bool is_told(const psprobe_subscriber *s) {
  return s->leases.acks.count + s->leases.nacks.count + s->leases.telling == 0;
}

/* With the lock. Streams end in peace, so that what is on its way can be given back; or not. */
static void end_feeds(psprobe_subscriber *s, int64_t timeout_ns) {
  const int64_t until = psprobe_clock_monotonic() + timeout_ns;
  if (s->way->stop == NULL) return;
  while (s->way->stop(s, false) && psp_cond_wait_until(&s->changed, &s->lock, until))
    continue;
  s->way->stop(s, true);
}

/* With the lock. What callbacks have is settled, or given back when they take too long. */
static void end_callbacks(psprobe_subscriber *s) {
  const int64_t now = psprobe_clock_monotonic();
  const int64_t until = s->grace_ns == 0 || s->grace_ns > INT64_MAX - now ? INT64_MAX
                        : s->grace_ns < 0                                 ? now
                                                                          : now + s->grace_ns;
  while (s->leases.running.count > 0 && psp_cond_wait_until(&s->changed, &s->lock, until))
    continue;
  psp_leases_refuse_running(&s->leases, psprobe_clock_monotonic());
  pthread_cond_signal(&s->wake);
}

/* With the lock. @return leases that are left to run out */
static size_t finish_stop(psprobe_subscriber *s, int64_t timeout_ns) {
  end_callbacks(s);
  pthread_mutex_unlock(&s->lock);
  join_workers(s);
  pthread_mutex_lock(&s->lock);
  while (s->receiving > 0)
    pthread_cond_wait(&s->changed, &s->lock);
  end_feeds(s, timeout_ns < ENDING_NS ? timeout_ns : ENDING_NS);
  int64_t until = psprobe_clock_monotonic() + timeout_ns;
  while (!is_told(s) && psp_cond_wait_until(&s->changed, &s->lock, until)) {
  }
  psp_lease_list gone = {0};
  psp_leases_abandon(&s->leases, &gone);
  end_threads(s);
  pthread_mutex_unlock(&s->lock);
  pthread_join(s->keeper, NULL);
  pthread_mutex_lock(&s->lock);
  psp_subscriber_give_up(s, &gone);
  const size_t left = gone.count;
  pthread_mutex_unlock(&s->lock);
  psp_subscriber_hear(s, &gone, PSPROBE_DEADLINE_EXCEEDED);
  pthread_mutex_lock(&s->lock);
  psp_leases_free(&s->leases, &gone);
  psp_subscriber_end_hearing(s);
  return left;
}

psprobe_code psprobe_subscriber_stop(psprobe_subscriber *s, int64_t timeout_ns,
                                     psprobe_error *error) {
  size_t left = 0;
  pthread_mutex_lock(&s->lock);
  begin_stop(s);
  if (in_callback(s)) { /* which cannot wait for itself */
    pthread_mutex_unlock(&s->lock);
    return PSPROBE_OK;
  }
  if (!s->stop_taken) {
    s->stop_taken = true;
    left = finish_stop(s, timeout_ns > 0 ? timeout_ns : STOP_NS);
    s->stopped = true;
    pthread_cond_broadcast(&s->changed);
  }
  while (!s->stopped)
    pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
  if (left == 0) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_DEADLINE_EXCEEDED,
                  "stop subscriber of %s: %zu messages could not be acknowledged or given back in "
                  "time; they will come again after their ack deadline",
                  s->subscription, left);
}

void psprobe_subscriber_free(psprobe_subscriber *s) {
  if (s == NULL) return;
  psprobe_subscriber_stop(s, 0, NULL);
  pthread_mutex_lock(&s->lock);
  s->freed = true;
  psp_subscriber_end_hearing(s);
  psp_subscriber_unlock_unref(s);
}

void psprobe_subscriber_get_stats(const psprobe_subscriber *subscriber,
                                  psprobe_subscriber_stats *stats) {
  psprobe_subscriber *s = (psprobe_subscriber *)subscriber; /* for the lock alone */
  pthread_mutex_lock(&s->lock);
  const psp_leases *l = &s->leases;
  *stats = (psprobe_subscriber_stats){.received = l->received,
                                      .acked = l->acked,
                                      .nacked = l->nacked,
                                      .redelivered = l->redelivered,
                                      .extended = l->extended,
                                      .pull_errors = s->pull_errors,
                                      .ack_errors = s->ack_errors,
                                      .leased = psp_leases_count(l),
                                      .lost = l->lost,
                                      .silent = s->silent};
  pthread_mutex_unlock(&s->lock);
}
