/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/id.h"

static void test_round_trip(void **state) {
  (void)state;
  char text[PSP_ID_SIZE];
  uint64_t id[2];
  assert_true(psp_id_parse("0123456789abcdeffedcba9876543210", id));
  assert_true(id[0] == 0x0123456789abcdef);
  assert_true(id[1] == 0xfedcba9876543210);
  psp_id_format(text, id);
  assert_string_equal(text, "0123456789abcdeffedcba9876543210");
}

static void test_refusals(void **state) {
  (void)state;
  static const char *const bad[] = {
      NULL,
      "",
      "0123456789abcdeffedcba987654321",
      "0123456789abcdeffedcba98765432100",
      "0123456789ABCDEFfedcba9876543210",
      "0123456789abcdeffedcba987654321g",
      " 123456789abcdeffedcba9876543210",
      "0123456789abcdeffedcba987654321\n",
      "0123456789abcdef/../ba9876543210",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint64_t id[2] = {7, 7};
    assert_false(psp_id_parse(bad[i], id));
    assert_true(id[0] == 7 && id[1] == 7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
