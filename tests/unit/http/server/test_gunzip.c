/* SPDX-License-Identifier: MIT */
/** @file gzip unpacked: in pieces of any size, members in a row, bombs, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gzipped.h"
#include "http/server/gunzip.h"

static const char text[] = "{\"messages\":[{\"data\":\"QQ==\"},{\"data\":\"QQ==\"}]}";

/* Unpacks it all, `step` bytes at a time. */
static psp_gunzip_result unpack(const psp_buf *packed, size_t step, size_t max, psp_buf *out,
                                bool *whole) {
  psp_gunzip *g = psp_gunzip_new();
  psp_gunzip_result result = PSP_GUNZIP_OK;
  assert_non_null(g);
  for (size_t at = 0; at < packed->len && result == PSP_GUNZIP_OK; at += step) {
    size_t len = packed->len - at < step ? packed->len - at : step;
    result = psp_gunzip_add(g, packed->data + at, len, max, out);
  }
  *whole = psp_gunzip_is_whole(g);
  psp_gunzip_free(g);
  return result;
}

static void test_in_pieces(void **state) {
  (void)state;
  psp_buf packed = {0};
  gzip_add(&packed, text, sizeof text - 1);
  gzip_add(&packed, "", 0); /* an empty member between two */
  gzip_add(&packed, text, sizeof text - 1);
  for (size_t step = 1; step <= packed.len; step++) {
    psp_buf out = {0};
    bool whole = false;
    assert_int_equal(unpack(&packed, step, 1000, &out, &whole), PSP_GUNZIP_OK);
    assert_true(whole);
    assert_int_equal(out.len, 2 * (sizeof text - 1));
    assert_memory_equal(out.data + sizeof text - 1, text, sizeof text - 1);
    psp_buf_free(&out);
  }
  psp_buf_free(&packed);
}

static void test_cut_off(void **state) {
  (void)state;
  psp_buf packed = {0};
  gzip_add(&packed, text, sizeof text - 1);
  for (size_t len = 1; len < packed.len; len++) {
    psp_buf out = {0}, part = {.data = packed.data, .len = len};
    bool whole = true;
    assert_int_equal(unpack(&part, len, 1000, &out, &whole), PSP_GUNZIP_OK);
    assert_false(whole);
    psp_buf_free(&out);
  }
  psp_buf_free(&packed);
}

/* A thousand to one: no more than `max` is ever held of it. */
static void test_bomb(void **state) {
  (void)state;
  static char zeros[1 << 20];
  psp_buf packed = {0}, out = {0};
  bool whole;
  gzip_add(&packed, zeros, sizeof zeros);
  assert_true(packed.len < 2000);
  assert_int_equal(unpack(&packed, 100, sizeof zeros - 1, &out, &whole), PSP_GUNZIP_TOO_LONG);
  assert_true(out.len < sizeof zeros);
  psp_buf_reset(&out);
  assert_int_equal(unpack(&packed, 100, sizeof zeros, &out, &whole), PSP_GUNZIP_OK);
  assert_int_equal(out.len, sizeof zeros);
  psp_buf_free(&out);
  psp_buf_free(&packed);
}

static void test_no_gzip(void **state) {
  (void)state;
  psp_buf packed = {0};
  bool whole;
  gzip_add(&packed, text, sizeof text - 1);
  packed.data[packed.len - 6] ^= 1; /* its check sum */
  psp_buf plain = {.data = (char *)text, .len = sizeof text - 1}, out = {0};
  assert_int_equal(unpack(&plain, 10, 1000, &out, &whole), PSP_GUNZIP_BROKEN);
  assert_int_equal(unpack(&packed, 10, 1000, &out, &whole), PSP_GUNZIP_BROKEN);
  packed.data[packed.len - 6] ^= 1;
  psp_buf_text(&packed, "rest");
  psp_buf_reset(&out);
  assert_int_equal(unpack(&packed, 10, 1000, &out, &whole), PSP_GUNZIP_BROKEN);
  psp_buf_free(&out);
  psp_buf_free(&packed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_in_pieces),
      cmocka_unit_test(test_cut_off),
      cmocka_unit_test(test_bomb),
      cmocka_unit_test(test_no_gzip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
