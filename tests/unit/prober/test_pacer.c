/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psprobe/timing.h>
#include <signal.h>
#include <sys/time.h>

static void test_grid_never_moves(void **state) {
  (void)state;
  psprobe_pacer pacer;
  psprobe_pacer_init(&pacer, 1000, 7);
  for (int64_t k = 0; k < 100; k++) {
    assert_int_equal(psprobe_pacer_peek(&pacer), 1000 + 7 * k);
    assert_int_equal(psprobe_pacer_take(&pacer), 1000 + 7 * k);
  }
}

static void test_slots_that_are_due_are_all_handed_out(void **state) {
  (void)state;
  /* A sender that stalls for 50 slots finds each of them, none skipped. */
  psprobe_pacer pacer;
  psprobe_pacer_init(&pacer, 0, 10);
  const int64_t now = 500;
  int due = 0;
  while (psprobe_pacer_peek(&pacer) < now) {
    assert_int_equal(psprobe_pacer_take(&pacer), due * 10);
    due++;
  }
  assert_int_equal(due, 50);
}

static void test_ends_of_the_range(void **state) {
  (void)state;
  psprobe_pacer pacer;
  psprobe_pacer_init(&pacer, INT64_MAX - 5, 3);
  assert_true(psprobe_pacer_take(&pacer) == INT64_MAX - 5);
  assert_true(psprobe_pacer_take(&pacer) == INT64_MAX - 2);
  assert_true(psprobe_pacer_take(&pacer) == INT64_MAX);
  pacer.next = UINT64_MAX;
  assert_true(psprobe_pacer_peek(&pacer) == INT64_MAX);
  psprobe_pacer_init(&pacer, -100, 0); /* an interval of nothing still moves */
  assert_int_equal(psprobe_pacer_take(&pacer), -100);
  assert_int_equal(psprobe_pacer_take(&pacer), -99);
}

static void test_clocks(void **state) {
  (void)state;
  int64_t last = psprobe_clock_monotonic();
  for (int i = 0; i < 1000; i++) {
    const int64_t now = psprobe_clock_monotonic();
    assert_true(now >= last);
    last = now;
  }
  /* After 2020, before 2200: nanoseconds since 1970, not some other unit. */
  assert_true(psprobe_clock_wall() > INT64_C(1577836800000000000));
  assert_true(psprobe_clock_wall() < INT64_C(7258118400000000000));
}

static volatile sig_atomic_t signals;

static void count_signal(int number) {
  (void)number;
  signals++;
}

static void test_sleep_is_not_shortened_by_signals(void **state) {
  (void)state;
  const struct sigaction action = {.sa_handler = count_signal};
  const struct itimerval each_ms = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &each_ms, NULL);
  const int64_t until = psprobe_clock_monotonic() + 20000000;
  psprobe_sleep_until(until);
  const int64_t woke = psprobe_clock_monotonic();
  setitimer(ITIMER_REAL, &off, NULL);
  assert_true(woke >= until);
  assert_true(signals > 0);
}

static void test_sleep_until_the_past_returns(void **state) {
  (void)state;
  psprobe_sleep_until(INT64_MIN);
  psprobe_sleep_until(-1);
  psprobe_sleep_until(0);
  psprobe_sleep_until(psprobe_clock_monotonic() - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grid_never_moves),
      cmocka_unit_test(test_slots_that_are_due_are_all_handed_out),
      cmocka_unit_test(test_ends_of_the_range),
      cmocka_unit_test(test_clocks),
      cmocka_unit_test(test_sleep_is_not_shortened_by_signals),
      cmocka_unit_test(test_sleep_until_the_past_returns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
