/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "local/pubsub/acks.h"

#define SUB "projects/p/subscriptions/sub"

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

/* As the service says it, of those that are stale alone. */
static void test_stale(void **state) {
  (void)state;
  static const uint64_t acks[] = {1, 2, 3};
  static const bool stale[] = {true, false, true};
  psp_buf got = {0};
  psp_broker_stale_encode(&got, SUB, acks, stale, 3);
  assert_string_equal(got.data,
                      "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"
                      "\"EXACTLY_ONCE_ACKID_FAILURE\",\"domain\":"
                      "\"pubsub.googleapis.com\",\"metadata\":{\"" SUB
                      ":1\":\"PERMANENT_FAILURE_INVALID_ACK_ID\",\"" SUB
                      ":3\":\"PERMANENT_FAILURE_INVALID_ACK_ID\"}}");
  psp_buf_free(&got);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_ack_bodies),
                                     cmocka_unit_test(test_stale)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
