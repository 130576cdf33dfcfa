/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_grows_and_stays_terminated(void **state) {
  (void)state;
  psp_buf buf = {0};
  for (int i = 0; i < 1000; i++) {
    psp_buf_char(&buf, (char)('a' + i % 26));
    assert_int_equal(buf.len, i + 1);
    assert_int_equal(buf.data[buf.len], '\0');
  }
  assert_true(buf.cap > buf.len);
  psp_buf_free(&buf);
  assert_null(buf.data);
}

static void test_keeps_zero_bytes(void **state) {
  (void)state;
  psp_buf buf = {0};
  psp_buf_add(&buf, "a\0b", 3);
  psp_buf_add(&buf, NULL, 0);
  psp_buf_text(&buf, "c");
  assert_int_equal(buf.len, 4);
  assert_memory_equal(buf.data, "a\0bc", 5);
  psp_buf_free(&buf);
}

static void test_printf_of_any_length(void **state) {
  (void)state;
  psp_buf buf = {0};
  char wide[300];
  memset(wide, 'x', sizeof wide - 1);
  wide[sizeof wide - 1] = '\0';
  for (int pad = 0; pad < 200; pad++) {
    psp_buf_reset(&buf);
    psp_buf_printf(&buf, "%d:%.*s", 7, pad, wide);
    assert_int_equal(buf.len, pad + 2);
    assert_int_equal(strlen(buf.data), pad + 2);
  }
  psp_buf_free(&buf);
}

static void test_reset_keeps_memory(void **state) {
  (void)state;
  psp_buf buf = {0};
  psp_buf_reset(&buf);
  assert_null(buf.data);
  psp_buf_text(&buf, "something");
  char *before = buf.data;
  psp_buf_reset(&buf);
  assert_ptr_equal(buf.data, before);
  assert_string_equal(buf.data, "");
  assert_int_equal(buf.len, 0);
  psp_buf_free(&buf);
}

/* What was large for once does not stay large. */
static void test_reuse_keeps_little(void **state) {
  (void)state;
  psp_buf buf = {0};
  psp_buf_text(&buf, "small");
  const char *kept = buf.data;
  psp_buf_reuse(&buf);
  assert_ptr_equal(buf.data, kept);
  assert_string_equal(buf.data, "");
  assert_true(psp_buf_reserve(&buf, PSP_BUF_KEPT + 1));
  psp_buf_reuse(&buf);
  assert_null(buf.data);
  assert_int_equal(buf.cap, 0);
  psp_buf_free(&buf);
}

static void test_take(void **state) {
  (void)state;
  psp_buf buf = {0};
  size_t len = 99;
  char *empty = psp_buf_take(&buf, &len);
  assert_string_equal(empty, "");
  assert_int_equal(len, 0);
  free(empty);
  psp_buf_text(&buf, "text");
  char *text = psp_buf_take(&buf, NULL);
  assert_string_equal(text, "text");
  assert_null(buf.data);
  assert_int_equal(buf.len, 0);
  free(text);
}

/* One refusal is enough: nothing is added after it, and take says so. */
static void test_failure_sticks(void **state) {
  (void)state;
  psp_buf buf = {0};
  psp_buf_text(&buf, "kept");
  assert_false(psp_buf_reserve(&buf, SIZE_MAX - 2));
  assert_true(buf.failed);
  psp_buf_text(&buf, "lost");
  psp_buf_printf(&buf, "%d", 1);
  assert_int_equal(buf.len, 4);
  assert_null(psp_buf_take(&buf, NULL));
  assert_false(buf.failed);
  psp_buf_text(&buf, "again");
  assert_string_equal(buf.data, "again");
  psp_buf_free(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grows_and_stays_terminated),
      cmocka_unit_test(test_keeps_zero_bytes),
      cmocka_unit_test(test_printf_of_any_length),
      cmocka_unit_test(test_reset_keeps_memory),
      cmocka_unit_test(test_reuse_keeps_little),
      cmocka_unit_test(test_take),
      cmocka_unit_test(test_failure_sticks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
