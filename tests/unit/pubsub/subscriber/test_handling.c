/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pubsub/subscriber/handling.h"

#define S INT64_C(1000000000)

static void test_nothing_known(void **state) {
  (void)state;
  psp_handling h = {.total = 0};
  assert_int_equal(psp_handling_lease_s(&h, 10), 10);
  assert_int_equal(psp_handling_lease_s(&h, 60), 60);
}

/* One of a hundred may take as long as it likes; the second one counts. */
static void test_p99(void **state) {
  (void)state;
  psp_handling h = {.total = 0};
  for (int i = 0; i < 198; i++)
    psp_handling_add(&h, 19 * S + 1);
  psp_handling_add(&h, 400 * S);
  assert_int_equal(psp_handling_lease_s(&h, 10), 20); /* rounded up */
  psp_handling_add(&h, 400 * S);
  assert_int_equal(psp_handling_lease_s(&h, 10), 20);
  psp_handling_add(&h, 400 * S);
  psp_handling_add(&h, 400 * S);
  assert_int_equal(psp_handling_lease_s(&h, 10), 400);
  assert_int_equal(psp_handling_lease_s(&h, 500), 500);
}

static void test_bounds(void **state) {
  (void)state;
  psp_handling h = {.total = 0};
  psp_handling_add(&h, -5);
  psp_handling_add(&h, 0);
  assert_int_equal(psp_handling_lease_s(&h, 10), 10);
  for (int i = 0; i < 1000; i++)
    psp_handling_add(&h, 100000 * S);
  assert_int_equal(psp_handling_lease_s(&h, 10), 600);
}

/* A million of slow ones are not remembered for ever. */
static void test_what_was_long_ago(void **state) {
  (void)state;
  psp_handling h = {.total = 0};
  for (int i = 0; i < 999999; i++)
    psp_handling_add(&h, 300 * S);
  int needed = 0;
  for (; psp_handling_lease_s(&h, 10) == 300 && needed < 100000000; needed++)
    psp_handling_add(&h, S);
  assert_in_range(needed, 1000000, 10000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_known),
      cmocka_unit_test(test_p99),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_what_was_long_ago),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
