/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "files.h"
#include "local/broker/settings_json.h"
#include "shape.h"

static psp_json *parse(const char *text) {
  psp_json *json;
  assert_int_equal(psp_json_parse(text, strlen(text), "test", &json, NULL), PSPROBE_OK);
  return json;
}

/* Reads a subscription, fills it in, writes it: what PUT answers. */
static psp_buf round_trip(const char *name, const char *text) {
  psp_json *json = parse(text);
  psp_subscription_settings settings = {0};
  assert_true(psp_subscription_settings_decode(json, &settings));
  psp_json_free(json);
  if (settings.name == NULL) settings.name = psp_strdup(name);
  assert_int_equal(psp_subscription_settings_check(&settings, NULL), PSPROBE_OK);
  psp_buf got = {0};
  psp_json_writer w = {.buf = &got, .pretty = true};
  psp_subscription_settings_encode(&w, &settings);
  psp_subscription_settings_free(&settings);
  return got;
}

static void same_as(const char *path, psp_buf got) {
  psp_buf golden = test_file(path);
  test_same_shape(path, got.data, got.len, golden.data, golden.len);
  psp_buf_free(&golden);
  psp_buf_free(&got);
}

static void test_subscriptions_as_captured(void **state) {
  (void)state;
  same_as("tests/data/pubsub/subscription-pull-defaults.json",
          round_trip("projects/demo-project/subscriptions/pull-min",
                     "{\"topic\":\"projects/demo-project/topics/probes\"}"));
  same_as("tests/data/pubsub/subscription-push-oidc.json",
          round_trip("projects/demo-project/subscriptions/push-oidc",
                     "{\"topic\":\"projects/demo-project/topics/probes\",\"push_config\":"
                     "{\"push_endpoint\":\"http://127.0.0.1:1/push\",\"oidcToken\":"
                     "{\"audience\":\"probe\",\"service_account_email\":"
                     "\"pusher@demo-project.iam.gserviceaccount.com\"},"
                     "\"attributes\":{\"x-goog-version\":\"v1\"}}}"));
  same_as("tests/data/pubsub/subscription-pull-all-fields.json",
          round_trip("projects/demo-project/subscriptions/pull-all",
                     "{\"topic\":\"projects/demo-project/topics/probes\",\"filter\":"
                     "\"attributes.x = \\\"1\\\"\",\"labels\":{\"k\":\"v\"},\"enableMessageOrdering"
                     "\":true,\"ackDeadlineSeconds\":\"30\",\"messageRetentionDuration\":\"1200s\","
                     "\"retainAckedMessages\":true,\"enableExactlyOnceDelivery\":true,"
                     "\"deadLetterPolicy\":{\"deadLetterTopic\":"
                     "\"projects/demo-project/topics/third\"},\"expirationPolicy\":{\"ttl\":"
                     "\"86400s\"},\"retryPolicy\":{\"minimumBackoff\":\"1s\",\"maximumBackoff\":"
                     "\"10.5s\"},\"pushConfig\":null}"));
}

/* What the service returned can be sent again. */
static void test_answers_decode(void **state) {
  (void)state;
  static const char *const files[] = {"tests/data/pubsub/subscription-pull-defaults.json",
                                      "tests/data/pubsub/subscription-push-oidc.json",
                                      "tests/data/pubsub/subscription-pull-all-fields.json"};
  for (size_t i = 0; i < 3; i++) {
    psp_buf golden = test_file(files[i]);
    same_as(files[i], round_trip(NULL, golden.data));
    psp_buf_free(&golden);
  }
}

static void test_topic(void **state) {
  (void)state;
  psp_json *json = parse(
      "{\"labels\":{\"a\":\"b\"},\"messageStoragePolicy\":{\"allowedPersistenceRegions\":[\"eu\","
      "\"us\"]},\"kmsKeyName\":\"kk\",\"message_retention_duration\":\"86400s\",\"schemaSettings\":"
      "{\"schema\":\"projects/p/schemas/s\","
      "\"encoding\":\"JSON\"}}");
  psp_topic_settings settings = {0};
  assert_true(psp_topic_settings_decode(json, &settings));
  settings.name = psp_strdup("projects/p/topics/labelled");
  psp_buf got = {0};
  psp_json_writer w = {.buf = &got, .pretty = true};
  psp_topic_settings_encode(&w, &settings);
  assert_string_equal(
      got.data,
      "{\n  \"name\": \"projects/p/topics/labelled\",\n  \"labels\": {\n    "
      "\"a\": \"b\"\n  },\n  \"messageStoragePolicy\": {\n    "
      "\"allowedPersistenceRegions\": [\"eu\", \"us\"]\n  },\n  \"kmsKeyName\": "
      "\"kk\",\n  \"schemaSettings\": {\n    \"schema\": \"projects/p/schemas/s\",\n    "
      "\"encoding\": \"JSON\"\n  },\n  \"messageRetentionDuration\": "
      "\"86400s\"\n}\n");
  psp_buf_free(&got);
  psp_topic_settings_free(&settings);
  psp_json_free(json);
}

static void test_refused(void **state) {
  (void)state;
  static const char *const bodies[] = {
      "[]",
      "{\"bogus\":1}",
      "{\"topic\":{}}",
      "{\"ackDeadlineSeconds\":\"x\"}",
      "{\"ackDeadlineSeconds\":9999999999}",
      "{\"ackDeadlineSeconds\":1.5}",
      "{\"labels\":{\"a\":null}}",
      "{\"labels\":[]}",
      "{\"retainAckedMessages\":1}",
      "{\"messageRetentionDuration\":\"x\"}",
      "{\"messageRetentionDuration\":600}",
      "{\"pushConfig\":{\"bogus\":1}}",
      "{\"pushConfig\":\"http://x\"}",
      "{\"pushConfig\":{\"oidcToken\":{\"x\":1}}}",
      "{\"retryPolicy\":{\"minimumBackoff\":\"1\"}}",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    psp_json *json = parse(bodies[i]);
    psp_subscription_settings settings = {0};
    if (psp_subscription_settings_decode(json, &settings)) print_error("%s\n", bodies[i]);
    psp_subscription_settings_free(&settings);
    assert_false(psp_subscription_settings_decode(json, &settings));
    psp_subscription_settings_free(&settings);
    psp_json_free(json);
  }
}

static void test_spans(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } cases[] = {{"0s", "0s"},
               {"10s", "10s"},
               {"10.5s", "10.500s"},
               {"1.000000001s", "1.000000001s"},
               {"1.00001s", "1.000010s"},
               {"-1s", "-1s"},
               {"-0.5s", "-0.500s"},
               {"315576000000s", "315576000000s"},
               {"315576000001s", NULL},
               {"1.0000000001s", NULL},
               {"1.s", NULL},
               {".5s", NULL},
               {"1", NULL},
               {"s", NULL},
               {"", NULL},
               {"1 s", NULL},
               {"1ms", NULL},
               {"+1s", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_span span;
    char text[PSP_SPAN_SIZE];
    bool ok = psp_span_parse(cases[i].in, &span);
    if (ok != (cases[i].out != NULL)) print_error("%s\n", cases[i].in);
    assert_int_equal(ok, cases[i].out != NULL);
    if (ok) assert_string_equal(psp_span_format(text, span), cases[i].out);
  }
}

static void test_snapshot(void **state) {
  (void)state;
  psp_json *json = parse(
      "{\"name\":\"projects/p/snapshots/s\",\"topic\":\"ours to say\",\"labels\":"
      "{\"a\":\"b\"},\"expire_time\":\"2026-11-30T17:00:00.25Z\"}");
  psp_snapshot_settings settings = {0};
  assert_true(psp_snapshot_settings_decode(json, &settings));
  assert_null(settings.topic);
  psp_buf got = {0};
  psp_json_writer w = {.buf = &got};
  psp_snapshot_settings_encode(&w, &settings);
  assert_string_equal(got.data,
                      "{\"name\":\"projects/p/snapshots/s\",\"expireTime\":"
                      "\"2026-11-30T17:00:00.250Z\",\"labels\":{\"a\":\"b\"}}");
  psp_buf_free(&got);
  psp_snapshot_settings_free(&settings);
  psp_json_free(json);
}

/* Asked for and not built: told, not let go. */
static void test_unbuilt(void **state) {
  (void)state;
  psprobe_error error = {0};
  psp_json *json =
      parse("{\"topic\":\"projects/p/topics/topic\",\"bigqueryConfig\":{\"table\":\"t\"}}");
  psp_subscription_settings settings = {0};
  assert_true(psp_subscription_settings_decode(json, &settings));
  settings.name = psp_strdup("projects/p/subscriptions/sub");
  assert_int_equal(psp_subscription_settings_check(&settings, &error), PSPROBE_UNIMPLEMENTED);
  assert_string_equal(error.message, "This stand-in has no bigqueryConfig.");
  psp_subscription_settings_free(&settings);
  psp_json_free(json);
  json = parse("{\"name\":\"projects/p/topics/topic\",\"messageTransforms\":[{}]}");
  psp_topic_settings topic = {0};
  assert_true(psp_topic_settings_decode(json, &topic));
  assert_int_equal(psp_topic_settings_check(&topic, &error), PSPROBE_UNIMPLEMENTED);
  psp_topic_settings_free(&topic);
  psp_json_free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_subscriptions_as_captured),
      cmocka_unit_test(test_answers_decode),
      cmocka_unit_test(test_topic),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_spans),
      cmocka_unit_test(test_snapshot),
      cmocka_unit_test(test_unbuilt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
