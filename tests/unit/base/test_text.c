/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_compare(void **state) {
  (void)state;
  assert_true(psp_text_equal(NULL, NULL));
  assert_false(psp_text_equal(NULL, ""));
  assert_false(psp_text_equal("a", NULL));
  assert_true(psp_text_equal("a", "a"));
  assert_true(psp_text_starts("abc", "ab"));
  assert_true(psp_text_starts("abc", ""));
  assert_false(psp_text_starts("a", "ab"));
  assert_false(psp_text_starts(NULL, "a"));
  assert_true(psp_text_ends("abc", "bc"));
  assert_false(psp_text_ends("c", "bc"));
  assert_false(psp_text_ends("bcd", "bc"));
  assert_null(psp_strdup(NULL));
}

static void test_percent(void **state) {
  (void)state;
  psp_buf out = {0};
  psp_percent_encode(&out, "aZ09-._~ /%é?&=+");
  assert_string_equal(out.data, "aZ09-._~%20%2F%25%C3%A9%3F%26%3D%2B");
  char *encoded = psp_buf_take(&out, NULL);
  assert_true(psp_percent_decode(&out, encoded, strlen(encoded)));
  assert_string_equal(out.data, "aZ09-._~ /%é?&=+");
  free(encoded);
  psp_buf_reset(&out);
  assert_true(psp_percent_decode(&out, "%c3%A9+", 7)); /* '+' is itself outside of forms */
  assert_string_equal(out.data, "é+");
  static const char *const bad[] = {"%", "%4", "a%", "%zz", "%0g", "%00", "x%00y"};
  for (size_t i = 0; i < COUNT(bad); i++) {
    assert_false(psp_percent_decode(&out, bad[i], strlen(bad[i])));
    assert_string_equal(out.data, "é+");
  }
  assert_false(psp_percent_decode(&out, "%41", 2)); /* cut by its length */
  psp_buf_free(&out);
  assert_true(psp_percent_decode(&out, "", 0));
  assert_non_null(out.data); /* an empty text, which may be read */
  psp_buf_free(&out);
}

static void test_utf8(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool valid;
  } cases[] = {
      {"", true},
      {"plain", true},
      {"\x7F", true},
      {"\xC2\x80", true},
      {"\xDF\xBF", true},
      {"\xE0\xA0\x80", true},
      {"\xED\x9F\xBF", true},
      {"\xEE\x80\x80", true},
      {"\xEF\xBF\xBF", true},
      {"\xF0\x90\x80\x80", true},
      {"\xF4\x8F\xBF\xBF", true},
      {"\x80", false},
      {"\xBF", false},
      {"\xC0\x80", false}, /* overlong zero */
      {"\xC1\xBF", false}, /* overlong */
      {"\xC2", false},     /* cut */
      {"\xC2\x41", false},
      {"\xE0\x9F\xBF", false},     /* overlong */
      {"\xE2\x82", false},         /* cut */
      {"\xED\xA0\x80", false},     /* surrogate */
      {"\xED\xBF\xBF", false},     /* surrogate */
      {"\xF0\x8F\xBF\xBF", false}, /* overlong */
      {"\xF4\x90\x80\x80", false}, /* above U+10FFFF */
      {"\xF5\x80\x80\x80", false},
      {"\xFF", false},
      {"ok\xE2\x82\xACok\xFE", false},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    if (psp_utf8_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
      fail_msg("case %zu", i);
  assert_true(psp_utf8_valid("a\0b", 3));
}

static void test_utf8_cut(void **state) {
  (void)state;
  static const char text[] = "aé€😀";
  static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (size_t len = 0; len <= 10; len++)
    assert_int_equal(psp_utf8_cut(text, len), want[len]);
  assert_int_equal(psp_utf8_cut("\x80\x80\x80\x80\x80", 5), 5); /* not ours to repair */
}

static void test_parse_int64(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t min, max;
    bool good;
    int64_t value;
  } cases[] = {
      {"0", 0, 10, true, 0},
      {"10", 0, 10, true, 10},
      {"11", 0, 10, false, 0},
      {"-1", 0, 10, false, 0},
      {"-1", -1, 10, true, -1},
      {"007", 0, 10, true, 7},
      {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
      {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
      {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
      {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
      {"", 0, 10, false, 0},
      {"-", -10, 10, false, 0},
      {"+1", 0, 10, false, 0},
      {" 1", 0, 10, false, 0},
      {"1 ", 0, 10, false, 0},
      {"1x", 0, 10, false, 0},
      {"0x1", 0, 10, false, 0},
      {"1.0", 0, 10, false, 0},
      {"--1", -10, 10, false, 0},
      {NULL, 0, 10, false, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t value = 77;
    bool good = psp_parse_int64(cases[i].text, cases[i].min, cases[i].max, &value);
    if (good != cases[i].good || value != (good ? cases[i].value : 77)) fail_msg("case %zu", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_compare),     cmocka_unit_test(test_percent),
      cmocka_unit_test(test_utf8),        cmocka_unit_test(test_utf8_cut),
      cmocka_unit_test(test_parse_int64),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
