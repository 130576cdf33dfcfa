/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/timer.h"

#define HOUR INT64_C(3600000000000)

/* Timers that write down the order in which they fired. */
typedef struct noted {
  psp_timer timer;
  int number;
} noted;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int fired[1000], fired_count;
static int64_t fired_at;

static void note(psp_timer *timer) {
  pthread_mutex_lock(&lock);
  fired[fired_count++] = ((noted *)timer)->number;
  fired_at = psprobe_clock_monotonic();
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void wait_for(int count) {
  pthread_mutex_lock(&lock);
  while (fired_count < count)
    pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static int setup(void **state) {
  fired_count = 0;
  *state = psp_timers_new();
  return *state == NULL;
}

static int teardown(void **state) {
  psp_timers_free(*state);
  return 0;
}

static void test_never_early(void **state) {
  noted one = {.timer.fire = note};
  int64_t due = psprobe_clock_monotonic() + 20000000;
  assert_true(psp_timers_arm(*state, &one.timer, due));
  wait_for(1);
  assert_true(fired_at >= due);
  assert_false(psp_timers_disarm(*state, &one.timer));
}

/* The first is far off when the second, earlier one comes: the thread must look again. */
static void test_earlier_one_wakes(void **state) {
  noted far = {.timer.fire = note, .number = 1}, near = {.timer.fire = note, .number = 2};
  assert_true(psp_timers_arm(*state, &far.timer, psprobe_clock_monotonic() + HOUR));
  assert_true(psp_timers_arm(*state, &near.timer, psprobe_clock_monotonic()));
  wait_for(1);
  assert_int_equal(fired[0], 2);
  psp_timers_hasten(*state, &far.timer);
  wait_for(2);
  assert_int_equal(fired[1], 1);
}

/* 500 in a random order, every third disarmed again, closed: the rest fire in order of time. */
static void test_order(void **state) {
  enum { N = 500 };
  noted *all = calloc(N, sizeof *all);
  int64_t base = psprobe_clock_monotonic() + HOUR;
  srand(7);
  for (int i = 0; i < N; i++) {
    all[i].timer.fire = note;
    all[i].number = rand() % 100000 * N + i;
    assert_true(psp_timers_arm(*state, &all[i].timer, base + all[i].number));
  }
  for (int i = 0; i < N; i += 3) {
    assert_true(psp_timers_disarm(*state, &all[i].timer));
    assert_false(psp_timers_disarm(*state, &all[i].timer));
  }
  psp_timers_close(*state);
  assert_int_equal(fired_count, N - (N + 2) / 3);
  for (int i = 1; i < fired_count; i++)
    assert_true(fired[i] > fired[i - 1]);
  for (int i = 0; i < fired_count; i++)
    assert_int_not_equal(fired[i] % N % 3, 0);
  assert_false(psp_timers_arm(*state, &all[0].timer, 0));
  free(all);
}

static int repeats;
static void repeat(psp_timer *timer);
static psp_timers *repeating;

static void repeat(psp_timer *timer) {
  if (++repeats < 5) assert_true(psp_timers_arm(repeating, timer, psprobe_clock_monotonic()));
  note(timer);
}

static void test_arms_itself_again(void **state) {
  noted one = {.timer.fire = repeat};
  repeating = *state;
  repeats = 0;
  assert_true(psp_timers_arm(*state, &one.timer, 0));
  wait_for(5);
  psp_timers_close(*state);
  assert_int_equal(repeats, 5);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_never_early, setup, teardown),
      cmocka_unit_test_setup_teardown(test_earlier_one_wakes, setup, teardown),
      cmocka_unit_test_setup_teardown(test_order, setup, teardown),
      cmocka_unit_test_setup_teardown(test_arms_itself_again, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
