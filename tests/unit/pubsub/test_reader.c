/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pubsub/reader.h"

#define BYTES(text) text, sizeof(text) - 1

static void test_each_type(void **state) {
  (void)state;
  psp_reader in =
      psp_reader_of(BYTES("\x08\x96\x01\x12\x02hi\x19"
                          "12345678\x25"
                          "1234\xf8\xff\xff\xff\x0f\x00"));
  psp_read_field f = {0};
  assert_true(psp_reader_next(&in, &f));
  assert_true(f.number == 1 && f.type == PSP_READ_VARINT && f.value == 150);
  assert_true(psp_reader_next(&in, &f));
  assert_true(f.number == 2 && f.type == PSP_READ_BYTES && f.len == 2);
  assert_memory_equal(f.data, "hi", 2);
  assert_true(psp_reader_next(&in, &f));
  assert_true(f.number == 3 && f.type == PSP_READ_64 && f.len == 8);
  assert_true(psp_reader_next(&in, &f));
  assert_true(f.number == 4 && f.type == PSP_READ_32 && f.len == 4);
  assert_true(psp_reader_next(&in, &f));
  assert_true(f.number == 0x1fffffff && f.value == 0);
  assert_false(psp_reader_next(&in, &f));
  assert_false(in.broken);
}

static void test_nothing(void **state) {
  (void)state;
  psp_read_field f = {0};
  psp_reader in = psp_reader_of(NULL, 0);
  assert_false(psp_reader_next(&in, &f));
  assert_false(in.broken);
}

/* And so it stays. */
static void test_broken(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
  } cases[] = {
      {BYTES("\x08")},                                             /* a tag alone */
      {BYTES("\x08\x80")},                                         /* half a number */
      {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}, /* eleven bytes of one */
      {BYTES("\x88\x80\x80\x80\x80\x00\x01")},                     /* six of a tag */
      {BYTES("\x12\x03hi")},                                       /* longer than there is */
      {BYTES("\x12\xff\xff\xff\xff\x0f")},                         /* 4 GiB */
      {BYTES("\x12\x80\x80\x80\x80\x80\x00")},                     /* six of a length */
      {BYTES("\x19"
             "1234567")},
      {BYTES("\x25"
             "123")},
      {BYTES("\x0b\x0c")}, /* a group */
      {BYTES("\x00\x00")}, /* no field has the number 0 */
      {BYTES("\x0f")},     /* a type that is none */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_reader in = psp_reader_of(cases[i].bytes, cases[i].len);
    psp_read_field f = {0};
    assert_false(psp_reader_next(&in, &f));
    assert_true(in.broken);
    assert_false(psp_reader_next(&in, &f));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_type),
                                     cmocka_unit_test(test_nothing), cmocka_unit_test(test_broken)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
