/* SPDX-License-Identifier: MIT */
/** @file Against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/bootstrap.h"

static void check_bca_level(golden *g) {
  if (strcmp(g->key, "bca_level") == 0) {
    const double z = golden_double(g), bias = golden_double(g), acceleration = golden_double(g);
    golden_near(g, psp_bca_level(z, bias, acceleration), golden_double(g), 1e-12, 0);
  }
}

static void test_golden(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/bootstrap.txt", check_bca_level), 10);
}

static void test_ends_of_the_scale(void **state) {
  (void)state;
  /* Past the pole of the BCa formula: the nearer end, not the other one. */
  assert_true(psp_bca_level(1.96, 3, 0.4) == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
      cmocka_unit_test(test_ends_of_the_scale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
