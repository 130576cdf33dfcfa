/* SPDX-License-Identifier: MIT */
#include "../broker/broker_fixture.h"

#include "base/base64.h"
#include "files.h"
#include "local/pubsub/json.h"
#include "local/rest.h"
#include "shape.h"

static void same_as_file(const char *path, psp_buf *got) {
  psp_buf golden = test_file(path);
  assert_false(got->failed);
  test_same_shape(path, got->data, got->len, golden.data, golden.len);
  psp_buf_free(&golden);
  psp_buf_free(got);
}

/* What an error looks like when it is sent. */
static void same_error(const char *path, const psprobe_error *error) {
  psp_buf got = {0};
  psp_rest_error_encode(&got, error->code, error->message, NULL);
  same_as_file(path, &got);
}

/* Publishes the body that these make. @return the first id */
static uint64_t publish_body(const char *begin, const char *text, size_t len, const char *end) {
  psp_buf body = {0};
  psp_letters letters;
  uint64_t first = 0;
  psp_buf_printf(&body, "%s%.*s%s", begin, (int)len, text, end);
  assert_int_equal(psp_broker_publish_decode(body.data, body.len, &letters, NULL), PSPROBE_OK);
  assert_int_equal(
      psp_broker_publish(broker, TOPIC, letters.items, letters.count, now, &first, NULL),
      PSPROBE_OK);
  psp_letters_free(&letters);
  psp_buf_free(&body);
  return first;
}

static void test_publish_and_pull_as_captured(void **state) {
  (void)state;
  make_sub_on(
      "projects/demo-project/subscriptions/jobs-pull", TOPIC,
      (psp_subscription_settings){.has_dead_letter = true, .dead_letter_topic = TEXT(TOPIC)}, NULL);
  psp_buf request = test_file("tests/data/pubsub/publish.request.json"), got = {0};
  /* The emulator took them in one; the service, and we, want a call for each ordering key. */
  char *keyed = strstr(request.data, ",{\"data\":\"-_8\"");
  assert_non_null(keyed);
  uint64_t first = publish_body("{\"messages\":[", request.data + strlen("{\"messages\":["),
                                (size_t)(keyed - request.data) - strlen("{\"messages\":["), "]}");
  publish_body("{\"messages\":[", keyed + 1, strlen(keyed + 1), "");
  psp_buf_free(&request);
  psp_broker_publish_encode(&got, first, 3);
  same_as_file("tests/data/pubsub/publish.json", &got);

  pull_from("projects/demo-project/subscriptions/jobs-pull", 10);
  psp_broker_pull_encode(&got, "projects/demo-project/subscriptions/jobs-pull", &given);
  same_as_file("tests/data/pubsub/pull-three.json", &got);
  pull_from("projects/demo-project/subscriptions/jobs-pull", 10);
  psp_broker_pull_encode(&got, "projects/demo-project/subscriptions/jobs-pull", &given);
  same_as_file("tests/data/pubsub/pull-empty.json", &got);
}

/* A body of one message: `count` attributes with a key and a value of such lengths. */
static psp_buf with_attributes(int count, int key, int value) {
  psp_buf body = {0};
  psp_buf_text(&body, "{\"messages\":[{\"data\":\"YQ==\",\"attributes\":{");
  for (int i = 0; i < count; i++)
    psp_buf_printf(&body, "%s\"%0*d\":\"%0*d\"", i > 0 ? "," : "", key, i, value, 7);
  psp_buf_text(&body, "}}]}");
  return body;
}

static psp_buf with_data(size_t bytes) {
  psp_buf body = {0};
  char *data = calloc(1, bytes);
  psp_buf_text(&body, "{\"messages\":[{\"data\":\"");
  psp_base64_encode(&body, data, bytes);
  psp_buf_text(&body, "\"}]}");
  free(data);
  return body;
}

static void expect_publish(psp_buf body, const char *why) {
  psprobe_error error = {0};
  psp_letters letters = {0};
  psprobe_code code = psp_broker_publish_decode(body.data, body.len, &letters, &error);
  assert_int_equal(code, why == NULL ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT);
  if (why != NULL && strstr(error.message, why) == NULL) fail_msg("%s", error.message);
  psp_letters_free(&letters);
  psp_buf_free(&body);
}

/* The service's limits, on both sides of each. */
static void test_publish_limits(void **state) {
  (void)state;
  psp_buf goog = {0}, keys = {0}, long_key = {0};
  expect_publish(with_attributes(100, 256, 1024), NULL);
  expect_publish(with_attributes(101, 4, 4), "101, of at most 100");
  expect_publish(with_attributes(1, 257, 4), "1 to 256 bytes");
  expect_publish(with_attributes(1, 4, 1025), "at most 1024 bytes");
  psp_buf_text(&goog, "{\"messages\":[{\"data\":\"YQ==\",\"attributes\":{\"googx\":\"1\"}}]}");
  expect_publish(goog, "goog");
  psp_buf_text(&keys,
               "{\"messages\":[{\"data\":\"YQ==\",\"orderingKey\":\"a\"},{\"data\":\"YQ==\"}]}");
  expect_publish(keys, "must all have the same ordering key");
  psp_buf_printf(&long_key, "{\"messages\":[{\"data\":\"YQ==\",\"orderingKey\":\"%01025d\"}]}", 1);
  expect_publish(long_key, "over 1024 bytes");
  expect_publish(with_data(10000000), NULL);
  expect_publish(with_data(10000001), "exceeds the limit: 10000000 bytes");
}

static void test_publish_bodies(void **state) {
  (void)state;
  static const struct {
    const char *body, *error;
  } cases[] = {
      {"", "No messages to publish"},
      {"{}", "No messages to publish"},
      {"{\"messages\":[]}", "No messages to publish"},
      {"[]", "Payload isn't valid for request."},
      {"null", "Payload isn't valid for request."},
      {"{\"messages\":{}}", "Payload isn't valid for request."},
      {"{\"messages\":[{}]}", "Some messages are empty"},
      {"{\"messages\":[{\"data\":\"YQ==\"},{\"data\":\"\"}]}", "Some messages are empty"},
      {"{\"messages\":[{\"attributes\":{}}]}", "Some messages are empty"},
      {"{\"messages\":[{\"data\":null,\"orderingKey\":\"k\"}]}", "Some messages are empty"},
      {"{\"messages\":[{\"data\":\"a*b\"}]}", "Payload isn't valid for request."},
      {"{\"messages\":[{\"data\":5}]}", "Payload isn't valid for request."},
      {"{\"messages\":[{\"data\":\"YQ==\",\"bogus\":1}]}", "Payload isn't valid for request."},
      {"{\"messages\":[{\"data\":\"YQ==\",\"publishTime\":\"bad\"}]}",
       "Payload isn't valid for request."},
      {"{\"messages\":[{\"attributes\":{\"n\":null}}]}", "Payload isn't valid for request."},
      {"{\"messages\":[{\"attributes\":{\"n\":{}}}]}", "Payload isn't valid for request."},
      {"{\"messages\":[{\"data\":\"YQ==\",\"attributes\":[]}]}",
       "Payload isn't valid for request."},
      {"{\"messages\":[{\"data\":\"YQ==\",\"messageId\":\"7\",\"message_id\":\"7\","
       "\"publish_time\":\"2020-01-01T00:00:00Z\",\"ordering_key\":\"k\"}]}",
       NULL},
      {"{\"topic\":\"projects/p/topics/t\",\"messages\":[{\"data\":\"YQ\"}]}", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psp_letters letters = {0};
    psprobe_code code =
        psp_broker_publish_decode(cases[i].body, strlen(cases[i].body), &letters, &error);
    if ((cases[i].error == NULL) != (code == PSPROBE_OK)) print_error("%s\n", cases[i].body);
    assert_int_equal(code, cases[i].error != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    if (cases[i].error != NULL) assert_string_equal(error.message, cases[i].error);
    psp_letters_free(&letters);
  }
}

static void test_attributes_become_text(void **state) {
  (void)state;
  static const char body[] =
      "{\"messages\":[{\"data\":\"QQ==\",\"data\":\"Qg==\","
      "\"attributes\":{\"n\":5,\"t\":true,\"d\":1.50,\"s\":\"x\",\"s\":\"y\"}}]}";
  psp_letters letters;
  assert_int_equal(psp_broker_publish_decode(body, strlen(body), &letters, NULL), PSPROBE_OK);
  const psp_letter *letter = letters.items[0];
  static const char *const pairs[][2] = {{"n", "5"}, {"t", "true"}, {"d", "1.50"}, {"s", "y"}};
  assert_int_equal(letter->data_len, 1);
  assert_memory_equal(letter->data, "B", 1); /* what was said last */
  assert_int_equal(letter->attribute_count, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(letter->attributes[i].key, pairs[i][0]);
    assert_string_equal(letter->attributes[i].value, pairs[i][1]);
  }
  psp_letters_free(&letters);
}

static void test_too_many_messages(void **state) {
  (void)state;
  psp_buf body = {0};
  psp_buf_text(&body, "{\"messages\":[{\"data\":\"YQ==\"}");
  for (int i = 1; i < 1000; i++)
    psp_buf_text(&body, ",{\"data\":\"YQ==\"}");
  psp_letters letters;
  psp_buf whole = {0};
  psp_buf_add(&whole, body.data, body.len);
  psp_buf_text(&whole, "]}");
  assert_int_equal(psp_broker_publish_decode(whole.data, whole.len, &letters, NULL), PSPROBE_OK);
  assert_int_equal(letters.count, 1000);
  psp_letters_free(&letters);
  psprobe_error error;
  psp_buf_text(&body, ",{\"data\":\"YQ==\"}]}");
  assert_int_equal(psp_broker_publish_decode(body.data, body.len, &letters, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "Too many messages to publish");
  psp_buf_free(&body);
  psp_buf_free(&whole);
}

static void publish_prefix(const char *text, size_t len, void *arg) {
  (void)arg;
  psp_letters letters;
  if (len) assert_int_not_equal(psp_broker_publish_decode(text, len, &letters, NULL), PSPROBE_OK);
}

static void test_cut_short(void **state) {
  (void)state;
  psp_buf request = test_file("tests/data/pubsub/publish.request.json");
  test_prefixes(&request, publish_prefix, NULL);
  psp_buf_free(&request);
}

static void test_errors_as_captured(void **state) {
  (void)state;
  psprobe_error error;
  psp_resource_check("topics", "projects/demo-project/topics/ab", &error);
  same_error("tests/data/pubsub/error-400-bad-name.json", &error);
  psp_letters letters;
  psp_broker_publish_decode("{\"messages\":[{}]}", 17, &letters, &error);
  same_error("tests/data/pubsub/error-400-empty-message.json", &error);
  psp_broker_publish_decode("{", 1, &letters, &error);
  same_error("tests/data/pubsub/error-400-malformed.json", &error);
  make_sub_on(SUB, TOPIC,
              (psp_subscription_settings){
                  .has_dead_letter = true, .dead_letter_topic = TEXT(TOPIC), .max_attempts = 4},
              &error);
  same_error("tests/data/pubsub/error-400-out-of-range.json", &error);
  psp_broker_topic_delete(broker, "projects/p/topics/none", &error);
  same_error("tests/data/pubsub/error-404-topic.json", &error);
  psp_topic_settings again = {.name = psp_strdup(TOPIC)};
  psp_broker_topic_create(broker, &again, &error);
  psp_topic_settings_free(&again);
  same_error("tests/data/pubsub/error-409-topic-exists.json", &error);
}

static void test_pull_bodies(void **state) {
  (void)state;
  static const struct {
    const char *body, *error;
    int max;
    bool immediate;
  } cases[] = {
      {"", "No max_messages specified", 0, false},
      {"{\"returnImmediately\":true}", "No max_messages specified", 0, false},
      {"{\"maxMessages\":1.5}", "Payload isn't valid for request.", 0, false},
      {"{\"maxMessages\":2147483648}", "Payload isn't valid for request.", 0, false},
      {"{\"maxMessages\":1,\"bogus\":1}", "Payload isn't valid for request.", 0, false},
      {"{\"maxMessages\":\"5\",\"return_immediately\":\"true\"}", NULL, 5, true},
      {"{\"max_messages\":7,\"returnImmediately\":null}", NULL, 7, false},
      {"{\"maxMessages\":-1}", NULL, 1, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psp_pull_request got;
    psprobe_code code = psp_broker_pull_decode(cases[i].body, strlen(cases[i].body), &got, &error);
    assert_int_equal(code, cases[i].error != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    if (cases[i].error != NULL) {
      assert_string_equal(error.message, cases[i].error);
      continue;
    }
    assert_int_equal(got.max, cases[i].max);
    assert_int_equal(got.immediate, cases[i].immediate);
  }
}

/* The body of a captured HTTP request. */
static void same_push(const char *path, const char *sub, const char *data, const psp_pair *pairs,
                      size_t count, const char *more) {
  make_sub_on(sub, TOPIC,
              (psp_subscription_settings){.push = {.endpoint = TEXT("http://127.0.0.1:1/")}}, NULL);
  psp_letter *letter = psp_letter_new(data, strlen(data), pairs, count, more);
  uint64_t id;
  psp_broker_publish(broker, TOPIC, &letter, 1, now, &id, NULL);
  psp_letter_unref(letter);
  psp_broker_push *push = psp_broker_outbox(broker).pushes;
  psp_buf got = {0}, golden = test_file(path);
  psp_broker_push_encode(&got, push);
  const char *body = strstr(golden.data, "\r\n\r\n") + 4;
  if (more == NULL)
    test_same_shape(path, got.data, got.len, body, golden.len - (size_t)(body - golden.data));
  else /* the emulator leaves it out, the real service does not */
    assert_non_null(strstr(got.data, ",\"orderingKey\":\"key-1\"}}"));
  psp_buf_free(&got);
  psp_buf_free(&golden);
  psp_broker_push_done(broker, push, true, now);
  psp_broker_push_free(push);
  psp_broker_subscription_delete(broker, sub, NULL);
}

static void test_pushes_as_captured(void **state) {
  (void)state;
  psp_pair probe = {"probe_id", "0123456789abcdef0123456789abcdef"}, only = {"only", "attributes"};
  same_push("tests/data/push/wrapped.http", "projects/demo-project/subscriptions/push-wrapped",
            "{\"probe\":1}", &probe, 1, NULL);
  same_push("tests/data/push/wrapped-no-data.http",
            "projects/demo-project/subscriptions/push-wrapped-no-data", "", &only, 1, NULL);
  same_push("tests/data/push/wrapped-no-attributes.http",
            "projects/demo-project/subscriptions/push-wrapped-no-attributes", "\xfb\xff", NULL, 0,
            NULL);
  same_push("tests/data/push/wrapped-ordering.http",
            "projects/demo-project/subscriptions/push-wrapped-ordering", "a", NULL, 0, "key-1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_publish_and_pull_as_captured),
      TEST(test_publish_bodies),
      TEST(test_publish_limits),
      TEST(test_attributes_become_text),
      TEST(test_too_many_messages),
      TEST(test_cut_short),
      TEST(test_errors_as_captured),
      TEST(test_pull_bodies),
      TEST(test_pushes_as_captured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
