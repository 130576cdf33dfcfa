/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/secret.h"

static void test_building(void **state) {
  (void)state;
  psp_secret a = {0}, b = {0};
  psp_secret_percent(&a, "1//a b&c=\xff~", 11);
  assert_string_equal(a.data, "1%2F%2Fa%20b%26c%3D%FF~");
  psp_secret_text(&b, "x:");
  psp_secret_base64(&b, "cid:csecret", 11);
  assert_string_equal(b.data, "x:Y2lkOmNzZWNyZXQ=");
  psp_secret_swap(&a, &b);
  assert_string_equal(a.data, "x:Y2lkOmNzZWNyZXQ=");
  psp_secret_reset(&a);
  psp_secret_add(&a, "", 0);
  assert_string_equal(a.data, "");
  /* A size that cannot be: failed, and no harm done. */
  assert_false(psp_secret_reserve(&a, SIZE_MAX / 2));
  psp_secret_text(&a, "more");
  assert_true(a.failed);
  assert_int_equal(a.len, 0);
  psp_secret_free(&a);
  psp_secret_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_building)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
