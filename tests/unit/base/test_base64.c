/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base64url.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* RFC 4648, 10: test vectors. */
static void test_base64_vectors(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psp_buf out = {0};
    psp_base64_encode(&out, cases[i][0], strlen(cases[i][0]));
    assert_string_equal(out.len == 0 ? "" : out.data, cases[i][1]);
    psp_buf_reset(&out);
    assert_true(psp_base64_decode(&out, cases[i][1], strlen(cases[i][1])));
    assert_string_equal(out.len == 0 ? "" : out.data, cases[i][0]);
    psp_buf_free(&out);
  }
}

static void test_base64_every_byte_and_alphabet(void **state) {
  (void)state;
  unsigned char bytes[256];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)(255 - i);
  for (size_t len = 0; len <= sizeof bytes; len++) {
    psp_buf text = {0}, back = {0};
    psp_base64_encode(&text, bytes, len);
    assert_int_equal(text.len, (len + 2) / 3 * 4);
    assert_true(psp_base64_decode(&back, text.data, text.len));
    assert_int_equal(back.len, len);
    if (len > 0) assert_memory_equal(back.data, bytes, len);
    psp_buf_reset(&text);
    psp_buf_reset(&back);
    test_base64url(&text, bytes, len);
    assert_null(text.len == 0 ? NULL : strpbrk(text.data, "+/="));
    assert_true(psp_base64_decode(&back, text.data, text.len));
    assert_int_equal(back.len, len);
    psp_buf_free(&text);
    psp_buf_free(&back);
  }
}

static void test_base64_refusals(void **state) {
  (void)state;
  static const char *const bad[] = {"a",      "a*b=", "Zg=",  "Zg===",  "Z===", "====",  "Zm9v=",
                                    "Zm9v\n", " Zm9", "Zm=v", "Zg==Zg", "=",    "Zm8==", "é=="};
  for (size_t i = 0; i < COUNT(bad); i++) {
    psp_buf out = {0};
    psp_buf_text(&out, "before");
    if (psp_base64_decode(&out, bad[i], strlen(bad[i]))) fail_msg("took \"%s\"", bad[i]);
    assert_string_equal(out.data, "before");
    assert_int_equal(out.len, 6);
    psp_buf_free(&out);
  }
  psp_buf out = {0};
  assert_true(psp_base64_decode(&out, "-_8", 3)); /* URL alphabet, unpadded */
  assert_memory_equal(out.data, "\xFB\xFF", 2);
  assert_false(psp_base64_decode(&out, "Zm\0v", 4));
  psp_buf_free(&out);
}

/* RFC 7515's form is one: no padding, one alphabet, no low bits that are not zero. */
static void test_strict(void **state) {
  (void)state;
  unsigned char out[8];
  assert_int_equal(psp_base64url_decode("", 0, out, sizeof out), 0);
  assert_int_equal(psp_base64url_decode("-_8", 3, out, sizeof out), 2);
  assert_memory_equal(out, "\xfb\xff", 2);
  assert_int_equal(psp_base64url_decode("-_8", 3, out, 1), -1);
  static const char *const bad[] = {"A", "AAAAA", "AA==", "+/8", "-_9", "AB", "A A", "AA\n"};
  for (size_t i = 0; i < COUNT(bad); i++)
    if (psp_base64url_decode(bad[i], strlen(bad[i]), out, sizeof out) != -1)
      fail_msg("took \"%s\"", bad[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_base64_vectors),
      cmocka_unit_test(test_base64_every_byte_and_alphabet),
      cmocka_unit_test(test_base64_refusals),
      cmocka_unit_test(test_strict),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
