/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

#define OTHER "projects/p/subscriptions/other"
#define SNAP  "projects/p/snapshots/snap"

static psprobe_code seek_to(int64_t wall_ms) {
  return psp_broker_seek_time(broker, SUB, wall_ms * MS, now, NULL);
}

static psprobe_code snapshot(const char *name, const char *sub) {
  psp_snapshot_settings settings = {.name = psp_strdup(name)};
  psprobe_code code = psp_broker_snapshot_create(broker, &settings, sub, now, NULL);
  psp_snapshot_settings_free(&settings);
  return code;
}

static psprobe_code seek_snapshot(const char *sub, psprobe_error *error) {
  return psp_broker_seek_snapshot(broker, sub, SNAP, now, error);
}

static void ack_all(void) {
  for (size_t i = 0; i < given.count; i++)
    ack(given.deliveries[i].ack);
}

/* a, b, c, one second after another; then all are acknowledged. @return when a came */
static int64_t three_acked(void) {
  int64_t first = now.wall_ms;
  publish("a");
  later(S);
  publish("b");
  later(S);
  publish("c");
  pull(10);
  ack_all();
  assert_string_equal(pull(10), "");
  return first;
}

static void test_back_in_time(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retain_acked = true});
  int64_t first = three_acked();
  assert_int_equal(seek_to(first + 1000), PSPROBE_OK); /* b's own time: b is not before it */
  assert_string_equal(pull(10), "b c");
  ack_all();
  assert_int_equal(seek_to(first + 1001), PSPROBE_OK);
  assert_string_equal(pull(10), "c");
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(10), "a b"); /* c is leased */
  assert_int_equal(held(), 3);
  assert_int_equal(psp_broker_seek_time(broker, SUB, INT64_MIN, now, NULL), PSPROBE_OK);
  assert_int_equal(held(), 3);
}

static void test_nothing_retained_nothing_back(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  int64_t first = three_acked();
  assert_int_equal(seek_to(first), PSPROBE_OK);
  assert_string_equal(pull(10), "");
}

/* What waits and what is out is acknowledged, and a late ack of it does nothing. */
static void test_forward(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  publish("b");
  pull(1);
  uint64_t out = given.deliveries[0].ack;
  assert_int_equal(seek_to(now.wall_ms + 60000), PSPROBE_OK);
  assert_int_equal(held(), 0);
  ack(out);
  publish("c"); /* comes, though it is before that time */
  assert_string_equal(pull(10), "c");
  assert_int_equal(psp_broker_seek_time(broker, SUB, INT64_MAX, now, NULL), PSPROBE_OK);
  assert_int_equal(held(), 0);
  assert_int_equal(psp_broker_seek_time(broker, OTHER, 0, now, NULL), PSPROBE_NOT_FOUND);
}

static void test_as_long_as_retained(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retain_acked = true, .retention = {true, 600, 0}});
  int64_t first = three_acked();
  later(598 * S);
  assert_int_equal(seek_to(first), PSPROBE_OK);
  assert_string_equal(pull(10), "b c"); /* a is 600 s old */
}

/* The topic retains for all that are attached, and for those that come later. */
static void test_topics_retention(void **state) {
  (void)state;
  psp_topic_settings settings = {.retention = {true, 600, 0}};
  assert_int_equal(psp_broker_topic_update(broker, TOPIC, &settings, PSP_TOPIC_RETENTION, NULL),
                   PSPROBE_OK);
  publish("a");
  later(300 * S);
  make_sub((psp_subscription_settings){0});
  assert_string_equal(pull(10), "");
  assert_int_equal(seek_to(now.wall_ms - 300000), PSPROBE_OK);
  assert_string_equal(pull(10), "a");
  ack_all();
  later(300 * S);
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(10), "");
  /* Without it nothing is remembered. */
  publish("b");
  settings = (psp_topic_settings){0};
  psp_broker_topic_update(broker, TOPIC, &settings, PSP_TOPIC_RETENTION, NULL);
  pull(10);
  ack_all();
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(10), "");
}

/* What the topic or a snapshot retains for longer than the subscription does can be had. */
static void test_older_than_the_subscription_retains(void **state) {
  (void)state;
  psp_topic_settings settings = {.retention = {true, 86400, 0}};
  psp_broker_topic_update(broker, TOPIC, &settings, PSP_TOPIC_RETENTION, NULL);
  make_sub((psp_subscription_settings){.retention = {true, 600, 0}});
  publish("a");
  snapshot(SNAP, SUB);
  later(1000 * S);
  assert_string_equal(pull(1), "");
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(1), "a");
  ack_all();
  settings = (psp_topic_settings){0};
  psp_broker_topic_update(broker, TOPIC, &settings, PSP_TOPIC_RETENTION, NULL);
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_OK);
  later(599 * S);
  assert_string_equal(pull(1), "a");
  ack_all();
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_OK);
  later(600 * S);
  assert_string_equal(pull(1), "");
}

static void test_retained_from_an_update_on(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  pull(1);
  ack_all();
  publish("b"); /* waits when it is turned on: what is acknowledged from then on is retained */
  psp_subscription_settings on = {.retain_acked = true};
  assert_int_equal(psp_broker_subscription_update(broker, SUB, &on, PSP_SUB_RETAIN, now, NULL),
                   PSPROBE_OK);
  publish("c");
  pull(10);
  ack_all();
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(10), "b c");
}

static void test_snapshot(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish("a");
  publish("b");
  pull(1);
  ack_all();
  assert_int_equal(snapshot(SNAP, SUB), PSPROBE_OK);
  publish("c");
  pull(10);
  ack_all();
  assert_int_equal(held(), 0);
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_OK);
  assert_string_equal(pull(10), "b c"); /* a was acknowledged */
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_OK);
  assert_int_equal(held(), 2); /* they are there already */
  ack_all();
  /* Another subscription of the topic, made later; not one of another topic. */
  make_sub_on(OTHER, TOPIC, (psp_subscription_settings){0}, NULL);
  publish("d");
  assert_int_equal(seek_snapshot(OTHER, NULL), PSPROBE_OK);
  assert_string_equal(pull_from(OTHER, 10), "b c d");
  make_topic("projects/p/topics/elsewhere");
  make_sub_on("projects/p/subscriptions/elsewhere", "projects/p/topics/elsewhere",
              (psp_subscription_settings){0}, NULL);
  psprobe_error error = {0};
  assert_int_equal(seek_snapshot("projects/p/subscriptions/elsewhere", &error),
                   PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "topic"));
  psp_broker_snapshot_delete(broker, SNAP, NULL);
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_NOT_FOUND);
}

/* Backwards, too: what the snapshot had acknowledged is so again. */
static void test_snapshot_acknowledges(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retain_acked = true});
  publish("a");
  pull(1);
  ack_all();
  snapshot(SNAP, SUB);
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_int_equal(held(), 1);
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_OK);
  assert_int_equal(held(), 0);
}

/* The order of each key is that of publishing again, whatever waited. */
static void test_order(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ordering = true, .retain_acked = true});
  publish_key(TOPIC, "a1", "k");
  publish_key(TOPIC, "a2", "k");
  pull(10);
  ack_all();
  publish_key(TOPIC, "a3", "k");
  publish("plain");
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(10), "a1 a2 a3 plain");
  ack_all();
  assert_int_equal(held(), 0);
  assert_int_equal(seek_to(0), PSPROBE_OK); /* of lanes that had gone */
  assert_string_equal(pull(10), "a1 a2 a3 plain");
}

static void test_filter_and_deleted_topic(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retain_acked = true});
  make_sub_on(
      OTHER, TOPIC,
      (psp_subscription_settings){.filter = psp_strdup("attributes:no"), .retain_acked = true},
      NULL);
  publish("a");
  pull(1);
  ack_all();
  snapshot(SNAP, SUB);
  assert_int_equal(psp_broker_topic_delete(broker, TOPIC, NULL), PSPROBE_OK);
  assert_string_equal(psp_broker_snapshot(broker, SNAP)->topic, TOPIC);
  assert_int_equal(psp_broker_seek_time(broker, OTHER, 0, now, NULL), PSPROBE_OK);
  assert_string_equal(pull_from(OTHER, 1), "");
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_string_equal(pull(1), "a");
  assert_int_equal(seek_snapshot(SUB, NULL), PSPROBE_FAILED_PRECONDITION);
  assert_int_equal(psp_broker_subscription_delete(broker, SUB, NULL), PSPROBE_OK);
  assert_int_equal(psp_broker_subscription_delete(broker, OTHER, NULL), PSPROBE_OK);
  assert_int_equal(psp_broker_snapshot_delete(broker, SNAP, NULL), PSPROBE_OK);
}

/* A pull that waits gets what comes back, and a push too. */
static void test_who_waits_is_served(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.retain_acked = true});
  publish("a");
  pull(1);
  ack_all();
  psp_broker_waiter one = {.max = 1};
  psp_broker_pull(broker, SUB, &one, now);
  assert_int_equal(seek_to(0), PSPROBE_OK);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &one);
  assert_int_equal(one.count, 1);
  psp_broker_waiter_clear(&one);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_back_in_time),
      TEST(test_nothing_retained_nothing_back),
      TEST(test_forward),
      TEST(test_as_long_as_retained),
      TEST(test_topics_retention),
      TEST(test_older_than_the_subscription_retains),
      TEST(test_retained_from_an_update_on),
      TEST(test_snapshot),
      TEST(test_snapshot_acknowledges),
      TEST(test_order),
      TEST(test_filter_and_deleted_topic),
      TEST(test_who_waits_is_served),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
