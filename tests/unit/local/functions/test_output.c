/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "local/functions/output.h"

static void keep(void *arg, const char *line) {
  psp_buf_printf(arg, "[%s]", line);
}

/* However the bytes come, the lines and the addresses in them are the same. */
static void test_lines_in_any_pieces(void **state) {
  (void)state;
  static const char text[] =
      "one\r\n\n  \ntwo http://127.0.0.1:8080/ and\nthree http://127.0.0.1:9090";
  for (size_t size = 1; size <= sizeof text; size++) {
    psp_function_output out = {0};
    psp_buf lines = {0};
    for (size_t at = 0; at < strlen(text); at += size) {
      size_t left = strlen(text) - at;
      psp_function_output_take(&out, text + at, left < size ? left : size, keep, &lines);
    }
    assert_string_equal(lines.data, "[one][two http://127.0.0.1:8080/ and]");
    bool first = false, second = false; /* what stood there half is noted too, and listens not */
    for (size_t i = 0; i < PSP_OUTPUT_ADDRESSES && i < out.printed_count; i++) {
      first |= out.printed[i].port == 8080;
      second |= out.printed[i].port == 9090;
    }
    assert_true(first || size < 8);
    assert_true(second);
    psp_function_output_end(&out, keep, &lines);
    assert_true(psp_text_ends(lines.data, "[three http://127.0.0.1:9090]"));
    assert_string_equal(out.last, "three http://127.0.0.1:9090");
    psp_buf_free(&lines);
  }
}

static void test_long_and_odd_lines(void **state) {
  (void)state;
  psp_function_output out = {0};
  psp_buf lines = {0};
  for (int i = 0; i < 5000; i++)
    psp_function_output_take(&out, "x", 1, keep, &lines);
  psp_function_output_take(&out, "\n\0a\n", 4, keep, &lines);
  assert_int_equal(lines.len, 2 + sizeof out.line - 1 + strlen("[ a]"));
  assert_true(psp_text_ends(lines.data, "x][ a]"));
  psp_function_output_end(&out, keep, &lines); /* nothing is left: no line */
  assert_true(psp_text_ends(lines.data, "x][ a]"));
  assert_string_equal(out.last, " a");
  psp_buf_free(&lines);
}

static void test_level(void **state) {
  (void)state;
  assert_int_equal(psp_function_line_level("plain"), PSPROBE_LOG_INFO);
  assert_int_equal(psp_function_line_level("{\"severity\":\"ERROR\"}"), PSPROBE_LOG_ERROR);
  assert_int_equal(psp_function_line_level("{\"severity\":\"warning\",\"message\":\"x\"}"),
                   PSPROBE_LOG_WARNING);
  assert_int_equal(psp_function_line_level("{\"severity\":\"DEBUG\"}"), PSPROBE_LOG_DEBUG);
  assert_int_equal(psp_function_line_level("{\"severity\":\"NOTICE\"}"), PSPROBE_LOG_INFO);
  assert_int_equal(psp_function_line_level("{\"severity\":7}"), PSPROBE_LOG_INFO);
  assert_int_equal(psp_function_line_level("{\"severity\":\"ERROR\""), PSPROBE_LOG_INFO);
  assert_int_equal(psp_function_line_level("[{\"severity\":\"ERROR\"}]"), PSPROBE_LOG_INFO);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_in_any_pieces),
                                     cmocka_unit_test(test_long_and_odd_lines),
                                     cmocka_unit_test(test_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
