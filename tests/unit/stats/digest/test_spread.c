/* SPDX-License-Identifier: MIT */
/** @file Spreads beside the same values sorted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <psprobe/timing.h>

#include "stats/bins.h"
#include "stats/digest/spread.h"
#include "stats/quantile_ci.h"
#include "stats/rng.h"
#include "stats/sort.h"

#define VALUES 30000

static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* About 5 ms with a tail, either side of 0; every tenth in whole microseconds below 2. */
static void draw(int64_t *values, size_t n, uint64_t seed) {
  psp_rng rng;
  psp_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) {
    values[i] = (int64_t)(5e6 * exp(psp_rng_normal(&rng)));
    if (i % 3 == 0) values[i] = -values[i] / 4;
    if (i % 10 == 0) values[i] %= 2000;
  }
  qsort(values, n, sizeof *values, compare);
}

static void add_all(psp_spread *spread, const int64_t *values, size_t n, bool turned) {
  const int64_t min = turned ? -values[n - 1] : values[0];
  const int64_t max = turned ? -values[0] : values[n - 1];
  for (size_t i = 0; i < n; i++) {
    const psp_bin_count one = {psp_bin_of(values[i]), 1};
    assert_true(psp_spread_add(spread, &one, 1, turned));
  }
  spread->min_ns = min;
  spread->max_ns = max;
}

static void assert_near(int64_t got, int64_t want) {
  if (llabs(got - want) > llabs(want) / 1000 + 1)
    fail_msg("%lld is more than 0.1 %% from %lld", (long long)got, (long long)want);
}

static void test_ranks(void **state) {
  (void)state;
  static int64_t values[VALUES];
  static const double asked[] = {0, 0.001, 0.1, 0.3, 0.5, 0.77, 0.9, 0.99, 0.999, 1};
  psp_spread spread = {0};
  draw(values, VALUES, 1);
  add_all(&spread, values, VALUES, false);
  psp_spread_settle(&spread);
  assert_int_equal(spread.n, VALUES);
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
    assert_near(psp_spread_quantile(&spread, asked[i]),
                psprobe_quantile_sorted(values, VALUES, asked[i]));
  assert_int_equal(psp_spread_at(&spread, 1), values[0]);
  assert_int_equal(psp_spread_at(&spread, VALUES), values[VALUES - 1]);
  int64_t before = INT64_MIN;
  for (double rank = 0; rank < VALUES + 2; rank += 0.5) {
    const int64_t at = psp_spread_at(&spread, rank);
    assert_true(at >= before);
    before = at;
  }
  psp_spread_free(&spread);
}

static void test_medians(void **state) {
  (void)state;
  static int64_t values[VALUES];
  for (size_t n = 1; n < VALUES; n = 3 * n + 1) {
    psp_spread spread = {0};
    const psp_serial serial = {.design_effect = 1.44, .caution = 1, .inflation = 1.2};
    draw(values, n, n);
    add_all(&spread, values, n, false);
    psp_spread_settle(&spread);
    const psp_sample sample = {.n = n, .values = values, .sorted = values};
    const psp_estimate want = psp_sample_median_given(&sample, &serial);
    const psp_estimate got = psp_spread_median(&spread, &serial);
    assert_int_equal(got.n, want.n);
    assert_int_equal(got.ci.has_low, want.ci.has_low);
    assert_int_equal(got.near.has_low, want.near.has_low);
    assert_int_equal(got.inner.has_high, want.inner.has_high);
    assert_near(got.median_ns, want.median_ns);
    assert_near(got.ci.low_ns, want.ci.low_ns);
    assert_near(got.near.high_ns, want.near.high_ns);
    assert_near(got.inner.low_ns, want.inner.low_ns);
    psp_spread_free(&spread);
  }
}

static void test_counts(void **state) {
  (void)state;
  static int64_t values[VALUES];
  psp_spread spread = {0};
  draw(values, VALUES, 3);
  add_all(&spread, values, VALUES, false);
  psp_spread_settle(&spread);
  size_t zero = 0, below = 0;
  for (size_t i = 0; i < VALUES; i++) {
    zero += values[i] == 0;
    below += values[i] < 0;
  }
  assert_int_equal(psp_spread_at_most(&spread, -1), below);
  assert_int_equal(psp_spread_at_most(&spread, 0), below + zero);
  assert_int_equal(psp_spread_at_most(&spread, values[0] - 1), 0);
  assert_int_equal(psp_spread_at_most(&spread, INT64_MAX), VALUES);
  psp_spread_free(&spread);
}

/* Turned round and merged, values are what they would be sorted so. */
static void test_turned_and_merged(void **state) {
  (void)state;
  static int64_t values[2 * VALUES];
  psp_spread both = {0}, turned = {0}, none = {0};
  draw(values, VALUES, 4);
  add_all(&turned, values, VALUES, true);
  draw(values + VALUES, VALUES, 5);
  for (size_t i = VALUES; i < 2 * VALUES; i++)
    values[i] += 40000000;
  add_all(&both, values + VALUES, VALUES, false);
  for (size_t i = 0; i < VALUES; i++)
    values[i] = -values[i];
  qsort(values, 2 * VALUES, sizeof *values, compare);
  assert_true(psp_spread_merge(&both, &turned) && psp_spread_merge(&both, &none));
  psp_spread_settle(&both);
  assert_int_equal(both.n, 2 * VALUES);
  assert_int_equal(both.min_ns, values[0]);
  assert_int_equal(both.max_ns, values[2 * VALUES - 1]);
  for (double q = 0.01; q < 1; q += 0.03)
    assert_near(psp_spread_quantile(&both, q), psprobe_quantile_sorted(values, 2 * VALUES, q));
  psp_spread_free(&both);
  psp_spread_free(&turned);
}

static void test_nothing(void **state) {
  (void)state;
  psp_spread none = {0};
  psp_spread_settle(&none);
  const psp_serial serial = {.design_effect = 1, .caution = 1, .inflation = 1};
  const psp_estimate median = psp_spread_median(&none, &serial);
  assert_int_equal(median.n, 0);
  assert_false(median.ci.has_low || median.near.has_low);
  assert_int_equal(psp_spread_quantile(&none, 0.5), 0);
  assert_int_equal(psp_spread_at_most(&none, 5), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranks),   cmocka_unit_test(test_medians),
      cmocka_unit_test(test_counts),  cmocka_unit_test(test_turned_and_merged),
      cmocka_unit_test(test_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
