/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/id.h"

static void test_form(void **state) {
  (void)state;
  char first[PSP_ID_SIZE], second[PSP_ID_SIZE];
  assert_true(psp_id_new(first));
  assert_true(psp_id_new(second));
  assert_int_equal(strlen(first), 32);
  assert_int_equal(strspn(first, "0123456789abcdef"), 32);
  assert_string_not_equal(first, second);
}

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

/* 1,000 ids: each of the 128 bits is set about half of the time. */
static void test_every_bit_is_random(void **state) {
  (void)state;
  unsigned set[128] = {0};
  for (int i = 0; i < 1000; i++) {
    uint64_t id[2];
    assert_true(psp_random(id, sizeof id));
    for (int bit = 0; bit < 128; bit++)
      set[bit] += id[bit / 64] >> (bit % 64) & 1;
  }
  for (int bit = 0; bit < 128; bit++) /* nine standard deviations each way */
    if (set[bit] < 350 || set[bit] > 650) fail_msg("bit %d is set %u times", bit, set[bit]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_form),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_every_bit_is_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
