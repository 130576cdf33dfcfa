/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "planning.h"

#define SECOND PLANNING_SECOND
#define MINUTE (60 * SECOND)
#define TAKES  PLANNING_TAKES
#define ROWS   PLANNING_ROWS

static planning *const w = &planning_world;

/* Most writes tried in any second. */
static size_t most_in_a_second(size_t from, size_t to) {
  size_t most = 0;
  for (size_t i = from, first = from; i < to; i++) {
    while (w->sent_at[i] - w->sent_at[first] >= SECOND)
      first++;
    if (i - first + 1 > most) most = i - first + 1;
  }
  return most;
}

/* ---- the pace ---- */

static void test_rest_when_nothing_is_left(void **state) {
  (void)state;
  assert_true(planning_run(SECOND)); /* it looks once */
  assert_true(psp_plan_is_idle(&w->plan));
  planning_add(3);
  assert_false(psp_plan_is_idle(&w->plan));
  assert_true(planning_run(SECOND));
  assert_int_equal(w->uploaded, 3);
  psp_plan_step step = {.act = PSP_PLAN_REST};
  psp_plan_rows(&w->plan);
  step = psp_plan_next(&w->plan, w->now);
  assert_int_equal(step.act, PSP_PLAN_SEND);
  psp_plan_rows(&w->plan); /* while it looked: that look may have missed them */
  psp_plan_taken(&w->plan, &step, 0, 0, 0);
  psp_plan_outcome(&w->plan, &step, &(psp_batch){0}, NULL, w->now, 0);
  assert_false(psp_plan_is_idle(&w->plan));
}

static void test_ramp(void **state) {
  (void)state;
  planning_add(ROWS);
  planning_run(5 * MINUTE);
  size_t first = w->writes;
  assert_in_range(first, 140000, 150000);
  assert_in_range(most_in_a_second(0, first), 450, 500);
  planning_run(2 * MINUTE);
  assert_in_range(w->writes - first, 85000, 90100);
  assert_in_range(most_in_a_second(first + 1000, w->writes), 650, 750);
}

static void test_an_emulator_has_no_ramp(void **state) {
  (void)state;
  psp_plan_init(&w->plan, false);
  planning_add(6000);
  assert_true(planning_run(10 * SECOND));
  assert_int_equal(w->uploaded, 6000);
  assert_int_equal(w->requests, 6000 / PSP_PLAN_MOST);
}

/* ---- outages ---- */

static psprobe_error gone(size_t first, size_t count) {
  (void)first, (void)count;
  return (psprobe_error){.code = PSPROBE_UNAVAILABLE};
}

/* However long it is gone: one row looks each second or two, and it is found again at once. */
static void test_outage(void **state) {
  static const int64_t lengths[] = {MINUTE, 60 * MINUTE};
  (void)state;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    planning_setup(NULL);
    psp_plan_init(&w->plan, false);
    planning_add(1000);
    w->answer = gone;
    planning_run(lengths[i]);
    int64_t seconds = lengths[i] / SECOND;
    assert_in_range(w->requests, seconds / 2, seconds + 2);
    w->writes = 0;
    w->answer = planning_all_well;
    assert_true(planning_run(4 * SECOND));
    assert_int_equal(w->uploaded, 1000);
  }
}

/* One that hangs takes its whole patience: little, once it is known. */
static void test_patience(void **state) {
  (void)state;
  planning_add(10);
  psp_plan_step step = psp_plan_next(&w->plan, w->now);
  assert_int_equal(step.patience_ns, 30 * SECOND);
  psprobe_error late = {.code = PSPROBE_DEADLINE_EXCEEDED};
  psp_plan_taken(&w->plan, &step, 10, 0, 10);
  assert_true(psp_plan_outcome(&w->plan, &step, &(psp_batch){.rows = 10}, &late, w->now, 0));
  step = psp_plan_next(&w->plan, w->now + 2 * SECOND);
  assert_int_equal(step.act, PSP_PLAN_SEND);
  assert_int_equal(step.most, 1);
  assert_int_equal(step.patience_ns, 10 * SECOND);
}

static psprobe_error too_much(size_t first, size_t count) {
  static int64_t second;
  static size_t taken;
  (void)first;
  if (w->now / SECOND != second) taken = 0;
  second = w->now / SECOND;
  if (taken + count > 60)
    return (psprobe_error){
        .code = PSPROBE_RESOURCE_EXHAUSTED, .http_status = 429, .from_service = true};
  taken += count;
  return (psprobe_error){.code = PSPROBE_OK};
}

/* One that takes 60 a second gets smaller and rarer requests, and most of what it can take. */
static void test_busy(void **state) {
  (void)state;
  planning_add(20000);
  w->answer = too_much;
  planning_run(MINUTE);
  size_t requests = w->requests, tried = w->writes, taken = w->uploaded;
  assert_true(tried < 60 * 100);
  assert_true(taken > 60 * 15);
  planning_run(MINUTE);
  assert_true(w->uploaded - taken > 60 * 15);
  assert_true(w->requests - requests < 60 * 10);
}

static psprobe_error told_to_wait;
static psprobe_error asks(size_t first, size_t count) {
  (void)first, (void)count;
  return told_to_wait;
}

/* What a server asks for is waited for, up to a minute, however great the hurry. */
static void test_retry_after(void **state) {
  static const struct {
    int64_t asked, least, most;
  } cases[] = {{1, 0, 2 * SECOND},
               {30 * SECOND, 30 * SECOND, 32 * SECOND},
               {INT64_MAX, MINUTE, MINUTE + 2 * SECOND}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    planning_setup(NULL);
    planning_add(10);
    told_to_wait = (psprobe_error){
        .code = PSPROBE_RESOURCE_EXHAUSTED, .http_status = 429, .retry_after_ns = cases[i].asked};
    w->answer = asks;
    planning_run(TAKES);
    int64_t from = w->now;
    psp_plan_hurry(&w->plan, w->now);
    w->answer = planning_all_well;
    while (w->uploaded == 0) {
      planning_run(SECOND / 10);
      psp_plan_hurry(&w->plan, w->now);
    }
    assert_in_range(w->now - from, cases[i].least, cases[i].most + SECOND / 5);
  }
}

/* What somebody must mend is looked at each minute at least, and at once for one who waits. */
static void test_denied(void **state) {
  (void)state;
  planning_add(10);
  told_to_wait =
      (psprobe_error){.code = PSPROBE_PERMISSION_DENIED, .http_status = 403, .from_service = true};
  w->answer = asks;
  planning_run(60 * MINUTE);
  assert_in_range(w->requests, 60, 140);
  w->answer = planning_all_well;
  psp_plan_hurry(&w->plan, w->now);
  assert_true(planning_run(2 * SECOND));
  assert_int_equal(w->uploaded, 10);
}

/* ---- rows ---- */

/* The first of all fail by themselves: the others go, and those come again. */
static void test_failing_rows_go_last(void **state) {
  (void)state;
  w->bad_to = 1000;
  w->of_row = (psprobe_error){.code = PSPROBE_PERMISSION_DENIED, .from_service = true};
  planning_add(1500);
  planning_run(10 * SECOND);
  assert_int_equal(w->uploaded, 500);
  planning_add(10);
  planning_run(3 * SECOND); /* a round may be under way */
  assert_int_equal(w->uploaded, 510);
  planning_run(60 * MINUTE);
  assert_true(w->writes < 1510 + 1000 * 130); /* a round a minute */
  w->of_row.code = PSPROBE_OK;
  psp_plan_hurry(&w->plan, w->now);
  assert_true(planning_run(MINUTE));
  assert_int_equal(w->uploaded, 1510);
}

/* Too busy row by row is too busy. */
static void test_busy_row_by_row(void **state) {
  (void)state;
  w->bad_to = 1500;
  w->of_row = (psprobe_error){.code = PSPROBE_RESOURCE_EXHAUSTED, .from_service = true};
  planning_add(1500);
  planning_run(MINUTE);
  assert_in_range(w->requests, 30, 70);
  w->of_row.code = PSPROBE_OK;
  assert_true(planning_run(MINUTE));
  assert_int_equal(w->uploaded, 1500);
}

static size_t poison;
static psprobe_code poison_code;
static psprobe_error poisoned(size_t first, size_t count) {
  if (w->there[poison] || poison < first || poison >= first + count)
    return (psprobe_error){.code = PSPROBE_OK};
  return (psprobe_error){.code = poison_code, .http_status = 500, .from_service = true};
}

/* One row makes each request fail that it is in: all others arrive, and it is tried for ever. */
static void test_poison(void **state) {
  static const psprobe_code codes[] = {PSPROBE_INTERNAL, PSPROBE_UNKNOWN, PSPROBE_ABORTED,
                                       PSPROBE_DEADLINE_EXCEEDED, PSPROBE_INVALID_ARGUMENT};
  (void)state;
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    planning_setup(NULL);
    poison = 333;
    poison_code = codes[i];
    w->answer = poisoned;
    planning_add(1000);
    assert_false(planning_run(MINUTE));
    assert_int_equal(w->uploaded, 999);
    size_t before = w->requests;
    planning_run(10 * MINUTE);
    assert_true(w->requests > before + 4);
    w->answer = planning_all_well;
    assert_true(planning_run(2 * MINUTE));
    assert_int_equal(w->uploaded, 1000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PLANNING_TEST(test_rest_when_nothing_is_left),
      PLANNING_TEST(test_ramp),
      PLANNING_TEST(test_an_emulator_has_no_ramp),
      PLANNING_TEST(test_outage),
      PLANNING_TEST(test_patience),
      PLANNING_TEST(test_busy),
      PLANNING_TEST(test_retry_after),
      PLANNING_TEST(test_denied),
      PLANNING_TEST(test_failing_rows_go_last),
      PLANNING_TEST(test_busy_row_by_row),
      PLANNING_TEST(test_poison),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
