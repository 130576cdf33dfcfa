/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/pubsub.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "files.h"

/* The body of a captured HTTP request. */
static const char *body_of(const psp_buf *request) {
  const char *end = strstr(request->data, "\r\n\r\n");
  assert_non_null(end);
  return end + 4;
}

static void test_captured(void **state) {
  (void)state;
  static const struct {
    const char *path, *id, *data, *key, *value, *subscription;
  } cases[] = {
      {"tests/data/push/wrapped.http", "5", "{\"probe\":1}", "probe_id",
       "0123456789abcdef0123456789abcdef", "projects/demo-project/subscriptions/push-wrapped"},
      {"tests/data/push/wrapped-no-data.http", "6", NULL, "only", "attributes",
       "projects/demo-project/subscriptions/push-wrapped-no-data"},
      {"tests/data/push/wrapped-no-attributes.http", "7", "\xFB\xFF", NULL, NULL,
       "projects/demo-project/subscriptions/push-wrapped-no-attributes"},
      {"tests/data/push/wrapped-ordering.http", "8", "a", NULL, NULL,
       "projects/demo-project/subscriptions/push-wrapped-ordering"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf request = test_file(cases[i].path);
    const char *body = body_of(&request);
    psprobe_push *push = NULL;
    assert_int_equal(psprobe_push_decode(body, strlen(body), &push, NULL), PSPROBE_OK);
    const psprobe_message *m = psprobe_push_message(push);
    assert_string_equal(m->message_id, cases[i].id);
    assert_string_equal(m->subscription, cases[i].subscription);
    assert_null(m->ack_id);
    assert_int_equal(m->delivery_attempt, 0);
    if (cases[i].data != NULL) {
      assert_int_equal(m->data_len, strlen(cases[i].data));
      assert_memory_equal(m->data, cases[i].data, m->data_len);
    } else {
      assert_int_equal(m->data_len, 0);
    }
    assert_int_equal(m->attribute_count, cases[i].key != NULL ? 1 : 0);
    if (cases[i].key != NULL)
      assert_string_equal(psprobe_message_attribute(m, cases[i].key), cases[i].value);
    psprobe_push_free(push);
    psp_buf_free(&request);
  }
}

static const char *expected_text(const psp_json *message, const char *key) {
  const char *text = psp_json_string(psp_json_get(message, key));
  return text != NULL && *text ? text : NULL;
}

static void assert_text(const char *file, const char *what, const char *is, const char *should) {
  if (!psp_text_equal(is, should))
    fail_msg("%s: %s is \"%s\", not \"%s\"", file, what, is != NULL ? is : "-",
             should != NULL ? should : "-");
}

static void check_message(const char *file, const psprobe_message *m, const psp_json *expected) {
  psp_buf data = {0};
  psp_base64_encode(&data, m->data, m->data_len);
  const char *sent = expected_text(expected, "data_base64");
  assert_text(file, "data", data.len ? data.data : NULL, sent);
  psp_buf_free(&data);
  assert_text(file, "messageId", m->message_id, expected_text(expected, "messageId"));
  assert_text(file, "orderingKey", m->ordering_key, expected_text(expected, "orderingKey"));
  assert_text(file, "subscription", m->subscription, expected_text(expected, "subscription"));
  int64_t time = 0, attempt = 0;
  psp_json_int64(psp_json_get(expected, "publishTimeNs"), &time);
  psp_json_int64(psp_json_get(expected, "deliveryAttempt"), &attempt);
  assert_int_equal(m->publish_time.seconds * 1000000000 + m->publish_time.nanos, time);
  assert_int_equal(m->delivery_attempt, attempt);
  const psp_json *attributes = psp_json_get(expected, "attributes");
  assert_int_equal(m->attribute_count, psp_json_count(attributes));
  for (const psp_json *a = psp_json_first(attributes); a != NULL; a = psp_json_next(a))
    assert_text(file, psp_json_key(a), psprobe_message_attribute(m, psp_json_key(a)),
                psp_json_string(a));
}

/* The event forms with what must come out; headers are not the decoder's business. */
static void test_event_forms(void **state) {
  (void)state;
  static const struct {
    const char *name, *why; /* why NULL: decodes */
  } cases[] = {
      {"push-attributes-missing", NULL},
      {"push-attributes-nonstring", "message.attributes \"n\": it is not a string"},
      {"push-attributes-null", NULL},
      {"push-attributes-only", NULL},
      {"push-attributes-unicode", NULL},
      {"push-basic", NULL},
      {"push-broken-json", "push"},
      {"push-ce-pubsub-binding", NULL},
      {"push-charset-utf8", NULL},
      {"push-chunked", NULL},
      {"push-data-bad-base64", "message.data is not base64"},
      {"push-data-base64url", NULL},
      {"push-data-empty-string", NULL},
      {"push-data-not-utf8", NULL},
      {"push-emulator-escaped-slash", NULL},
      {"push-extra-fields", NULL},
      {"push-message-not-object", "message is not an object"},
      {"push-no-content-type", NULL},
      {"push-ordering-attempt", NULL},
      {"push-snake-differs", NULL},
      {"push-snake-only", NULL},
      {"push-time-micros", NULL},
      {"push-time-missing", NULL},
      {"push-time-nanos", NULL},
      {"push-topic-in-path", NULL},
      {"push-traceparent", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf path = {0};
    psp_buf_printf(&path, "tests/data/events/%s.json", cases[i].name);
    psp_buf file = test_file(path.data);
    psp_json *json = NULL;
    assert_int_equal(psp_json_parse(file.data, file.len, "file", &json, NULL), PSPROBE_OK);
    const char *body = psp_json_string(psp_json_get(psp_json_get(json, "request"), "body"));
    assert_non_null(body);
    psprobe_push *push = NULL;
    psprobe_error error = {0};
    psprobe_code code = psprobe_push_decode(body, strlen(body), &push, &error);
    if (cases[i].why != NULL) {
      assert_int_equal(code, PSPROBE_INVALID_ARGUMENT);
      assert_null(push);
      if (strstr(error.message, cases[i].why) == NULL)
        fail_msg("%s: \"%s\" does not hold \"%s\"", cases[i].name, error.message, cases[i].why);
    } else {
      if (code != PSPROBE_OK) fail_msg("%s: %s", cases[i].name, error.message);
      check_message(cases[i].name, psprobe_push_message(push),
                    psp_json_get(psp_json_get(json, "expect"), "message"));
    }
    psprobe_push_free(push);
    psp_json_free(json);
    psp_buf_free(&file);
    psp_buf_free(&path);
  }
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *body, *why;
  } cases[] = {
      {"", "push"},
      {"null", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "no \"message\""},
      {"{\"message\":null}", "message is not an object"},
      {"{\"message\":{\"messageId\":5}}", "message.messageId is not a string"},
      {"{\"message\":{\"orderingKey\":[]}}", "message.orderingKey is not a string"},
      {"{\"message\":{\"publishTime\":\"yesterday\"}}",
       "\"yesterday\": it is not an RFC 3339 time"},
      {"{\"message\":{\"attributes\":\"x\"}}", "message.attributes is not an object"},
      {"{\"message\":{},\"subscription\":1}", "subscription is not a string"},
      {"{\"message\":{},\"deliveryAttempt\":\"many\"}", "deliveryAttempt is not a count"},
      {"{\"message\":{},\"deliveryAttempt\":3000000000}", "deliveryAttempt is not a count"},
      {"{\"message\":{\"data\":\"a\\u0000\"}}", "message.data is not base64"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_push *push = NULL;
    psprobe_error error = {0};
    assert_int_equal(psprobe_push_decode(cases[i].body, strlen(cases[i].body), &push, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_null(push);
    if (strstr(error.message, cases[i].why) == NULL)
      fail_msg("\"%s\" does not hold \"%s\"", error.message, cases[i].why);
  }
  psprobe_push_free(NULL);
}

static void test_nulls(void **state) {
  (void)state;
  static const char body[] =
      "{\"message\":{\"data\":null,\"attributes\":null,\"messageId\":null,\"publishTime\":null,"
      "\"orderingKey\":null},\"subscription\":null,\"deliveryAttempt\":null}";
  psprobe_push *push = NULL;
  assert_int_equal(psprobe_push_decode(body, strlen(body), &push, NULL), PSPROBE_OK);
  const psprobe_message *m = psprobe_push_message(push);
  assert_null(m->data);
  assert_null(m->message_id);
  assert_null(m->ordering_key);
  assert_null(m->subscription);
  assert_int_equal(m->publish_time.seconds, 0);
  psprobe_push_free(push);
}

static void feed(const char *text, size_t len, void *arg) {
  (void)arg;
  psprobe_push *push = NULL;
  assert_int_equal(psprobe_push_decode(text, len, &push, NULL), PSPROBE_INVALID_ARGUMENT);
}

static void test_cut_short(void **state) {
  (void)state;
  static const char *const files[] = {
      "tests/data/push/wrapped.http", "tests/data/push/wrapped-no-data.http",
      "tests/data/push/wrapped-no-attributes.http", "tests/data/push/unwrapped.http"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    psp_buf request = test_file(files[i]), body = {0};
    psp_buf_text(&body, body_of(&request));
    test_prefixes(&body, feed, NULL);
    psp_buf_free(&body);
    psp_buf_free(&request);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_captured),  cmocka_unit_test(test_event_forms),
      cmocka_unit_test(test_refused),   cmocka_unit_test(test_nulls),
      cmocka_unit_test(test_cut_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
