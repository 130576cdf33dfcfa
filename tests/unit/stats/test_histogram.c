/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <psprobe/timing.h>

static psprobe_histogram *new_histogram(void) {
  psprobe_histogram *made = NULL;
  psprobe_histogram_new(&made, NULL);
  return made;
}

#define HOUR INT64_C(3600000000000)

/* splitmix64 (Steele, Lea & Flood 2014): any fixed stream will do here. */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Log-uniform from 0 to 2^41 (36 minutes): every octave is visited alike. */
static int64_t random_duration(uint64_t *state) {
  const unsigned bits = (unsigned)(next_random(state) % 42);
  return (int64_t)(next_random(state) & ((UINT64_C(1) << bits) - 1)) | (INT64_C(1) << bits) >> 1;
}

static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void assert_near(int64_t got, int64_t want) {
  const int64_t off = got > want ? got - want : want - got;
  if (want < 2048) {
    assert_int_equal(off, 0);
  } else if (off > want / 1000) {
    fail_msg("%lld is more than 0.1 %% from %lld", (long long)got, (long long)want);
  }
}

/* What the histogram makes of one value, seen past the exact ends: three values
 * around it would show min and max, so the value itself is put in the middle. */
static int64_t seen_as(psprobe_histogram *h, int64_t value) {
  psprobe_histogram_reset(h);
  psprobe_histogram_record(h, INT64_MIN);
  psprobe_histogram_record(h, value);
  psprobe_histogram_record(h, INT64_MAX);
  return psprobe_histogram_quantile(h, 0.5);
}

static void test_every_value_is_within_a_thousandth(void **state) {
  (void)state;
  psprobe_histogram *h = new_histogram();
  for (int64_t v = 0; v < 3000; v++)
    assert_near(seen_as(h, v), v);
  for (int bit = 11; bit < 42; bit++) {
    for (int64_t d = -3; d <= 3; d++) {
      assert_near(seen_as(h, (INT64_C(1) << bit) + d), (INT64_C(1) << bit) + d);
    }
  }
  assert_near(seen_as(h, HOUR), HOUR);
  uint64_t seed = 1;
  for (int i = 0; i < 5000; i++) {
    const int64_t v = random_duration(&seed);
    assert_near(seen_as(h, v), v);
  }
  psprobe_histogram_free(h);
}

static void test_values_outside_count_at_the_ends(void **state) {
  (void)state;
  psprobe_histogram *h = new_histogram();
  const int64_t values[] = {INT64_MIN, -5, 0, 7, HOUR * 2, INT64_MAX};
  for (size_t i = 0; i < 6; i++)
    psprobe_histogram_record(h, values[i]);
  assert_int_equal(psprobe_histogram_count(h), 6);
  assert_true(psprobe_histogram_min(h) == INT64_MIN);
  assert_true(psprobe_histogram_max(h) == INT64_MAX);
  assert_true(psprobe_histogram_quantile(h, 0) == INT64_MIN);
  assert_int_equal(psprobe_histogram_quantile(h, 0.5), 0);
  assert_int_equal(psprobe_histogram_quantile(h, 4.0 / 6), 7);
  assert_true(psprobe_histogram_quantile(h, 5.0 / 6) == INT64_MAX);
  assert_true(psprobe_histogram_quantile(h, 1) == INT64_MAX);
  assert_int_equal(psprobe_histogram_count_at_most(h, 6), 3);
  assert_int_equal(psprobe_histogram_count_at_most(h, 7), 4);
  assert_int_equal(psprobe_histogram_count_at_most(h, INT64_MAX), 6);
  psprobe_histogram_free(h);
}

static void test_sum_saturates(void **state) {
  (void)state;
  psprobe_histogram *h = new_histogram();
  psprobe_histogram_record(h, 5);
  psprobe_histogram_record(h, -2);
  assert_int_equal(psprobe_histogram_sum(h), 3);
  psprobe_histogram_record(h, INT64_MAX);
  assert_true(psprobe_histogram_sum(h) == INT64_MAX);
  psprobe_histogram_free(h);
}

static void test_empty_and_single(void **state) {
  (void)state;
  psprobe_histogram *h = new_histogram();
  const double quantiles[] = {-1, 0, 0.5, 1, 2, __builtin_nan("")};
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(psprobe_histogram_quantile(h, quantiles[i]), 0);
  assert_int_equal(psprobe_histogram_min(h), 0);
  assert_int_equal(psprobe_histogram_max(h), 0);
  assert_int_equal(psprobe_histogram_count_at_most(h, INT64_MAX), 0);
  psprobe_histogram_record(h, 123456789);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(psprobe_histogram_quantile(h, quantiles[i]), 123456789);
  }
  assert_int_equal(psprobe_histogram_count_at_most(h, 123456788), 0);
  assert_int_equal(psprobe_histogram_count_at_most(h, 123456789), 1);
  psprobe_histogram_reset(h);
  assert_int_equal(psprobe_histogram_count(h), 0);
  assert_int_equal(psprobe_histogram_quantile(h, 0.5), 0);
  psprobe_histogram_free(h);
  psprobe_histogram_free(NULL);
}

static const double QUANTILES[] = {0, 0.001, 0.07, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
#define QUANTILE_COUNT (sizeof QUANTILES / sizeof *QUANTILES)

static void test_quantiles_against_a_sort(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 3, 5, 10, 100, 1000, 100000};
  int64_t *values = malloc(100000 * sizeof *values);
  psprobe_histogram *h = new_histogram();
  uint64_t seed = 7;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    const size_t n = sizes[s];
    psprobe_histogram_reset(h);
    for (size_t i = 0; i < n; i++) {
      values[i] = random_duration(&seed);
      psprobe_histogram_record(h, values[i]);
    }
    qsort(values, n, sizeof *values, compare);
    for (size_t q = 0; q < QUANTILE_COUNT; q++) {
      assert_near(psprobe_histogram_quantile(h, QUANTILES[q]),
                  psprobe_quantile_sorted(values, n, QUANTILES[q]));
    }
    assert_int_equal(psprobe_histogram_min(h), values[0]);
    assert_int_equal(psprobe_histogram_max(h), values[n - 1]);
  }
  psprobe_histogram_free(h);
  free(values);
}

static void assert_same(const psprobe_histogram *a, const psprobe_histogram *b) {
  assert_int_equal(psprobe_histogram_count(a), psprobe_histogram_count(b));
  assert_int_equal(psprobe_histogram_min(a), psprobe_histogram_min(b));
  assert_int_equal(psprobe_histogram_max(a), psprobe_histogram_max(b));
  assert_int_equal(psprobe_histogram_sum(a), psprobe_histogram_sum(b));
  for (int i = 0; i <= 1000; i++) {
    assert_int_equal(psprobe_histogram_quantile(a, i / 1000.0),
                     psprobe_histogram_quantile(b, i / 1000.0));
  }
  for (int bit = 0; bit < 63; bit++) {
    assert_int_equal(psprobe_histogram_count_at_most(a, INT64_C(1) << bit),
                     psprobe_histogram_count_at_most(b, INT64_C(1) << bit));
  }
}

static void test_merge_is_as_if_all_were_recorded(void **state) {
  (void)state;
  psprobe_histogram *all = new_histogram(), *merged = new_histogram(), *part = new_histogram();
  psprobe_histogram_merge(merged, part);
  assert_same(merged, all);
  uint64_t seed = 3;
  for (int p = 0; p < 5; p++) {
    psprobe_histogram_reset(part);
    for (int i = 0; i < 2000 * p; i++) {
      const int64_t v = random_duration(&seed) - 5;
      psprobe_histogram_record(part, v);
      psprobe_histogram_record(all, v);
    }
    psprobe_histogram_merge(merged, part);
    assert_same(merged, all);
  }
  psprobe_histogram_free(all);
  psprobe_histogram_free(merged);
  psprobe_histogram_free(part);
}

static void test_count_at_most_against_counting(void **state) {
  (void)state;
  psprobe_histogram *h = new_histogram();
  int64_t values[3000];
  uint64_t seed = 11;
  for (size_t i = 0; i < 3000; i++) {
    values[i] = random_duration(&seed);
    psprobe_histogram_record(h, values[i]);
  }
  for (int round = 0; round < 300; round++) {
    const int64_t bound = random_duration(&seed);
    uint64_t least = 0, most = 0;
    for (size_t i = 0; i < 3000; i++) {
      least += values[i] <= bound;
      most += values[i] <= bound + bound / 1000;
    }
    assert_in_range(psprobe_histogram_count_at_most(h, bound), least, most);
  }
  psprobe_histogram_free(h);
}

static void test_quantile_of_sorted_values(void **state) {
  (void)state;
  int64_t values[100];
  for (int i = 0; i < 100; i++)
    values[i] = i + 1;
  /* ceil(q * 100) in exact arithmetic: q percent of 1..100 is q. */
  for (int q = 1; q <= 100; q++) {
    assert_int_equal(psprobe_quantile_sorted(values, 100, q / 100.0), q);
  }
  assert_int_equal(psprobe_quantile_sorted(values, 100, 0.501), 51);
  assert_int_equal(psprobe_quantile_sorted(values, 100, 0), 1);
  assert_int_equal(psprobe_quantile_sorted(values, 100, -3), 1);
  assert_int_equal(psprobe_quantile_sorted(values, 100, 3), 100);
  assert_int_equal(psprobe_quantile_sorted(values, 100, __builtin_nan("")), 1);
  assert_int_equal(psprobe_quantile_sorted(values, 2, 0.5), 1);
  assert_int_equal(psprobe_quantile_sorted(values, 2, 0.51), 2);
  assert_int_equal(psprobe_quantile_sorted(NULL, 0, 0.5), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_value_is_within_a_thousandth),
      cmocka_unit_test(test_values_outside_count_at_the_ends),
      cmocka_unit_test(test_sum_saturates),
      cmocka_unit_test(test_empty_and_single),
      cmocka_unit_test(test_quantiles_against_a_sort),
      cmocka_unit_test(test_merge_is_as_if_all_were_recorded),
      cmocka_unit_test(test_count_at_most_against_counting),
      cmocka_unit_test(test_quantile_of_sorted_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
