/* SPDX-License-Identifier: MIT */
/** @file Against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/distributions.h"

static void check_distributions(golden *g) {
  if (strcmp(g->key, "normal_quantile") == 0) {
    const double p = golden_double(g);
    golden_near(g, psp_normal_quantile(p), golden_double(g), 1e-12, 1e-14);
  } else if (strcmp(g->key, "normal_cdf") == 0) {
    const double z = golden_double(g);
    golden_near(g, psp_normal_cdf(z), golden_double(g), 1e-12, 1e-300);
  } else if (strcmp(g->key, "t_quantile") == 0) {
    const double p = golden_double(g), df = golden_double(g);
    golden_near(g, psp_t_quantile(p, df), golden_double(g), 1e-6, 0);
  } else if (strcmp(g->key, "binomial") == 0) {
    const uint64_t n = (uint64_t)golden_int(g);
    const double p = golden_double(g);
    const int64_t k = golden_int(g);
    /* lgamma of a million has some 1e-9 of rounding in its logarithm. */
    golden_near(g, psp_binomial_pmf(n, p, k), golden_double(g), 1e-8, 1e-300);
    golden_near(g, psp_binomial_cdf(n, p, k), golden_double(g), 1e-8, 1e-300);
  }
}

static void test_golden(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/distributions.txt", check_distributions),
                   133);
}

static void test_ends_of_the_scale(void **state) {
  (void)state;
  assert_true(psp_normal_quantile(0) == -40 && psp_normal_quantile(-1) == -40);
  assert_true(psp_normal_quantile(1) == 40 && psp_normal_quantile(7) == 40);
  assert_true(psp_normal_quantile(__builtin_nan("")) == -40);
  assert_true(psp_binomial_cdf(10, 0, 0) == 1 && psp_binomial_cdf(10, 1, 9) == 0);
  assert_true(psp_binomial_pmf(10, 0, 0) == 1 && psp_binomial_pmf(10, 1, 10) == 1);
  assert_true(psp_binomial_cdf(10, 0.5, -1) == 0 && psp_binomial_cdf(10, 0.5, 11) == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
      cmocka_unit_test(test_ends_of_the_scale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
