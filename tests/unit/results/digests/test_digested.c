/* SPDX-License-Identifier: MIT */
/** @file A results file summed up, beside all its rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/timing.h>

#include "comparing.h"
#include "results/digests/digested.h"
#include "results/digests/seal.h"
#include "results/store/store.h"
#include "scratch.h"
#include "stats/rng.h"

/* Two runs, of which each begins in a block and ends in another. */
#define FIRST  5000
#define SECOND 6000

static psprobe_finished draw(psp_rng *rng, uint64_t number) {
  psprobe_finished f = scratch_finished(number);
  f.result.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number * 1000000;
  if (number % 1500 == 7) f.result.cadence = PSPROBE_CADENCE_COLD;
  const bool unsent = psp_rng_below(rng, 50) == 0;
  f.result.publish_ns = unsent ? -1 : PSPROBE_HEDGE_NS + (int64_t)psp_rng_below(rng, 2);
  for (size_t k = 0; k < 2; k++) {
    psprobe_answer *a = &f.result.answers[k];
    a->elapsed_ns = 20000000 + (int64_t)psp_rng_below(rng, 9000000) - (k == 1 ? 2000000 : 0);
    a->status = unsent ? PSPROBE_LOST : (psprobe_status)psp_rng_below(rng, 5);
    if (psp_rng_below(rng, 10) > 0 && !unsent) a->status = PSPROBE_ANSWERED;
    a->cold = psp_rng_below(rng, 30) == 0;
    a->duplicates = (uint32_t)psp_rng_below(rng, 2);
  }
  return f;
}

static void add_run(psprobe_store *store, uint64_t run_number, uint64_t from, uint64_t count) {
  static psprobe_finished batch[500];
  const psprobe_run run = scratch_run(run_number);
  psprobe_error error = {0};
  psp_rng rng;
  psp_rng_seed(&rng, run_number);
  for (uint64_t done = 0; done < count; done += 500) {
    for (uint64_t i = 0; i < 500; i++)
      batch[i] = draw(&rng, from + done + i);
    assert_int_equal(psprobe_store_add(store, run.id, batch, 500, &error), PSPROBE_OK);
  }
}

/* A file with both runs. */
static psprobe_store *filled(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run second = scratch_run(2);
  add_run(store, 1, 0, FIRST);
  assert_int_equal(psprobe_store_begin_run(store, &second, NULL), PSPROBE_OK);
  add_run(store, 2, FIRST, SECOND);
  return store;
}

typedef struct both {
  psp_digested summed;
  psp_columns columns;
  psprobe_comparison *exact;
} both;

static both read_both(psprobe_store *store, const psprobe_filter *filter,
                      const char *const *sources, size_t count) {
  both b = {0};
  psprobe_error error = {0};
  psprobe_series series[PSPROBE_MAX_SOURCES];
  const psp_digesting what = {store, filter, sources, count, false};
  if (psp_digested_read(&b.summed, &what, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_int_equal(psp_columns_load(&b.columns, store, filter, &error), PSPROBE_OK);
  if (count > 0)
    assert_int_equal(psp_columns_select(&b.columns, sources, count, &error), PSPROBE_OK);
  const psprobe_probes probes = psp_columns_probes(&b.columns, series);
  assert_int_equal(psprobe_comparison_new(&probes, NULL, &b.exact, &error), PSPROBE_OK);
  return b;
}

static void free_both(both *b) {
  psp_digested_free(&b->summed);
  psp_columns_free(&b->columns);
  psprobe_comparison_free(b->exact);
}

static void check_source(const psprobe_source_summary *got, const psprobe_source_summary *want) {
  assert_same_counts(got, want);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    assert_true(llabs(got->quantiles[q].value_ns - want->quantiles[q].value_ns) <=
                want->quantiles[q].value_ns / 1000);
}

static void check(const both *b) {
  assert_int_equal(b->summed.probes, b->columns.count);
  assert_int_equal(b->summed.unsent, psprobe_comparison_unsent(b->exact));
  const psprobe_hedging hedging = psprobe_comparison_hedging(b->summed.comparison);
  assert_int_equal(hedging.timed, psprobe_comparison_hedging(b->exact).timed);
  assert_int_equal(hedging.slow, psprobe_comparison_hedging(b->exact).slow);
  assert_int_equal(b->summed.columns.left_out, b->columns.left_out);
  assert_int_equal(b->summed.columns.run_count, b->columns.run_count);
  assert_int_equal(b->summed.columns.source_count, b->columns.source_count);
  const psp_columns *rare = b->summed.columns.apart, *all_rare = b->columns.apart;
  assert_int_equal(rare == NULL ? 0 : rare->count, all_rare == NULL ? 0 : all_rare->count);
  if (b->columns.count > 0) {
    assert_int_equal(b->summed.first_ns, b->columns.sent_wall_ns[0]);
    assert_int_equal(b->summed.last_ns, b->columns.sent_wall_ns[b->columns.count - 1]);
  }
  for (size_t k = 0; k < psprobe_comparison_source_count(b->exact); k++)
    check_source(psprobe_comparison_source(b->summed.comparison, k),
                 psprobe_comparison_source(b->exact, k));
  for (size_t p = 0; p < psprobe_comparison_pair_count(b->exact); p++) {
    const psprobe_pair *got = psprobe_comparison_pair(b->summed.comparison, p);
    const psprobe_pair *want = psprobe_comparison_pair(b->exact, p);
    assert_int_equal(got->all.n, want->all.n);
    assert_int_equal(got->a_first.count, want->a_first.count);
    assert_int_equal(got->only_a_lost, want->only_a_lost);
    assert_int_equal(got->only_b_lost, want->only_b_lost);
    assert_int_equal(got->both_lost, want->both_lost);
    assert_true(llabs(got->all.median_ns - want->all.median_ns) <=
                llabs(want->all.median_ns) / 1000);
    assert_int_equal(got->outcome, want->outcome);
  }
}

/* The probes for pictures are some of the rows, as they stand in the file. */
static void check_drawn(const both *b) {
  const psp_columns *few = &b->summed.columns, *all = &b->columns;
  size_t even = 0;
  assert_true(few->count > 0 && few->count < all->count);
  for (size_t i = 0, at = 0; i < few->count; i++) {
    for (at = 0; at < all->count && strcmp(few->id[i], all->id[at]) != 0;)
      at++;
    assert_true(at < all->count);
    assert_int_equal(few->sources[1].elapsed_ns[i], all->sources[1].elapsed_ns[at]);
    assert_int_equal(few->run[i], all->run[at]);
    even += b->summed.even[i];
  }
  assert_true(even >= PSP_DIGEST_EVEN && even < few->count);
}

static void test_all_of_it(void **state) {
  psprobe_store *store = filled(state);
  both b = read_both(store, NULL, NULL, 0);
  check(&b);
  check_drawn(&b);
  free_both(&b);
  psprobe_store_free(store);
}

static void test_filters(void **state) {
  psprobe_store *store = filled(state);
  const int64_t third = SCRATCH_SENT_NS + INT64_C(3000) * 1000000;
  const psprobe_filter filters[] = {
      {.run = "last"},
      {.since_wall_ns = third},
      {.until_wall_ns = third},
      {.run = "last", .since_wall_ns = third + INT64_C(6000) * 1000000},
      {.since_wall_ns = third, .until_wall_ns = third + 1}};
  for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
    both b = read_both(store, &filters[i], NULL, 0);
    check(&b);
    free_both(&b);
  }
  psprobe_store_free(store);
}

static void test_chosen_sources(void **state) {
  static const char *const turned[] = {"regular_service", "cloud_function"};
  static const char *const none[] = {"cloud_function", "nobody"};
  psprobe_store *store = filled(state);
  both b = read_both(store, NULL, turned, 2);
  check(&b);
  free_both(&b);
  b = read_both(store, NULL, turned, 1);
  check(&b);
  free_both(&b);
  psp_digested summed = {0};
  psprobe_error error = {0};
  const psp_digesting what = {store, NULL, none, 2, false};
  assert_int_equal(psp_digested_read(&summed, &what, &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "nobody"));
  psp_digested_free(&summed);
  psprobe_store_free(store);
}

/* Runs of other sources than the newest are counted, and left out. */
static void test_other_sources(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run other = scratch_run(2);
  add_run(store, 1, 0, FIRST);
  other.source_count = 1;
  assert_int_equal(psprobe_store_begin_run(store, &other, NULL), PSPROBE_OK);
  both b = read_both(store, NULL, NULL, 0);
  assert_true(b.summed.columns.left_out == FIRST);
  check(&b);
  free_both(&b);
  psprobe_store_free(store);
}

static void test_wanted(void **state) {
  psprobe_store *store = filled(state);
  const psprobe_filter last = {.run = "last"};
  bool wanted = false;
  assert_int_equal(psp_digested_wanted(store, NULL, FIRST + SECOND - 1, &wanted, NULL), PSPROBE_OK);
  assert_true(wanted);
  assert_int_equal(psp_digested_wanted(store, NULL, FIRST + SECOND, &wanted, NULL), PSPROBE_OK);
  assert_false(wanted);
  assert_int_equal(psp_digested_wanted(store, &last, SECOND - 1, &wanted, NULL), PSPROBE_OK);
  assert_true(wanted);
  assert_int_equal(psp_digested_wanted(store, &last, SECOND, &wanted, NULL), PSPROBE_OK);
  assert_false(wanted);
  psprobe_store_free(store);
}

/* Numbers of probes that lie as far apart as there are any: what is between costs nothing, neither
 * him who sums up nor him who makes digests. */
static void test_far_apart(void **state) {
  psprobe_store *store = filled(state);
  int made = 0;
  assert_int_equal(psp_sql_run(store->db,
                               "PRAGMA foreign_keys = OFF; UPDATE answers SET probe = "
                               "9223372036854775807 WHERE probe = 6000; UPDATE probes SET seq = "
                               "9223372036854775807 WHERE seq = 6000; UPDATE answers SET probe = "
                               "1125899906842624 WHERE probe = 7000; UPDATE probes SET seq = "
                               "1125899906842624 WHERE seq = 7000"),
                   SQLITE_OK);
  for (bool done = false; !done; made++)
    assert_int_equal(psp_digests_seal(store, 0, &done, NULL), PSPROBE_OK);
  assert_true(made > 3 && made < 8);
  both b = read_both(store, NULL, NULL, 0);
  assert_int_equal(b.summed.probes, b.columns.count);
  free_both(&b);
  psprobe_store_free(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_all_of_it, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_filters, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_chosen_sources, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_other_sources, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_far_apart, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_wanted, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
