/* SPDX-License-Identifier: MIT */
/** @file A responder that pulls, on our stand-in and on Google's emulator: what the prober refuses
 * is delivered again, a stop waits for answers under way, and many are under way at once. */
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

#define SECOND INT64_C(1000000000)
#define MANY   40

static psprobe_error error; /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

typedef struct world {
  psprobe_client *client;
  fake_prober *prober;
  psprobe_responder *responder;
  psprobe_subscriber *subscriber;
} world;

static void begin(world *w, const char *name, const int *script) {
  psprobe_subscription_config config = {.topic = name};
  psprobe_subscriber_options options = {.subscription = name};
  w->client = test_target_client(TEST_PUBSUB);
  w->prober = fake_prober_new(0, script);
  psprobe_responder_options responder = {.prober = fake_prober_url(w->prober), .source = "s"};
  ok(psprobe_topic_create(w->client, name, NULL, 0, NULL, &error));
  ok(psprobe_subscription_create(w->client, name, &config, NULL, &error));
  ok(psprobe_responder_new(w->client, &responder, &w->responder, &error));
  ok(psprobe_responder_pull(w->responder, &options, &w->subscriber, &error));
  assert_int_equal(psprobe_responder_pull(w->responder, &options, &w->subscriber, &error),
                   PSPROBE_FAILED_PRECONDITION);
}

static void publish(const world *w, const char *topic, int count) {
  for (int i = 0; i < count; i++) {
    char id[33];
    snprintf(id, sizeof id, "%032x", i + 1);
    psprobe_attribute attribute = {"probe_id", id};
    psprobe_message message = {.attributes = &attribute, .attribute_count = 1};
    ok(psprobe_publish(w->client, topic, &message, 1, NULL, &error));
  }
}

static psprobe_subscriber_stats stats_of(const world *w) {
  psprobe_subscriber_stats stats;
  psprobe_subscriber_get_stats(w->subscriber, &stats);
  return stats;
}

static void end(world *w) {
  psprobe_subscriber_free(w->subscriber);
  psprobe_responder_free(w->responder);
  fake_prober_free(w->prober);
  psprobe_client_free(w->client);
}

static void test_refused_comes_again(void **state) {
  (void)state;
  static const int script[] = {403, 403, 200, 0};
  world w;
  begin(&w, "refused", script);
  publish(&w, "refused", 1);
  psprobe_responder_run(w.responder, 1);
  ok(psprobe_subscriber_stop(w.subscriber, 0, &error));
  psprobe_subscriber_stats stats = stats_of(&w);
  assert_int_equal(stats.nacked, 2);
  assert_int_equal(stats.acked, 1);
  assert_int_equal(stats.leased, 0);
  end(&w);
}

typedef struct stopping {
  world *w;
  _Atomic int ended;
} stopping;

static void *stop(void *arg) {
  stopping *s = arg;
  psprobe_error why = {0};
  psprobe_code code = psprobe_subscriber_stop(s->w->subscriber, 0, &why);
  s->ended = code == PSPROBE_OK ? 1 : -1;
  return NULL;
}

/* All are at the prober at the same time, which no number of workers bounds; a stop waits for them
 * and acknowledges them. */
static void test_stop_waits(void **state) {
  (void)state;
  static const int script[] = {FAKE_HOLD, 0};
  world w;
  begin(&w, "held", script);
  publish(&w, "held", MANY);
  fake_prober_wait(w.prober, MANY);
  stopping s = {.w = &w};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, stop, &s), 0);
  psprobe_sleep_until(psprobe_clock_monotonic() + SECOND / 5);
  assert_int_equal(s.ended, 0);
  fake_prober_release(w.prober, 200);
  pthread_join(thread, NULL);
  assert_int_equal(s.ended, 1);
  psprobe_subscriber_stats stats = stats_of(&w);
  assert_int_equal(stats.acked, MANY);
  assert_int_equal(stats.leased, 0);
  end(&w);
}

static int suite(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused_comes_again),
                                     cmocka_unit_test(test_stop_waits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
  return test_on_targets(suite);
}
