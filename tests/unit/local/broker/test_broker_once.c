/* SPDX-License-Identifier: MIT */
/** @file Delivery exactly once: when an ack id counts. And what a subscriber may have out, by
 * bytes. */
#include "broker_fixture.h"

/* @return whether it is told that the id counts no more */
static bool ack_is_stale(uint64_t id) {
  bool stale = true;
  assert_int_equal(psp_broker_acknowledge(broker, SUB, &id, 1, &stale, now, NULL), PSPROBE_OK);
  return stale;
}

static bool deadline_is_stale(uint64_t id, int seconds) {
  bool stale = true;
  assert_int_equal(psp_broker_modify_deadline(broker, SUB, &id, 1, seconds, &stale, now, NULL),
                   PSPROBE_OK);
  return stale;
}

static uint64_t take(const char *text) {
  assert_string_equal(pull(1), text);
  return given.deliveries[0].ack;
}

static void test_an_id_counts_once(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.exactly_once = true});
  publish("a");
  uint64_t id = take("a");
  assert_false(deadline_is_stale(id, 20));
  later(19 * S);
  assert_string_equal(pull(1), ""); /* as long as its lease lasts */
  assert_false(ack_is_stale(id));
  assert_true(ack_is_stale(id));
  assert_true(deadline_is_stale(id, 20));
  assert_true(ack_is_stale(12345));
  assert_int_equal(held(), 0);
}

static void test_an_expired_id_does_not_count(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.exactly_once = true});
  publish("a");
  uint64_t first = take("a");
  later(10 * S);
  assert_true(ack_is_stale(first)); /* though it is not delivered anew yet */
  assert_true(deadline_is_stale(first, 10));
  assert_int_equal(held(), 1);
  uint64_t second = take("a");
  assert_true(ack_is_stale(first));
  assert_false(deadline_is_stale(second, 0)); /* given back */
  assert_true(ack_is_stale(second));
  assert_false(ack_is_stale(take("a")));
}

/* Of several those that count are acknowledged. */
static void test_some_count(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.exactly_once = true});
  publish("a");
  publish("b");
  uint64_t ids[3] = {take("a"), 999, take("b")};
  bool stale[3] = {true, false, true};
  assert_int_equal(psp_broker_acknowledge(broker, SUB, ids, 3, stale, now, NULL), PSPROBE_OK);
  assert_true(!stale[0] && stale[1] && !stale[2]);
  assert_int_equal(held(), 0);
}

/* Without it nothing is told, and a late one counts. */
static void test_at_least_once(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  uint64_t id = take("a");
  later(10 * S);
  assert_false(ack_is_stale(id));
  assert_false(ack_is_stale(id));
  assert_int_equal(held(), 0);
  psp_subscription_settings on = {.exactly_once = true};
  psp_broker_subscription_update(broker, SUB, &on, PSP_SUB_EXACTLY_ONCE, now, NULL);
  assert_true(ack_is_stale(id));
}

static void keep_answer(psp_broker_waiter *pull) {
  (void)pull;
}

/* Sending stops once so many bytes are out, by the message that reaches them. */
static void test_bytes(void **state) {
  (void)state;
  psp_broker_flow *flow = calloc(1, sizeof *flow);
  assert_non_null(flow);
  flow->most = 10;
  flow->most_bytes = 7;
  make_sub((psp_subscription_settings){.ack_deadline_s = 10});
  for (int i = 0; i < 4; i++)
    publish("four");
  psp_broker_waiter one = {.max = 10, .flow = flow, .answer = keep_answer};
  psp_broker_pull(broker, SUB, &one, now);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.count, 2);
  assert_int_equal(flow->out_bytes, 8);
  psp_broker_waiter more = {.max = 10, .flow = flow, .answer = keep_answer};
  psp_broker_pull(broker, SUB, &more, now);
  assert_null(psp_broker_outbox(broker).pulls);
  ack(one.deliveries[0].ack);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &more);
  assert_int_equal(more.count, 1);
  later(11 * S);
  assert_int_equal(flow->out_bytes, 0);
  psp_broker_waiter_clear(&one);
  psp_broker_waiter_clear(&more);
  psp_broker_flow_end(flow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_an_id_counts_once),
      TEST(test_an_expired_id_does_not_count),
      TEST(test_some_count),
      TEST(test_at_least_once),
      TEST(test_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
