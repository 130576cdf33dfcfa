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
#include "pubsub/parts.h"

/* What was sent to the emulator when the golden data was captured. */
static void test_publish(void **state) {
  (void)state;
  const psprobe_attribute first[] = {{"probe_id", "0123456789abcdef0123456789abcdef"},
                                     {"empty", ""}};
  const psprobe_attribute second[] = {{"only", "attributes"}};
  const psprobe_message messages[] = {
      {.data = "{\"probe\":1}", .data_len = 11, .attributes = first, .attribute_count = 2},
      {.attributes = second, .attribute_count = 1},
      {.data = "\xFB\xFF", .data_len = 2, .ordering_key = "key-1"},
  };
  psp_buf body = {0}, golden = test_file("tests/data/pubsub/publish.request.json");
  /* It was captured with URL-safe base64, to see that it is taken; ours is the standard one. */
  char *url_safe = strstr(golden.data, "-_8");
  assert_non_null(url_safe);
  *url_safe = '\0';
  psp_publish_encode(&body, messages, 3);
  char expected[512];
  snprintf(expected, sizeof expected, "%s+/8=%s", golden.data, url_safe + 3);
  assert_string_equal(body.data, expected);
  psp_buf_free(&body);
  psp_buf_free(&golden);
}

static void test_small_bodies(void **state) {
  (void)state;
  const char *ids[] = {"projects/p/subscriptions/s:1", "b\"\\"};
  psp_buf body = {0};
  psp_pull_encode(&body, 100, false);
  assert_string_equal(body.data, "{\"maxMessages\":100}");
  psp_buf_reset(&body);
  psp_pull_encode(&body, 1, true);
  assert_string_equal(body.data, "{\"maxMessages\":1,\"returnImmediately\":true}");
  psp_buf_reset(&body);
  psp_acknowledge_encode(&body, ids, 2);
  assert_string_equal(body.data, "{\"ackIds\":[\"projects/p/subscriptions/s:1\",\"b\\\"\\\\\"]}");
  psp_buf_reset(&body);
  psp_modify_encode(&body, ids, 1, 0);
  assert_string_equal(body.data,
                      "{\"ackIds\":[\"projects/p/subscriptions/s:1\"],\"ackDeadlineSeconds\":0}");
  psp_buf_free(&body);
}

static char *filled(size_t len, char with) {
  char *text = malloc(len + 1);
  assert_non_null(text);
  memset(text, with, len);
  text[len] = '\0';
  return text;
}

static void expect(const psprobe_message *messages, size_t count, const char *rule) {
  psprobe_error error = {0};
  psprobe_code code = psp_publish_check(messages, count, &error);
  if (rule == NULL) {
    assert_int_equal(code, PSPROBE_OK);
    return;
  }
  assert_int_equal(code, PSPROBE_INVALID_ARGUMENT);
  if (strstr(error.message, rule) == NULL)
    fail_msg("\"%s\" does not hold \"%s\"", error.message, rule);
}

static void test_attribute_limits(void **state) {
  (void)state;
  psprobe_attribute many[101];
  char keys[101][16];
  for (int i = 0; i < 101; i++) {
    snprintf(keys[i], sizeof keys[i], "k%d", i);
    many[i] = (psprobe_attribute){keys[i], "v"};
  }
  psprobe_message message = {.attributes = many, .attribute_count = 100};
  expect(&message, 1, NULL);
  message.attribute_count = 101;
  expect(&message, 1, "message 0: more than 100 attributes");
  message.attribute_count = 1;
  char *text = filled(1025, 'x');
  const struct {
    const char *key, *value, *rule;
  } cases[] = {
      {text + 1025 - 256, "v", NULL},
      {text + 1025 - 257, "v", "key is longer than 256 bytes"},
      {"k", text + 1, NULL},
      {"k", text, "value is longer than 1024 bytes"},
      {"", "v", "key is empty"},
      {"googclient", "v", "\"goog\""},
      {"k\xFF", "v", "not UTF-8"},
      {"k", "\xC3", "not UTF-8"},
      {NULL, "v", "without key or value"},
      {"k", NULL, "without key or value"},
      {"k", "", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    many[0] = (psprobe_attribute){cases[i].key, cases[i].value};
    expect(&message, 1, cases[i].rule);
  }
  free(text);
}

static void test_message_limits(void **state) {
  (void)state;
  char *data = filled(PSP_PUBLISH_BYTES + 1, 'd');
  psprobe_message *many = calloc(1001, sizeof *many);
  assert_non_null(many);
  for (int i = 0; i < 1001; i++)
    many[i] = (psprobe_message){.data = data, .data_len = 1};
  expect(many, 0, "no message");
  expect(NULL, 1, "no message");
  expect(many, 1000, NULL);
  expect(many, 1001, "1001 messages, 1000 fit");
  many[1].data_len = 0;
  expect(many, 2, "message 1: neither data nor attributes");
  many[1] = (psprobe_message){.data_len = 1};
  expect(many, 2, "message 1: data is NULL");
  many[1] = (psprobe_message){.attribute_count = 1};
  expect(many, 2, "message 1: attributes is NULL");
  many[0].data_len = PSP_PUBLISH_BYTES;
  expect(many, 1, NULL);
  many[0].data_len = PSP_PUBLISH_BYTES + 1;
  expect(many, 1, "data is over 10 MB");
  many[0].data_len = many[1].data_len = PSP_PUBLISH_BYTES / 2;
  many[1].data = data;
  many[1].attribute_count = 0;
  expect(many, 2, NULL);
  expect(many, 3, "message 2: with it the call is over 10 MB");
  free(data);

  char *key = filled(1025, 'k');
  many[0] = (psprobe_message){.data = "d", .data_len = 1, .ordering_key = key + 1};
  expect(many, 1, NULL);
  many[0].ordering_key = key;
  expect(many, 1, "ordering key is longer than 1024 bytes");
  many[0].ordering_key = "\xFF";
  expect(many, 1, "ordering key is not UTF-8");
  many[0].ordering_key = "a";
  many[1] = (psprobe_message){.data = "d", .data_len = 1, .ordering_key = "b"};
  expect(many, 2, "message 1: its ordering key differs");
  many[0].ordering_key = "";
  many[1].ordering_key = NULL;
  expect(many, 2, NULL);
  free(key);
  free(many);
}

static void test_ack_fit(void **state) {
  (void)state;
  const char *ids[3000];
  char *long_id = filled(200 * 1024, 'i');
  for (int i = 0; i < 3000; i++)
    ids[i] = "id";
  assert_int_equal(psp_ack_fit(ids, 0), 0);
  assert_int_equal(psp_ack_fit(ids, 1), 1);
  assert_int_equal(psp_ack_fit(ids, 3000), PSP_ACK_IDS);
  ids[0] = ids[1] = ids[2] = long_id;
  assert_int_equal(psp_ack_fit(ids, 3000), 2);
  free(long_id);
  ids[1] = "id";
  ids[0] = long_id = filled(600 * 1024, 'i'); /* one alone is left to the service to refuse */
  assert_int_equal(psp_ack_fit(ids, 3000), 1);
  free(long_id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_publish),          cmocka_unit_test(test_small_bodies),
      cmocka_unit_test(test_attribute_limits), cmocka_unit_test(test_message_limits),
      cmocka_unit_test(test_ack_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
