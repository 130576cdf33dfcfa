/* SPDX-License-Identifier: MIT */
/** @file The offset of two clocks, against clocks whose offset, drift and ways are made up: the
 * true one is always within the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats/clock_offset.h"
#include "stats/rng.h"

#define SECOND INT64_C(1000000000)
#define MS     INT64_C(1000000)
#define START  (INT64_C(1796000000) * SECOND)
#define MOST   400

/* A world with two clocks: ours shows true time, the other is ahead and drifts. */
typedef struct world {
  psp_rng random;
  int64_t ahead_ns, drift_ppb;
  double up_share; /* of the delays' bulk that falls on the way there */
  psp_clock_exchange stamps[MOST];
  size_t count;
} world;

static int64_t other_clock(const world *w, int64_t now) {
  return now + w->ahead_ns + (int64_t)((double)(now - START) * (double)w->drift_ppb / 1e9);
}

/* Delays with a long tail: mostly a millisecond or so, now and then some hundreds. */
static int64_t delay(world *w) {
  int64_t ns = 100000 + (int64_t)psp_rng_below(&w->random, 2 * MS);
  return psp_rng_below(&w->random, 10) == 0 ? ns + (int64_t)psp_rng_below(&w->random, 300 * MS)
                                            : ns;
}

static void exchange(world *w, int64_t now) {
  int64_t up = (int64_t)((double)delay(w) * 2 * w->up_share);
  int64_t down = (int64_t)((double)delay(w) * 2 * (1 - w->up_share));
  int64_t held = (int64_t)psp_rng_below(&w->random, MS);
  w->stamps[w->count++] = (psp_clock_exchange){
      now, other_clock(w, now + up), other_clock(w, now + up + held), now + up + held + down};
}

static void expect_truth(world *w, int64_t until, int64_t widest) {
  w->count = psp_clock_exchanges_sort(w->stamps, w->count);
  for (int64_t at = START; at < until; at += 700 * MS) {
    psp_clock_offset o = psp_clock_offset_at(w->stamps, w->count, at);
    int64_t truth = other_clock(w, at) - at;
    assert_true(o.known);
    if (truth < o.low_ns || truth > o.high_ns)
      fail_msg("at %lld s: %lld is not in %lld to %lld", (long long)((at - START) / SECOND),
               (long long)truth, (long long)o.low_ns, (long long)o.high_ns);
    if (o.high_ns - o.low_ns > widest)
      fail_msg("at %lld s: %lld wide", (long long)((at - START) / SECOND),
               (long long)(o.high_ns - o.low_ns));
  }
}

static void test_the_truth_is_within(void **state) {
  (void)state;
  static const int64_t drifts[] = {0, 15000, -15000, 30000, -30000};
  static const double shares[] = {0.5, 0.02, 0.98, 0.8};
  static const int64_t aheads[] = {0, 1, -5000000, 3600 * SECOND, -86400 * SECOND};
  for (size_t d = 0; d < 5; d++)
    for (size_t s = 0; s < 4; s++)
      for (size_t a = 0; a < 5; a++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
          world w = {.ahead_ns = aheads[a], .drift_ppb = drifts[d], .up_share = shares[s]};
          psp_rng_seed(&w.random, seed * 1000 + d * 100 + s * 10 + a);
          for (int i = 0; i < 100; i++)
            exchange(&w, START + i * 5 * SECOND + (int64_t)psp_rng_below(&w.random, SECOND));
          /* The filter passes the tail by: within a quick exchange or so, and what 20 s drift. */
          expect_truth(&w, START + 500 * SECOND, 12 * MS);
        }
}

/* One exchange: symmetric, its middle is the truth; all on one way, its bound is. */
static void test_one_exchange(void **state) {
  (void)state;
  psp_clock_exchange even = {1000, 5300, 5400,
                             1700}; /* 300 there, 100 held, 300 back; 4000 ahead */
  psp_clock_offset o = psp_clock_offset_at(&even, 1, 1350);
  assert_true(o.known);
  assert_in_range(o.low_ns, 3690, 3700); /* drift is rounded up to whole ns */
  assert_in_range(o.high_ns, 4300, 4310);
  psp_clock_exchange one_way = {1000, 5600, 5600, 1600};
  o = psp_clock_offset_at(&one_way, 1, 1600);
  assert_true(o.low_ns <= 4000 && o.high_ns >= 4600);
  /* A day later it can have drifted by 2.6 s either way. */
  o = psp_clock_offset_at(&even, 1, 86400 * SECOND);
  assert_in_range(o.high_ns - o.low_ns, 5184 * MS, 5200 * MS);
}

/* A clock that is set makes the exchanges around it contradict each other. */
static void test_a_clock_that_is_set(void **state) {
  (void)state;
  world w = {.up_share = 0.5};
  psp_rng_seed(&w.random, 5);
  for (int i = 0; i < 40; i++) {
    if (i == 20) w.ahead_ns = SECOND;
    exchange(&w, START + i * 5 * SECOND);
  }
  w.count = psp_clock_exchanges_sort(w.stamps, w.count);
  assert_true(psp_clock_offset_at(w.stamps, w.count, START + 10 * SECOND).known);
  assert_false(psp_clock_offset_at(w.stamps, w.count, START + 100 * SECOND).known);
  psp_clock_offset after = psp_clock_offset_at(w.stamps, w.count, START + 190 * SECOND);
  assert_true(after.known && after.low_ns <= SECOND && after.high_ns >= SECOND);
}

static void test_what_is_no_exchange(void **state) {
  (void)state;
  psp_clock_exchange stamps[] = {{10, 5, 5, 9},         {10, 6, 5, 20},
                                 {10, 5, 50, 20},       {-1, 5, 5, 20},
                                 {INT64_MAX, 5, 5, 20}, {10, INT64_MIN, INT64_MAX, 20},
                                 {300, 400, 410, 320},  {100, 200, 210, 120}};
  assert_int_equal(psp_clock_exchanges_sort(stamps, sizeof stamps / sizeof *stamps), 2);
  assert_int_equal(stamps[0].t1, 100);
  assert_int_equal(stamps[1].t1, 300);
  assert_false(psp_clock_offset_at(stamps, 0, 5).known);
  assert_false(psp_clock_offset_at(stamps, 2, INT64_MAX).known);
  assert_false(psp_clock_offset_at(stamps, 2, -5).known);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_truth_is_within),
      cmocka_unit_test(test_one_exchange),
      cmocka_unit_test(test_a_clock_that_is_set),
      cmocka_unit_test(test_what_is_no_exchange),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
