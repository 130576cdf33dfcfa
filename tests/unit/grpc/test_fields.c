/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grpc/fields.h"

static void take(psp_fields *fields, const char *name, const char *value) {
  assert_true(psp_fields_take(fields, name, strlen(name), value, strlen(value)));
}

static void test_take(void **state) {
  (void)state;
  psp_fields fields = {0};
  take(&fields, "a", "1");
  take(&fields, "a", "2");
  take(&fields, "x-bin", "AAEC,/w==, /w");
  take(&fields, "y-bin", "no base64!");
  assert_string_equal(psp_fields_get(&fields, "a")->value, "1");
  const psp_rpc_field *x = psp_fields_get(&fields, "x-bin");
  assert_non_null(x);
  assert_int_equal(x->len, 3);
  assert_memory_equal(x->value, "\0\1\2", 3);
  /* Padded or not, parted by commas. */
  for (int i = 0; i < 2; i++) {
    x = x->next;
    assert_string_equal(x->name, "x-bin");
    assert_int_equal(x->len, 1);
    assert_memory_equal(x->value, "\377", 1);
  }
  assert_null(x->next);
  assert_null(psp_fields_get(&fields, "y-bin"));
  psp_fields_clear(&fields);
  assert_null(fields.first);
  assert_int_equal(fields.size, 0);
}

static void test_check(void **state) {
  (void)state;
  assert_true(psp_field_check("x-goog-request-params", "a=b%2Fc", 7));
  assert_true(psp_field_check("x", "", 0));
  assert_true(psp_field_check("x-bin", "\0\n\377", 3));
  static const char *const names[] = {"",    "X",    ":path",      "grpc-timeout", "te",
                                      "a b", "host", "connection", "content-type", "x\n"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_false(psp_field_check(names[i], "v", 1));
  static const char *const values[] = {" a", "a ", "a\nb", "\x7f", "\xc3\xa9"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    assert_false(psp_field_check("x", values[i], strlen(values[i])));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_take), cmocka_unit_test(test_check)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
