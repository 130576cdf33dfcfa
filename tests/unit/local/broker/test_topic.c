/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

static void test_update(void **state) {
  (void)state;
  psprobe_error error = {0};
  psp_topic_settings to = {.retention = {true, 700, 0},
                           .schema = psp_strdup("{}"),
                           .kms_key = psp_strdup("key"),
                           .storage_policy = psp_strdup("{\"a\":1}")};
  psp_pairs_put(&to.labels, "a", "b");
  assert_int_equal(psp_broker_topic_update(broker, TOPIC, &to, PSP_TOPIC_LABELS, &error),
                   PSPROBE_OK);
  const psp_topic_settings *topic = psp_broker_topic(broker, TOPIC);
  assert_int_equal(topic->labels.count, 1);
  assert_false(topic->retention.set);
  assert_null(topic->schema);
  assert_int_equal(
      psp_broker_topic_update(
          broker, TOPIC, &to,
          PSP_TOPIC_RETENTION | PSP_TOPIC_SCHEMA | PSP_TOPIC_STORAGE | PSP_TOPIC_KMS_KEY, &error),
      PSPROBE_OK);
  assert_int_equal(topic->labels.count, 1);
  assert_int_equal(topic->retention.seconds, 700);
  assert_string_equal(topic->schema, "{}");
  assert_string_equal(topic->kms_key, "key");
  assert_string_equal(topic->storage_policy, "{\"a\":1}");
  to.retention.seconds = 5;
  assert_int_equal(psp_broker_topic_update(broker, TOPIC, &to, PSP_TOPIC_RETENTION, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(topic->retention.seconds, 700); /* all or nothing */
  assert_int_equal(psp_broker_topic_update(broker, "none", &to, PSP_TOPIC_LABELS, &error),
                   PSPROBE_NOT_FOUND);
  psp_topic_settings_free(&to);
  to = (psp_topic_settings){0};
  psp_broker_topic_update(broker, TOPIC, &to, PSP_TOPIC_LABELS, &error);
  assert_int_equal(topic->labels.count, 0);
  psp_topic_settings_free(&to);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_update)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
