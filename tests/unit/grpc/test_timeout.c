/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grpc/timeout.h"

static void test_read(void **state) {
  (void)state;
  assert_int_equal(psp_timeout_read("59998m"), INT64_C(59998000000));
  assert_int_equal(psp_timeout_read("0n"), 0);
  assert_int_equal(psp_timeout_read("99999999H"), INT64_MAX);
  static const char *const bad[] = {"",    "m",   "1",   "1x",         "1mm",
                                    "-1m", "+1m", " 1m", "123456789m", "1.5S"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(psp_timeout_read(bad[i]), -1);
}

/* Never shorter, and longer by less than a part in fifty thousand. */
static void test_write(void **state) {
  (void)state;
  char room[PSP_TIMEOUT_SIZE];
  assert_string_equal(psp_timeout_write(room, 1), "1n");
  assert_string_equal(psp_timeout_write(room, INT64_C(60000000000)), "60000000u");
  for (int64_t ns = 1; ns < INT64_MAX / 7; ns = ns * 7 + 3) {
    const char *text = psp_timeout_write(room, ns);
    assert_true(strlen(text) <= 9);
    int64_t read = psp_timeout_read(text);
    assert_true(read >= ns && read - ns <= ns / 50000);
  }
  assert_true(psp_timeout_read(psp_timeout_write(room, INT64_MAX)) > INT64_MAX / 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_write)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
