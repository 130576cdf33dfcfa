/* SPDX-License-Identifier: MIT */
/** @file The verdict: how its parts agree, and whether the number of further probes keeps its
 * promise. */
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
#include "golden.h"
#include "stats/quantile_ci.h"
#include "stats/rng.h"
#include "stats/verdict.h"

#define MOST 4000

static const psp_serial independent = {.design_effect = 1, .inflation = 1};

/* Normal differences with this mean and a spread of 1,000 ns; b is 0. */
static void fill(int64_t *a, size_t n, double mean, psp_rng *rng) {
  for (size_t i = 0; i < n; i++)
    a[i] = llround(1000 * (psp_rng_normal(rng) + mean));
}

static void test_sign_test_agrees_with_the_interval(void **state) {
  (void)state;
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  int refused = 0;
  for (int round = 0; round < 3000; round++) {
    const size_t n = 1 + (size_t)psp_rng_below(&rng, 120);
    const double inflation = round % 3 == 0 ? 1 : 1 + psp_rng_uniform(&rng);
    const uint64_t negative = psp_rng_below(&rng, n + 1);
    const uint64_t zero = round % 5 == 0 ? psp_rng_below(&rng, n - negative + 1) : 0;
    int64_t sorted[120];
    for (size_t i = 0; i < n; i++) {
      sorted[i] = i < negative ? -1 : i < negative + zero ? 0 : 1;
    }
    const psp_signs signs = psp_signs_count(sorted, n);
    assert_int_equal(signs.negative, negative);
    assert_int_equal(signs.zero, zero);
    assert_int_equal(signs.positive, n - negative - zero);
    /* The rank of the interval's bounds, as sign_interval.c has it. */
    const double centre = ((double)n + 1) / 2, depth = psp_median_depth(n, 0.025);
    const double rank = floor(centre - (centre - depth) * inflation);
    const size_t at = rank < 1 ? 0 : (size_t)rank;
    const bool excludes = at > 0 && (sorted[at - 1] > 0 || sorted[n - at] < 0);
    assert_int_equal(psp_sign_test(signs, inflation) < 0.05, excludes);
    refused += excludes;
  }
  assert_in_range(refused, 500, 2900);
}

static void test_so_few_cannot_tell(void **state) {
  (void)state;
  int64_t a[PSP_FEWEST_DIFFERENCES] = {0}, b[PSP_FEWEST_DIFFERENCES];
  for (size_t i = 0; i < PSP_FEWEST_DIFFERENCES; i++)
    b[i] = 1 + (int64_t)i;
  for (size_t n = 0; n <= PSP_FEWEST_DIFFERENCES; n++) {
    psprobe_comparison *c = comparing_two(a, b, n);
    const psprobe_pair *pair = psprobe_comparison_pair(c, 0);
    const bool enough = n == PSP_FEWEST_DIFFERENCES;
    assert_int_equal(pair->outcome, enough ? PSPROBE_A_FASTER : PSPROBE_UNDECIDED);
    assert_int_equal(pair->all.median_ci.has_low, enough);
    assert_false(pair->more_known);
    psprobe_comparison_free(c);
  }
}

static void test_swapping_the_sources_mirrors_everything(void **state) {
  (void)state;
  int64_t a[301], b[301];
  psp_rng rng;
  psp_rng_seed(&rng, 2);
  for (int round = 0; round < 60; round++) {
    const size_t n = (size_t)psp_rng_below(&rng, 302);
    fill(a, n, 0.1 * (round % 5), &rng);
    fill(b, n, 0, &rng);
    psprobe_comparison *c = comparing_two(a, b, n), *d = comparing_two(b, a, n);
    const psprobe_pair *p = psprobe_comparison_pair(c, 0), *q = psprobe_comparison_pair(d, 0);
    assert_int_equal(p->all.median_ns, -q->all.median_ns);
    assert_int_equal(p->all.median_ci.has_low, q->all.median_ci.has_high);
    assert_int_equal(p->all.median_ci.low_ns, -q->all.median_ci.high_ns);
    assert_int_equal(p->all.median_ci.high_ns, -q->all.median_ci.low_ns);
    assert_int_equal(p->hodges_lehmann_ns, -q->hodges_lehmann_ns);
    assert_int_equal(p->hodges_lehmann_ci.low_ns, -q->hodges_lehmann_ci.high_ns);
    assert_int_equal(p->unpaired.change_ns, -q->unpaired.change_ns);
    assert_true(fabs(p->sign_p - q->sign_p) < 1e-12);
    assert_true(fabs(p->wilcoxon_p - q->wilcoxon_p) < 1e-9);
    assert_int_equal(p->a_first.count, q->b_first.count);
    assert_int_equal(p->outcome == PSPROBE_A_FASTER, q->outcome == PSPROBE_B_FASTER);
    assert_int_equal(p->outcome == PSPROBE_B_FASTER, q->outcome == PSPROBE_A_FASTER);
    psprobe_comparison_free(c);
    psprobe_comparison_free(d);
  }
}

static void test_equal_seeds_give_equal_figures(void **state) {
  (void)state;
  int64_t a[200], b[200];
  psp_rng rng;
  psp_rng_seed(&rng, 8);
  fill(a, 200, 0, &rng);
  fill(b, 200, 0, &rng);
  psprobe_interval seen[3];
  uint64_t more[3];
  const psprobe_series series[2] = {{.name = "a", .elapsed_ns = a}, {.name = "b", .elapsed_ns = b}};
  const psprobe_probes probes = {.count = 200, .source_count = 2, .sources = series};
  for (int k = 0; k < 3; k++) {
    const psprobe_comparison_options options = {.seed = k < 2 ? 5 : 6};
    psprobe_comparison *c;
    assert_int_equal(psprobe_comparison_new(&probes, &options, &c, NULL), PSPROBE_OK);
    seen[k] = psprobe_comparison_pair(c, 0)->bootstrap_ci;
    more[k] = psprobe_comparison_pair(c, 0)->more_probes;
    psprobe_comparison_free(c);
  }
  assert_int_equal(seen[0].low_ns, seen[1].low_ns);
  assert_int_equal(seen[0].high_ns, seen[1].high_ns);
  assert_int_equal(more[0], more[1]);
  assert_true(more[0] > 0);
  assert_true(more[0] != more[2] || seen[0].low_ns != seen[2].low_ns);
}

/* The promise: of runs that could not tell, and go on for as long as was said, 4 of 5 can. The
 * truth varies as it does when nothing is known of it beforehand. */
static void test_further_probes_settle_it(void **state) {
  (void)state;
  psp_rng rng;
  psp_rng_seed(&rng, 4);
  int asked = 0, settled = 0;
  while (asked < 3000) {
    /* The share of a's firsts, and 100 probes of it. */
    const double share = psp_rng_uniform(&rng);
    psp_signs signs = {0};
    for (int i = 0; i < 100; i++) {
      *(psp_rng_uniform(&rng) < share ? &signs.negative : &signs.positive) += 1;
    }
    if (psp_sign_test(signs, 1) < 0.05) continue;
    uint64_t more;
    assert_true(psp_more_probes(signs, &independent, 1, (uint64_t)asked, &more));
    asked++;
    /* The signs to come, as a normal count. */
    const double sum = (double)more, spread = sqrt(sum * share * (1 - share));
    const double to_come = fmin(sum, fmax(0, rint(sum * share + spread * psp_rng_normal(&rng))));
    signs.negative += (uint64_t)to_come;
    signs.positive += more - (uint64_t)to_come;
    settled += psp_sign_test(signs, 1) < 0.05;
  }
  assert_in_range(settled, asked * 77 / 100, asked * 83 / 100);
}

static uint64_t more_for(uint64_t negative, uint64_t zero, uint64_t positive, double effect,
                         size_t pairs) {
  const psp_signs signs = {negative, zero, positive};
  const psp_serial serial = {.design_effect = effect, .inflation = sqrt(effect)};
  uint64_t more = 0;
  return psp_more_probes(signs, &serial, pairs, 1, &more) ? more : 0;
}

static void test_further_probes_in_general(void **state) {
  (void)state;
  const uint64_t close = more_for(42, 0, 58, 1, 1), far = more_for(49, 0, 51, 1, 1);
  assert_in_range(close, 1, 1000);
  assert_true(far > 3 * close); /* the nearer to even, the longer */
  assert_true(more_for(42, 0, 58, 4, 1) > 2 * close);
  assert_true(more_for(42, 0, 58, 1, 6) > close);
  assert_true(more_for(40, 5, 55, 1, 1) > 0);
  assert_in_range(far, 1000, 20000);
  /* Nothing to go by. */
  assert_int_equal(more_for(0, 0, 0, 1, 1), 0);
  assert_int_equal(more_for(2, 0, 3, 1, 1), 0);
  assert_int_equal(more_for(20, 60, 20, 1, 1), 0);
  /* Ties enough to make 0 the median, however long it goes on. */
  assert_int_equal(more_for(300, 300, 400, 1, 1), 0);
}

static void test_holm_decides_among_many(void **state) {
  (void)state;
  /* Three sources; a and b differ a little (p about 0.03), c is far behind both. */
  int64_t times[3][MOST];
  psp_rng rng;
  psp_rng_seed(&rng, 9);
  for (size_t k = 0; k < 3; k++)
    fill(times[k], 400, k == 2 ? 3 : 0, &rng);
  for (size_t i = 0; i < 400; i++)
    times[0][i] = times[1][i] + (i % 100 < 45 ? 1 : -1);
  const psprobe_series series[3] = {{.name = "a", .elapsed_ns = times[0]},
                                    {.name = "b", .elapsed_ns = times[1]},
                                    {.name = "c", .elapsed_ns = times[2]}};
  psprobe_comparison *c = comparing(series, 3, 400);
  assert_int_equal(psprobe_comparison_pair_count(c), 3);
  const psprobe_pair *ab = psprobe_comparison_pair(c, 0), *ac = psprobe_comparison_pair(c, 1),
                     *bc = psprobe_comparison_pair(c, 2);
  assert_true(ab->a == 0 && ab->b == 1 && ac->a == 0 && ac->b == 2 && bc->a == 1 && bc->b == 2);
  assert_int_equal(ac->outcome, PSPROBE_A_FASTER);
  assert_int_equal(bc->outcome, PSPROBE_A_FASTER);
  for (size_t k = 0; k < 3; k++) {
    const psprobe_pair *pair = psprobe_comparison_pair(c, k);
    assert_true(pair->holm_p >= pair->sign_p && pair->holm_p <= 1);
  }
  assert_int_equal(psprobe_comparison_rank(c, 2).source, 2);
  assert_int_equal(psprobe_comparison_rank(c, 2).rank, 3);
  assert_int_equal(psprobe_comparison_rank(c, 0).rank, 1);
  assert_null(psprobe_comparison_pair(c, 3));
  assert_null(psprobe_comparison_source(c, 3));
  psprobe_comparison_free(c);
}

static void check_holm(golden *g) {
  if (strcmp(g->key, "holm") == 0) {
    double values[16], corrected[8];
    size_t count = 0;
    for (const char *word; count < 16 && (word = golden_word(g)) != NULL; count++) {
      values[count] = strtod(word, NULL);
    }
    assert_true(count > 0 && count % 2 == 0);
    psp_holm(values, corrected, count / 2);
    for (size_t i = 0; i < count / 2; i++) {
      golden_near(g, corrected[i], values[count / 2 + i], 1e-12, 0);
    }
  }
}

static void test_holm(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/verdict.txt", check_holm), 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_holm),
      cmocka_unit_test(test_sign_test_agrees_with_the_interval),
      cmocka_unit_test(test_so_few_cannot_tell),
      cmocka_unit_test(test_swapping_the_sources_mirrors_everything),
      cmocka_unit_test(test_equal_seeds_give_equal_figures),
      cmocka_unit_test(test_further_probes_settle_it),
      cmocka_unit_test(test_further_probes_in_general),
      cmocka_unit_test(test_holm_decides_among_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
