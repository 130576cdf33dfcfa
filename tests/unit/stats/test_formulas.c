/* SPDX-License-Identifier: MIT */
/** @file Single formulas against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/bootstrap.h"
#include "stats/distributions.h"
#include "stats/proportions.h"
#include "stats/quantile_ci.h"
#include "stats/serial.h"
#include "stats/sort.h"
#include "stats/verdict.h"
#include "stats/wilcoxon.h"

#define ROOM 1024

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
  } else if (strcmp(g->key, "bca_level") == 0) {
    const double z = golden_double(g), bias = golden_double(g), acceleration = golden_double(g);
    golden_near(g, psp_bca_level(z, bias, acceleration), golden_double(g), 1e-12, 0);
  }
}

static void check_proportions(golden *g) {
  if (strcmp(g->key, "wilson") == 0) {
    const uint64_t count = (uint64_t)golden_int(g), of = (uint64_t)golden_int(g);
    const psprobe_share share = psp_share(count, of, 1);
    golden_near(g, share.low, golden_double(g), 1e-10, 1e-15);
    golden_near(g, share.high, golden_double(g), 1e-10, 0);
  } else if (strcmp(g->key, "mcnemar") == 0) {
    const uint64_t b = (uint64_t)golden_int(g), c = (uint64_t)golden_int(g);
    golden_near(g, psp_mcnemar_exact(b, c), golden_double(g), 1e-10, 0);
    golden_near(g, psp_mcnemar_mid_p(b, c), golden_double(g), 1e-10, 0);
  } else if (strcmp(g->key, "holm") == 0) {
    double values[16], corrected[8];
    size_t count = 0;
    for (const char *word; count < 16 && (word = golden_word(g)) != NULL; count++) {
      values[count] = strtod(word, NULL);
    }
    assert_true(count > 0 && count % 2 == 0);
    psp_holm(values, corrected, count / 2);
    for (size_t i = 0; i < count / 2; i++) {
      golden_near(g, corrected[i], values[count / 2 + i], 1e-12, 0);
    }
  }
}

static void check_ranks(golden *g) {
  if (strcmp(g->key, "ranks") == 0) {
    const uint64_t n = (uint64_t)golden_int(g);
    const double quantile = golden_double(g);
    const psp_rank_interval ranks = psp_quantile_ranks(n, quantile, 0.95, 1);
    golden_equal(g, (int64_t)ranks.low, golden_int(g));
    golden_equal(g, (int64_t)ranks.high, golden_int(g));
    assert_true(ranks.coverage >= 0.95 && ranks.coverage <= 1);
  } else if (strcmp(g->key, "signed_rank_critical") == 0) {
    const size_t n = (size_t)golden_int(g);
    golden_equal(g, (int64_t)psp_signed_rank_critical(n, 0.025), golden_int(g));
  } else if (strcmp(g->key, "wilcoxon") == 0) {
    int64_t values[ROOM], sorted[ROOM];
    uint32_t order[ROOM];
    uint64_t scratch[2 * ROOM];
    const double p = golden_double(g);
    const size_t n = golden_ints(g, values, ROOM);
    psp_sort_indexed(values, n, sorted, order, scratch);
    golden_near(g, psp_wilcoxon_test(sorted, n, NULL, NULL).p, p, 1e-9, 1e-15);
  }
}

static void check_serial(golden *g) {
  if (strcmp(g->key, "serial") != 0) return;
  float scores[ROOM], again[ROOM];
  const size_t n = (size_t)golden_int(g);
  const double lag1 = golden_double(g);
  const bool matters = golden_int(g) != 0;
  const double effect = golden_double(g), inflation = golden_double(g);
  const int64_t block = golden_int(g);
  assert_true(n <= ROOM);
  for (size_t i = 0; i < n; i++)
    again[i] = scores[i] = (float)golden_int(g);
  const psp_serial serial = psp_serial_look(scores, n, PSP_SIGNS);
  golden_near(g, serial.lag1, lag1, 1e-5, 1e-6);
  golden_equal(g, serial.matters, matters);
  golden_near(g, serial.design_effect, effect, 1e-4, 0);
  golden_near(g, serial.inflation, inflation, 1e-4, 0);
  golden_equal(g, (int64_t)psp_block_length(again, n), block);
}

static void test_formulas(void **state) {
  (void)state;
  golden g = golden_open("tests/data/statistics/functions.txt");
  int lines = 0;
  for (; golden_next(&g); lines++) {
    check_distributions(&g);
    check_proportions(&g);
    check_ranks(&g);
    check_serial(&g);
    /* A key that no check knows would leave its numbers unread. */
    if (golden_word(&g) != NULL) fail_msg("%s:%d: %s left unread", g.path, g.number, g.key);
  }
  golden_close(&g);
  assert_true(lines > 250);
}

static void test_ends_of_the_scales(void **state) {
  (void)state;
  assert_true(psp_normal_quantile(0) == -40 && psp_normal_quantile(-1) == -40);
  assert_true(psp_normal_quantile(1) == 40 && psp_normal_quantile(7) == 40);
  assert_true(psp_normal_quantile(__builtin_nan("")) == -40);
  assert_true(psp_binomial_cdf(10, 0, 0) == 1 && psp_binomial_cdf(10, 1, 9) == 0);
  assert_true(psp_binomial_pmf(10, 0, 0) == 1 && psp_binomial_pmf(10, 1, 10) == 1);
  assert_true(psp_binomial_cdf(10, 0.5, -1) == 0 && psp_binomial_cdf(10, 0.5, 11) == 1);
  /* Past the pole of the BCa formula: the nearer end, not the other one. */
  assert_true(psp_bca_level(1.96, 3, 0.4) == 1);
  const psprobe_share none = psp_share(0, 0, 1);
  assert_true(none.share == 0 && none.low == 0 && none.high == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_formulas),
      cmocka_unit_test(test_ends_of_the_scales),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
