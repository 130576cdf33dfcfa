/* SPDX-License-Identifier: MIT */
/** @file A publisher on a broker: 2,000 messages of five keys and of none, each there once, those
 * of a key in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/publisher.h>
#include <psprobe/pubsub_subscriptions.h>

#include "target.h"

#define SECOND   INT64_C(1000000000)
#define MESSAGES 2000
#define KEYS     5 /* the sixth lane has none */

static psprobe_client *client;
static psprobe_error error; /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

static void count(void *arg, const char *id, const psprobe_error *failure) {
  atomic_uint *published = arg;
  if (id != NULL && failure == NULL) atomic_fetch_add(published, 1);
}

static void give_all(psprobe_publisher *publisher, atomic_uint *published) {
  static const char *const keys[KEYS + 1] = {"one", "two", "three", "four", "five", NULL};
  for (unsigned i = 0; i < MESSAGES; i++) {
    char data[12];
    snprintf(data, sizeof data, "%u", i);
    const psprobe_message message = {
        .data = data, .data_len = strlen(data), .ordering_key = keys[i % (KEYS + 1)]};
    ok(psprobe_publisher_publish(publisher, &message, count, published, &error));
  }
}

/* Takes what there is. @return how many were new */
static unsigned take(const char *subscription, bool *seen, unsigned next[KEYS + 1]) {
  psprobe_batch *batch = NULL;
  const char *ids[1000];
  unsigned fresh = 0;
  ok(psprobe_pull(client, subscription, 1000, 60 * SECOND, &batch, &error));
  size_t got = psprobe_batch_count(batch);
  for (size_t i = 0; i < got; i++) {
    const psprobe_message *message = psprobe_batch_message(batch, i);
    unsigned number = (unsigned)strtoul(message->data, NULL, 10), lane = number % (KEYS + 1);
    assert_true(number < MESSAGES);
    ids[i] = message->ack_id;
    if (seen[number]) continue; /* at least once is what a broker promises */
    if (lane < KEYS) assert_true(number >= next[lane]);
    next[lane] = number + 1;
    seen[number] = true;
    fresh++;
  }
  if (got > 0) ok(psprobe_acknowledge(client, subscription, ids, got, &error));
  psprobe_batch_free(batch);
  return fresh;
}

/* By the way that `state` says. */
static void test_all_there_in_order(void **state) {
  const psprobe_publish_by *by = *state;
  char topic[64], subscription[64];
  static bool seen[MESSAGES];
  unsigned next[KEYS + 1] = {0}, left = MESSAGES;
  atomic_uint published = 0;
  psprobe_publisher *publisher = NULL;
  psprobe_publisher_stats stats;
  memset(seen, 0, sizeof seen);
  test_unique(topic, "many");
  const psprobe_subscription_config config = {
      .topic = topic, .ack_deadline_s = 60, .enable_ordering = true};
  const psprobe_publisher_options options = {
      .topic = topic, .delay_ns = SECOND / 200, .most_messages = 500, .by = *by};
  ok(psprobe_topic_create(client, topic, NULL, 0, NULL, &error));
  ok(psprobe_subscription_create(client, test_unique(subscription, "pull"), &config, NULL, &error));
  ok(psprobe_publisher_new(client, &options, &publisher, &error));
  give_all(publisher, &published);
  ok(psprobe_publisher_flush(publisher, 60 * SECOND, &error));
  psprobe_publisher_get_stats(publisher, &stats);
  assert_int_equal(atomic_load(&published), MESSAGES);
  assert_int_equal(stats.published, MESSAGES);
  assert_true(stats.calls < MESSAGES / 2); /* they were gathered */
  psprobe_publisher_free(publisher);
  while (left > 0)
    left -= take(subscription, seen, next);
  ok(psprobe_subscription_delete(client, subscription, &error));
  ok(psprobe_topic_delete(client, topic, &error));
}

static int suite(void) {
  static psprobe_publish_by grpc = PSPROBE_PUBLISH_BY_GRPC, rest = PSPROBE_PUBLISH_BY_REST;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(test_all_there_in_order, &grpc),
      cmocka_unit_test_prestate(test_all_there_in_order, &rest),
  };
  client = test_target_client(TEST_PUBSUB);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  psprobe_client_free(client);
  return failed;
}

int main(void) {
  return test_on_targets(suite);
}
