/* SPDX-License-Identifier: MIT */
/** @file Serial correlation as it is told: lag 1 by mean ranks, and likeness only where it widened.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <psprobe/compare.h>

#include "comparing.h"
#include "stats/rng.h"

#define N 400

/* Mostly one value, with others among them by chance: ranked by time, ties would look alike. */
static void fill_with_ties(int64_t *values, psp_rng *rng) {
  for (size_t i = 0; i < N; i++)
    values[i] = psp_rng_uniform(rng) < 0.8 ? 50 : 40 + (int64_t)psp_rng_below(rng, 20);
}

static void test_ties_share_their_mean_rank(void **state) {
  (void)state;
  int64_t a[N], b[N];
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  fill_with_ties(a, &rng);
  fill_with_ties(b, &rng);
  psprobe_comparison *c = comparing_two(a, b, N), *d = comparing_two(b, a, N);
  assert_true(fabs(psprobe_comparison_pair(c, 0)->serial.lag1) < 3 / sqrt(N));
  assert_true(psprobe_comparison_pair(c, 0)->serial.lag1 ==
              psprobe_comparison_pair(d, 0)->serial.lag1);
  for (size_t s = 0; s < 2; s++) {
    assert_true(fabs(psprobe_comparison_source(c, s)->serial.lag1) < 3 / sqrt(N));
    assert_true(psprobe_comparison_source(c, s)->serial.lag1 ==
                psprobe_comparison_source(d, 1 - s)->serial.lag1);
  }
  psprobe_comparison_free(c);
  psprobe_comparison_free(d);
}

/* By hand: ranks 1.5 1.5 3 4, centred -1 -1 0.5 1.5; products 1 - 0.5 + 0.75 over 4.5. */
static void test_lag1_by_hand(void **state) {
  (void)state;
  const int64_t a[] = {7, 7, 8, 9}, b[] = {0, 0, 0, 0};
  psprobe_comparison *c = comparing_two(a, b, 4);
  const psprobe_serial serial = psprobe_comparison_pair(c, 0)->serial;
  assert_true(serial.known && fabs(serial.lag1 - 1.25 / 4.5) < 1e-6);
  /* What is all the same has none, nor have two values. */
  assert_false(psprobe_comparison_source(c, 1)->serial.known);
  psprobe_comparison_free(c);
  c = comparing_two(a + 1, b, 2);
  assert_false(psprobe_comparison_pair(c, 0)->serial.known);
  psprobe_comparison_free(c);
}

/* Of independent runs few are said to be alike, of alike ones all, and never without widening. */
static void test_likeness_is_told_where_it_widened(void **state) {
  (void)state;
  static const size_t counts[] = {12, 20, 40, 100, 300};
  static const int64_t zeros[300];
  int64_t a[300];
  psp_rng rng;
  psp_rng_seed(&rng, 2);
  for (size_t k = 0; k < 5; k++) {
    int told = 0;
    for (int round = 0; round < 200; round++) {
      for (size_t i = 0; i < counts[k]; i++)
        a[i] = llround(1e6 * psp_rng_normal(&rng));
      psprobe_comparison *c = comparing_two(a, zeros, counts[k]);
      told += psprobe_comparison_pair(c, 0)->serial.matters;
      psprobe_comparison_free(c);
    }
    assert_in_range(told, 0, 200 * 9 / 100);
  }
  for (size_t i = 0; i < 300; i++)
    a[i] = (int64_t)(i / 10 % 2) * 1000 + (int64_t)psp_rng_below(&rng, 100);
  psprobe_comparison *c = comparing_two(a, zeros, 300);
  assert_true(psprobe_comparison_pair(c, 0)->serial.matters);
  psprobe_comparison_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ties_share_their_mean_rank),
      cmocka_unit_test(test_lag1_by_hand),
      cmocka_unit_test(test_likeness_is_told_where_it_widened),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
