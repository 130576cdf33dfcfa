/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto_bytes.h"
#include "pubsub/proto.h"
#include "pubsub/proto_publish.h"

#define BYTES(text) text, sizeof(text) - 1
#define PARENT      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* Byte for byte what Google's Node client sends. */
static void test_a_request(void **state) {
  (void)state;
  psp_buf out = {0};
  const psprobe_attribute attribute = {"k", "v"};
  const psprobe_message message = {
      .data = "hello", .data_len = 5, .attributes = &attribute, .attribute_count = 1};
  static const char want[] = "\x0a\x01t\x12\x0f\x0a\x05hello\x12\x06\x0a\x01k\x12\x01v";
  psp_proto_publish(&out, "t", &message, 1);
  assert_int_equal(out.len, sizeof want - 1);
  assert_memory_equal(out.data, want, out.len);
  psp_buf_free(&out);
}

/* What it wrote it reads again, the trace as attributes. */
static void test_there_and_back(void **state) {
  (void)state;
  psp_buf out = {0};
  psprobe_batch *batch = NULL;
  const psprobe_attribute attributes[] = {{"a", ""}, {"b", "\xc3\xa4"}};
  const psprobe_message messages[] = {{.data = "\0\xff", .data_len = 2, .ordering_key = "key"},
                                      {.attributes = attributes,
                                       .attribute_count = 2,
                                       .traceparent = PARENT,
                                       .ordering_key = "key"}};
  psp_proto_publish(&out, "projects/p/topics/t", messages, 2);
  assert_int_equal(psp_proto_publish_read(out.data, out.len, &batch, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_batch_count(batch), 2);
  const psprobe_message *first = psprobe_batch_message(batch, 0);
  const psprobe_message *second = psprobe_batch_message(batch, 1);
  assert_int_equal(first->data_len, 2);
  assert_memory_equal(first->data, "\0\xff", 2);
  assert_string_equal(first->ordering_key, "key");
  assert_int_equal(second->attribute_count, 3);
  assert_string_equal(psprobe_message_attribute(second, "a"), "");
  assert_string_equal(psprobe_message_attribute(second, "b"), "\xc3\xa4");
  assert_string_equal(psprobe_message_attribute(second, "googclient_traceparent"), PARENT);
  assert_null(second->traceparent);
  psprobe_batch_free(batch);
  psp_buf_free(&out);
}

/* A thousand with a hundred attributes each: all of what a call may carry. */
static void test_many(void **state) {
  (void)state;
  static psprobe_message messages[1000];
  psprobe_attribute attributes[100];
  psp_buf out = {0};
  psprobe_batch *batch = NULL;
  for (size_t i = 0; i < 100; i++)
    attributes[i] = (psprobe_attribute){"key", "value"};
  for (size_t i = 0; i < 1000; i++)
    messages[i] = (psprobe_message){.attributes = attributes, .attribute_count = 100};
  psp_proto_publish(&out, "t", messages, 1000);
  assert_false(out.failed);
  assert_int_equal(psp_proto_publish_read(out.data, out.len, &batch, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_batch_count(batch), 1000);
  assert_int_equal(psprobe_batch_message(batch, 999)->attribute_count, 100);
  psprobe_batch_free(batch);
  psp_buf_free(&out);
}

static void test_ids(void **state) {
  (void)state;
  psp_buf answer = {0};
  const char **ids = NULL;
  proto_text(&answer, 1, BYTES("17"));
  proto_text(&answer, 1, BYTES("18"));
  assert_int_equal(psp_proto_published(answer.data, answer.len, 2, &ids, NULL), PSPROBE_OK);
  assert_string_equal(ids[0], "17");
  assert_string_equal(ids[1], "18");
  free(ids);
  psp_buf_free(&answer);
}

static void test_odd_ids(void **state) {
  (void)state;
  const struct {
    const char *bytes;
    size_t len, count;
    const char *why;
  } cases[] = {
      {"", 0, 1, "0 ids for 1 messages"},
      {BYTES("\x0a\x01"
             "1\x0a\x01"
             "2"),
       1, "2 ids for 1 messages"},
      {BYTES("\x0a\x05"
             "1"),
       1, "0 ids for 1 messages"}, /* cut */
      {BYTES("\x0a\x00"), 1, "an id is not text"},
      {BYTES("\x0a\x02"
             "1\0"),
       1, "an id is not text"},
      {BYTES("\x0a\x01\xff"), 1, "an id is not text"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char **ids = NULL;
    psprobe_error error = {0};
    assert_int_equal(
        psp_proto_published(cases[i].bytes, cases[i].len, cases[i].count, &ids, &error),
        PSPROBE_INTERNAL);
    assert_non_null(strstr(error.message, cases[i].why));
    assert_null(ids);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_request), cmocka_unit_test(test_there_and_back),
      cmocka_unit_test(test_many),      cmocka_unit_test(test_ids),
      cmocka_unit_test(test_odd_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
