/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pubsub/parts.h"
#include "pubsub/trace.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static psprobe_message with(const char *parent, const char *state) {
  return (psprobe_message){.data = "x", .data_len = 1, .traceparent = parent, .tracestate = state};
}

static void test_what_is_sent(void **state) {
  (void)state;
  psp_buf out = {0};
  psprobe_message message = with(PARENT, "a=1,b=2");
  psp_publish_encode(&out, &message, 1);
  assert_string_equal(out.data,
                      "{\"messages\":[{\"data\":\"eA==\",\"attributes\":{"
                      "\"googclient_traceparent\":\"" PARENT
                      "\","
                      "\"googclient_tracestate\":\"a=1,b=2\"}}]}");
  psp_buf_free(&out);
  /* And read again, by the way of a pull. */
  static const char answer[] =
      "{\"receivedMessages\":[{\"ackId\":\"1\",\"message\":{\"attributes\":{"
      "\"googclient_traceparent\":\"" PARENT "\",\"googclient_tracestate\":\"a=1\"}}}]}";
  psprobe_batch *batch = NULL;
  assert_int_equal(psp_pull_decode(answer, strlen(answer), &batch, NULL), PSPROBE_OK);
  assert_string_equal(psprobe_batch_message(batch, 0)->traceparent, PARENT);
  assert_string_equal(psprobe_batch_message(batch, 0)->tracestate, "a=1");
  psprobe_batch_free(batch);
}

static void test_what_is_none(void **state) {
  (void)state;
  char longest[600];
  memset(longest, 'a', sizeof longest);
  longest[513] = '\0';
  const struct {
    const char *parent, *state;
    size_t count;
  } cases[] = {
      {NULL, "a=1", 0},
      {"", NULL, 0},
      {PARENT, NULL, 1},
      {PARENT, "", 1},
      {PARENT, "a\n", 1},
      {PARENT, longest, 1},
      {PARENT, longest + 1, 2},
      {PARENT "-more", NULL, 0}, /* of this version there is no more */
      {"01"
       "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
       NULL, 1},
      {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, 0},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", NULL, 0},
      {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", NULL, 0},
      {"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, 0},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", NULL, 0},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x", NULL, 0},
      {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, 0},
      {"0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_attribute list[2];
    psprobe_message message = with(cases[i].parent, cases[i].state);
    size_t count = psp_trace_attributes(&message, list);
    if (count != cases[i].count) fail_msg("case %zu: %zu attributes", i, count);
    const psprobe_attribute brought[2] = {
        {PSP_TRACEPARENT, cases[i].parent != NULL ? cases[i].parent : ""},
        {PSP_TRACESTATE, cases[i].state != NULL ? cases[i].state : ""}};
    psprobe_message received = {.attributes = brought, .attribute_count = 2};
    psp_trace_read(&received);
    assert_int_equal((received.traceparent != NULL) + (received.tracestate != NULL), count);
  }
}

/* They count among the hundred, and nobody else may set them. */
static void test_limits(void **state) {
  (void)state;
  static psprobe_attribute many[100];
  for (size_t i = 0; i < 100; i++)
    many[i] = (psprobe_attribute){"key", "value"};
  psprobe_message message = with(PARENT, NULL);
  message.attributes = many;
  message.attribute_count = 99;
  assert_int_equal(psp_publish_check(&message, 1, NULL), PSPROBE_OK);
  message.attribute_count = 100;
  assert_int_equal(psp_publish_check(&message, 1, NULL), PSPROBE_INVALID_ARGUMENT);
  message.traceparent = "none";
  assert_int_equal(psp_publish_check(&message, 1, NULL), PSPROBE_OK);
  many[0] = (psprobe_attribute){PSP_TRACEPARENT, PARENT};
  assert_int_equal(psp_publish_check(&message, 1, NULL), PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_sent),
      cmocka_unit_test(test_what_is_none),
      cmocka_unit_test(test_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
