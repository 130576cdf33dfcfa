/* SPDX-License-Identifier: MIT */
/** @file Against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/proportions.h"

static void check_proportions(golden *g) {
  if (strcmp(g->key, "wilson") == 0) {
    const uint64_t count = (uint64_t)golden_int(g), of = (uint64_t)golden_int(g);
    const psprobe_share share = psp_share(count, of, 1);
    golden_near(g, share.low, golden_double(g), 1e-10, 1e-15);
    golden_near(g, share.high, golden_double(g), 1e-10, 0);
  } else if (strcmp(g->key, "mcnemar") == 0) {
    const uint64_t b = (uint64_t)golden_int(g), c = (uint64_t)golden_int(g);
    golden_near(g, psp_mcnemar_mid_p(b, c), golden_double(g), 1e-10, 0);
  }
}

static void test_golden(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/proportions.txt", check_proportions), 17);
}

static void test_ends_of_the_scale(void **state) {
  (void)state;
  const psprobe_share none = psp_share(0, 0, 1);
  assert_true(none.share == 0 && none.low == 0 && none.high == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
      cmocka_unit_test(test_ends_of_the_scale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
