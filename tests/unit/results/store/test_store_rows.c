/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"

/* Every field comes back as it was, at its extremes too. */
static void test_round_trip(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_finished finished = scratch_finished(3);
  finished.result.publish_ns = -1;
  finished.result.lateness_ns = INT64_MAX;
  finished.result.answers[0] = (psprobe_answer){.status = PSPROBE_LATE,
                                                .cold = true,
                                                .duplicates = UINT32_MAX,
                                                .elapsed_ns = INT64_MAX,
                                                .handled_ns = 0};
  finished.result.answers[1] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  int64_t before = psprobe_clock_wall();
  scratch_add(store, 1, &finished);
  scratch_seen all;
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 1);
  const psprobe_result *a = &finished.result, *b = &all.rows[0].result;
  assert_string_equal(b->id, a->id);
  assert_int_equal(b->sent_wall_ns, a->sent_wall_ns);
  assert_int_equal(b->lateness_ns, a->lateness_ns);
  assert_int_equal(b->publish_ns, -1);
  assert_int_equal(b->source_count, 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(b->answers[i].status, a->answers[i].status);
    assert_int_equal(b->answers[i].cold, a->answers[i].cold);
    assert_int_equal(b->answers[i].duplicates, a->answers[i].duplicates);
    assert_int_equal(b->answers[i].elapsed_ns, a->answers[i].elapsed_ns);
    assert_int_equal(b->answers[i].handled_ns, a->answers[i].handled_ns);
  }
  assert_true(all.rows[0].saved_wall_ns >= before);
  assert_true(all.rows[0].saved_wall_ns <= psprobe_clock_wall());
  assert_false(all.rows[0].uploaded);
  psprobe_store_free(store);
}

static void test_added_twice(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_finished finished = scratch_finished(1);
  scratch_seen all;
  scratch_add(store, 1, &finished);
  finished.result.answers[0].elapsed_ns = 1;
  scratch_add(store, 1, &finished); /* the first stands */
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 1);
  assert_int_equal(all.rows[0].result.answers[0].elapsed_ns, 60000001);
  finished.update = true;
  finished.result.publish_ns = 77;
  finished.result.answers[1].duplicates = 5;
  scratch_add(store, 1, &finished);
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 1);
  assert_int_equal(all.rows[0].result.answers[0].elapsed_ns, 1);
  assert_int_equal(all.rows[0].result.answers[1].duplicates, 5);
  assert_int_equal(all.rows[0].result.publish_ns, 77);
  finished = scratch_finished(2); /* an update of what never came is a result all the same */
  finished.update = true;
  scratch_add(store, 1, &finished);
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

/* Facts come back as they were told, and stay where a later state of the answer has none. */
static void test_facts(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_finished finished = scratch_finished(1);
  const psprobe_facts facts = {.instance = "rev-1.a",
                               .invocation = UINT32_MAX,
                               .delivery_attempt = 5,
                               .age_ns = 1,
                               .ready_ns = INT64_MAX,
                               .published_wall_ns = 3,
                               .arrived_wall_ns = 4,
                               .sent_wall_ns = 5,
                               .exchange_wall_ns = {6, 7, 8, 9}};
  const psprobe_facts none = {0};
  scratch_seen all;
  finished.result.cadence = PSPROBE_CADENCE_COLD;
  finished.result.answers[0].facts = facts;
  finished.result.answers[0].received_wall_ns = 77;
  scratch_add(store, 1, &finished);
  finished = scratch_finished(2); /* the same name, of another source: another instance */
  finished.result.answers[1].facts = facts;
  scratch_add(store, 1, &finished);
  finished = scratch_finished(1);
  finished.update = true;
  finished.result.answers[0].duplicates = 3;
  scratch_add(store, 1, &finished);
  scratch_read(store, NULL, &all);
  assert_int_equal(all.rows[0].result.cadence, PSPROBE_CADENCE_COLD);
  assert_memory_equal(&all.rows[0].result.answers[0].facts, &facts, sizeof facts);
  assert_memory_equal(&all.rows[0].result.answers[1].facts, &none, sizeof none);
  assert_int_equal(all.rows[0].result.answers[0].received_wall_ns, 77);
  assert_int_equal(all.rows[0].result.answers[0].duplicates, 3);
  assert_memory_equal(&all.rows[1].result.answers[1].facts, &facts, sizeof facts);
  assert_int_equal(all.rows[1].result.cadence, PSPROBE_CADENCE_STEADY);
  psprobe_store_free(store);
}

static void test_refused_whole(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run run = scratch_run(1), other = scratch_run(2);
  psprobe_error error = {0};
  psprobe_finished batch[3] = {scratch_finished(1), scratch_finished(2), scratch_finished(3)};
  scratch_seen all;
  strcpy(batch[1].result.id, "not-an-id");
  assert_int_equal(psprobe_store_add(store, run.id, batch, 3, &error), PSPROBE_INVALID_ARGUMENT);
  batch[1] = scratch_finished(2);
  batch[2].result.source_count = 1;
  assert_int_equal(psprobe_store_add(store, run.id, batch, 3, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "1 answers, its run 2"));
  assert_int_equal(psprobe_store_add(store, other.id, batch, 2, &error), PSPROBE_NOT_FOUND);
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 0); /* all or nothing */
  assert_int_equal(psprobe_store_add(store, run.id, batch, 2, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_add(store, run.id, batch, 0, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_begin_run(store, &other, NULL), PSPROBE_OK);
  batch[0].update = true;
  assert_int_equal(psprobe_store_add(store, other.id, batch, 1, NULL), PSPROBE_ALREADY_EXISTS);
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

static void test_order_and_filters(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run second = scratch_run(2);
  psprobe_error error = {0};
  scratch_seen all;
  static const uint64_t order[] = {5, 1, 4, 2, 3};
  for (size_t i = 0; i < 5; i++) {
    psprobe_finished finished = scratch_finished(order[i]);
    scratch_add(store, 1, &finished);
  }
  assert_int_equal(psprobe_store_begin_run(store, &second, NULL), PSPROBE_OK);
  for (uint64_t i = 10; i < 13; i++) {
    psprobe_finished finished = scratch_finished(i);
    scratch_add(store, 2, &finished);
  }
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 8);
  for (size_t i = 1; i < all.count; i++)
    assert_true(all.rows[i - 1].result.sent_wall_ns < all.rows[i].result.sent_wall_ns);
  static const int64_t at = SCRATCH_SENT_NS, step = 5000000000;
  char prefix[9] = "";
  memcpy(prefix, second.id, 8);
  const struct {
    psprobe_filter filter;
    size_t count;
  } cases[] = {
      {{0}, 8},
      {{.run = "last"}, 3},
      {{.run = second.id}, 3},
      {{.run = prefix}, 3},
      {{.since_wall_ns = at + 3 * step}, 6},
      {{.until_wall_ns = at + 3 * step}, 2},
      {{.since_wall_ns = at + 3 * step, .until_wall_ns = at + 5 * step}, 2},
      {{.run = "last", .until_wall_ns = at + 11 * step}, 1},
      {{.run = "last", .until_wall_ns = at + 5 * step}, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    scratch_read(store, &cases[i].filter, &all);
    if (all.count != cases[i].count) fail_msg("case %zu: %zu rows", i, all.count);
    if (cases[i].filter.run != NULL && all.count > 0) assert_string_equal(all.run_id, second.id);
  }
  psprobe_filter filter = {.run = "ffffffffffff"};
  assert_int_equal(psprobe_store_each(store, &filter, scratch_see, &all, &error),
                   PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "begins with \"ffffffffffff\""));
  filter.run = "";
  assert_int_equal(psprobe_store_each(store, &filter, scratch_see, &all, &error),
                   PSPROBE_INVALID_ARGUMENT);
  filter.run = "%"; /* a pattern for nobody */
  assert_int_equal(psprobe_store_each(store, &filter, scratch_see, &all, &error),
                   PSPROBE_NOT_FOUND);
  memset(&all, 0, sizeof all);
  all.stop_after = 2;
  assert_int_equal(psprobe_store_each(store, NULL, scratch_see, &all, &error), PSPROBE_OK);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

/* A callback may use the store that calls it. */
static bool add_more(void *arg, const psprobe_row *row) {
  psprobe_finished finished = scratch_finished(100);
  assert_int_equal(psprobe_store_add(arg, row->run->id, &finished, 1, NULL), PSPROBE_OK);
  return true;
}

static void test_callback_may_write(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_finished finished = scratch_finished(1);
  scratch_add(store, 1, &finished);
  assert_int_equal(psprobe_store_each(store, NULL, add_more, store, NULL), PSPROBE_OK);
  scratch_seen all;
  scratch_read(store, NULL, &all);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

static void test_sixteen_sources(void **state) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                      "i", "j", "k", "l", "m", "n", "o", "p"};
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run run = scratch_run(1);
  psprobe_finished finished = scratch_finished(1);
  run.source_count = finished.result.source_count = PSPROBE_MAX_SOURCES;
  for (size_t i = 0; i < PSPROBE_MAX_SOURCES; i++) {
    run.sources[i] = names[i];
    finished.result.answers[i].elapsed_ns = (int64_t)i;
  }
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  scratch_add(store, 1, &finished);
  scratch_seen all;
  scratch_read(store, NULL, &all);
  assert_int_equal(all.rows[0].result.source_count, PSPROBE_MAX_SOURCES);
  for (size_t i = 0; i < PSPROBE_MAX_SOURCES; i++)
    assert_int_equal(all.rows[0].result.answers[i].elapsed_ns, i);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_round_trip),      TEST(test_added_twice),       TEST(test_facts),
      TEST(test_refused_whole),   TEST(test_order_and_filters), TEST(test_callback_may_write),
      TEST(test_sixteen_sources),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
