/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The settings of topics and subscriptions, snapshots, seeks and policies, on Google's emulator,
 * what it has of them, and that it says so where it has not; and on the stand-in, which has more.
 */
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

#include "target.h"

#define SECOND INT64_C(1000000000)

static psprobe_client *client;
static char topic[64], subscription[64], other[64];
static psprobe_error error; /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

static int setup(void **state) {
  (void)state;
  const psprobe_attribute label = {"team", "probes"};
  const psprobe_topic_config config = {
      .labels = &label, .label_count = 1, .retention_ns = 3600 * SECOND};
  ok(psprobe_topic_create(client, test_unique(topic, "topic"), &config, 0, NULL, &error));
  ok(psprobe_topic_create(client, test_unique(other, "other"), NULL, 0, NULL, &error));
  const psprobe_subscription_config all = {.topic = topic,
                                           .ack_deadline_s = 30,
                                           .retain_acked = true,
                                           .retention_ns = 1200 * SECOND,
                                           .expiration_ns = PSPROBE_EXPIRES_NEVER,
                                           .filter = "attributes.x = \"1\"",
                                           .dead_letter_topic = other,
                                           .max_delivery_attempts = 7,
                                           .retry_min_ns = SECOND / 2,
                                           .retry_max_ns = 20 * SECOND,
                                           .labels = &label,
                                           .label_count = 1};
  ok(psprobe_subscription_create(client, test_unique(subscription, "all"), &all, NULL, &error));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psprobe_subscription_delete(client, subscription, NULL);
  psprobe_topic_delete(client, topic, NULL);
  psprobe_topic_delete(client, other, NULL);
  return 0;
}

static bool count(void *arg, const char *name) {
  if (strstr(name, subscription) != NULL) ++*(int *)arg;
  return true;
}

static void test_topic(void **state) {
  (void)state;
  psprobe_topic_info info;
  int seen = 0;
  ok(psprobe_topic_get(client, topic, 0, &info, &error));
  assert_non_null(strstr(info.name, topic));
  assert_int_equal(info.config.label_count, 1);
  assert_string_equal(info.config.labels[0].value, "probes");
  assert_int_equal(info.config.retention_ns, 3600 * SECOND);
  psprobe_topic_info_free(&info);
  const psprobe_topic_config longer = {.retention_ns = 7200 * SECOND};
  ok(psprobe_topic_update(client, topic, &longer, PSPROBE_TOPIC_RETENTION, &error));
  ok(psprobe_topic_get(client, topic, 0, &info, &error));
  assert_int_equal(info.config.retention_ns, 7200 * SECOND);
  assert_int_equal(info.config.label_count, 1); /* the others are as they were */
  psprobe_topic_info_free(&info);
  ok(psprobe_topic_subscriptions(client, topic, count, &seen, &error));
  assert_int_equal(seen, 1);
}

static void test_subscription(void **state) {
  (void)state;
  psprobe_subscription_info info;
  ok(psprobe_subscription_get(client, subscription, 0, &info, &error));
  const psprobe_subscription_config *c = &info.config;
  assert_int_equal(c->ack_deadline_s, 30);
  assert_int_equal(c->retention_ns, 1200 * SECOND);
  assert_true(c->expiration_ns == PSPROBE_EXPIRES_NEVER);
  assert_string_equal(c->filter, "attributes.x = \"1\"");
  assert_non_null(strstr(c->dead_letter_topic, other));
  assert_int_equal(c->max_delivery_attempts, 7);
  assert_int_equal(c->retry_min_ns, SECOND / 2);
  assert_int_equal(c->retry_max_ns, 20 * SECOND);
  assert_true(c->retain_acked && !c->exactly_once);
  psprobe_subscription_info_free(&info);
  const psprobe_subscription_config change = {
      .ack_deadline_s = 60,
      .exactly_once = true,
      .push_endpoint = "http://127.0.0.1:1/",
      .push_no_wrapper = true,
      .push_write_metadata = true,
  };
  ok(psprobe_subscription_update(client, subscription, &change,
                                 PSPROBE_SUBSCRIPTION_ACK_DEADLINE | PSPROBE_SUBSCRIPTION_RETRY |
                                     PSPROBE_SUBSCRIPTION_EXACTLY_ONCE | PSPROBE_SUBSCRIPTION_PUSH,
                                 &error));
  ok(psprobe_subscription_get(client, subscription, 0, &info, &error));
  assert_int_equal(c->ack_deadline_s, 60);
  assert_true(c->exactly_once && c->push_no_wrapper && c->push_write_metadata);
  assert_int_equal(c->retry_min_ns, 0);             /* named, and not there: its default */
  assert_int_equal(c->retention_ns, 1200 * SECOND); /* not named: as it was */
  psprobe_subscription_info_free(&info);
  ok(psprobe_subscription_set_push(client, subscription, &(psprobe_subscription_config){0},
                                   &error));
}

static void publish(const char *data) {
  static const psprobe_attribute x = {"x", "1"};
  const psprobe_message message = {
      .data = data, .data_len = strlen(data), .attributes = &x, .attribute_count = 1};
  ok(psprobe_publish(client, topic, &message, 1, NULL, &error));
}

/* The next message is this one. It is waited for: a pull that times out goes on in the emulator,
 * and swallows what comes. */
static void expect(const char *data) {
  psprobe_batch *batch = NULL;
  ok(psprobe_pull(client, subscription, 1, 60 * SECOND, &batch, &error));
  assert_int_equal(psprobe_batch_count(batch), 1);
  const psprobe_message *message = psprobe_batch_message(batch, 0);
  assert_string_equal(message->data, data);
  ok(psprobe_acknowledge(client, subscription, &message->ack_id, 1, &error));
  psprobe_batch_free(batch);
}

static void test_seek(void **state) {
  (void)state;
  char snapshot[64];
  psprobe_snapshot_info info;
  ok(psprobe_snapshot_create(client, test_unique(snapshot, "kept"), subscription, NULL, 0, &error));
  ok(psprobe_snapshot_get(client, snapshot, &info, &error));
  assert_non_null(strstr(info.topic, topic));
  assert_true(info.expire_time.seconds > 0);
  psprobe_snapshot_info_free(&info);
  assert_int_equal(psprobe_snapshot_create(client, snapshot, subscription, NULL, 0, &error),
                   PSPROBE_ALREADY_EXISTS);
  publish("first");
  expect("first");
  ok(psprobe_subscription_seek_snapshot(client, subscription, snapshot, &error));
  expect("first"); /* its acknowledgment was taken back */
  publish("skipped");
  const psprobe_timestamp late = {.seconds = time(NULL) + 60};
  ok(psprobe_subscription_seek(client, subscription, late, &error));
  publish("next");
  expect("next"); /* the seek acknowledged what was there */
  ok(psprobe_snapshot_delete(client, snapshot, &error));
  assert_int_equal(psprobe_snapshot_get(client, snapshot, &info, &error), PSPROBE_NOT_FOUND);
}

/* What the emulator has not got is told as such, not taken for done. */
static void test_not_there(void **state) {
  (void)state;
  static const char *const asked[] = {"pubsub.topics.publish"};
  char *policy = NULL;
  bool granted;
  assert_int_equal(psprobe_subscription_detach(client, subscription, &error),
                   PSPROBE_UNIMPLEMENTED);
  assert_int_equal(psprobe_policy_get(client, PSPROBE_POLICY_TOPIC, topic, &policy, &error),
                   PSPROBE_UNIMPLEMENTED);
  assert_null(policy);
  assert_int_equal(
      psprobe_policy_test(client, PSPROBE_POLICY_TOPIC, topic, asked, 1, &granted, &error),
      PSPROBE_UNIMPLEMENTED);
}

/* What the stand-in has beyond: labels that change, and what is detached. */
static void test_beyond(void **state) {
  (void)state;
  const psprobe_attribute label = {"team", "others"};
  psprobe_topic_info of_topic;
  const psprobe_topic_config changed = {.labels = &label,
                                        .label_count = 1,
                                        .schema = "projects/p/schemas/s",
                                        .schema_encoding = "JSON"};
  ok(psprobe_topic_update(client, topic, &changed, PSPROBE_TOPIC_LABELS | PSPROBE_TOPIC_SCHEMA,
                          &error));
  ok(psprobe_topic_get(client, topic, 0, &of_topic, &error));
  assert_string_equal(of_topic.config.labels[0].value, "others");
  assert_string_equal(of_topic.config.schema_encoding, "JSON");
  assert_int_equal(of_topic.config.retention_ns, 3600 * SECOND);
  psprobe_topic_info_free(&of_topic);

  psprobe_subscription_info info;
  const psprobe_subscription_config to = {.labels = &label, .label_count = 1};
  ok(psprobe_subscription_update(client, subscription, &to,
                                 PSPROBE_SUBSCRIPTION_LABELS | PSPROBE_SUBSCRIPTION_EXPIRATION,
                                 &error));
  ok(psprobe_subscription_get(client, subscription, 0, &info, &error));
  assert_string_equal(info.config.labels[0].value, "others");
  assert_int_equal(info.config.expiration_ns, 0);
  assert_false(info.detached);
  psprobe_subscription_info_free(&info);

  publish("lost");
  ok(psprobe_subscription_detach(client, subscription, &error));
  ok(psprobe_subscription_get(client, subscription, 0, &info, &error));
  assert_true(info.detached);
  psprobe_subscription_info_free(&info);
  psprobe_batch *batch = NULL;
  assert_int_equal(psprobe_pull(client, subscription, 1, 5 * SECOND, &batch, &error),
                   PSPROBE_FAILED_PRECONDITION);
  int seen = 0;
  ok(psprobe_topic_subscriptions(client, topic, count, &seen, &error));
  assert_int_equal(seen, 0);
}

static void test_snapshots(void **state) {
  (void)state;
  char snapshot[64];
  const psprobe_attribute label = {"a", "b"}, other_label = {"c", "d"};
  psprobe_snapshot_info info;
  ok(psprobe_snapshot_create(client, test_unique(snapshot, "kept"), subscription, &label, 1,
                             &error));
  const psprobe_snapshot_config to = {
      .labels = &other_label, .label_count = 1, .expire_time = {.seconds = time(NULL) + 7200}};
  ok(psprobe_snapshot_update(client, snapshot, &to,
                             PSPROBE_SNAPSHOT_LABELS | PSPROBE_SNAPSHOT_EXPIRE_TIME, &error));
  ok(psprobe_snapshot_get(client, snapshot, &info, &error));
  assert_int_equal(info.expire_time.seconds, to.expire_time.seconds);
  assert_int_equal(info.label_count, 1);
  assert_string_equal(info.labels[0].key, "c");
  psprobe_snapshot_info_free(&info);
  ok(psprobe_snapshot_delete(client, snapshot, &error));
}

/* A policy that was read, changed and written back, and one of whoever was slower. */
static void test_policies(void **state) {
  (void)state;
  static const char *const asked[] = {"pubsub.topics.publish", "pubsub.topics.get"};
  char *policy = NULL, *again = NULL;
  char changed[400];
  bool granted[2] = {false, false};
  ok(psprobe_policy_get(client, PSPROBE_POLICY_TOPIC, topic, &policy, &error));
  const char *etag = strstr(policy, "\"etag\": \"");
  assert_non_null(etag);
  snprintf(changed, sizeof changed,
           "{\"bindings\":[{\"role\":\"roles/pubsub.editor\",\"members\":[\"user:a@b.c\"]}],"
           "\"etag\":\"%.*s\"}",
           (int)strcspn(etag + 9, "\""), etag + 9);
  ok(psprobe_policy_set(client, PSPROBE_POLICY_TOPIC, topic, changed, &error));
  ok(psprobe_policy_get(client, PSPROBE_POLICY_TOPIC, topic, &again, &error));
  assert_non_null(strstr(again, "user:a@b.c"));
  assert_int_equal(psprobe_policy_set(client, PSPROBE_POLICY_TOPIC, topic, changed, &error),
                   PSPROBE_ABORTED);
  assert_int_equal(
      psprobe_policy_set(client, PSPROBE_POLICY_SUBSCRIPTION, "nothing-there", "{}", &error),
      PSPROBE_NOT_FOUND);
  ok(psprobe_policy_test(client, PSPROBE_POLICY_TOPIC, topic, asked, 2, granted, &error));
  assert_true(granted[0] && granted[1]);
  ok(psprobe_policy_test(client, PSPROBE_POLICY_TOPIC, "nothing-there", asked, 2, granted, &error));
  assert_false(granted[0] || granted[1]);
  assert_int_equal(psprobe_policy_test(client, PSPROBE_POLICY_SUBSCRIPTION, subscription, asked, 1,
                                       granted, &error),
                   PSPROBE_INVALID_ARGUMENT);
  free(policy);
  free(again);
}

static int suite(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest google[] = {TEST(test_topic), TEST(test_subscription), TEST(test_seek),
                                      TEST(test_not_there)};
  const struct CMUnitTest local[] = {TEST(test_topic),     TEST(test_subscription),
                                     TEST(test_seek),      TEST(test_beyond),
                                     TEST(test_snapshots), TEST(test_policies)};
  client = test_target_client(TEST_PUBSUB);
  int failed = strcmp(test_target(), "google") == 0 ? cmocka_run_group_tests(google, NULL, NULL)
                                                    : cmocka_run_group_tests(local, NULL, NULL);
  psprobe_client_free(client);
  return failed;
}

int main(void) {
  return test_on_targets(suite);
}
