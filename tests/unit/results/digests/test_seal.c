/* SPDX-License-Identifier: MIT */
/** @file Digests in the file are what its rows are, whatever becomes of these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest_world.h"
#include "results/digests/digested.h"
#include "results/digests/seal.h"
#include "scratch.h"

static void step(digest_world *w) {
  const uint64_t what = psp_rng_below(&w->rng, 100);
  if (what < 40)
    world_plan(w);
  else if (what < 75)
    world_finish(w);
  else if (what < 88)
    world_come_late(w);
  else if (what < 94)
    world_seal(w);
  else if (what < 95)
    world_prune(w);
  else if (what < 96)
    world_resume(w);
  else if (what < 97)
    world_crash(w);
  else if (what < 98)
    world_end_run(w, PSPROBE_ENDING_INTERRUPTED), world_begin_run(w);
}

static void test_random_histories(void **state) {
  int sealed = 0;
  for (uint64_t seed = 0; seed < 2; seed++) {
    digest_world w = world_start(state, seed);
    for (int i = 0; i < 160; i++) {
      step(&w);
      if (i % 20 == 0) sealed += world_check(&w);
    }
    while (w.oldest < w.next)
      world_finish(&w);
    world_end_run(&w, PSPROBE_ENDING_FINISHED);
    world_seal(&w);
    const int last = world_check(&w);
    assert_true(last >= 3);
    sealed += last;
    psprobe_store_free(w.store);
  }
  assert_true(sealed > 10);
}

static uint64_t answered(psprobe_store *store, bool recount) {
  psp_digested digested = {0};
  psprobe_error error = {0};
  const psp_digesting what = {.store = store, .recount = recount};
  world_need(psp_digested_read(&digested, &what, &error), &error);
  const psprobe_source_summary *source = psprobe_comparison_source(digested.comparison, 0);
  const uint64_t all = source->answered + source->late + source->lost + source->interrupted +
                       source->uncertain + digested.unsent;
  assert_int_equal(all, digested.probes);
  const uint64_t count = digested.probes * 1000003 + source->answered * 1009 + source->late;
  psp_digested_free(&digested);
  return count;
}

/* Whoever sums the file up comes to the same by its digests and by its rows. */
static void test_read_and_counted_anew(void **state) {
  digest_world w = world_start(state, 7);
  for (int i = 0; i < 30; i++) {
    world_plan(&w);
    world_finish(&w);
  }
  world_end_run(&w, PSPROBE_ENDING_FINISHED);
  world_seal(&w);
  assert_true(world_check(&w) >= 2);
  assert_int_equal(answered(w.store, false), answered(w.store, true));
  world_come_late(&w);
  world_come_late(&w);
  assert_int_equal(answered(w.store, false), answered(w.store, true));
  /* One that says something else is believed, until it is counted anew. */
  assert_int_equal(psp_sql_run(w.store->db,
                               "UPDATE digests SET data = (SELECT data FROM digests "
                               "WHERE run > 0 ORDER BY block LIMIT 1)"),
                   SQLITE_OK);
  const uint64_t counted = answered(w.store, true);
  assert_int_not_equal(answered(w.store, false), counted);
  /* One that makes no sense is none. */
  assert_int_equal(psp_sql_run(w.store->db, "UPDATE digests SET data = x'0102'"), SQLITE_OK);
  assert_int_equal(answered(w.store, false), counted);
  psprobe_store_free(w.store);
}

/* ---- each way to change what is summed up ---- */

/* All of some thousand probes closed, one in three lost, and digests made of them. */
static void fill(digest_world *w) {
  static psprobe_finished finished[WORLD_BATCH];
  for (; w->next < 3 * PSP_BLOCK; w->next += WORLD_BATCH) {
    for (size_t i = 0; i < WORLD_BATCH; i++) {
      finished[i] = world_finish_one(w, w->next + i, false);
      finished[i].result.answers[1].status = i % 3 == 0 ? PSPROBE_LOST : PSPROBE_ANSWERED;
    }
    world_keep(w, &(psprobe_news){.finished = finished, .finished_count = WORLD_BATCH});
  }
  w->oldest = w->next;
  world_seal(w);
  assert_int_equal(world_check(w), 3);
}

static void arrive(digest_world *w, uint64_t number, uint32_t delivery) {
  psprobe_arrival arrival = {.sent = world_sent_of(number), .source = 1, .delivery = delivery};
  arrival.answer = (psprobe_answer){.status = PSPROBE_LATE, .elapsed_ns = 9, .handled_ns = -1};
  world_keep(w, &(psprobe_news){.arrivals = &arrival, .arrival_count = 1});
}

static void test_late_answer(void **state) {
  digest_world w = world_start(state, 20);
  fill(&w);
  arrive(&w, 5000, 2); /* a second delivery of what is answered */
  assert_int_equal(world_check(&w), 2);
  world_seal(&w);
  assert_int_equal(world_check(&w), 3);
  arrive(&w, 1500, 1); /* an answer of what was lost */
  assert_int_equal(world_check(&w), 2);
  world_seal(&w);
  assert_int_equal(world_check(&w), 3);
  psprobe_store_free(w.store);
}

static void test_other_state(void **state) {
  digest_world w = world_start(state, 21);
  fill(&w);
  const psprobe_finished f = world_finish_one(&w, 77, true);
  world_keep(&w, &(psprobe_news){.finished = &f, .finished_count = 1});
  assert_int_equal(world_check(&w), 2);
  psprobe_store_free(w.store);
}

static void test_pruned(void **state) {
  digest_world w = world_start(state, 22);
  fill(&w);
  w.oldest = 300;
  world_prune(&w);
  assert_int_equal(world_check(&w), 2);
  psprobe_store_free(w.store);
}

/* Probes that were planned go, and their numbers, in a block that has a digest, come again. */
static void test_numbers_come_again(void **state) {
  digest_world w = world_start(state, 23);
  psprobe_error error = {0};
  static psprobe_finished finished[WORLD_BATCH];
  static psprobe_planned planned[WORLD_BATCH];
  for (; w.next < 4000; w.next += WORLD_BATCH) {
    for (size_t i = 0; i < WORLD_BATCH; i++)
      finished[i] = world_finish_one(&w, w.next + i, false);
    world_keep(&w, &(psprobe_news){.finished = finished, .finished_count = WORLD_BATCH});
  }
  const psprobe_run first = scratch_run(w.run);
  for (int run = 0; run < 2; run++) { /* the rest of the block, and what is beyond */
    if (run == 1) world_begin_run(&w);
    for (int batches = 0; batches < (run == 0 ? 1 : 12); batches++, w.next += WORLD_BATCH) {
      for (size_t i = 0; i < WORLD_BATCH; i++)
        scratch_id(planned[i].id, w.next + i);
      world_keep(&w, &(psprobe_news){.planned = planned, .planned_count = WORLD_BATCH});
    }
  }
  world_need(psprobe_store_end_run(w.store, first.id, 1, PSPROBE_ENDING_STOPPED, &error), &error);
  world_seal(&w);
  assert_int_equal(world_check(&w), 1);
  world_end_run(&w, PSPROBE_ENDING_STOPPED);
  world_begin_run(&w);
  const psprobe_sent again = world_sent_of(w.next);
  world_keep(&w, &(psprobe_news){.sent = &again, .sent_count = 1});
  world_end_run(&w, PSPROBE_ENDING_INTERRUPTED);
  assert_int_equal(world_check(&w), 0);
  psprobe_store_free(w.store);
}

/* A probe that changes between the reading of its block and the keeping of the digest. */
static void test_changed_meanwhile(void **state) {
  digest_world w = world_start(state, 9);
  psprobe_error error = {0};
  int64_t below = 0;
  const psp_digest_bytes bytes = {.run = 1, .data = "x", .len = 1};
  for (int i = 0; i < 20; i++) {
    world_plan(&w);
    world_finish(&w);
  }
  world_need(psp_store_make_digest(w.store, 1, &below, &error), &error);
  const psprobe_finished f = world_finish_one(&w, PSP_BLOCK + 100, true);
  world_keep(&w, &(psprobe_news){.finished = &f, .finished_count = 1});
  world_need(psp_store_put_digests(w.store, 1, &bytes, 1, &error), &error);
  assert_int_equal(world_check(&w), 0);
  world_end_run(&w, PSPROBE_ENDING_FINISHED);
  world_seal(&w);
  assert_true(world_check(&w) >= 1);
  psprobe_store_free(w.store);
}

/* Of a file that is read only nothing is kept. */
static void test_read_only(void **state) {
  digest_world w = world_start(state, 11);
  psprobe_store_free(w.store);
  w.store = scratch_store(w.path, true);
  bool done = false;
  assert_int_equal(psp_digests_seal(w.store, 1, &done, NULL), PSPROBE_FAILED_PRECONDITION);
  psprobe_store_free(w.store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_random_histories, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_read_and_counted_anew, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_late_answer, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_other_state, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_pruned, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_numbers_come_again, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_changed_meanwhile, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_read_only, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
