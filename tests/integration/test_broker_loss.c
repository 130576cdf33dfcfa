/* SPDX-License-Identifier: MIT */
/** @file The broker is lost midway, and comes back without what it held: the prober goes on, counts
 * what it could not publish, and recovers by itself; so does the subscriber. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#include "fake_prober.h"
#include "target.h"

#define MS INT64_C(1000000)

static void create(psprobe_client *client) {
  psprobe_subscription_config config = {.topic = "probes"};
  psprobe_error error = {0};
  if (psprobe_topic_create(client, "probes", NULL, 0, NULL, &error) != PSPROBE_OK ||
      psprobe_subscription_create(client, "answers", &config, NULL, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

static void *run(void *arg) {
  psprobe_prober_run(arg, NULL);
  return NULL;
}

static psprobe_prober_stats stats_of(const psprobe_prober *prober) {
  psprobe_prober_stats stats;
  psprobe_prober_get_stats(prober, &stats);
  return stats;
}

/* Polls until *counter(stats) has grown to `least`; a minute at most. */
#define WAIT_FOR(prober, field, least)                                        \
  do {                                                                        \
    int64_t end_ns = psprobe_clock_monotonic() + 60000 * MS;                  \
    while (stats_of(prober).field < (least)) {                                \
      if (psprobe_clock_monotonic() > end_ns) fail_msg("waited for " #field); \
      psprobe_sleep_until(psprobe_clock_monotonic() + 10 * MS);               \
    }                                                                         \
  } while (0)

static void test_broker_loss(void **state) {
  (void)state;
  test_broker *broker = test_broker_start(0);
  int port = test_broker_port(broker);
  log_counter failing = {.word = "event=publish_failing"};
  psprobe_logger logger = log_counter_logger(&failing);
  psprobe_client_options client_options = {.project = "loss-project",
                                           .pubsub_emulator = test_broker_address(broker)};
  psprobe_client *client = NULL;
  psprobe_prober *prober = NULL;
  psprobe_responder *responder = NULL;
  psprobe_subscriber *subscriber = NULL;
  psprobe_error error = {0};
  assert_int_equal(psprobe_client_new(&client_options, &client, NULL), PSPROBE_OK);
  create(client);
  const char *sources[] = {"only"};
  psprobe_prober_options options = {.topic = "probes",
                                    .sources = sources,
                                    .source_count = 1,
                                    .interval_ns = 50 * MS,
                                    .timeout_ns = 1500 * MS,
                                    .listen = "127.0.0.1:0",
                                    .logger = &logger};
  if (psprobe_prober_new(client, &options, &prober, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psprobe_responder_options responding = {.prober = psprobe_prober_url(prober), .source = "only"};
  assert_int_equal(psprobe_responder_new(client, &responding, &responder, NULL), PSPROBE_OK);
  psprobe_subscriber_options subscribing = {.subscription = "answers"};
  assert_int_equal(psprobe_responder_pull(responder, &subscribing, &subscriber, NULL), PSPROBE_OK);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run, prober), 0);

  WAIT_FOR(prober, answered[0], 10);
  assert_int_equal(stats_of(prober).publish_failed, 0);
  test_broker_stop(broker);
  uint64_t sent = stats_of(prober).sent;
  WAIT_FOR(prober, publish_failed, 3);
  WAIT_FOR(prober, sent, sent + 20); /* it keeps probing */
  WAIT_FOR(prober, lost[0], 3);

  broker = test_broker_start(port);
  create(client);
  uint64_t answered = stats_of(prober).answered[0];
  WAIT_FOR(prober, answered[0], answered + 10);
  psprobe_prober_stop(prober);
  pthread_join(thread, NULL);
  psprobe_prober_stats s = stats_of(prober);
  assert_int_equal(s.in_flight, 0);
  assert_int_equal(s.completed, s.sent);
  assert_int_equal(s.answered[0] + s.late[0] + s.lost[0], s.sent);
  assert_true(failing.count >= 1 && failing.count <= 5); /* not once for each probe */

  psprobe_subscriber_free(subscriber);
  psprobe_responder_free(responder);
  psprobe_prober_free(prober);
  psprobe_client_free(client);
  test_broker_stop(broker);
}

static int suite(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_broker_loss)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
  return test_on_targets(suite);
}
