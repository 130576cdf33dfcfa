/* SPDX-License-Identifier: MIT */
/** @file Against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/quantile_ci.h"

static void check_ranks(golden *g) {
  if (strcmp(g->key, "ranks") == 0) {
    const uint64_t n = (uint64_t)golden_int(g);
    const double quantile = golden_double(g);
    const psp_rank_interval ranks = psp_quantile_ranks(n, quantile, 0.95, 1);
    golden_equal(g, (int64_t)ranks.low, golden_int(g));
    golden_equal(g, (int64_t)ranks.high, golden_int(g));
    assert_true(ranks.coverage >= 0.95 && ranks.coverage <= 1);
  }
}

static void test_golden(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/quantile_ci.txt", check_ranks), 60);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
