/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#include "os/random.h"

static void test_form(void **state) {
  (void)state;
  char first[PSP_ID_SIZE], second[PSP_ID_SIZE];
  assert_true(psp_id_new(first));
  assert_true(psp_id_new(second));
  assert_int_equal(strlen(first), 32);
  assert_int_equal(strspn(first, "0123456789abcdef"), 32);
  assert_string_not_equal(first, second);
}

static void test_new_ids(void **state) {
  (void)state;
  char a[PSPROBE_ID_SIZE], b[PSPROBE_ID_SIZE];
  assert_int_equal(psprobe_id_make(a, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_id_make(b, NULL), PSPROBE_OK);
  assert_int_equal(strlen(a), PSPROBE_ID_LENGTH);
  assert_int_equal(strspn(a, "0123456789abcdef"), PSPROBE_ID_LENGTH);
  assert_string_not_equal(a, b);
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
      cmocka_unit_test(test_new_ids),
      cmocka_unit_test(test_every_bit_is_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
