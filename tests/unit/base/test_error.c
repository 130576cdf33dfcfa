/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

static void test_names(void **state) {
  (void)state;
  for (int code = 0; code <= 16; code++)
    assert_int_equal(psp_code_parse(psprobe_code_name((psprobe_code)code)), code);
  assert_string_equal(psprobe_code_name(PSPROBE_NOT_FOUND), "NOT_FOUND");
  assert_string_equal(psprobe_code_name(PSPROBE_UNAUTHENTICATED), "UNAUTHENTICATED");
  assert_string_equal(psprobe_code_name((psprobe_code)17), "UNKNOWN");
  assert_string_equal(psprobe_code_name((psprobe_code)-1), "UNKNOWN");
  assert_int_equal(psp_code_parse(NULL), PSPROBE_UNKNOWN);
  assert_int_equal(psp_code_parse("not_found"), PSPROBE_UNKNOWN);
}

static void test_http(void **state) {
  (void)state;
  static const struct {
    int status;
    psprobe_code code;
  } cases[] = {
      {200, PSPROBE_OK},
      {204, PSPROBE_OK},
      {400, PSPROBE_INVALID_ARGUMENT},
      {401, PSPROBE_UNAUTHENTICATED},
      {403, PSPROBE_PERMISSION_DENIED},
      {404, PSPROBE_NOT_FOUND},
      {409, PSPROBE_ABORTED},
      {418, PSPROBE_FAILED_PRECONDITION},
      {429, PSPROBE_RESOURCE_EXHAUSTED},
      {499, PSPROBE_CANCELLED},
      {500, PSPROBE_INTERNAL},
      {502, PSPROBE_UNAVAILABLE},
      {503, PSPROBE_UNAVAILABLE},
      {504, PSPROBE_DEADLINE_EXCEEDED},
      {599, PSPROBE_INTERNAL},
      {302, PSPROBE_UNKNOWN},
      {0, PSPROBE_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(psp_code_from_http(cases[i].status), cases[i].code);
}

static void test_fail(void **state) {
  (void)state;
  psprobe_error error = {.http_status = 7, .retry_after_ns = 7, .reason = "old"};
  assert_int_equal(psp_fail(&error, PSPROBE_NOT_FOUND, "no topic %s", "probes"), PSPROBE_NOT_FOUND);
  assert_int_equal(error.code, PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "no topic probes");
  assert_false(error.retryable);
  assert_int_equal(error.http_status, 0);
  assert_int_equal(error.retry_after_ns, 0);
  assert_string_equal(error.reason, "");
  psp_fail(&error, PSPROBE_UNAVAILABLE, "gone");
  assert_true(error.retryable);
  assert_int_equal(psp_fail_memory(&error, "a row"), PSPROBE_RESOURCE_EXHAUSTED);
  assert_string_equal(error.message, "out of memory: a row");
  assert_int_equal(psp_fail(NULL, PSPROBE_ABORTED, "x"), PSPROBE_ABORTED);
  psprobe_error_clear(&error);
  assert_int_equal(error.code, PSPROBE_OK);
  assert_string_equal(error.message, "");
  psprobe_error_clear(NULL);
}

/* A message may be made from the one that it replaces. */
static void test_own_message_as_argument(void **state) {
  (void)state;
  psprobe_error error = {0};
  psp_fail(&error, PSPROBE_INTERNAL, "inner");
  psp_fail(&error, PSPROBE_ABORTED, "outer: %s", error.message);
  assert_string_equal(error.message, "outer: inner");
}

static void test_remote_text_is_made_safe(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"line\r\nforged level=info", "line\\x0D\\x0Aforged level=info"},
      {"tab\tesc\x1B[31mred\x7F", "tab\\x09esc\\x1B[31mred\\x7F"},
      {"bad \xFF\xC3 utf", "bad \\xFF\\xC3 utf"},
      {"c1 \xC2\x9B"
       "31m",
       "c1 \\xC2\\x9B31m"},
      {"txt.\xE2\x80\xAE"
       "exe",
       "txt.\\xE2\\x80\\xAE"
       "exe"},
      {"fine é😀 %s %n", "fine é😀 %s %n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psp_fail(&error, PSPROBE_UNKNOWN, "%s", cases[i][0]);
    assert_string_equal(error.message, cases[i][1]);
  }
}

static void test_cut_between_characters(void **state) {
  (void)state;
  for (size_t pad = 0; pad < 5; pad++) {
    psprobe_error error = {0};
    char text[900] = "";
    memset(text, 'a', pad);
    for (size_t at = pad; at + 4 < sizeof text; at += 4)
      memcpy(text + at, "😀", 5);
    psp_fail(&error, PSPROBE_UNKNOWN, "%s", text);
    size_t len = strlen(error.message);
    assert_true(len <= 511 && len > 511 - 4);
    assert_true(psp_utf8_valid(error.message, len));
    assert_memory_equal(error.message, text, len); /* nothing of a character at the cut */
    psp_fail_in(&error, "in");
    assert_true(psp_utf8_valid(error.message, strlen(error.message)));
    assert_true(psp_text_starts(error.message, "in: "));
  }
}

static void test_fail_in(void **state) {
  (void)state;
  psprobe_error error = {0};
  psp_fail(&error, PSPROBE_UNAVAILABLE, "connection refused");
  error.http_status = 503;
  assert_int_equal(psp_fail_in(&error, "publish to %s", "probes"), PSPROBE_UNAVAILABLE);
  assert_string_equal(error.message, "publish to probes: connection refused");
  assert_int_equal(error.http_status, 503);
  assert_true(error.retryable);
  char wide[600];
  memset(wide, 'w', sizeof wide - 1);
  wide[sizeof wide - 1] = '\0';
  psp_fail_in(&error, "%s", wide);
  assert_int_equal(strlen(error.message), 511);
  assert_int_equal(psp_fail_in(NULL, "x"), PSPROBE_UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_http),
      cmocka_unit_test(test_fail),
      cmocka_unit_test(test_own_message_as_argument),
      cmocka_unit_test(test_remote_text_is_made_safe),
      cmocka_unit_test(test_cut_between_characters),
      cmocka_unit_test(test_fail_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
