/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/printable.h"

static const char *const cases[][2] = {
    {"", ""},
    {"fine é😀 \\ \"", "fine é😀 \\ \""},
    {"a\r\nb\tc", "a\\x0D\\x0Ab\\x09c"},
    {"\x1b[31m\x7f", "\\x1B[31m\\x7F"},
    {"c1 \xC2\x9B", "c1 \\xC2\\x9B"},
    {"bad \xFF\xC3 utf", "bad \\xFF\\xC3 utf"},
    {"cut \xF0\x9F\x98", "cut \\xF0\\x9F\\x98"},
    {"bidi \xE2\x80\xAE!", "bidi \\xE2\\x80\\xAE!"},
    {"isolate \xE2\x81\xA6", "isolate \\xE2\\x81\\xA6"},
    {"\xEF\xBB\xBFmark", "\\xEF\\xBB\\xBFmark"},
    {"tag \xF3\xA0\x81\x81", "tag \\xF3\\xA0\\x81\\x81"},
    {"\xD8\x9C", "\\xD8\\x9C"},
};

static void test_text(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[80];
    const char *text = cases[i][0];
    assert_int_equal(psp_printable_text(out, sizeof out, text), strlen(cases[i][1]));
    assert_string_equal(out, cases[i][1]);
    assert_int_equal(psp_printable(text, strlen(text)), strcmp(text, out) == 0);
    assert_true(psp_printable(out, strlen(out))); /* once is enough */
  }
}

static void test_put(void **state) {
  (void)state;
  psp_buf out = {0};
  psp_buf_text(&out, "<");
  psp_printable_put(&out, "a\n\x1b[é\xff");
  assert_string_equal(out.data, "<a\n\\x1B[é\\xFF");
  psp_buf_free(&out);
}

/* Neither a character nor an escape is torn. */
static void test_cut(void **state) {
  (void)state;
  static const size_t lengths[] = {0, 1, 1, 3, 3, 3, 3, 7, 7};
  for (size_t size = 1; size <= 9; size++) {
    char out[9];
    assert_int_equal(psp_printable_text(out, size, "aé\n\n"), lengths[size - 1]);
    assert_int_equal(strlen(out), lengths[size - 1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_put),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
