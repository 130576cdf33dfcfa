/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local/broker/alarms.h"

static void test_in_order(void **state) {
  (void)state;
  static const int64_t times[] = {5, 1, 9, 1, 7, -3, 9, 2};
  static const int order[] = {5, 1, 3, 7, 0, 4, 2, 6};
  psp_alarm alarms[8] = {{0}};
  psp_alarms all = {0};
  assert_true(psp_alarms_join(&all, 8));
  assert_int_equal(psp_alarms_next(&all), INT64_MAX);
  for (int i = 0; i < 8; i++)
    psp_alarms_set(&all, &alarms[i], times[i]);
  assert_int_equal(psp_alarms_next(&all), -3);
  assert_null(psp_alarms_take(&all, -4));
  for (int i = 0; i < 8; i++) {
    psp_alarm *taken = psp_alarms_take(&all, 9);
    assert_ptr_equal(taken, &alarms[order[i]]);
    assert_int_equal(taken->at, 0);
  }
  assert_null(psp_alarms_take(&all, INT64_MAX));
  psp_alarms_free(&all);
}

static void test_moved_and_cleared(void **state) {
  (void)state;
  psp_alarm a = {0}, b = {0}, c = {0};
  psp_alarms all = {0};
  assert_true(psp_alarms_join(&all, 3));
  psp_alarms_set(&all, &a, 10);
  psp_alarms_set(&all, &b, 20);
  psp_alarms_set(&all, &c, 30);
  psp_alarms_set(&all, &a, 25);
  psp_alarms_set(&all, &c, 5);
  psp_alarms_clear(&all, &b);
  psp_alarms_clear(&all, &b);
  assert_ptr_equal(psp_alarms_take(&all, 100), &c);
  assert_ptr_equal(psp_alarms_take(&all, 100), &a);
  assert_null(psp_alarms_take(&all, 100));
  psp_alarms_leave(&all, 3);
  assert_int_equal(all.joined, 0);
  psp_alarms_free(&all);
}

/* A long run of sets, moves and clears, against a plain search for the earliest. */
static void test_against_search(void **state) {
  (void)state;
  enum { N = 200 };
  static psp_alarm alarms[N];
  static int64_t due[N];
  psp_alarms all = {0};
  assert_true(psp_alarms_join(&all, N));
  uint32_t random = 12345;
  for (int step = 0; step < 20000; step++) {
    random = random * 1664525u + 1013904223u;
    int i = (int)(random >> 8) % N;
    if (random % 3 == 0) {
      psp_alarms_clear(&all, &alarms[i]);
      due[i] = INT64_MAX;
    } else {
      due[i] = (int64_t)(random >> 16) % 1000;
      psp_alarms_set(&all, &alarms[i], due[i]);
    }
    int64_t least = INT64_MAX;
    for (int k = 0; k < N; k++)
      if (alarms[k].at && due[k] < least) least = due[k];
    assert_int_equal(psp_alarms_next(&all), least);
  }
  int64_t last = -1;
  for (psp_alarm *taken; (taken = psp_alarms_take(&all, INT64_MAX)) != NULL;) {
    assert_true(due[taken - alarms] >= last);
    last = due[taken - alarms];
  }
  psp_alarms_free(&all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_in_order),
      cmocka_unit_test(test_moved_and_cleared),
      cmocka_unit_test(test_against_search),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
