/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

#include "files.h"
#include "local/broker/json.h"
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
  psp_rest_error_encode(&got, error->code, error->message);
  same_as_file(path, &got);
}

static void test_publish_and_pull_as_captured(void **state) {
  (void)state;
  make_sub_on(
      "projects/demo-project/subscriptions/jobs-pull", TOPIC,
      (psp_subscription_settings){.has_dead_letter = true, .dead_letter_topic = TEXT(TOPIC)}, NULL);
  psp_buf request = test_file("tests/data/pubsub/publish.request.json"), got = {0};
  psp_letters letters;
  assert_int_equal(psp_broker_publish_decode(request.data, request.len, &letters, NULL),
                   PSPROBE_OK);
  psp_buf_free(&request);
  assert_int_equal(letters.count, 3);
  uint64_t first;
  assert_int_equal(
      psp_broker_publish(broker, TOPIC, letters.items, letters.count, now, &first, NULL),
      PSPROBE_OK);
  psp_broker_publish_encode(&got, first, letters.count);
  same_as_file("tests/data/pubsub/publish.json", &got);
  psp_letters_free(&letters);

  pull_from("projects/demo-project/subscriptions/jobs-pull", 10);
  psp_broker_pull_encode(&got, "projects/demo-project/subscriptions/jobs-pull", &given);
  same_as_file("tests/data/pubsub/pull-three.json", &got);
  pull_from("projects/demo-project/subscriptions/jobs-pull", 10);
  psp_broker_pull_encode(&got, "projects/demo-project/subscriptions/jobs-pull", &given);
  same_as_file("tests/data/pubsub/pull-empty.json", &got);
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

static void test_ack_bodies(void **state) {
  (void)state;
  static const struct {
    const char *body;
    bool modify;
    const char *error;
  } cases[] = {
      {"", false, "No ack ids specified."},
      {"{\"ackIds\":[]}", true, "No ack ids specified"},
      {"{\"ackIds\":[\"garbage\"]}", false, "Invalid ack id (ack_id=garbage)"},
      {"{\"ackIds\":[\"\"]}", true, "Invalid ack id (ack_id=)"},
      {"{\"ackIds\":[\"" SUB ":\"]}", true,
       "Invalid ack id (ack_id=projects/p/subscriptions/sub:)"},
      {"{\"ackIds\":[\"" SUB ":99999999999999999999\"]}", false,
       "Invalid ack id (ack_id=projects/p/subscriptions/sub:99999999999999999999)"},
      {"{\"ackIds\":[\"" SUB ":1\",\"projects/p/subscriptions/other:3\"]}", false,
       "Subscription projects/p/subscriptions/sub received an invalid ack ID "
       "projects/p/subscriptions/other:3, meant for subscription: "
       "projects/p/subscriptions/other"},
      {"{\"ackIds\":[\"projects/p/subscriptions/other:3\"]}", true, "Invalid ack id"},
      {"{\"ackIds\":[\"" SUB ":1\"],\"ackDeadlineSeconds\":-1}", true,
       "Ack deadline cannot be negative"},
      {"{\"ackIds\":\"" SUB ":1\"}", false, "Payload isn't valid for request."},
      {"{\"ackIds\":[5]}", false, "Invalid ack id (ack_id=)"},
      {"{\"ackIds\":[\"" SUB ":4294967298\",\"" SUB ":3\"],\"ackDeadlineSeconds\":20}", true, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psp_ack_request got;
    psprobe_code code = psp_broker_ack_decode(cases[i].body, strlen(cases[i].body), SUB,
                                              cases[i].modify, &got, &error);
    assert_int_equal(code, cases[i].error != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    if (cases[i].error != NULL) {
      assert_string_equal(error.message, cases[i].error);
      continue;
    }
    assert_int_equal(got.count, 2);
    assert_true(got.acks[0] == UINT64_C(4294967298) && got.acks[1] == 3);
    assert_int_equal(got.deadline_s, 20);
    free(got.acks);
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
      TEST(test_attributes_become_text),
      TEST(test_too_many_messages),
      TEST(test_cut_short),
      TEST(test_errors_as_captured),
      TEST(test_pull_bodies),
      TEST(test_ack_bodies),
      TEST(test_pushes_as_captured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
