/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "pubsub/admin/subscription.h"

static void test_encoded(void **state) {
  (void)state;
  const struct {
    psprobe_subscription_config config;
    const char *body;
  } cases[] = {
      {{0}, "{\"topic\":\"projects/p/topics/t\"}"},
      {{.ack_deadline_s = 30, .enable_ordering = true},
       "{\"topic\":\"projects/p/topics/t\",\"ackDeadlineSeconds\":30,"
       "\"enableMessageOrdering\":true}"},
      {{.push_endpoint = "https://h/", .push_no_wrapper = true, .push_write_metadata = true},
       "{\"topic\":\"projects/p/topics/t\",\"pushConfig\":{\"pushEndpoint\":\"https://h/\","
       "\"noWrapper\":{\"writeMetadata\":true}}}"},
      {{.expiration_ns = PSPROBE_EXPIRES_NEVER, .retry_min_ns = 100000000, .exactly_once = true},
       "{\"topic\":\"projects/p/topics/t\",\"expirationPolicy\":{},"
       "\"retryPolicy\":{\"minimumBackoff\":\"0.100000000s\"},"
       "\"enableExactlyOnceDelivery\":true}"},
      {{.dead_letter_topic = "projects/p/topics/d",
        .max_delivery_attempts = 7,
        .filter = "a:b",
        .retention_ns = 600 * PSP_SECOND_NS,
        .bigquery = "{\"table\":\"p.d.t\"}"},
       "{\"topic\":\"projects/p/topics/t\",\"messageRetentionDuration\":\"600s\","
       "\"deadLetterPolicy\":{\"deadLetterTopic\":\"projects/p/topics/"
       "d\",\"maxDeliveryAttempts\":7},"
       "\"bigqueryConfig\":{\"table\":\"p.d.t\"},\"filter\":\"a:b\"}"},
      {{.push_endpoint = "https://h/"},
       "{\"topic\":\"projects/p/topics/t\",\"pushConfig\":{\"pushEndpoint\":\"https://h/\"}}"},
      {{.push_endpoint = "https://h/", .push_account = "a@b"},
       "{\"topic\":\"projects/p/topics/t\",\"pushConfig\":{\"pushEndpoint\":\"https://h/\","
       "\"oidcToken\":{\"serviceAccountEmail\":\"a@b\"}}}"},
      {{.push_endpoint = "https://h/", .push_account = "a@b", .push_audience = "probe"},
       "{\"topic\":\"projects/p/topics/t\",\"pushConfig\":{\"pushEndpoint\":\"https://h/\","
       "\"oidcToken\":{\"serviceAccountEmail\":\"a@b\",\"audience\":\"probe\"}}}"},
  };
  psp_buf body = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_subscription_encode(&body, "projects/p/topics/t", cases[i].config.dead_letter_topic,
                            &cases[i].config);
    assert_string_equal(body.data, cases[i].body);
    psp_buf_reset(&body);
  }
  psp_push_config_encode(&body, &(psprobe_subscription_config){0});
  assert_string_equal(body.data, "{\"pushConfig\":{}}");
  psp_buf_free(&body);
}

static void test_decoded(void **state) {
  (void)state;
  static const struct {
    const char *path, *name, *push;
    int deadline;
  } cases[] = {
      {"tests/data/pubsub/subscription-pull-defaults.json", "pull-min", NULL, 10},
      {"tests/data/pubsub/subscription-pull-all-fields.json", "pull-all", NULL, 30},
      {"tests/data/pubsub/subscription-push-oidc.json", "push-oidc", "http://127.0.0.1:1/push", 10},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf body = test_file(cases[i].path);
    psprobe_subscription_info info;
    assert_int_equal(psp_subscription_decode(body.data, body.len, &info, NULL), PSPROBE_OK);
    assert_non_null(strstr(info.name, cases[i].name));
    assert_string_equal(info.config.topic, "projects/demo-project/topics/probes");
    assert_int_equal(info.config.ack_deadline_s, cases[i].deadline);
    if (cases[i].push != NULL)
      assert_string_equal(info.config.push_endpoint, cases[i].push);
    else
      assert_null(info.config.push_endpoint);
    psprobe_subscription_info_free(&info);
    psp_buf_free(&body);
  }
  psprobe_subscription_info info;
  assert_int_equal(psp_subscription_decode("{\"name\":\"n\"}", 12, &info, NULL), PSPROBE_INTERNAL);
  psprobe_subscription_info_free(NULL);
}

/* All settings there are, as Google's emulator gave them, and written again. */
static void test_there_and_back(void **state) {
  (void)state;
  psp_buf body = test_file("tests/data/pubsub/subscription-pull-all-fields.json"), again = {0};
  psprobe_subscription_info info, other;
  assert_int_equal(psp_subscription_decode(body.data, body.len, &info, NULL), PSPROBE_OK);
  const psprobe_subscription_config *c = &info.config;
  assert_int_equal(c->retention_ns, 1200 * PSP_SECOND_NS);
  assert_int_equal(c->expiration_ns, PSP_DAY_NS);
  assert_int_equal(c->retry_max_ns, 10500 * (PSP_SECOND_NS / 1000));
  assert_int_equal(c->max_delivery_attempts, 5);
  assert_string_equal(c->filter, "attributes.x = \"1\"");
  assert_int_equal(c->label_count, 1);
  assert_string_equal(c->labels[0].value, "v");
  assert_true(c->retain_acked && c->enable_ordering && c->exactly_once);
  assert_int_equal(psp_subscription_check(c, false, NULL), PSPROBE_OK);
  psp_subscription_encode(&again, c->topic, c->dead_letter_topic, c);
  /* What is made has no name in its body. */
  again.data[0] = ',';
  psp_buf named = {0};
  psp_buf_printf(&named, "{\"name\":\"%s\"%s", info.name, again.data);
  assert_int_equal(psp_subscription_decode(named.data, named.len, &other, NULL), PSPROBE_OK);
  assert_string_equal(other.config.retry_max_ns == c->retry_max_ns ? "same" : "other", "same");
  assert_string_equal(other.config.dead_letter_topic, c->dead_letter_topic);
  psprobe_subscription_info_free(&info);
  psprobe_subscription_info_free(&other);
  psp_buf_free(&body);
  psp_buf_free(&again);
  psp_buf_free(&named);
}

static void test_refused(void **state) {
  (void)state;
  const psprobe_attribute upper = {"Key", "v"}, spaced = {"k", "a b"}, keyless = {NULL, "v"};
  char filter[258] = "";
  memset(filter, 'x', sizeof filter - 1);
  const struct {
    psprobe_subscription_config config;
    const char *why;
  } cases[] = {
      {{.ack_deadline_s = 9}, "10 to 600 s, not 9"},
      {{.ack_deadline_s = 601}, "10 to 600 s, not 601"},
      {{.retention_ns = 599 * PSP_SECOND_NS}, "retention is"},
      {{.retention_ns = 32 * PSP_DAY_NS}, "retention is"},
      {{.expiration_ns = PSP_DAY_NS - 1}, "expiration is"},
      {{.expiration_ns = -2}, "expiration is"},
      {{.retry_min_ns = 601 * PSP_SECOND_NS}, "minimum backoff"},
      {{.retry_min_ns = 20 * PSP_SECOND_NS, .retry_max_ns = 19 * PSP_SECOND_NS}, "maximum backoff"},
      {{.retry_max_ns = PSP_SECOND_NS}, "maximum backoff"}, /* below the minimum's default */
      {{.max_delivery_attempts = 5}, "no dead letter topic"},
      {{.dead_letter_topic = "d", .max_delivery_attempts = 4}, "5 to 100 delivery attempts, not 4"},
      {{.dead_letter_topic = "d", .max_delivery_attempts = 101}, "not 101"},
      {{.filter = filter}, "at most 256 bytes, not 257"},
      {{.labels = &upper, .label_count = 1}, "label \"Key\""},
      {{.labels = &spaced, .label_count = 1}, "label \"a b\""},
      {{.labels = &keyless, .label_count = 1}, "label"},
      {{.labels = NULL, .label_count = 65}, "65 labels"},
      {{.bigquery = "[]"}, "bigquery: not a JSON object"},
      {{.cloud_storage = "{"}, "cloud_storage"},
      {{.push_no_wrapper = true}, "of a push endpoint"},
      {{.push_endpoint = "https://h/", .push_write_metadata = true}, "metadata as headers"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    assert_int_equal(psp_subscription_check(&cases[i].config, false, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].why) == NULL)
      fail_msg("%zu: \"%s\" does not hold \"%s\"", i, error.message, cases[i].why);
  }
  const psprobe_subscription_config short_one = {.ack_deadline_s = 2};
  assert_int_equal(psp_subscription_check(&short_one, true, NULL), PSPROBE_OK);
}

static void feed(const char *text, size_t len, void *arg) {
  psprobe_subscription_info info;
  (void)arg;
  if (psp_subscription_decode(text, len, &info, NULL) == PSPROBE_OK)
    psprobe_subscription_info_free(&info);
}

/* Odd answers are none, or are read as what they can be. */
static void test_odd_answers(void **state) {
  (void)state;
  static const char *const odd[] = {"[]", "{\"name\":\"n\"}", "{\"name\":1,\"topic\":\"t\"}",
                                    "{\"topic\":\"t\"}",
                                    "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":601}"};
  psprobe_subscription_info info;
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
    assert_int_equal(psp_subscription_decode(odd[i], strlen(odd[i]), &info, NULL),
                     PSPROBE_INTERNAL);
  static const char wrong[] =
      "{\"name\":\"n\",\"topic\":\"t\",\"labels\":[1],\"retryPolicy\":7,\"pushConfig\":\"x\","
      "\"messageRetentionDuration\":\"-5s\",\"expirationPolicy\":{\"ttl\":\"1e9s\"},"
      "\"topicMessageRetentionDuration\":\"99999999999s\",\"detached\":true}";
  assert_int_equal(psp_subscription_decode(wrong, strlen(wrong), &info, NULL), PSPROBE_OK);
  assert_int_equal(info.config.label_count, 0);
  assert_int_equal(info.config.retention_ns, 0);
  assert_int_equal(info.topic_retention_ns, 0);
  assert_true(info.detached);
  psprobe_subscription_info_free(&info);
  psp_buf body = test_file("tests/data/pubsub/subscription-pull-all-fields.json");
  test_prefixes(&body, feed, NULL);
  psp_buf_free(&body);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_encoded),        cmocka_unit_test(test_decoded),
      cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_refused),
      cmocka_unit_test(test_odd_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
