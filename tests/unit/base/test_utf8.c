/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

/* Every number there is: what is written is read, and surrogates are nothing. */
static void test_every_character(void **state) {
  (void)state;
  for (uint32_t code = 0; code <= 0x10FFFF; code++) {
    char text[4];
    size_t n = psp_utf8_put(code, text);
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (psp_utf8_char(text, n) != (surrogate ? 0 : n) || psp_utf8_char(text, n - 1) != 0 ||
        psp_utf8_code(text, n) != code)
      fail_msg("U+%04X", (unsigned)code);
  }
}

static void test_bad_forms(void **state) {
  (void)state;
  static const char *const bad[] = {
      "\x80",
      "\xBF",
      "\xC0\x80",
      "\xC1\xBF",
      "\xE0\x9F\xBF",
      "\xED\xA0\x80",
      "\xF0\x8F\xBF\xBF",
      "\xF4\x90\x80\x80",
      "\xF5\x80\x80\x80",
      "\xFE",
      "\xFF",
      "\xC3(",
      "\xE2\x82(",
      "\xF0\x9F\x98(",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(psp_utf8_char(bad[i], strlen(bad[i])), 0);
    assert_false(psp_utf8_valid(bad[i], strlen(bad[i])));
  }
}

static void test_cut(void **state) {
  (void)state;
  static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (size_t len = 0; len <= 10; len++)
    assert_int_equal(psp_utf8_cut("aé€😀", len), whole[len]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_character),
      cmocka_unit_test(test_bad_forms),
      cmocka_unit_test(test_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
