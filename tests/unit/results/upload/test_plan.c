/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "results/upload/plan.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define TAKES  (SECOND / 100) /* a request */

/* ---- a world with a clock of its own ---- */

#define ROWS 300000

/* What the service says of a request of so many rows (code OK: it is answered). */
typedef psprobe_error service(size_t first, size_t count);

static struct world {
  psp_plan plan;
  int64_t now;
  uint64_t chance;
  service *answer;
  size_t rows; /* added so far */
  bool there[ROWS];
  psprobe_error of_row; /* what a bad row is told by itself */
  size_t bad_from, bad_to;
  size_t uploaded, requests, largest;
  int64_t sent_at[ROWS]; /* of each write that was tried, in order */
  size_t writes;
} w;

static uint64_t chance(void) {
  w.chance = w.chance * 6364136223846793005u + 1442695040888963407u;
  return w.chance;
}

static psprobe_error all_well(size_t first, size_t count) {
  (void)first, (void)count;
  return (psprobe_error){.code = PSPROBE_OK};
}

static int setup(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  w.now = 7 * SECOND;
  w.answer = all_well;
  psp_plan_init(&w.plan, true);
  return 0;
}

static bool is_bad(size_t row) {
  return row >= w.bad_from && row < w.bad_to;
}

/* The rows of a request, as the outbox takes them: seq is the index plus one. */
static size_t take(const psp_plan_step *step, size_t *rows) {
  size_t n = 0;
  for (size_t i = (size_t)step->after; i < w.rows && n < step->most; i++)
    if (!w.there[i]) rows[n++] = i;
  return n;
}

static void send_now(const psp_plan_step *step) {
  size_t rows[PSP_PLAN_MOST];
  psp_batch batch = {.rows = take(step, rows)};
  psprobe_error request = {.code = PSPROBE_OK};
  for (size_t i = 0; i < batch.rows; i++)
    w.sent_at[w.writes++ % ROWS] = w.now;
  if (batch.rows > 0) {
    w.requests++;
    batch.last = (int64_t)rows[batch.rows - 1] + 1;
    if (batch.rows > w.largest) w.largest = batch.rows;
    request = w.answer(rows[0], batch.rows);
    w.now += TAKES;
  }
  for (size_t i = 0; request.code == PSPROBE_OK && i < batch.rows; i++) {
    if (w.of_row.code != PSPROBE_OK && is_bad(rows[i])) {
      if (batch.again++ == 0) batch.failure = w.of_row;
      continue;
    }
    w.there[rows[i]] = true;
    batch.moved++;
    batch.uploaded++;
    w.uploaded++;
  }
  psp_plan_outcome(&w.plan, &batch, request.code == PSPROBE_OK ? NULL : &request, w.now, chance());
}

/* Runs the world for a while; true: it came to rest before. */
static bool run_for(int64_t ns) {
  int64_t until = w.now + ns;
  while (w.now < until) {
    psp_plan_step step = psp_plan_next(&w.plan, w.now);
    if (step.act == PSP_PLAN_REST) return true;
    if (step.act == PSP_PLAN_WAIT) {
      assert_true(step.until > w.now); /* else it would turn for ever */
      w.now = step.until < until ? step.until : until;
    } else {
      send_now(&step);
    }
  }
  return false;
}

static void add(size_t rows) {
  w.rows += rows;
  assert_true(w.rows <= ROWS);
  psp_plan_rows(&w.plan);
}

/* Most writes tried in any second. */
static size_t most_in_a_second(size_t from, size_t to) {
  size_t most = 0;
  for (size_t i = from, first = from; i < to; i++) {
    while (w.sent_at[i] - w.sent_at[first] >= SECOND)
      first++;
    if (i - first + 1 > most) most = i - first + 1;
  }
  return most;
}

/* ---- the pace ---- */

static void test_rest_when_nothing_is_left(void **state) {
  (void)state;
  assert_true(run_for(SECOND)); /* it looks once */
  assert_true(psp_plan_is_idle(&w.plan));
  add(3);
  assert_false(psp_plan_is_idle(&w.plan));
  assert_true(run_for(SECOND));
  assert_int_equal(w.uploaded, 3);
  psp_plan_step step = {.act = PSP_PLAN_REST};
  psp_plan_rows(&w.plan);
  step = psp_plan_next(&w.plan, w.now);
  assert_int_equal(step.act, PSP_PLAN_SEND);
  psp_plan_rows(&w.plan); /* while it looked: that look may have missed them */
  psp_plan_outcome(&w.plan, &(psp_batch){0}, NULL, w.now, 0);
  assert_false(psp_plan_is_idle(&w.plan));
}

static void test_ramp(void **state) {
  (void)state;
  add(ROWS);
  run_for(5 * MINUTE);
  size_t first = w.writes;
  assert_in_range(first, 140000, 150000);
  assert_in_range(most_in_a_second(0, first), 450, 500);
  run_for(2 * MINUTE);
  assert_in_range(w.writes - first, 85000, 90100);
  assert_in_range(most_in_a_second(first + 1000, w.writes), 650, 750);
}

static void test_an_emulator_has_no_ramp(void **state) {
  (void)state;
  psp_plan_init(&w.plan, false);
  add(6000);
  assert_true(run_for(10 * SECOND));
  assert_int_equal(w.uploaded, 6000);
  assert_int_equal(w.requests, 6000 / PSP_PLAN_MOST);
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
    setup(NULL);
    psp_plan_init(&w.plan, false);
    add(1000);
    w.answer = gone;
    run_for(lengths[i]);
    int64_t seconds = lengths[i] / SECOND;
    assert_in_range(w.requests, seconds / 2, seconds + 2);
    w.writes = 0;
    w.answer = all_well;
    assert_true(run_for(4 * SECOND));
    assert_int_equal(w.uploaded, 1000);
  }
}

/* One that hangs takes its whole patience: little, once it is known. */
static void test_patience(void **state) {
  (void)state;
  add(10);
  psp_plan_step step = psp_plan_next(&w.plan, w.now);
  assert_int_equal(step.patience_ns, 30 * SECOND);
  psprobe_error late = {.code = PSPROBE_DEADLINE_EXCEEDED};
  assert_true(psp_plan_outcome(&w.plan, &(psp_batch){.rows = 10, .last = 10}, &late, w.now, 0));
  step = psp_plan_next(&w.plan, w.now + 2 * SECOND);
  assert_int_equal(step.act, PSP_PLAN_SEND);
  assert_int_equal(step.most, 1);
  assert_int_equal(step.patience_ns, 10 * SECOND);
}

static psprobe_error too_much(size_t first, size_t count) {
  static int64_t second;
  static size_t taken;
  (void)first;
  if (w.now / SECOND != second) taken = 0;
  second = w.now / SECOND;
  if (taken + count > 60)
    return (psprobe_error){
        .code = PSPROBE_RESOURCE_EXHAUSTED, .http_status = 429, .from_service = true};
  taken += count;
  return (psprobe_error){.code = PSPROBE_OK};
}

/* One that takes 60 a second gets smaller and rarer requests, and most of what it can take. */
static void test_busy(void **state) {
  (void)state;
  add(20000);
  w.answer = too_much;
  run_for(MINUTE);
  size_t requests = w.requests, tried = w.writes, taken = w.uploaded;
  assert_true(tried < 60 * 100);
  assert_true(taken > 60 * 15);
  run_for(MINUTE);
  assert_true(w.uploaded - taken > 60 * 15);
  assert_true(w.requests - requests < 60 * 10);
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
    setup(NULL);
    add(10);
    told_to_wait = (psprobe_error){
        .code = PSPROBE_RESOURCE_EXHAUSTED, .http_status = 429, .retry_after_ns = cases[i].asked};
    w.answer = asks;
    run_for(TAKES);
    int64_t from = w.now;
    psp_plan_hurry(&w.plan, w.now);
    w.answer = all_well;
    while (w.uploaded == 0) {
      run_for(SECOND / 10);
      psp_plan_hurry(&w.plan, w.now);
    }
    assert_in_range(w.now - from, cases[i].least, cases[i].most + SECOND / 5);
  }
}

/* What somebody must mend is looked at each minute at least, and at once for one who waits. */
static void test_denied(void **state) {
  (void)state;
  add(10);
  told_to_wait =
      (psprobe_error){.code = PSPROBE_PERMISSION_DENIED, .http_status = 403, .from_service = true};
  w.answer = asks;
  run_for(60 * MINUTE);
  assert_in_range(w.requests, 60, 140);
  w.answer = all_well;
  psp_plan_hurry(&w.plan, w.now);
  assert_true(run_for(2 * SECOND));
  assert_int_equal(w.uploaded, 10);
}

/* ---- rows ---- */

/* The first of all fail by themselves: the others go, and those come again. */
static void test_failing_rows_go_last(void **state) {
  (void)state;
  w.bad_to = 1000;
  w.of_row = (psprobe_error){.code = PSPROBE_PERMISSION_DENIED, .from_service = true};
  add(1500);
  run_for(10 * SECOND);
  assert_int_equal(w.uploaded, 500);
  add(10);
  run_for(3 * SECOND); /* a round may be under way */
  assert_int_equal(w.uploaded, 510);
  run_for(60 * MINUTE);
  assert_true(w.writes < 1510 + 1000 * 130); /* a round a minute */
  w.of_row.code = PSPROBE_OK;
  psp_plan_hurry(&w.plan, w.now);
  assert_true(run_for(MINUTE));
  assert_int_equal(w.uploaded, 1510);
}

/* Too busy row by row is too busy. */
static void test_busy_row_by_row(void **state) {
  (void)state;
  w.bad_to = 1500;
  w.of_row = (psprobe_error){.code = PSPROBE_RESOURCE_EXHAUSTED, .from_service = true};
  add(1500);
  run_for(MINUTE);
  assert_in_range(w.requests, 30, 70);
  w.of_row.code = PSPROBE_OK;
  assert_true(run_for(MINUTE));
  assert_int_equal(w.uploaded, 1500);
}

static size_t poison;
static psprobe_code poison_code;
static psprobe_error poisoned(size_t first, size_t count) {
  if (w.there[poison] || poison < first || poison >= first + count)
    return (psprobe_error){.code = PSPROBE_OK};
  return (psprobe_error){.code = poison_code, .http_status = 500, .from_service = true};
}

/* One row makes each request fail that it is in: all others arrive, and it is tried for ever. */
static void test_poison(void **state) {
  static const psprobe_code codes[] = {PSPROBE_INTERNAL, PSPROBE_UNKNOWN, PSPROBE_ABORTED,
                                       PSPROBE_DEADLINE_EXCEEDED, PSPROBE_INVALID_ARGUMENT};
  (void)state;
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    setup(NULL);
    poison = 333;
    poison_code = codes[i];
    w.answer = poisoned;
    add(1000);
    assert_false(run_for(MINUTE));
    assert_int_equal(w.uploaded, 999);
    size_t before = w.requests;
    run_for(10 * MINUTE);
    assert_true(w.requests > before + 4);
    w.answer = all_well;
    assert_true(run_for(2 * MINUTE));
    assert_int_equal(w.uploaded, 1000);
  }
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_rest_when_nothing_is_left),
      TEST(test_ramp),
      TEST(test_an_emulator_has_no_ramp),
      TEST(test_outage),
      TEST(test_patience),
      TEST(test_busy),
      TEST(test_retry_after),
      TEST(test_denied),
      TEST(test_failing_rows_go_last),
      TEST(test_busy_row_by_row),
      TEST(test_poison),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
