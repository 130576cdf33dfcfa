/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "planning.h"

#define SECOND PLANNING_SECOND
#define MINUTE (60 * SECOND)
#define TAKES  PLANNING_TAKES

static planning *const w = &planning_world;

/* One that takes its time gets four at once while there is more to take, and one for a few rows. */
static void test_several_in_flight(void **state) {
  (void)state;
  psp_plan_init(&w->plan, false);
  w->takes = SECOND;
  planning_add(6000);
  assert_true(planning_run(MINUTE));
  assert_int_equal(w->uploaded, 6000);
  assert_int_equal(w->writes, 6000); /* each once */
  assert_int_equal(w->most_flying, PSP_PLAN_FLIGHTS);
  assert_in_range(w->now, 7 * SECOND + 7 * SECOND, 7 * SECOND + 10 * SECOND);
  w->most_flying = 0;
  for (int i = 0; i < 10; i++) {
    planning_add(3);
    planning_run(SECOND / 3);
  }
  assert_true(planning_run(MINUTE));
  assert_int_equal(w->uploaded, 6030);
  assert_int_equal(w->most_flying, 1);
}

/* A row that changes while others are in flight is taken soon, however many come after it. */
static void test_a_changed_row_does_not_wait_for_ever(void **state) {
  (void)state;
  psp_plan_init(&w->plan, false);
  planning_add(1);
  assert_true(planning_run(SECOND));
  w->there[0] = false; /* it has changed */
  for (int i = 0; i < 100; i++) {
    planning_add(10);
    planning_run(TAKES / 2);
  }
  assert_true(w->there[0]);
}

/* What fails with others in flight is one failure: a look follows, not four times the wait. */
static psprobe_error busy(size_t first, size_t count) {
  (void)first, (void)count;
  return (psprobe_error){.code = PSPROBE_RESOURCE_EXHAUSTED,
                         .http_status = 429,
                         .from_service = true,
                         .retry_after_ns = 3 * SECOND};
}

static void test_four_fail_at_once(void **state) {
  (void)state;
  psp_plan_init(&w->plan, false);
  w->takes = SECOND;
  w->answer = busy;
  planning_add(6000);
  planning_run(SECOND / 2);
  assert_int_equal(w->flying, PSP_PLAN_FLIGHTS);
  w->answer = planning_all_well;
  planning_run(SECOND);
  assert_int_equal(w->plan.attempts, 1);
  assert_true(w->plan.rate >= 499);
  planning_run(2 * SECOND);
  assert_int_equal(w->flying, 0); /* as it asked for */
  planning_run(2 * SECOND);
  assert_int_equal(w->most_flying, PSP_PLAN_FLIGHTS);
  assert_int_equal(w->uploaded, 1);
  assert_true(planning_run(2 * MINUTE));
  assert_int_equal(w->uploaded, 6000);
}

/* One answer that comes after such a failure, and was sent before it, ends no wait. */
static void test_an_old_answer_ends_no_wait(void **state) {
  (void)state;
  psp_plan_init(&w->plan, false);
  planning_add(6000);
  psp_plan_step a = psp_plan_next(&w->plan, w->now);
  psp_plan_taken(&w->plan, &a, PSP_PLAN_MOST, 0, PSP_PLAN_MOST);
  psp_plan_step b = psp_plan_next(&w->plan, w->now + TAKES);
  assert_int_equal(b.act, PSP_PLAN_SEND);
  assert_int_equal(psp_plan_next(&w->plan, w->now + TAKES).act,
                   PSP_PLAN_REST); /* it takes its rows */
  assert_int_equal(b.after, PSP_PLAN_MOST);
  assert_true(a.runs && !b.runs);
  psp_plan_taken(&w->plan, &b, PSP_PLAN_MOST, 0, 2 * PSP_PLAN_MOST);
  const psprobe_error error = busy(0, 0);
  const psp_batch good = {.rows = PSP_PLAN_MOST, .moved = PSP_PLAN_MOST},
                  bad = {.rows = PSP_PLAN_MOST};
  psp_plan_outcome(&w->plan, &a, &bad, &error, w->now, 0);
  psp_plan_outcome(&w->plan, &b, &good, NULL, w->now, 0);
  psp_plan_step c = psp_plan_next(&w->plan, w->now + SECOND);
  assert_int_equal(c.act, PSP_PLAN_WAIT);
  assert_true(c.until >= w->now + 3 * SECOND);
  c = psp_plan_next(&w->plan, c.until);
  assert_int_equal(c.act, PSP_PLAN_SEND);
  assert_int_equal(c.after, 0); /* what came to nothing stands first */
  assert_int_equal(c.most, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PLANNING_TEST(test_several_in_flight),
      PLANNING_TEST(test_a_changed_row_does_not_wait_for_ever),
      PLANNING_TEST(test_four_fail_at_once),
      PLANNING_TEST(test_an_old_answer_ends_no_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
