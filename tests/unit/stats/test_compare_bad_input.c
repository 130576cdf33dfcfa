/* SPDX-License-Identifier: MIT */
/** @file No probes, few probes, strange probes: every figure stays a number within its range. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/compare.h>

#include "comparing.h"
#include "stats/rng.h"

#define MOST 2000
#define HOUR INT64_C(3600000000000)

static void check_share_value(double value) {
  assert_true(value >= 0 && value <= 1);
}

static void check_interval(psprobe_interval ci, int64_t estimate) {
  if (ci.has_low) assert_true(ci.low_ns <= estimate);
  if (ci.has_high) assert_true(ci.high_ns >= estimate);
  if (!ci.has_low) assert_int_equal(ci.low_ns, 0);
  if (!ci.has_high) assert_int_equal(ci.high_ns, 0);
}

static void check_share(psprobe_share share) {
  check_share_value(share.share);
  check_share_value(share.low);
  check_share_value(share.high);
  assert_true(share.count <= share.of);
  if (share.of > 0) assert_true(share.low <= share.share && share.share <= share.high);
}

static void check_serial(psprobe_serial serial, uint64_t n) {
  assert_true(serial.lag1 >= -1.0001 && serial.lag1 <= 1.0001);
  assert_true(serial.effective_n >= 0 && serial.effective_n <= (double)n + 1e-9);
}

static void check_source(const psprobe_source_summary *s) {
  assert_int_equal(s->answered + s->late + s->lost, s->sent);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++) {
    check_interval(s->quantiles[q].ci, s->quantiles[q].value_ns);
    assert_true(s->quantiles[q].value_ns >= s->min_ns && s->quantiles[q].value_ns <= s->max_ns);
  }
  check_serial(s->serial, s->sent);
  check_interval(s->cold.ci, s->cold.change_ns);
  check_interval(s->drift.ci, s->drift.change_ns);
}

static void check_pair(const psprobe_pair *p) {
  check_interval(p->all.median_ci, p->all.median_ns);
  check_interval(p->warm.median_ci, p->warm.median_ns);
  check_interval(p->cold.median_ci, p->cold.median_ns);
  check_interval(p->hodges_lehmann_ci, p->hodges_lehmann_ns);
  check_interval(p->bootstrap_ci, p->all.median_ns);
  check_interval(p->unpaired.ci, p->unpaired.change_ns);
  check_interval(p->drift.ci, p->drift.change_ns);
  check_share(p->a_first);
  check_share(p->b_first);
  check_share(p->a_slow.common);
  check_share(p->b_slow.common);
  check_share_value(p->wilcoxon_p);
  check_share_value(p->loss_p);
  check_share_value(p->sign_p);
  check_share_value(p->holm_p);
  check_serial(p->serial, p->all.n);
  assert_int_equal(p->all.n, p->warm.n + p->cold.n);
  if (p->outcome != PSPROBE_UNDECIDED) assert_false(p->more_known);
}

/* Takes the comparison apart and frees it. */
static void check(psprobe_comparison *c, size_t sources) {
  assert_int_equal(psprobe_comparison_source_count(c), sources);
  assert_int_equal(psprobe_comparison_pair_count(c), sources > 0 ? sources * (sources - 1) / 2 : 0);
  for (size_t s = 0; s < sources; s++) {
    check_source(psprobe_comparison_source(c, s));
  }
  for (size_t k = 0; k < psprobe_comparison_pair_count(c); k++) {
    check_pair(psprobe_comparison_pair(c, k));
  }
  char *sentence = psprobe_comparison_sentence(c), *notes = psprobe_comparison_notes(c);
  assert_non_null(sentence);
  assert_non_null(notes);
  assert_true(strlen(sentence) > 10 && strchr(sentence, '\n') == NULL);
  assert_null(strstr(sentence, "nan"));
  assert_null(strstr(sentence, "inf"));
  assert_null(strstr(notes, "nan"));
  free(sentence);
  free(notes);
  psprobe_comparison_free(c);
}

static void test_few_probes_of_every_kind(void **state) {
  (void)state;
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  int64_t times[3][60];
  uint8_t status[3][60];
  bool cold[3][60];
  for (int round = 0; round < 1500; round++) {
    const size_t n = (size_t)psp_rng_below(&rng, round % 3 == 0 ? 60 : 12);
    const size_t sources = (size_t)psp_rng_below(&rng, 4);
    /* From all the same to all different; from none lost to all. */
    const int64_t spread = 1 + (int64_t)psp_rng_below(&rng, round % 2 == 0 ? 3 : 100000);
    const double lost = psp_rng_uniform(&rng), chilled = psp_rng_uniform(&rng);
    psprobe_series series[3];
    static const char *const names[] = {"a", "b", "c"};
    for (size_t s = 0; s < sources; s++) {
      for (size_t i = 0; i < n; i++) {
        times[s][i] = (int64_t)psp_rng_below(&rng, (uint64_t)spread) - (round % 7 == 0 ? 2 : 0);
        status[s][i] =
            (uint8_t)(psp_rng_uniform(&rng) < lost ? PSPROBE_LOST : 1 + psp_rng_below(&rng, 2));
        cold[s][i] = psp_rng_uniform(&rng) < chilled;
      }
      series[s] = (psprobe_series){.name = names[s],
                                   .elapsed_ns = times[s],
                                   .status = round % 4 == 0 ? NULL : status[s],
                                   .cold = round % 5 == 0 ? NULL : cold[s]};
    }
    check(comparing(series, sources, n), sources);
  }
}

static void test_one_outlier_of_an_hour(void **state) {
  (void)state;
  static int64_t a[MOST], b[MOST];
  psp_rng rng;
  psp_rng_seed(&rng, 2);
  for (size_t i = 0; i < MOST; i++) {
    a[i] = 40000000 + llround(1e6 * psp_rng_normal(&rng));
    b[i] = 41000000 + llround(1e6 * psp_rng_normal(&rng));
  }
  psprobe_comparison *c = comparing_two(a, b, MOST);
  const psprobe_pair before = *psprobe_comparison_pair(c, 0);
  psprobe_comparison_free(c);
  a[1234] = HOUR;
  c = comparing_two(a, b, MOST);
  const psprobe_pair *pair = psprobe_comparison_pair(c, 0);
  assert_int_equal(psprobe_comparison_source(c, 0)->max_ns, HOUR);
  assert_int_equal(pair->outcome, PSPROBE_A_FASTER);
  /* It moves the median by a neighbouring value or two, and no more. */
  assert_true(llabs(pair->all.median_ns - before.all.median_ns) < 10000);
  assert_true(llabs(pair->hodges_lehmann_ns - before.hodges_lehmann_ns) < 10000);
  assert_true(llabs(pair->all.median_ci.high_ns - before.all.median_ci.high_ns) < 20000);
  check(c, 2);
}

static void test_extremes_of_the_range(void **state) {
  (void)state;
  int64_t a[100], b[100];
  for (int i = 0; i < 100; i++) {
    a[i] = i % 2 == 0 ? INT64_MIN : INT64_MAX;
    b[i] = i % 3 == 0 ? INT64_MAX : INT64_MIN;
  }
  check(comparing_two(a, b, 100), 2);
  for (int i = 0; i < 100; i++)
    a[i] = INT64_MAX, b[i] = INT64_MIN;
  check(comparing_two(a, b, 100), 2);
  for (int i = 0; i < 100; i++)
    a[i] = -i, b[i] = i;
  psprobe_comparison *c = comparing_two(a, b, 100);
  assert_int_equal(psprobe_comparison_source(c, 0)->min_ns, -99);
  check(c, 2);
}

static void test_all_equal(void **state) {
  (void)state;
  int64_t a[500], b[500];
  for (int i = 0; i < 500; i++)
    a[i] = 42, b[i] = 40;
  psprobe_comparison *c = comparing_two(a, a, 500);
  const psprobe_pair *pair = psprobe_comparison_pair(c, 0);
  assert_int_equal(pair->outcome, PSPROBE_UNDECIDED);
  assert_false(pair->more_known);
  assert_int_equal(pair->ties, 500);
  assert_true(pair->wilcoxon_p == 1 && pair->sign_p == 1);
  check(c, 2);
  c = comparing_two(a, b, 500);
  pair = psprobe_comparison_pair(c, 0);
  assert_int_equal(pair->outcome, PSPROBE_B_FASTER);
  assert_int_equal(pair->hodges_lehmann_ns, 2);
  assert_true(pair->all.median_ci.low_ns == 2 && pair->all.median_ci.high_ns == 2);
  check(c, 2);
}

static void test_order_of_sending(void **state) {
  (void)state;
  /* Sent in order, a drifts; stored in another order, the same is found. */
  int64_t a[400], b[400], sent[400], a2[400], b2[400], sent2[400];
  psp_rng rng;
  psp_rng_seed(&rng, 3);
  for (size_t i = 0; i < 400; i++) {
    a[i] = llround(1e6 * (40 + psp_rng_normal(&rng) + (i < 200 ? 0 : 2)));
    b[i] = llround(1e6 * (40 + psp_rng_normal(&rng)));
    sent[i] = (int64_t)i * 5;
  }
  for (size_t i = 0; i < 400; i++) {
    const size_t from = i * 37 % 400;
    a2[i] = a[from], b2[i] = b[from], sent2[i] = sent[from];
  }
  const psprobe_series one[2] = {{.name = "a", .elapsed_ns = a}, {.name = "b", .elapsed_ns = b}};
  const psprobe_series two[2] = {{.name = "a", .elapsed_ns = a2}, {.name = "b", .elapsed_ns = b2}};
  const psprobe_probes first = {.count = 400, .sent_ns = sent, .source_count = 2, .sources = one};
  const psprobe_probes second = {.count = 400, .sent_ns = sent2, .source_count = 2, .sources = two};
  psprobe_comparison *c, *d;
  assert_int_equal(psprobe_comparison_new(&first, NULL, &c, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_comparison_new(&second, NULL, &d, NULL), PSPROBE_OK);
  const psprobe_pair *p = psprobe_comparison_pair(c, 0), *q = psprobe_comparison_pair(d, 0);
  assert_true(p->drift.beyond_chance);
  assert_int_equal(p->drift.change_ns, q->drift.change_ns);
  assert_int_equal(p->drift.ci.low_ns, q->drift.ci.low_ns);
  assert_true(p->serial.lag1 == q->serial.lag1);
  check(c, 2);
  check(d, 2);
}

static void test_refused(void **state) {
  (void)state;
  int64_t a[1] = {1};
  psprobe_comparison *c = NULL;
  psprobe_error error = {0};
  psprobe_series series = {.elapsed_ns = a};
  psprobe_probes probes = {.count = 1, .source_count = 1, .sources = &series};
  assert_int_equal(psprobe_comparison_new(&probes, NULL, &c, &error), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "comparison: source 0 has no name");
  series = (psprobe_series){.name = "x"};
  assert_int_equal(psprobe_comparison_new(&probes, NULL, &c, &error), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "comparison: source x has no times");
  probes.count = (size_t)UINT32_MAX + 1;
  assert_int_equal(psprobe_comparison_new(&probes, NULL, &c, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_null(c);
  psprobe_comparison_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_few_probes_of_every_kind),
      cmocka_unit_test(test_one_outlier_of_an_hour),
      cmocka_unit_test(test_extremes_of_the_range),
      cmocka_unit_test(test_all_equal),
      cmocka_unit_test(test_order_of_sending),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
