/* SPDX-License-Identifier: MIT */
/** @file Exactly-once delivery, and 2,000 leases that are over when they are settled: the answer to
 * an ack says what came of each id, in a trailer that HTTP/2 bounds, and each is told its own. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <psprobe/local.h>
#include <psprobe/pubsub_subscriptions.h>
#include <psprobe/subscriber.h>

#define MANY 2000
/* As long as the service's own ack ids are, whose name ours begin with. */
#define NAME                                                                                       \
  "expired-expired-expired-expired-expired-expired-expired-expired-expired-expired-expired-expire" \
  "d-expired-expired-expired-expired-expired-expired-expired-expired-expired"
#define ok(code) assert_int_equal(code, PSPROBE_OK)

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  const psprobe_message *held[MANY];
  size_t received, well, gone;
} hand = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* The first of each are held, and what comes again is taken. */
static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  (void)arg;
  pthread_mutex_lock(&hand.lock);
  const bool held = hand.received < MANY;
  if (held) hand.held[hand.received] = message;
  hand.received++;
  pthread_cond_signal(&hand.changed);
  pthread_mutex_unlock(&hand.lock);
  return held ? PSPROBE_SETTLE_LATER : PSPROBE_SETTLE_ACK;
}

static void settled(void *arg, const psprobe_message *message, psprobe_code code) {
  (void)arg, (void)message;
  pthread_mutex_lock(&hand.lock);
  ++*(code == PSPROBE_OK ? &hand.well : &hand.gone);
  pthread_cond_signal(&hand.changed);
  pthread_mutex_unlock(&hand.lock);
}

static void wait_for(const size_t *count, size_t value) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 60;
  pthread_mutex_lock(&hand.lock);
  while (*count < value && pthread_cond_timedwait(&hand.changed, &hand.lock, &until) == 0)
    continue;
  if (*count < value)
    fail_msg("%zu of %zu; received %zu, well %zu, gone %zu", *count, value, hand.received,
             hand.well, hand.gone);
  pthread_mutex_unlock(&hand.lock);
}

static void publish(psprobe_client *client) {
  static psprobe_message messages[500];
  for (size_t i = 0; i < 500; i++)
    messages[i] = (psprobe_message){.data = "x", .data_len = 1};
  for (size_t i = 0; i < MANY / 500; i++)
    ok(psprobe_publish(client, "topic", messages, 500, NULL, NULL));
}

/* Somebody else gives them all back. */
static void expire(psprobe_client *client) {
  static const char *ids[MANY];
  for (size_t i = 0; i < MANY; i++)
    ids[i] = hand.held[i]->ack_id;
  assert_true(strlen(ids[0]) > 180);
  ok(psprobe_modify_ack_deadline(client, NAME, ids, MANY, 0, NULL));
}

static void test_each_is_told(void **state) {
  (void)state;
  psprobe_local *local = NULL;
  psprobe_client *client = NULL;
  psprobe_subscriber *subscriber = NULL;
  const psprobe_subscription_config config = {.topic = "topic", .exactly_once = true};
  ok(psprobe_local_new(NULL, &local, NULL));
  const psprobe_client_options at = {.project = "p",
                                     .pubsub_emulator = psprobe_local_pubsub_host(local)};
  ok(psprobe_client_new(&at, &client, NULL));
  ok(psprobe_topic_create(client, "topic", NULL, 0, NULL, NULL));
  ok(psprobe_subscription_create(client, NAME, &config, NULL, NULL));
  const psprobe_subscriber_options options = {
      .subscription = NAME, .receive = receive, .settled = settled, .max_outstanding = MANY};
  ok(psprobe_subscriber_new(client, &options, &subscriber, NULL));
  publish(client);
  wait_for(&hand.received, MANY);
  expire(client);
  for (size_t i = 0; i < MANY; i++)
    psprobe_subscriber_settle(subscriber, hand.held[i], PSPROBE_SETTLE_ACK);
  wait_for(&hand.gone, MANY);
  wait_for(&hand.well, MANY);
  ok(psprobe_subscriber_stop(subscriber, 0, NULL));
  psprobe_subscriber_free(subscriber);
  assert_int_equal(hand.received, 2 * MANY);
  assert_int_equal(hand.gone, MANY);
  assert_int_equal(hand.well, MANY);
  psprobe_client_free(client);
  psprobe_local_free(local);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
