/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

static void test_publish_pull_acknowledge(void **state) {
  (void)state;
  publish("before there is a subscription");
  make_sub((psp_subscription_settings){0});
  assert_int_equal(publish("a"), 2);
  publish("b");
  publish("c");
  assert_string_equal(pull(2), "a b");
  assert_int_equal(given.deliveries[0].letter->id, 2);
  assert_int_equal(given.deliveries[0].letter->published_ms, now.wall_ms);
  assert_int_equal(given.deliveries[0].attempt, 0);
  uint64_t a = given.deliveries[0].ack, b = given.deliveries[1].ack;
  assert_true(a != b && a != 0 && b != 0);
  assert_string_equal(pull(10), "c");
  assert_int_equal(leased(), 3);
  ack(a);
  ack(a);
  ack(12345);
  ack(UINT64_MAX);
  assert_int_equal(held(), 2);
  assert_int_equal(leased(), 2);
  later(10 * S);
  assert_string_equal(pull(10), "b c");
  ack(b); /* of the delivery before */
  assert_int_equal(held(), 2);
  ack(given.deliveries[0].ack);
  ack(given.deliveries[1].ack);
  assert_int_equal(held(), 0);
  later(100 * S);
  assert_string_equal(pull(10), "");
}

static void test_each_subscription_has_its_own(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  make_sub_on("projects/p/subscriptions/two", TOPIC, (psp_subscription_settings){0}, NULL);
  publish("a");
  assert_string_equal(pull(1), "a");
  psp_letter *first = psp_letter_ref(given.deliveries[0].letter);
  ack(given.deliveries[0].ack);
  assert_string_equal(pull_from("projects/p/subscriptions/two", 1), "a");
  assert_ptr_equal(given.deliveries[0].letter, first); /* one body for all */
  psp_letter_unref(first);
}

static void test_redelivered_exactly_at_the_deadline(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ack_deadline_s = 2});
  publish("a");
  assert_string_equal(pull(1), "a");
  assert_int_equal(psp_broker_next(broker), now.mono_ns + 2 * S);
  later(2 * S - 1);
  assert_string_equal(pull(1), "");
  uint64_t first = given.count ? given.deliveries[0].ack : 0;
  later(1);
  assert_string_equal(pull(1), "a");
  assert_true(given.deliveries[0].ack != first);
}

static void test_late_ack_counts_until_redelivery(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ack_deadline_s = 1});
  publish("a");
  pull(1);
  uint64_t first = given.deliveries[0].ack;
  later(5 * S);
  ack(first);
  assert_int_equal(held(), 0);
  assert_string_equal(pull(1), "");
}

static void test_modify_deadline(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  pull(1);
  later(9 * S);
  deadline(given.deliveries[0].ack, 6); /* from now, not from the delivery */
  later(6 * S - 1);
  assert_int_equal(leased(), 1);
  later(1);
  assert_int_equal(leased(), 0);
  assert_string_equal(pull(1), "a");
  deadline(given.deliveries[0].ack, 0);
  assert_string_equal(pull(1), "a"); /* at once */
  deadline(given.deliveries[0].ack, 1);
  deadline(999, 0);
  later(S);
  assert_string_equal(pull(1), "a");
}

static void test_waiting_pulls_oldest_first(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  psp_broker_waiter one = {.max = 1}, two = {.max = 10}, three = {.max = 10};
  psp_broker_pull(broker, SUB, &one, now);
  psp_broker_pull(broker, SUB, &two, now);
  later(S);
  psp_broker_pull(broker, SUB, &three, now);
  assert_null(psp_broker_outbox(broker).pulls);
  publish("a");
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.count, 1);
  publish("b");
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &two);
  later(10 * S); /* a and b again, together, to the next */
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &three);
  assert_int_equal(three.count, 2);
  assert_int_equal(three.deliveries[0].letter->id, one.deliveries[0].letter->id);
  psp_broker_waiter_clear(&one);
  psp_broker_waiter_clear(&two);
  psp_broker_waiter_clear(&three);
}

static void test_one_publish_feeds_several_pulls(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  psp_broker_waiter one = {.max = 2}, two = {.max = 2};
  psp_broker_pull(broker, SUB, &one, now);
  psp_broker_pull(broker, SUB, &two, now);
  psp_letter *letters[3];
  for (int i = 0; i < 3; i++)
    letters[i] = psp_letter_new("x", 1, NULL, 0, NULL);
  uint64_t id;
  assert_int_equal(psp_broker_publish(broker, TOPIC, letters, 3, now, &id, NULL), PSPROBE_OK);
  psp_broker_mail mail = psp_broker_outbox(broker);
  assert_ptr_equal(mail.pulls, &one);
  assert_ptr_equal(mail.pulls->next, &two);
  assert_int_equal(one.count, 2);
  assert_int_equal(two.count, 1);
  assert_int_equal(two.deliveries[0].letter->id, id + 2);
  for (int i = 0; i < 3; i++)
    psp_letter_unref(letters[i]);
  psp_broker_waiter_clear(&one);
  psp_broker_waiter_clear(&two);
}

static void test_empty_pull_ends_after_89_s(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  psp_broker_waiter one = {.max = 1};
  psp_broker_pull(broker, SUB, &one, now);
  later(89 * S - 1);
  assert_null(psp_broker_outbox(broker).pulls);
  later(1);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.code, PSPROBE_OK);
  assert_int_equal(one.count, 0);
  publish("a");
  assert_string_equal(pull(1), "a");
}

static bool gone(void *arg) {
  (*(int *)arg)++;
  return false;
}

static void test_gone_client_swallows_nothing(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  int asked = 0;
  psp_broker_waiter one = {.max = 1, .alive = gone, .arg = &asked}, two = {.max = 1};
  psp_broker_pull(broker, SUB, &one, now);
  psp_broker_pull(broker, SUB, &two, now);
  publish("a");
  assert_int_equal(asked, 1);
  psp_broker_mail mail = psp_broker_outbox(broker);
  assert_ptr_equal(mail.pulls, &one);
  assert_int_equal(one.code, PSPROBE_CANCELLED);
  assert_int_equal(one.count, 0);
  assert_ptr_equal(mail.pulls->next, &two);
  assert_int_equal(two.count, 1);
  psp_broker_waiter_clear(&two);
}

static void test_delete_answers_waiting_pulls(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  pull(1);
  psp_broker_waiter one = {.max = 1};
  psp_broker_pull(broker, SUB, &one, now);
  assert_int_equal(psp_broker_subscription_delete(broker, SUB, NULL), PSPROBE_OK);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.code, PSPROBE_NOT_FOUND);
  later(100 * S);
  publish("b");
}

/* Taken from its topic it holds nothing and refuses pulls, but it is there. */
static void test_detach(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  publish("b");
  pull(1);
  uint64_t out = given.deliveries[0].ack;
  psp_broker_waiter one = {.max = 1};
  pull(1);
  psp_broker_pull(broker, SUB, &one, now);
  assert_int_equal(psp_broker_detach(broker, SUB, NULL), PSPROBE_OK);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.code, PSPROBE_FAILED_PRECONDITION);
  assert_int_equal(held(), 0);
  ack(out);
  publish("c");
  pull(1);
  assert_int_equal(given.code, PSPROBE_FAILED_PRECONDITION);
  assert_true(psp_broker_subscription(broker, SUB)->detached);
  assert_string_equal(psp_broker_subscription(broker, SUB)->topic, TOPIC);
  assert_int_equal(psp_broker_detach(broker, SUB, NULL), PSPROBE_OK);
  assert_int_equal(psp_broker_detach(broker, "none", NULL), PSPROBE_NOT_FOUND);
  assert_int_equal(psp_broker_seek_time(broker, SUB, 0, now, NULL), PSPROBE_FAILED_PRECONDITION);
  psp_subscription_settings to = {.retain_acked = true,
                                  .ack_deadline_s = 20,
                                  .push = {.endpoint = psp_strdup("http://127.0.0.1:9/")}};
  assert_int_equal(
      psp_broker_subscription_update(
          broker, SUB, &to, PSP_SUB_RETAIN | PSP_SUB_ACK_DEADLINE | PSP_SUB_PUSH, now, NULL),
      PSPROBE_OK);
  psp_subscription_settings_free(&to);
  assert_int_equal(psp_broker_topic_delete(broker, TOPIC, NULL), PSPROBE_OK);
  assert_int_equal(psp_broker_subscription_delete(broker, SUB, NULL), PSPROBE_OK);
}

static void test_close_answers_waiting_pulls(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  psp_broker_waiter one = {.max = 1}, two = {.max = 1};
  psp_broker_pull(broker, SUB, &one, now);
  psp_broker_close(broker);
  psp_broker_pull(broker, SUB, &two, now);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.code, PSPROBE_UNAVAILABLE);
  assert_int_equal(two.code, PSPROBE_UNAVAILABLE);
}

static void test_topic_deleted_backlog_stays(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  assert_int_equal(psp_broker_topic_delete(broker, TOPIC, NULL), PSPROBE_OK);
  assert_string_equal(psp_broker_subscription(broker, SUB)->topic, "_deleted-topic_");
  assert_string_equal(pull(1), "a");
  make_topic(TOPIC); /* of the same name, but another */
  publish("b");
  assert_string_equal(pull(1), "");
}

static void test_retention(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retention = {true, 600, 0}});
  publish("a");
  later(300 * S);
  publish("b");
  later(300 * S);
  assert_string_equal(pull(10), "b");
  assert_int_equal(held(), 1);
}

static psprobe_code publish_of(const char *data, const char *lang) {
  const psp_pair pair = {"lang", lang};
  psp_letter *letter = psp_letter_new(data, strlen(data), &pair, 1, NULL);
  uint64_t id;
  psprobe_code code = psp_broker_publish(broker, TOPIC, &letter, 1, now, &id, NULL);
  psp_letter_unref(letter);
  return code;
}

/* What does not pass is not held, as if it had been acknowledged. */
static void test_filter(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.filter = strdup("attributes.lang = \"en\"")});
  make_sub_on("projects/p/subscriptions/two", TOPIC, (psp_subscription_settings){0}, NULL);
  assert_int_equal(publish_of("yes", "en"), PSPROBE_OK);
  assert_int_equal(publish_of("ja", "de"), PSPROBE_OK);
  assert_int_equal(held(), 1);
  assert_string_equal(pull(10), "yes");
  assert_string_equal(pull_from("projects/p/subscriptions/two", 10), "yes ja");
}

static void test_at_most_10_megabytes(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  char *big = calloc(1, 4000000);
  for (int i = 0; i < 3; i++) {
    psp_letter *letter = psp_letter_new(big, 4000000, NULL, 0, NULL);
    uint64_t id;
    psp_broker_publish(broker, TOPIC, &letter, 1, now, &id, NULL);
    psp_letter_unref(letter);
  }
  free(big);
  psp_broker_waiter one = {.max = 10, .immediate = true};
  psp_broker_pull(broker, SUB, &one, now);
  psp_broker_outbox(broker);
  assert_int_equal(one.count, 2);
  psp_broker_waiter_clear(&one);
}

/* Many messages through many leases: nothing lost, nothing twice, no memory beyond. */
static void test_churn(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ack_deadline_s = 5});
  uint32_t random = 7;
  size_t published = 0, acked = 0;
  for (int round = 0; round < 3000; round++) {
    random = random * 1664525u + 1013904223u;
    for (unsigned i = 0; i < (random >> 10) % 8; i++, published++)
      publish("x");
    pull(1 + (random >> 20) % 10);
    for (size_t i = 0; i < given.count; i++, random = random * 1664525u + 1013904223u) {
      uint64_t id = given.deliveries[i].ack;
      if ((random >> 12) % 3 == 0) deadline(id, (int)((random >> 14) % 3));
      if ((random >> 12) % 3 != 1) continue;
      size_t before = held();
      ack(id);
      acked += before - held();
    }
    later((random >> 8) % 3 * S);
    assert_int_equal(held(), published - acked);
  }
  while (held() > 0) {
    later(5 * S);
    pull(1000);
    for (size_t i = 0; i < given.count; i++, acked++)
      ack(given.deliveries[i].ack);
  }
  assert_int_equal(acked, published);
}

static void keep_answer(psp_broker_waiter *pull) {
  (void)pull;
}

/* A subscriber with a limit gets no more than that, whoever else gets the rest; what it settles,
 * and what runs out, makes room. */
static void test_flow(void **state) {
  (void)state;
  psp_broker_flow *flow = calloc(1, sizeof *flow);
  assert_non_null(flow);
  flow->most = 2;
  flow->most_bytes = SIZE_MAX;
  make_sub((psp_subscription_settings){.ack_deadline_s = 10});
  publish("a");
  publish("b");
  publish("c");
  psp_broker_waiter one = {.max = 10, .flow = flow, .answer = keep_answer};
  psp_broker_pull(broker, SUB, &one, now);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.count, 2);
  psp_broker_waiter more = {.max = 10, .flow = flow, .answer = keep_answer};
  psp_broker_pull(broker, SUB, &more, now);
  assert_null(psp_broker_outbox(broker).pulls);
  assert_int_equal(psp_broker_acknowledge(broker, SUB, &one.deliveries[0].ack, 1, NULL, now, NULL),
                   PSPROBE_OK);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &more);
  assert_int_equal(more.count, 1);
  assert_int_equal(flow->out, 2);
  later(11 * S);
  assert_int_equal(flow->out, 0);
  psp_broker_waiter_clear(&one);
  psp_broker_waiter_clear(&more);
  psp_broker_waiter last = {.max = 10, .flow = flow, .answer = keep_answer};
  psp_broker_pull(broker, SUB, &last, now);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &last);
  assert_int_equal(last.count, 2);
  psp_broker_waiter_clear(&last);
  /* Freed with what it still has out. */
  psp_broker_flow_end(flow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_publish_pull_acknowledge),
      TEST(test_each_subscription_has_its_own),
      TEST(test_redelivered_exactly_at_the_deadline),
      TEST(test_late_ack_counts_until_redelivery),
      TEST(test_modify_deadline),
      TEST(test_waiting_pulls_oldest_first),
      TEST(test_one_publish_feeds_several_pulls),
      TEST(test_empty_pull_ends_after_89_s),
      TEST(test_gone_client_swallows_nothing),
      TEST(test_delete_answers_waiting_pulls),
      TEST(test_detach),
      TEST(test_close_answers_waiting_pulls),
      TEST(test_topic_deleted_backlog_stays),
      TEST(test_retention),
      TEST(test_filter),
      TEST(test_at_most_10_megabytes),
      TEST(test_flow),
      TEST(test_churn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
