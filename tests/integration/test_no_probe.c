/* SPDX-License-Identifier: MIT */
/** @file Messages without a probe, on our stand-in and on Google's emulator: subscriber and
 * function count them, tell it once, acknowledge them, and the broker delivers none of them again.
 */
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

#define SECOND     INT64_C(1000000000)
#define DEADLINE_S 10 /* the least that Google takes */
#define FOREIGN    4
#define GOOD_ID    "00112233445566778899aabbccddeeff"

static psprobe_error error; /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

/* One that answers probes at the fake prober, and what it says. */
typedef struct answerer {
  psprobe_responder *responder;
  log_counter told;
} answerer;

static void answer_as(answerer *a, psprobe_client *client, const fake_prober *prober,
                      const char *source) {
  a->told.word = "event=message_without_probe";
  psprobe_logger logger = log_counter_logger(&a->told);
  psprobe_responder_options options = {
      .prober = fake_prober_url(prober), .source = source, .logger = &logger};
  ok(psprobe_responder_new(client, &options, &a->responder, &error));
}

/* Nothing of a prober's, in four ways, and one that is. */
static void publish(psprobe_client *client) {
  static const psprobe_attribute other = {"colour", "blue"}, odd = {"probe_id", "not an id"},
                                 empty = {"probe_id", ""}, good = {"probe_id", GOOD_ID};
  const psprobe_message messages[FOREIGN + 1] = {
      {.data = "no", .data_len = 2},
      {.attributes = &other, .attribute_count = 1},
      {.attributes = &odd, .attribute_count = 1},
      {.data = "no", .data_len = 2, .attributes = &empty, .attribute_count = 1},
      {.attributes = &good, .attribute_count = 1}};
  ok(psprobe_publish(client, "mixed", messages, FOREIGN + 1, NULL, &error));
}

/* Until all five are dealt with; a minute at most. */
static void wait_for(const answerer *a) {
  int64_t until = psprobe_clock_monotonic() + 60 * SECOND;
  while (psprobe_responder_rejected(a->responder) < FOREIGN ||
         psprobe_responder_answered(a->responder) < 1) {
    if (psprobe_clock_monotonic() > until)
      fail_msg("%d without a probe, and %d answered", (int)psprobe_responder_rejected(a->responder),
               (int)psprobe_responder_answered(a->responder));
    psprobe_sleep_until(psprobe_clock_monotonic() + SECOND / 100);
  }
}

static void check(const answerer *a) {
  assert_int_equal(psprobe_responder_rejected(a->responder), FOREIGN);
  assert_int_equal(psprobe_responder_answered(a->responder), 1);
  assert_int_equal(a->told.count, 1);
}

static void test_acknowledged_and_told_once(void **state) {
  (void)state;
  static const int fine[] = {200, 0};
  static answerer function, service;
  int port = 0;
  char endpoint[64];
  psprobe_client *client = test_target_client(TEST_PUBSUB);
  fake_prober *prober = fake_prober_new(0, fine);
  answer_as(&function, client, prober, "function");
  answer_as(&service, client, prober, "service");
  ok(psprobe_responder_listen(function.responder, "127.0.0.1:0", &port, &error));
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d/", port);

  psprobe_subscription_config pull = {.topic = "mixed", .ack_deadline_s = DEADLINE_S};
  psprobe_subscription_config push = pull;
  push.push_endpoint = endpoint;
  ok(psprobe_topic_create(client, "mixed", NULL, 0, NULL, &error));
  ok(psprobe_subscription_create(client, "pulled", &pull, NULL, &error));
  ok(psprobe_subscription_create(client, "pushed", &push, NULL, &error));
  psprobe_subscriber_options options = {.subscription = "pulled", .pulls = 1};
  psprobe_subscriber *subscriber = NULL;
  ok(psprobe_responder_pull(service.responder, &options, &subscriber, &error));
  publish(client);
  wait_for(&service);
  wait_for(&function);
  ok(psprobe_subscriber_stop(subscriber, 0, &error));
  psprobe_subscriber_stats stats;
  psprobe_subscriber_get_stats(subscriber, &stats);
  assert_int_equal(stats.acked, FOREIGN + 1);
  assert_int_equal(stats.nacked, 0);

  /* For longer than the deadline nothing comes to the one who pulls, nor again to the function. */
  psprobe_batch *batch = NULL;
  psprobe_code code = psprobe_pull(client, "pulled", 1, (DEADLINE_S + 2) * SECOND, &batch, &error);
  assert_int_equal(code, PSPROBE_DEADLINE_EXCEEDED);
  check(&function);
  check(&service);
  assert_int_equal(fake_prober_count(prober), 2); /* one probe, from each; nothing else */

  psprobe_subscriber_free(subscriber);
  psprobe_responder_free(function.responder);
  psprobe_responder_free(service.responder);
  fake_prober_free(prober);
  psprobe_client_free(client);
}

static int suite(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_acknowledged_and_told_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
  return test_on_targets(suite);
}
