/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proto_bytes.h"
#include "pubsub/proto.h"

#define BYTES(text) text, sizeof(text) - 1

/* What Google's own libraries send, byte for byte. */
static void test_requests(void **state) {
  (void)state;
  psp_buf out = {0};
  const psp_stream_opening opening = {"s", "id", 60, 1000, 104857600};
  psp_proto_open_stream(&out, &opening);
  assert_int_equal(out.len, 3 + 2 + 4 + 3 + 5 + 2);
  assert_memory_equal(
      out.data, "\x0a\x01s\x28\x3c\x32\x02id\x38\xe8\x07\x40\x80\x80\x80\x32\x50\x01", out.len);
  psp_buf_reset(&out);
  const char *ids[] = {"a", "bc"};
  psp_proto_acknowledge(&out, "s", ids, 2);
  assert_int_equal(out.len, 10);
  assert_memory_equal(out.data,
                      "\x0a\x01s\x12\x01"
                      "a\x12\x02"
                      "bc",
                      out.len);
  psp_buf_reset(&out);
  psp_proto_modify(&out, "s", ids, 2, 60);
  assert_int_equal(out.len, 12);
  assert_memory_equal(out.data,
                      "\x0a\x01s\x18\x3c\x22\x01"
                      "a\x22\x02"
                      "bc",
                      out.len);
  psp_buf_reset(&out);
  psp_proto_modify(&out, "s", ids, 1, 0);
  assert_memory_equal(out.data,
                      "\x0a\x01s\x22\x01"
                      "a",
                      out.len);
  psp_buf_free(&out);
}

static void test_fates(void **state) {
  (void)state;
  psp_buf info = {0}, any = {0}, status = {0};
  psp_ack_fates fates;
  proto_text(&info, 1, BYTES("EXACTLY_ONCE_ACKID_FAILURE"));
  proto_pair(&info, 3, "b", "TRANSIENT_FAILURE_UNAVAILABLE");
  proto_pair(&info, 3, "a", "PERMANENT_FAILURE_INVALID_ACK_ID");
  proto_pair(&info, 3, "service", "pubsub.googleapis.com");
  proto_text(&any, 1, BYTES("type.googleapis.com/google.rpc.ErrorInfo"));
  proto_text(&any, 2, info.data, info.len);
  proto_number(&status, 1, 9);
  proto_text(&status, 3, BYTES("\x0a\x03x/y"));
  proto_text(&status, 3, any.data, any.len);
  psp_proto_fates(status.data, status.len, &fates);
  assert_int_equal(fates.count, 2);
  assert_false(psp_ack_fates_find(&fates, "a")->transient);
  assert_true(psp_ack_fates_find(&fates, "b")->transient);
  assert_null(psp_ack_fates_find(&fates, "service"));
  assert_null(psp_ack_fates_find(&fates, "c"));
  psp_ack_fates_free(&fates);
  psp_proto_fates(status.data, status.len - 3, &fates);
  assert_null(psp_ack_fates_find(&fates, "a"));
  psp_ack_fates_free(&fates);
  psp_proto_fates(NULL, 0, &fates);
  assert_null(psp_ack_fates_find(&fates, "a"));
  psp_buf_free(&info);
  psp_buf_free(&any);
  psp_buf_free(&status);
}

static void put_detail(psp_buf *status, const char *type, const psp_buf *value) {
  psp_buf any = {0};
  proto_text(&any, 1, type, strlen(type));
  proto_text(&any, 2, value->data, value->len);
  proto_text(status, 3, any.data, any.len);
  psp_buf_free(&any);
}

/* The reason, and how long to wait, at most a minute. */
static void test_explain(void **state) {
  (void)state;
  psp_buf info = {0}, wait = {0}, status = {0};
  psprobe_error error = {.code = PSPROBE_UNAVAILABLE};
  proto_text(&info, 1, BYTES("RATE LIMIT"));
  proto_text(&wait, 1, BYTES("\x08\x02\x10\x05")); /* 2 s, 5 ns */
  put_detail(&status, "type.googleapis.com/google.rpc.ErrorInfo", &info);
  put_detail(&status, "type.googleapis.com/google.rpc.RetryInfo", &wait);
  psp_proto_explain(status.data, status.len, &error);
  assert_string_equal(error.reason, "RATE?LIMIT");
  assert_int_equal(error.retry_after_ns, 2000000005);
  psp_buf_reset(&wait);
  psp_buf_reset(&status);
  proto_text(&wait, 1, BYTES("\x08\xff\xff\xff\xff\x7f"));
  put_detail(&status, "type.googleapis.com/google.rpc.RetryInfo", &wait);
  psp_proto_explain(status.data, status.len, &error);
  assert_int_equal(error.retry_after_ns, INT64_C(60000000000));
  error = (psprobe_error){.code = PSPROBE_UNAVAILABLE};
  psp_proto_explain(status.data, status.len - 1, &error); /* cut: it says nothing */
  psp_proto_explain("\xff", 1, &error);
  assert_int_equal(error.retry_after_ns, 0);
  assert_string_equal(error.reason, "");
  psp_buf_free(&info);
  psp_buf_free(&wait);
  psp_buf_free(&status);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_requests),
      cmocka_unit_test(test_fates),
      cmocka_unit_test(test_explain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
