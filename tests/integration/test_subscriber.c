/* SPDX-License-Identifier: MIT */
/** @file The subscriber on a broker: load, slow callbacks, stops, a broker that dies. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/subscriber.h>

#include "os/timer.h"
#include "target.h"

#define SECOND INT64_C(1000000000)
#define MANY   5000

static psprobe_subscriber_mode mode;
static psprobe_error error; /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

/* Counts what came, by the number that is a message's data. */
typedef struct counter {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned times[MANY]; /* each number was seen */
  size_t seen;          /* numbers seen at least once */
  size_t settled;       /* with success */
  int64_t hold_ns;      /* how long a callback takes */
} counter;

static void counter_init(counter *c) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  memset(c, 0, sizeof *c);
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
}

static psprobe_settlement count(void *arg, const psprobe_message *message) {
  counter *c = arg;
  unsigned number = (unsigned)atoi(message->data != NULL ? message->data : "0") % MANY;
  pthread_mutex_lock(&c->lock);
  if (c->times[number]++ == 0) c->seen++;
  pthread_cond_broadcast(&c->changed);
  int64_t hold = c->hold_ns;
  pthread_mutex_unlock(&c->lock);
  if (hold > 0) {
    struct timespec time = {.tv_sec = hold / SECOND, .tv_nsec = hold % SECOND};
    nanosleep(&time, NULL); /* the work that a callback does */
  }
  return PSPROBE_SETTLE_ACK;
}

/* Waits until `numbers` different ones were seen. */
static void wait_seen(counter *c, size_t numbers, int64_t timeout_ns) {
  int64_t until = psprobe_clock_monotonic() + timeout_ns;
  const struct timespec at = {.tv_sec = until / SECOND, .tv_nsec = until % SECOND};
  pthread_mutex_lock(&c->lock);
  while (c->seen < numbers && pthread_cond_timedwait(&c->changed, &c->lock, &at) == 0)
    continue;
  size_t seen = c->seen;
  pthread_mutex_unlock(&c->lock);
  if (seen < numbers) fail_msg("%zu of %zu messages came", seen, numbers);
}

static void assert_each_once(const counter *c, size_t numbers) {
  for (size_t i = 0; i < numbers; i++)
    if (c->times[i] != 1) fail_msg("message %zu came %u times", i, c->times[i]);
}

static char topic[64], subscription[64];

static void make(psprobe_client *client, int deadline_s) {
  const psprobe_subscription_config config = {.topic = topic, .ack_deadline_s = deadline_s};
  ok(psprobe_topic_create(client, topic, NULL, 0, NULL, &error));
  ok(psprobe_subscription_create(client, subscription, &config, NULL, &error));
}

static psprobe_client *client_at(const char *host) {
  psprobe_client *client = NULL;
  const psprobe_client_options options = {.project = "subscriber-test", .pubsub_emulator = host};
  ok(psprobe_client_new(&options, &client, &error));
  return client;
}

/* A topic and a subscription of the test's own. */
static psprobe_client *prepare(int deadline_s) {
  psprobe_client *client = client_at(test_target_host(TEST_PUBSUB));
  test_unique(topic, "topic");
  test_unique(subscription, "jobs");
  make(client, deadline_s);
  return client;
}

static void publish(psprobe_client *client, unsigned first, unsigned total) {
  static char texts[500][8];
  static psprobe_message messages[500];
  for (unsigned next = first; next < first + total;) {
    size_t n = 0;
    for (; n < 500 && next < first + total; n++, next++) {
      int len = snprintf(texts[n], sizeof texts[n], "%u", next);
      messages[n] = (psprobe_message){.data = texts[n], .data_len = (size_t)len};
    }
    ok(psprobe_publish(client, topic, messages, n, NULL, &error));
  }
}

/* Counts those that the service has. */
static void count_settled(void *arg, const psprobe_message *message, psprobe_code code) {
  counter *c = arg;
  (void)message;
  pthread_mutex_lock(&c->lock);
  if (code == PSPROBE_OK) c->settled++;
  pthread_mutex_unlock(&c->lock);
}

static psprobe_subscriber *begin(psprobe_client *client, counter *c, int pulls, int workers) {
  psprobe_subscriber *subscriber = NULL;
  const psprobe_logger logger = {.sink = psprobe_log_stderr, .level = PSPROBE_LOG_WARNING};
  const psprobe_subscriber_options options = {.subscription = subscription,
                                              .receive = count,
                                              .settled = count_settled,
                                              .arg = c,
                                              .mode = mode,
                                              .pulls = pulls,
                                              .workers = workers,
                                              .logger = &logger};
  ok(psprobe_subscriber_new(client, &options, &subscriber, &error));
  return subscriber;
}

static psprobe_subscriber_stats stop(psprobe_subscriber *subscriber) {
  psprobe_subscriber_stats stats;
  ok(psprobe_subscriber_stop(subscriber, 0, &error));
  psprobe_subscriber_get_stats(subscriber, &stats);
  psprobe_subscriber_free(subscriber);
  assert_int_equal(stats.leased, 0);
  assert_int_equal(stats.lost, 0);
  return stats;
}

/* Nothing comes for longer than the ack deadline: nothing was left unacknowledged. */
static void assert_nothing_left(psprobe_client *client, int deadline_s) {
  psprobe_batch *batch = NULL;
  psprobe_code code =
      psprobe_pull(client, subscription, 1, (deadline_s + 1) * SECOND, &batch, NULL);
  if (code == PSPROBE_OK && psprobe_batch_count(batch) == 1)
    fail_msg("message %s was left", (const char *)psprobe_batch_message(batch, 0)->data);
  assert_int_equal(code, PSPROBE_DEADLINE_EXCEEDED);
}

static void test_load(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  psprobe_client *client = prepare(5);
  psprobe_subscriber *subscriber = begin(client, &c, 4, 4);
  publish(client, 0, MANY);
  wait_seen(&c, MANY, 60 * SECOND);
  psprobe_subscriber_stats stats = stop(subscriber);
  assert_each_once(&c, MANY);
  assert_int_equal(stats.received, MANY);
  assert_int_equal(stats.acked, MANY);
  assert_int_equal(stats.redelivered, 0);
  assert_int_equal(stats.pull_errors, 0); /* an ack may have been told twice, on a busy machine */
  assert_nothing_left(client, 5);
  psprobe_client_free(client);
}

/* Each comes once, and its ack is told to have counted. */
static void test_exactly_once(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  psprobe_client *client = prepare(10);
  const psprobe_subscription_config once = {.exactly_once = true};
  ok(psprobe_subscription_update(client, subscription, &once, PSPROBE_SUBSCRIPTION_EXACTLY_ONCE,
                                 &error));
  psprobe_subscriber *subscriber = begin(client, &c, 0, 4);
  publish(client, 0, 500);
  wait_seen(&c, 500, 60 * SECOND);
  assert_int_equal(stop(subscriber).acked, 500);
  assert_each_once(&c, 500);
  assert_int_equal(c.settled, 500);
  psprobe_client_free(client);
}

/* Callbacks take more than twice the ack deadline, and messages wait for a worker even longer:
 * their leases are extended, and nobody gets them a second time. */
static void test_slow_callbacks(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  c.hold_ns = 5 * SECOND / 2;
  psprobe_client *client = prepare(1);
  psprobe_subscriber *subscriber = begin(client, &c, 2, 1);
  publish(client, 0, 3);
  wait_seen(&c, 3, 60 * SECOND);
  psprobe_subscriber_stats stats = stop(subscriber);
  assert_each_once(&c, 3);
  assert_int_equal(stats.received, 3);
  assert_int_equal(stats.acked, 3);
  /* A stream comes with leases of a minute, which are cut to ten seconds. */
  assert_true(stats.extended >= (mode == PSPROBE_STREAMING ? 2 : 5));
  assert_nothing_left(client, 1);
  psprobe_client_free(client);
}

/* What is in hand at the stop goes back at once, and what the broker still hands to the pulls that
 * wait does too: nobody has to wait for an ack deadline of a minute. */
static void test_stop_under_load(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  c.hold_ns = SECOND / 500;
  psprobe_client *client = prepare(60);
  psprobe_subscriber *first = begin(client, &c, 4, 4);
  publish(client, 0, 2000);
  wait_seen(&c, 300, 60 * SECOND);
  stop(first);
  pthread_mutex_lock(&c.lock);
  size_t seen = c.seen;
  c.hold_ns = 0;
  pthread_mutex_unlock(&c.lock);
  assert_true(seen < 2000);
  psprobe_subscriber *second = begin(client, &c, 4, 4);
  publish(client, 2000, 100);
  wait_seen(&c, 2100, 20 * SECOND);
  stop(second);
  assert_each_once(&c, 2100);
  psprobe_client_free(client);
}

static void test_stop_is_prompt(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  psprobe_client *client = prepare(10);
  psprobe_subscriber *subscriber = begin(client, &c, 8, 2);
  publish(client, 0, 1);
  wait_seen(&c, 1, 10 * SECOND);
  int64_t begun = psprobe_clock_monotonic();
  stop(subscriber);
  assert_true(psprobe_clock_monotonic() - begun < SECOND);
  begun = psprobe_clock_monotonic();
  psprobe_client_free(client);
  assert_true(psprobe_clock_monotonic() - begun < SECOND);
}

/* The pulls of a client that is gone may swallow messages (Google's emulator does it), which come
 * after their ack deadline then, and no later. */
static void test_client_that_is_gone(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  psprobe_client *client = prepare(2);
  psprobe_subscriber *subscriber = begin(client, &c, 4, 1);
  publish(client, 0, 1);
  wait_seen(&c, 1, 10 * SECOND);
  stop(subscriber);
  psprobe_client_free(client);
  client = client_at(test_target_host(TEST_PUBSUB));
  publish(client, 1, 99);
  int64_t begun = psprobe_clock_monotonic();
  subscriber = begin(client, &c, 1, 1);
  wait_seen(&c, 100, 20 * SECOND);
  print_message("all 99 came within %.1f s of a deadline of 2 s\n",
                (double)(psprobe_clock_monotonic() - begun) / 1e9);
  stop(subscriber);
  assert_each_once(&c, 100);
  psprobe_client_free(client);
}

/* The broker dies and comes back with nothing; topic and subscription are made again, and the
 * subscriber, which nobody has told, goes on. */
static void test_broker_that_dies(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  test_broker *broker = test_broker_start(0);
  char host[64];
  int port = test_broker_port(broker);
  snprintf(host, sizeof host, "%s", test_broker_address(broker));
  psprobe_client *client = client_at(host);
  test_unique(topic, "topic");
  test_unique(subscription, "jobs");
  make(client, 10);
  psprobe_subscriber *subscriber = begin(client, &c, 4, 2);
  publish(client, 0, 10);
  wait_seen(&c, 10, 10 * SECOND);
  for (unsigned round = 1; round <= 2; round++) {
    test_broker_stop(broker);
    const psprobe_message lost = {.data = "x", .data_len = 1};
    psprobe_client *impatient = NULL;
    const psprobe_client_options options = {
        .project = "subscriber-test", .pubsub_emulator = host, .timeout_ns = SECOND / 5};
    ok(psprobe_client_new(&options, &impatient, &error));
    assert_int_equal(psprobe_publish(impatient, topic, &lost, 1, NULL, &error),
                     PSPROBE_UNAVAILABLE);
    assert_non_null(strstr(error.message, "127.0.0.1"));
    psprobe_client_free(impatient);
    broker = test_broker_start(port);
    make(client, 10);
    publish(client, round * 10, 10);
    wait_seen(&c, (round + 1) * 10, 30 * SECOND);
  }
  psprobe_subscriber_stats stats;
  ok(psprobe_subscriber_stop(subscriber, 0, &error));
  psprobe_subscriber_get_stats(subscriber, &stats);
  assert_true(stats.pull_errors > 0);
  assert_int_equal(stats.leased, 0);
  psprobe_subscriber_free(subscriber);
  psprobe_client_free(client);
  test_broker_stop(broker);
}

/* Until a pull has failed; fails after two minutes. */
static void wait_error(psprobe_subscriber *subscriber) {
  psprobe_subscriber_stats stats = {0};
  const struct timespec a_little = {.tv_nsec = 1000000};
  const int64_t until = psprobe_clock_monotonic() + 120 * SECOND;
  for (; stats.pull_errors == 0; nanosleep(&a_little, NULL)) {
    psprobe_subscriber_get_stats(subscriber, &stats);
    if (psprobe_clock_monotonic() > until) fail_msg("two minutes, and no pull has failed");
  }
}

/* There when it begins or not: it waits. */
static void test_subscription_that_comes_later(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  psprobe_client *client = client_at(test_target_host(TEST_PUBSUB));
  test_unique(topic, "topic");
  test_unique(subscription, "jobs");
  psprobe_subscriber *subscriber = begin(client, &c, 2, 1);
  wait_error(subscriber);
  make(client, 10);
  publish(client, 0, 1);
  wait_seen(&c, 1, 30 * SECOND);
  ok(psprobe_subscriber_stop(subscriber, 0, &error));
  psprobe_subscriber_free(subscriber);
  psprobe_client_free(client);
}

/* Deleted while messages are waited for, and made again. */
static void test_subscription_deleted_while_open(void **state) {
  (void)state;
  static counter c;
  counter_init(&c);
  psprobe_client *client = prepare(10);
  psprobe_subscriber *subscriber = begin(client, &c, 1, 1);
  publish(client, 0, 1);
  wait_seen(&c, 1, 30 * SECOND);
  ok(psprobe_subscription_delete(client, subscription, &error));
  wait_error(subscriber);
  make(client, 10);
  publish(client, 1, 1);
  wait_seen(&c, 2, 30 * SECOND);
  ok(psprobe_subscriber_stop(subscriber, 0, &error));
  psprobe_subscriber_free(subscriber);
  psprobe_client_free(client);
}

#define TESTS                                                                              \
  cmocka_unit_test(test_load), cmocka_unit_test(test_slow_callbacks),                      \
      cmocka_unit_test(test_stop_under_load), cmocka_unit_test(test_stop_is_prompt),       \
      cmocka_unit_test(test_client_that_is_gone), cmocka_unit_test(test_broker_that_dies), \
      cmocka_unit_test(test_subscription_that_comes_later), cmocka_unit_test(test_exactly_once)

static int suite(void) {
  const struct CMUnitTest tests[] = {TESTS, cmocka_unit_test(test_subscription_deleted_while_open)};
  /* Google's emulator tells a long poll that waits nothing of the deletion, for 89 s. */
  const struct CMUnitTest but_deleted[] = {TESTS};
  mode = PSPROBE_STREAMING;
  int failed = cmocka_run_group_tests_name("streaming", tests, NULL, NULL);
  mode = PSPROBE_UNARY;
  if (strcmp(test_target(), "google") == 0)
    failed += cmocka_run_group_tests_name("unary", but_deleted, NULL, NULL);
  else
    failed += cmocka_run_group_tests_name("unary", tests, NULL, NULL);
  return failed;
}

int main(void) {
  return test_on_targets(suite);
}
