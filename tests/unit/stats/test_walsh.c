/* SPDX-License-Identifier: MIT */
/** @file Sorting and selection against a plain sort of everything. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/rng.h"
#include "stats/sort.h"
#include "stats/walsh.h"

#define MOST 900

static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Smooth, coarse, two-valued, heavy-tailed, constant, and wider than what packs into a word. */
static int64_t draw(psp_rng *rng, int kind) {
  const double z = psp_rng_normal(rng);
  switch (kind) {
    case 0:
      return (int64_t)(z * 1e6);
    case 1:
      return (int64_t)(z * 2);
    case 2:
      return z > 0 ? 1 : -1;
    case 3:
      return (int64_t)(exp(4 * z) * 1000);
    case 4:
      return 7;
    default:
      return (int64_t)(z * 1e17);
  }
}

static void test_sort_is_stable_and_remembers(void **state) {
  (void)state;
  int64_t values[MOST], sorted[MOST];
  uint32_t order[MOST];
  uint64_t scratch[2 * MOST];
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  for (int round = 0; round < 600; round++) {
    const size_t n = (size_t)psp_rng_below(&rng, MOST);
    for (size_t i = 0; i < n; i++)
      values[i] = draw(&rng, round % 6);
    psp_sort_indexed(values, n, sorted, order, scratch);
    for (size_t k = 0; k < n; k++) {
      assert_true(order[k] < n && sorted[k] == values[order[k]]);
      if (k == 0) continue;
      assert_true(sorted[k - 1] < sorted[k] ||
                  (sorted[k - 1] == sorted[k] && order[k - 1] < order[k]));
    }
  }
}

static void test_sort_whole_range_and_in_place(void **state) {
  (void)state;
  int64_t values[100];
  uint32_t order[100];
  uint64_t scratch[200];
  for (int i = 0; i < 100; i++) {
    values[i] = i % 3 == 0 ? INT64_MAX - i : i % 3 == 1 ? INT64_MIN + i : i;
  }
  psp_sort_indexed(values, 100, values, order, scratch);
  for (int i = 1; i < 100; i++)
    assert_true(values[i - 1] < values[i]);
  assert_true(values[0] == INT64_MIN + 1 && values[99] == INT64_MAX);
}

static void test_medians_mirror(void **state) {
  (void)state;
  const int64_t up[] = {-5, -2, 1, 2}, down[] = {-2, -1, 2, 5};
  assert_int_equal(psp_median_sorted(up, 4), -1); /* -0.5, away from zero */
  assert_int_equal(psp_median_sorted(down, 4), 1);
  assert_int_equal(psp_median_sorted(up, 3), -2);
  assert_int_equal(psp_median_sorted(up, 1), -5);
  assert_int_equal(psp_median_sorted(up, 0), 0);
  assert_int_equal(psp_midpoint(3, 4), 4);
  assert_int_equal(psp_midpoint(-3, -4), -4);
  assert_int_equal(psp_midpoint(-3, 4), 1);
}

static void check_selection(const int64_t *sorted, size_t n, psp_rng *rng) {
  const size_t all = (size_t)psp_walsh_count(n);
  int64_t *sums = malloc(all * sizeof *sums);
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i; j < n; j++)
      sums[count++] = sorted[i] + sorted[j];
  }
  assert_int_equal(count, all);
  qsort(sums, all, sizeof *sums, compare);
  const uint64_t ranks[] = {1,           1 + psp_rng_below(rng, all), (all + 1) / 2,
                            all / 2 + 1, 1 + psp_rng_below(rng, all), all};
  psp_walsh *walsh = psp_walsh_new(sorted, n);
  assert_non_null(walsh);
  for (int k = 0; k < 6; k++) {
    assert_true(psp_walsh_select(walsh, ranks[k]) == sums[ranks[k] - 1]);
  }
  psp_walsh_free(walsh);
  free(sums);
}

static void test_selection_against_all_sums(void **state) {
  (void)state;
  int64_t sorted[MOST];
  psp_rng rng;
  psp_rng_seed(&rng, 2);
  for (int round = 0; round < 300; round++) {
    /* Up to 361 values all sums are collected; beyond, pivots do their part. */
    const size_t n = 1 + (size_t)psp_rng_below(&rng, round % 24 == 0 ? MOST : 60);
    for (size_t i = 0; i < n; i++)
      sorted[i] = draw(&rng, round % 6);
    qsort(sorted, n, sizeof *sorted, compare);
    check_selection(sorted, n, &rng);
  }
  for (int kind = 0; kind < 6; kind++) {
    for (size_t i = 0; i < MOST; i++)
      sorted[i] = draw(&rng, kind);
    qsort(sorted, MOST, sizeof *sorted, compare);
    check_selection(sorted, MOST, &rng);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sort_is_stable_and_remembers),
      cmocka_unit_test(test_sort_whole_range_and_in_place),
      cmocka_unit_test(test_medians_mirror),
      cmocka_unit_test(test_selection_against_all_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
