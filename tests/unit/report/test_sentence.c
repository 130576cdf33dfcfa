/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/compare.h>

#include "base/buf.h"
#include "comparing.h"
#include "report/words.h"
#include "stats/rng.h"

#define US 1000
#define MS 1000000

static void expect_sentence(psprobe_comparison *comparison, const char *want) {
  char *sentence = psprobe_comparison_sentence(comparison);
  assert_string_equal(sentence, want);
  free(sentence);
  psprobe_comparison_free(comparison);
}

#define N 200

/* 0 to 10 ms, as if by chance, different for each `salt`. */
static int64_t zigzag(size_t i, size_t salt) {
  uint64_t seed = i * 1000 + salt;
  return (int64_t)(psp_splitmix64(&seed) % 10001) * US;
}

static void test_faster(void **state) {
  (void)state;
  int64_t a[N], b[N];
  bool cold[N] = {false};
  for (size_t i = 0; i < N; i++) {
    a[i] = 50 * MS + zigzag(i, 1);
    b[i] = 44 * MS + zigzag(i, 2);
    cold[i] = i % 20 == 7;
    if (cold[i]) a[i] += 143 * MS;
  }
  const psprobe_series series[2] = {{.name = "cloud_function", .elapsed_ns = a, .cold = cold},
                                    {.name = "regular_service", .elapsed_ns = b}};
  expect_sentence(
      comparing(series, 2, N),
      "regular_service answers faster than cloud_function: by 6.9 ms at the median (95 % interval "
      "5.9 to 7.7 ms, 200 probes), first in 92 % of them. When cold (10 probes), cloud_function "
      "took 143 ms longer.");
  /* The other way round the same is said. */
  const psprobe_series turned[2] = {series[1], series[0]};
  psprobe_comparison *c = comparing(turned, 2, N), *d = comparing(series, 2, N);
  char *one = psprobe_comparison_sentence(c), *other = psprobe_comparison_sentence(d);
  assert_string_equal(one, other);
  free(one);
  free(other);
  psprobe_comparison_free(c);
  psprobe_comparison_free(d);
}

static void test_cannot_tell(void **state) {
  (void)state;
  int64_t a[N], b[N];
  for (size_t i = 0; i < N; i++) {
    a[i] = 50 * MS + zigzag(i, 1);
    b[i] = 50 * MS + zigzag(i, 2);
  }
  psprobe_comparison *c = comparing_two(a, b, N);
  assert_int_equal(psprobe_comparison_pair(c, 0)->outcome, PSPROBE_UNDECIDED);
  char *sentence = psprobe_comparison_sentence(c);
  assert_non_null(strstr(sentence, "This run cannot tell whether "));
  assert_non_null(strstr(sentence, " answers faster; about "));
  assert_non_null(strstr(sentence, " more probes would. So far "));
  free(sentence);
  psprobe_comparison_free(c);
}

static void test_too_little_to_tell(void **state) {
  (void)state;
  const int64_t a[] = {5, 6, 7, 8, 9}, b[] = {1, 2, 3, 4, 5};
  expect_sentence(comparing_two(a, b, 0), "No probes, so there is nothing to compare.");
  expect_sentence(
      comparing_two(a, b, 1),
      "This run cannot tell whether b or a answers faster. Both answered 1 probe, too few to tell: "
      "it takes 12 at least.");
  expect_sentence(comparing_two(a, b, 5),
                  "This run cannot tell whether b or a answers faster. Both answered 5 probes, too "
                  "few to tell: it takes 12 at least.");
  expect_sentence(comparing(NULL, 0, 0), "No probes, so there is nothing to compare.");
  int64_t same[50] = {0};
  expect_sentence(comparing_two(same, same, 50),
                  "This run cannot tell whether a or b answers faster. Too many of the 50 probes "
                  "were answered by both at the same time.");
}

static void test_one_source(void **state) {
  (void)state;
  const int64_t a[] = {45 * MS, 44 * MS, 46 * MS};
  const uint8_t lost[] = {PSPROBE_LOST, PSPROBE_LOST, PSPROBE_LOST};
  const psprobe_series answered = {.name = "a", .elapsed_ns = a};
  const psprobe_series silent = {.name = "a", .elapsed_ns = a, .status = lost};
  expect_sentence(comparing(&answered, 1, 3),
                  "a is the only source, so there is nothing to compare it with: half of its "
                  "answers came within 45 ms (3 probes).");
  expect_sentence(comparing(&silent, 1, 3),
                  "a is the only source, so there is nothing to compare it with: it answered none "
                  "of 3 probes.");
}

static void test_silent_sources(void **state) {
  (void)state;
  const int64_t a[] = {45 * MS, 44 * MS, 46 * MS};
  const uint8_t lost[] = {PSPROBE_LOST, PSPROBE_LOST, PSPROBE_LOST};
  psprobe_series series[2] = {{.name = "a", .elapsed_ns = a, .status = lost},
                              {.name = "b", .elapsed_ns = a}};
  expect_sentence(comparing(series, 2, 3),
                  "a answered none of 3 probes, and b 3: there is nothing to compare.");
  series[1].status = lost;
  expect_sentence(comparing(series, 2, 3), "Neither a nor b answered any of 3 probes.");
  const uint8_t first[] = {PSPROBE_ANSWERED, PSPROBE_LOST, PSPROBE_LOST},
                others[] = {PSPROBE_LOST, PSPROBE_ANSWERED, PSPROBE_LATE};
  series[0].status = first;
  series[1].status = others;
  expect_sentence(comparing(series, 2, 3),
                  "This run cannot tell whether a or b answers faster. There is no probe that both "
                  "answered.");
}

static void test_losses_are_told_when_they_are_no_chance(void **state) {
  (void)state;
  int64_t a[N], b[N];
  uint8_t status[N];
  for (size_t i = 0; i < N; i++) {
    a[i] = 40 * MS + zigzag(i, 1) / 10;
    b[i] = 44 * MS + zigzag(i, 2) / 10;
    status[i] = i % 16 == 3 ? PSPROBE_LOST : PSPROBE_ANSWERED;
  }
  const psprobe_series series[2] = {{.name = "a", .elapsed_ns = a, .status = status},
                                    {.name = "b", .elapsed_ns = b}};
  psprobe_comparison *c = comparing(series, 2, N);
  char *sentence = psprobe_comparison_sentence(c), *notes = psprobe_comparison_notes(c);
  assert_non_null(strstr(sentence, "a answers faster than b: by "));
  assert_non_null(strstr(sentence,
                         "187 probes), first in all of them. a lost 13 of 200 probes, b "
                         "none."));
  assert_non_null(
      strstr(notes, "a lost 13 of 200 probes, b 0: more than chance (McNemar, p < 0.001).\n"));
  free(sentence);
  free(notes);
  psprobe_comparison_free(c);
}

static void test_three_sources(void **state) {
  (void)state;
  int64_t times[3][N];
  for (size_t i = 0; i < N; i++) {
    times[0][i] = 50 * MS + zigzag(i, 1) / 4;
    times[1][i] = 44 * MS + zigzag(i, 2) / 4;
    times[2][i] = 50 * MS + zigzag(i, 3) / 4;
  }
  const psprobe_series series[3] = {{.name = "x", .elapsed_ns = times[0]},
                                    {.name = "y", .elapsed_ns = times[1]},
                                    {.name = "z", .elapsed_ns = times[2]}};
  psprobe_comparison *c = comparing(series, 3, N);
  char *sentence = psprobe_comparison_sentence(c), *notes = psprobe_comparison_notes(c);
  assert_true(
      strncmp(sentence, "Fastest first: y; x and z (not told apart). y answers faster than x",
              50) == 0 ||
      strncmp(sentence, "Fastest first: y; z and x (not told apart). y answers faster than z",
              50) == 0);
  assert_non_null(strstr(notes, "x against y:\n"));
  free(sentence);
  free(notes);
  psprobe_comparison_free(c);
}

/* The last of the order is slower than the first, and not told from the one between: its name is
 * said once. */
static void test_exceptions(void **state) {
  (void)state;
  int64_t times[3][N];
  for (size_t i = 0; i < N; i++) {
    times[0][i] = 50 * MS;
    times[1][i] = 40 * MS + 2 * zigzag(i, 2);
    times[2][i] = 50 * MS + 500 * US;
  }
  const psprobe_series series[3] = {{.name = "x", .elapsed_ns = times[0]},
                                    {.name = "y", .elapsed_ns = times[1]},
                                    {.name = "z", .elapsed_ns = times[2]}};
  psprobe_comparison *c = comparing(series, 3, N);
  char *sentence = psprobe_comparison_sentence(c);
  assert_non_null(
      strstr(sentence, "Fastest first: x and y (not told apart); z (not told apart from y). "));
  free(sentence);
  psprobe_comparison_free(c);
}

/* No heading stands over nothing. */
static void test_pairs_with_nothing_to_note(void **state) {
  (void)state;
  static const int64_t times[3][2] = {{1, 2}, {3, 5}, {4, 4}};
  const psprobe_series series[3] = {{.name = "x", .elapsed_ns = times[0]},
                                    {.name = "y", .elapsed_ns = times[1]},
                                    {.name = "z", .elapsed_ns = times[2]}};
  psprobe_comparison *c = comparing(series, 3, 2);
  char *notes = psprobe_comparison_notes(c);
  assert_string_equal(notes, "");
  free(notes);
  psprobe_comparison_free(c);
}

static void test_notes(void **state) {
  (void)state;
  enum { MANY = 1000 };
  static int64_t a[MANY], b[MANY];
  static bool cold[MANY];
  static uint8_t status[MANY];
  for (size_t i = 0; i < MANY; i++) {
    const int64_t stall = i % 200 == 5 ? 400 * MS : 0, common = zigzag(i, 5) * 3;
    a[i] = 50 * MS + zigzag(i, 1) + common + stall + (i >= MANY / 2 ? 2 * MS : 0);
    b[i] = 44 * MS + zigzag(i, 2) + common + stall;
    cold[i] = i % 50 == 9;
    if (cold[i]) a[i] += 100 * MS;
    status[i] = i == 77 ? PSPROBE_LATE : PSPROBE_ANSWERED;
  }
  const psprobe_series series[2] = {{.name = "fn", .elapsed_ns = a, .cold = cold, .status = status},
                                    {.name = "svc", .elapsed_ns = b}};
  psprobe_comparison *c = comparing(series, 2, MANY);
  char *notes = psprobe_comparison_notes(c);
  const char *const wanted[] = {
      "fn answered 1 probe after the timeout; they are in its figures.\n",
      "Cold answers of fn were behind its warm ones by 10",
      "From the first half of the run to the second, the difference changed by ",
      ", 5 were slow for fn too: there the topic or the prober stalled, not the responder.\n",
      "Had the probes not been the same for both, the difference of the medians would be ",
      " times narrower.\n"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    if (strstr(notes, wanted[i]) == NULL) fail_msg("%s is not in:\n%s", wanted[i], notes);
  }
  free(notes);
  psprobe_comparison_free(c);
}

/* Who loses everything was not slow together with the other: the topic stalled at none of these. */
static void test_lost_is_not_slow_together(void **state) {
  (void)state;
  enum { MANY = 300 };
  static int64_t a[MANY], b[MANY];
  static uint8_t status[MANY];
  for (size_t i = 0; i < MANY; i++) {
    b[i] = 40 * MS + zigzag(i, 1) + (i % 150 == 5 ? 100 * MS : 0);
    status[i] = PSPROBE_LOST;
  }
  const psprobe_series series[2] = {{.name = "fn", .elapsed_ns = a, .status = status},
                                    {.name = "svc", .elapsed_ns = b}};
  psprobe_comparison *c = comparing(series, 2, MANY);
  char *notes = psprobe_comparison_notes(c);
  assert_null(strstr(notes, "slow for"));
  free(notes);
  psprobe_comparison_free(c);
}

static void test_one_slow_probe(void **state) {
  (void)state;
  enum { MANY = 150 };
  static int64_t a[MANY], b[MANY];
  for (int together = 0; together < 2; together++) {
    for (size_t i = 0; i < MANY; i++) {
      a[i] = 50 * MS + zigzag(i, 1) + (i < 2 ? (10 + (int64_t)i) * MS : 0);
      b[i] = 40 * MS + zigzag(i, 2);
    }
    b[together ? 1 : 70] += 90 * MS;
    b[together ? 0 : 71] += 80 * MS;
    psprobe_comparison *c = comparing_two(a, b, MANY);
    char *notes = psprobe_comparison_notes(c);
    const char *found = strstr(notes, "The 1 probe that ");
    assert_non_null(found);
    assert_non_null(
        strstr(found, together ? " (its p99) was slow for " : " (its p99) was not slow for "));
    free(notes);
    psprobe_comparison_free(c);
  }
}

/* "behind by -30 ms" is nothing to read. */
static void test_cold_answers_that_were_faster(void **state) {
  (void)state;
  enum { MANY = 400 };
  static int64_t a[MANY];
  static bool cold[MANY];
  for (size_t i = 0; i < MANY; i++) {
    cold[i] = i % 8 == 3;
    a[i] = 50 * MS + zigzag(i, 1) - (cold[i] ? 30 * MS : 0);
  }
  const psprobe_series series = {.name = "fn", .elapsed_ns = a, .cold = cold};
  psprobe_comparison *c = comparing(&series, 1, MANY);
  char *notes = psprobe_comparison_notes(c);
  const char *found = strstr(notes, "Cold answers of fn were ahead of its warm ones by ");
  double by, low, high;
  assert_non_null(found);
  assert_int_equal(sscanf(found + 50, "%lf ms (95 %% interval %lf to %lf ms)", &by, &low, &high),
                   3);
  assert_true(low > 20 && low < by && by < high && high < 40);
  free(notes);
  psprobe_comparison_free(c);
}

static void test_a_step_does_not_hide_who_is_first(void **state) {
  (void)state;
  enum { MANY = 800 };
  int64_t a[MANY], b[MANY];
  for (size_t i = 0; i < MANY; i++) {
    a[i] = 50 * MS + zigzag(i, 1) / 3 + (i < MANY / 2 ? 6 : 15) * MS;
    b[i] = 50 * MS + zigzag(i, 2) / 3;
  }
  psprobe_comparison *c = comparing_two(a, b, MANY);
  const psprobe_pair *pair = psprobe_comparison_pair(c, 0);
  /* Two levels: of the median they tell little, and yet b was first every time. */
  assert_true(pair->serial.effective_n < 20);
  assert_int_equal(pair->outcome, PSPROBE_B_FASTER);
  assert_true(pair->all.median_ci.has_low && pair->all.median_ci.low_ns > 2 * MS);
  char *notes = psprobe_comparison_notes(c);
  assert_non_null(strstr(notes, "the difference changed by "));
  free(notes);
  psprobe_comparison_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_faster),
      cmocka_unit_test(test_cannot_tell),
      cmocka_unit_test(test_too_little_to_tell),
      cmocka_unit_test(test_one_source),
      cmocka_unit_test(test_silent_sources),
      cmocka_unit_test(test_losses_are_told_when_they_are_no_chance),
      cmocka_unit_test(test_three_sources),
      cmocka_unit_test(test_exceptions),
      cmocka_unit_test(test_pairs_with_nothing_to_note),
      cmocka_unit_test(test_notes),
      cmocka_unit_test(test_cold_answers_that_were_faster),
      cmocka_unit_test(test_lost_is_not_slow_together),
      cmocka_unit_test(test_one_slow_probe),
      cmocka_unit_test(test_a_step_does_not_hide_who_is_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
