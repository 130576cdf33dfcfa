/* SPDX-License-Identifier: MIT */
/** @file Comparisons from digests beside those from the same probes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "comparing.h"
#include "stats/digest/digest_compare.h"
#include "stats/rng.h"

#define PROBES  60000
#define BLOCK   500
#define SOURCES 3

/* A history of three sources, the third with cold starts. */
typedef struct history {
  size_t count;
  int64_t *sent, *publish, *elapsed[SOURCES];
  uint8_t *status[SOURCES];
  bool *cold[SOURCES], *unsent;
  uint32_t *duplicates[SOURCES];
  psprobe_series series[SOURCES];
  psprobe_probes probes;
} history;

static void *room(size_t count, size_t size) {
  void *made = test_calloc(count, size);
  assert_non_null(made);
  return made;
}

static void make_room(history *h, size_t count) {
  *h = (history){.count = count,
                 .sent = room(count, sizeof *h->sent),
                 .publish = room(count, sizeof *h->publish),
                 .unsent = room(count, sizeof *h->unsent)};
  for (size_t k = 0; k < SOURCES; k++) {
    h->elapsed[k] = room(count, sizeof *h->elapsed[k]);
    h->status[k] = room(count, 1);
    h->cold[k] = room(count, sizeof *h->cold[k]);
    h->duplicates[k] = room(count, sizeof *h->duplicates[k]);
  }
}

static psprobe_status draw_status(psp_rng *rng) {
  const double u = psp_rng_uniform(rng);
  return u < 0.004   ? PSPROBE_LOST
         : u < 0.008 ? PSPROBE_LATE
         : u < 0.009 ? PSPROBE_INTERRUPTED
         : u < 0.010 ? PSPROBE_UNCERTAIN
                     : PSPROBE_ANSWERED;
}

/* `likeness`: of a probe to the one before, as an AR(1); `ahead_ns`: of the second source. */
static void draw(history *h, uint64_t seed, double likeness, double ahead_ns) {
  psp_rng rng;
  double wander[SOURCES] = {0};
  psp_rng_seed(&rng, seed);
  for (size_t i = 0; i < h->count; i++) {
    h->sent[i] = (int64_t)i * 10000000;
    h->unsent[i] = psp_rng_uniform(&rng) < 0.001;
    h->publish[i] = h->unsent[i] ? -1 : i % 97 == 0 ? PSPROBE_HEDGE_NS + 1 : PSPROBE_HEDGE_NS;
    for (size_t k = 0; k < SOURCES; k++) {
      wander[k] = likeness * wander[k] + sqrt(1 - likeness * likeness) * psp_rng_normal(&rng);
      h->cold[k][i] = k == 2 && psp_rng_uniform(&rng) < 0.02;
      const double ns = 20e6 * exp(0.3 * wander[k]) - (k == 1 ? ahead_ns : 0);
      h->elapsed[k][i] = (int64_t)ns + (h->cold[k][i] ? 150000000 : 0);
      h->status[k][i] = h->unsent[i] ? PSPROBE_LOST : (uint8_t)draw_status(&rng);
      h->duplicates[k][i] = psp_rng_uniform(&rng) < 0.01;
    }
  }
}

static void view(history *h) {
  static const char *const names[SOURCES] = {"one", "two", "three"};
  for (size_t k = 0; k < SOURCES; k++)
    h->series[k] =
        (psprobe_series){names[k], h->elapsed[k], h->status[k], h->cold[k], h->duplicates[k]};
  h->probes = (psprobe_probes){h->count, h->sent, SOURCES, h->series, h->unsent, h->publish};
}

static void free_history(history *h) {
  for (size_t k = 0; k < SOURCES; k++) {
    test_free(h->elapsed[k]);
    test_free(h->status[k]);
    test_free(h->cold[k]);
    test_free(h->duplicates[k]);
  }
  test_free(h->sent);
  test_free(h->publish);
  test_free(h->unsent);
}

/* Digests of a thousand probes each, made and read back as they are gone over. */
static psprobe_code walk(void *from, psp_digest_each *each, void *arg, psprobe_error *error) {
  const history *h = from;
  psp_digest digest = {0};
  psp_buf bytes = {0};
  bool on = true;
  (void)error;
  for (size_t at = 0; on && at < h->count; at += BLOCK) {
    psprobe_series series[SOURCES];
    for (size_t k = 0; k < SOURCES; k++)
      series[k] = (psprobe_series){h->series[k].name, h->elapsed[k] + at, h->status[k] + at,
                                   h->cold[k] + at, h->duplicates[k] + at};
    const psprobe_probes part = {h->count - at < BLOCK ? h->count - at : BLOCK,
                                 h->sent + at,
                                 SOURCES,
                                 series,
                                 h->unsent + at,
                                 h->publish + at};
    assert_true(psp_digest_make(&digest, &part));
    psp_buf_reset(&bytes);
    psp_digest_put(&bytes, &digest);
    assert_true(psp_digest_read(&digest, bytes.data, bytes.len));
    on = each(arg, &digest);
  }
  psp_buf_free(&bytes);
  psp_digest_free(&digest);
  return PSPROBE_OK;
}

typedef struct both {
  psprobe_comparison *exact, *binned;
} both;

static both compare(history *h, const size_t *which, size_t count, bool exact) {
  static const char *const names[SOURCES] = {"one", "two", "three"};
  const char *chosen[SOURCES];
  psprobe_series series[SOURCES];
  both made = {0};
  psprobe_error error = {0};
  view(h);
  for (size_t k = 0; k < count; k++) {
    series[k] = h->series[which[k]];
    chosen[k] = names[which[k]];
  }
  psprobe_probes probes = h->probes;
  probes.sources = series;
  probes.source_count = count;
  if (exact)
    assert_int_equal(psprobe_comparison_new(&probes, NULL, &made.exact, &error), PSPROBE_OK);
  const psp_digests digests = {
      .walk = walk, .from = h, .expected = h->count, .source_count = count, .which = which};
  psp_totals totals;
  assert_int_equal(psp_totals_make(&totals, &digests, &error), PSPROBE_OK);
  assert_int_equal(psp_digests_compare(&totals, chosen, &made.binned, &error), PSPROBE_OK);
  psp_totals_free(&totals);
  return made;
}

static void free_both(both *b) {
  psprobe_comparison_free(b->exact);
  psprobe_comparison_free(b->binned);
}

static void assert_near(int64_t got, int64_t want) {
  const double most = fabs((double)want) / 1000 + 1;
  if (fabs((double)got - (double)want) > most)
    fail_msg("%lld is more than 0.1 %% from %lld", (long long)got, (long long)want);
}

/* By how much of its distance a bound may part from that of probes: two estimates of correlation.
 */
static double apart = 0.25;

static void assert_bound(int64_t got, int64_t want, int64_t estimate) {
  const double most = fabs((double)(want - estimate)) * apart + fabs((double)want) / 1000 + 1;
  if (fabs((double)got - (double)want) > most)
    fail_msg("a bound is %lld, not about %lld (of %lld)", (long long)got, (long long)want,
             (long long)estimate);
}

static void assert_interval(const psprobe_interval *got, const psprobe_interval *want,
                            int64_t estimate) {
  assert_int_equal(got->has_low, want->has_low);
  assert_int_equal(got->has_high, want->has_high);
  assert_bound(got->low_ns, want->low_ns, estimate);
  assert_bound(got->high_ns, want->high_ns, estimate);
}

static void assert_change(const psprobe_change *got, const psprobe_change *want) {
  assert_near((int64_t)got->first_n, (int64_t)want->first_n);
  assert_near((int64_t)got->second_n, (int64_t)want->second_n);
  assert_near(got->first_ns, want->first_ns);
  assert_near(got->second_ns, want->second_ns);
}

static void assert_source(const psprobe_source_summary *got, const psprobe_source_summary *want) {
  assert_same_counts(got, want);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++) {
    assert_near(got->quantiles[q].value_ns, want->quantiles[q].value_ns);
    if (q < 3) /* beyond p99.9 there are too few */
      assert_interval(&got->quantiles[q].ci, &want->quantiles[q].ci, want->quantiles[q].value_ns);
  }
  assert_int_equal(got->warm_part.n, want->warm_part.n);
  assert_int_equal(got->cold_part.n, want->cold_part.n);
  assert_int_equal(got->cold_part.min_ns, want->cold_part.min_ns);
  assert_int_equal(got->warm_part.max_ns, want->warm_part.max_ns);
  assert_change(&got->cold, &want->cold);
  assert_change(&got->drift, &want->drift);
}

static void assert_pair(const psprobe_pair *got, const psprobe_pair *want) {
  assert_int_equal(got->all.n, want->all.n);
  assert_int_equal(got->warm.n, want->warm.n);
  assert_int_equal(got->cold.n, want->cold.n);
  assert_true(fabs((double)(got->all.median_ns - want->all.median_ns)) <=
              fabs((double)want->all.median_ns) / 1000 + 2);
  assert_interval(&got->all.median_ci, &want->all.median_ci, want->all.median_ns);
  assert_int_equal(got->a_first.count, want->a_first.count);
  assert_int_equal(got->b_first.count, want->b_first.count);
  assert_int_equal(got->ties, want->ties);
  assert_int_equal(got->both_lost, want->both_lost);
  assert_int_equal(got->only_a_lost, want->only_a_lost);
  assert_int_equal(got->only_b_lost, want->only_b_lost);
  assert_true(got->loss_p == want->loss_p);
  assert_int_equal(got->outcome, want->outcome);
}

static void assert_alike(const both *b) {
  assert_int_equal(psprobe_comparison_unsent(b->binned), psprobe_comparison_unsent(b->exact));
  const psprobe_hedging got = psprobe_comparison_hedging(b->binned);
  const psprobe_hedging want = psprobe_comparison_hedging(b->exact);
  assert_int_equal(got.timed, want.timed);
  assert_int_equal(got.slow, want.slow);
  for (size_t k = 0; k < psprobe_comparison_source_count(b->exact); k++)
    assert_source(psprobe_comparison_source(b->binned, k), psprobe_comparison_source(b->exact, k));
  for (size_t p = 0; p < psprobe_comparison_pair_count(b->exact); p++)
    assert_pair(psprobe_comparison_pair(b->binned, p), psprobe_comparison_pair(b->exact, p));
}

static const size_t in_order[SOURCES] = {0, 1, 2}, turned[SOURCES] = {2, 0, 1};

static void test_independent(void **state) {
  (void)state;
  history h;
  make_room(&h, PROBES);
  draw(&h, 1, 0, 3e6);
  both b = compare(&h, in_order, SOURCES, true);
  assert_alike(&b);
  assert_in_range(psprobe_comparison_hedging(b.binned).slow, PROBES / 97 - 10, PROBES / 97 + 1);
  assert_false(psprobe_comparison_pair(b.binned, 0)->serial.known);
  free_both(&b);
  free_history(&h);
}

static void test_neighbours_alike(void **state) {
  (void)state;
  history h;
  make_room(&h, PROBES);
  draw(&h, 2, 0.8, 2e6);
  both b = compare(&h, in_order, SOURCES, true);
  apart = 0.6;
  assert_alike(&b);
  apart = 0.25;
  const psprobe_pair *got = psprobe_comparison_pair(b.binned, 0);
  const psprobe_pair *want = psprobe_comparison_pair(b.exact, 0);
  assert_true(want->serial.matters && got->serial.matters);
  assert_true(got->serial.effective_n > want->serial.effective_n / 1.6);
  assert_true(got->serial.effective_n < want->serial.effective_n * 1.6);
  free_both(&b);
  free_history(&h);
}

/* Sources are asked for in another order, or not all of them: differences turn round. */
static void test_chosen_sources(void **state) {
  (void)state;
  history h;
  make_room(&h, PROBES);
  draw(&h, 3, 0, 3e6);
  both b = compare(&h, turned, SOURCES, true);
  assert_alike(&b);
  free_both(&b);
  b = compare(&h, turned, 2, true);
  assert_alike(&b);
  free_both(&b);
  b = compare(&h, turned + 1, 1, true);
  assert_alike(&b);
  free_both(&b);
  free_history(&h);
}

/* Nothing between the sources: over many histories a verdict is as rare as it is from probes. */
static void test_false_verdicts(void **state) {
  (void)state;
  int wrong = 0;
  history h;
  make_room(&h, 20000);
  for (uint64_t seed = 0; seed < 40; seed++) {
    draw(&h, 100 + seed, 0.7, 0);
    both b = compare(&h, in_order, 2, false);
    wrong += psprobe_comparison_pair(b.binned, 0)->outcome != PSPROBE_UNDECIDED;
    free_both(&b);
  }
  free_history(&h);
  assert_true(wrong <= 6); /* of 40 at 5 %: more has a chance of 1 % */
}

static void test_nothing(void **state) {
  (void)state;
  history h;
  make_room(&h, 1);
  h.count = 0;
  both b = compare(&h, in_order, SOURCES, true);
  assert_alike(&b);
  free_both(&b);
  free_history(&h);
}

/* Answers of one source alone, all of them in one nanosecond. */
static void test_silent_and_constant(void **state) {
  (void)state;
  history h;
  make_room(&h, 20000);
  for (size_t i = 0; i < h.count; i++) {
    h.sent[i] = (int64_t)i;
    h.elapsed[0][i] = 5000000;
    h.status[0][i] = PSPROBE_ANSWERED;
    h.elapsed[2][i] = -7; /* a clock that went back */
    h.status[2][i] = PSPROBE_LATE;
  }
  both b = compare(&h, in_order, SOURCES, true);
  assert_alike(&b);
  free_both(&b);
  free_history(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_independent),    cmocka_unit_test(test_neighbours_alike),
      cmocka_unit_test(test_chosen_sources), cmocka_unit_test(test_false_verdicts),
      cmocka_unit_test(test_nothing),        cmocka_unit_test(test_silent_and_constant),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
