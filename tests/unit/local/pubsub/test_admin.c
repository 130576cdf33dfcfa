/* SPDX-License-Identifier: MIT */
#include "../broker/broker_fixture.h"

static void test_settings(void **state) {
  (void)state;
  static const struct {
    psp_subscription_settings settings;
    psprobe_code code;
    const char *error;
  } cases[] = {
      {{.ack_deadline_s = 1}, PSPROBE_OK, NULL},
      {{.ack_deadline_s = 600}, PSPROBE_OK, NULL},
      {{.ack_deadline_s = 601}, PSPROBE_INVALID_ARGUMENT, "ack_deadline_secs out of bounds"},
      {{.ack_deadline_s = -1}, PSPROBE_INVALID_ARGUMENT, "ack_deadline_secs out of bounds"},
      {{.retention = {true, 60, 0}},
       PSPROBE_INVALID_ARGUMENT,
       "message_retention_duration out of bounds"},
      {{.retention = {true, INT64_MAX, 0}},
       PSPROBE_INVALID_ARGUMENT,
       "message_retention_duration out of bounds"},
      {{.push = {.endpoint = TEXT("ftp://x")}},
       PSPROBE_INVALID_ARGUMENT,
       "Unsupported push_endpoint"},
      {{.has_dead_letter = true, .dead_letter_topic = TEXT(TOPIC), .max_attempts = 4},
       PSPROBE_OUT_OF_RANGE,
       "The value for max_delivery_attempts is too small. You passed 4 in the request, but the "
       "minimum value is 5."},
      {{.has_dead_letter = true, .dead_letter_topic = TEXT("projects/p/topics/none")},
       PSPROBE_NOT_FOUND,
       "Dead letter topic not found"},
      {{.has_dead_letter = true, .dead_letter_topic = TEXT(TOPIC)}, PSPROBE_OK, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    assert_int_equal(make_sub_on(SUB, TOPIC, cases[i].settings, &error), cases[i].code);
    if (cases[i].error != NULL) assert_string_equal(error.message, cases[i].error);
    if (cases[i].code == PSPROBE_OK) psp_broker_subscription_delete(broker, SUB, NULL);
  }
  make_sub((psp_subscription_settings){
      .has_dead_letter = true, .dead_letter_topic = TEXT(TOPIC), .has_retry = true});
  const psp_subscription_settings *settings = psp_broker_subscription(broker, SUB);
  assert_int_equal(settings->ack_deadline_s, 10);
  assert_int_equal(settings->retention.seconds, 604800);
  assert_int_equal(settings->max_attempts, 5);
  assert_int_equal(settings->retry_min.seconds, 10);
  assert_int_equal(settings->retry_max.seconds, 600);
}

static void test_exists_and_absent(void **state) {
  (void)state;
  psprobe_error error = {0};
  psp_topic_settings again = {.name = psp_strdup(TOPIC)};
  assert_int_equal(psp_broker_topic_create(broker, &again, &error), PSPROBE_ALREADY_EXISTS);
  assert_string_equal(error.message, "Topic already exists");
  psp_topic_settings_free(&again);
  make_sub((psp_subscription_settings){0});
  assert_int_equal(make_sub_on(SUB, TOPIC, (psp_subscription_settings){0}, &error),
                   PSPROBE_ALREADY_EXISTS);
  assert_string_equal(error.message, "Subscription already exists");
  assert_int_equal(make_sub_on("projects/p/subscriptions/other", "projects/p/topics/none",
                               (psp_subscription_settings){0}, &error),
                   PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "Subscription topic does not exist");
  assert_int_equal(psp_broker_topic_delete(broker, "projects/p/topics/none", &error),
                   PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "Topic not found");
  assert_int_equal(psp_broker_subscription_delete(broker, "none", &error), PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "Subscription does not exist");
  uint64_t id;
  assert_int_equal(psp_broker_publish(broker, "none", NULL, 0, now, &id, &error),
                   PSPROBE_NOT_FOUND);
  pull_from("none", 1);
  assert_int_equal(given.code, PSPROBE_NOT_FOUND);
  assert_string_equal(given.why, "Subscription does not exist");
}

static void test_listing_in_order(void **state) {
  (void)state;
  make_topic("projects/p/topics/zzz");
  make_topic("projects/p/topics/aaa");
  make_topic("projects/q/topics/aaa");
  size_t place = psp_broker_topic_place(broker, "projects/p/topics/b");
  assert_string_equal(psp_broker_topic_at(broker, place)->name, TOPIC);
  assert_string_equal(psp_broker_topic_at(broker, place + 1)->name, "projects/p/topics/zzz");
  assert_string_equal(psp_broker_topic_at(broker, place + 2)->name, "projects/q/topics/aaa");
  assert_null(psp_broker_topic_at(broker, place + 3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_settings),
      TEST(test_exists_and_absent),
      TEST(test_listing_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
