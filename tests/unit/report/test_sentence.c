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

/* ---- numbers ---- */

static void expect(psp_buf *buf, const char *want) {
  assert_string_equal(buf->data == NULL ? "" : buf->data, want);
  psp_buf_reset(buf);
}

static void test_counts_and_shares(void **state) {
  (void)state;
  psp_buf buf = {0};
  psp_words_count(&buf, 7), expect(&buf, "7");
  psp_words_count(&buf, 1440), expect(&buf, "1,440");
  psp_words_count(&buf, 123456), expect(&buf, "123,456");
  psp_words_count(&buf, UINT64_MAX), expect(&buf, "18,446,744,073,709,551,615");
  psp_words_probes(&buf, 1), expect(&buf, "1 probe");
  psp_words_probes(&buf, 0), expect(&buf, "0 probes");
  psp_words_share(&buf, 83, 100), expect(&buf, "83 %");
  psp_words_share(&buf, 0, 100), expect(&buf, "0 %");
  psp_words_share(&buf, 100, 100), expect(&buf, "100 %");
  psp_words_share(&buf, 1439, 1440), expect(&buf, "99.9 %");
  psp_words_share(&buf, 1, 1440), expect(&buf, "0.1 %");
  psp_words_share(&buf, 1, 100000), expect(&buf, "0.001 %");
  psp_words_share(&buf, 0, 0), expect(&buf, "0 %");
  assert_int_equal(psp_words_rounded(7), 7);
  assert_int_equal(psp_words_rounded(99), 99);
  assert_int_equal(psp_words_rounded(1234), 1200);
  assert_int_equal(psp_words_rounded(1250), 1300);
  assert_int_equal(psp_words_rounded(99600), 100000);
  psp_buf_free(&buf);
}

static void expect_interval(int64_t estimate, int64_t low, int64_t high, const char *want) {
  psp_buf buf = {0};
  const psprobe_interval interval = {true, true, low, high};
  const psp_scale scale = psp_scale_of_interval(estimate, &interval);
  psp_words_duration(&buf, scale, estimate);
  psp_buf_text(&buf, ", ");
  assert_true(psp_words_interval(&buf, scale, &interval));
  assert_string_equal(buf.data, want);
  psp_buf_free(&buf);
}

static void test_durations_with_intervals(void **state) {
  (void)state;
  expect_interval(6234 * US, 5812 * US, 6671 * US, "6.2 ms, 95 % interval 5.8 to 6.7 ms");
  expect_interval(6234567, 6230100, 6239000, "6.235 ms, 95 % interval 6.230 to 6.239 ms");
  expect_interval(100 * US, -300 * US, 500 * US, "100 us, 95 % interval -300 to 500 us");
  expect_interval(100 * US, -300 * US, 1500 * US, "0.1 ms, 95 % interval -0.3 to 1.5 ms");
  expect_interval(40, 31, 55, "40 ns, 95 % interval 31 to 55 ns");
  expect_interval(-143 * MS, -160 * MS, -120 * MS, "-143 ms, 95 % interval -160 to -120 ms");
  expect_interval(1234 * (int64_t)MS * 1000, 1200 * (int64_t)MS * 1000, 1270 * (int64_t)MS * 1000,
                  "1,234 s, 95 % interval 1,200 to 1,270 s");
  /* A bound beside zero must not look like zero: the verdict hangs on it. */
  expect_interval(50 * MS, 40 * US, 99 * MS, "50.00 ms, 95 % interval 0.04 to 99.00 ms");
  expect_interval(3 * MS, 3 * MS, 3 * MS, "3.0 ms, 95 % interval 3.0 to 3.0 ms");
  expect_interval(0, 0, 0, "0 ns, 95 % interval 0 to 0 ns");
}

static void test_single_durations(void **state) {
  (void)state;
  const struct {
    int64_t ns;
    const char *want;
  } cases[] = {{0, "0 ns"},
               {7, "7 ns"},
               {999, "999 ns"},
               {1000, "1.0 us"},
               {143 * MS, "143 ms"},
               {9700 * US, "9.7 ms"},
               {999400 * US, "999 ms"},
               {INT64_C(999600000), "1.00 s"},
               {INT64_C(3600000000000), "3,600 s"},
               {-1500, "-1.5 us"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf buf = {0};
    psp_words_duration(&buf, psp_scale_of(cases[i].ns), cases[i].ns);
    assert_string_equal(buf.data, cases[i].want);
    psp_buf_free(&buf);
  }
}

/* ---- sentences ---- */

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
      cmocka_unit_test(test_counts_and_shares),
      cmocka_unit_test(test_durations_with_intervals),
      cmocka_unit_test(test_single_durations),
      cmocka_unit_test(test_faster),
      cmocka_unit_test(test_cannot_tell),
      cmocka_unit_test(test_too_little_to_tell),
      cmocka_unit_test(test_one_source),
      cmocka_unit_test(test_silent_sources),
      cmocka_unit_test(test_losses_are_told_when_they_are_no_chance),
      cmocka_unit_test(test_three_sources),
      cmocka_unit_test(test_pairs_with_nothing_to_note),
      cmocka_unit_test(test_notes),
      cmocka_unit_test(test_cold_answers_that_were_faster),
      cmocka_unit_test(test_lost_is_not_slow_together),
      cmocka_unit_test(test_one_slow_probe),
      cmocka_unit_test(test_a_step_does_not_hide_who_is_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
