/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "results/upload/outbox.h"
#include "scratch.h"

typedef struct seen {
  size_t count;
  psprobe_row rows[64];
  psprobe_run run;
  char run_id[PSPROBE_ID_SIZE];
  size_t stop_after;
} seen;

static bool remember(void *arg, const psprobe_row *row) {
  seen *all = arg;
  all->rows[all->count++] = *row;
  strcpy(all->run_id, row->run->id);
  return all->count != all->stop_after;
}

static void read_all(psprobe_store *store, const psprobe_filter *filter, seen *all) {
  psprobe_error error = {0};
  memset(all, 0, sizeof *all);
  if (psprobe_store_each(store, filter, remember, all, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

static psprobe_store *begin(void **state, uint64_t number) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run run = scratch_run(number);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  return store;
}

static void add(psprobe_store *store, uint64_t run_number, const psprobe_finished *finished) {
  char id[PSPROBE_ID_SIZE];
  psprobe_error error = {0};
  scratch_id(id, run_number);
  if (psprobe_store_add(store, id, finished, 1, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

/* Every field comes back as it was, at its extremes too. */
static void test_round_trip(void **state) {
  psprobe_store *store = begin(state, 1);
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
  add(store, 1, &finished);
  seen all;
  read_all(store, NULL, &all);
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

static bool keep_run(void *arg, const psprobe_run *run) {
  psprobe_run *out = arg;
  assert_string_equal(run->project, "demo-p");
  assert_string_equal(run->topic, "probes");
  assert_string_equal(run->sources[0], "cloud_function");
  assert_string_equal(run->sources[1], "regular_service");
  if (run->settings != NULL) assert_string_equal(run->settings, "{\"pulls\":4}");
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  if (run->settings == NULL) assert_string_equal(run->host, host);
  assert_string_equal(run->version, psprobe_version());
  *out = *run;
  return true;
}

static void test_runs(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run run = scratch_run(1), back = {0};
  psprobe_error error = {0};
  run.host = NULL;
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_each_run(store, NULL, keep_run, &back, NULL), PSPROBE_OK);
  assert_string_equal(back.id, run.id);
  assert_int_equal(back.ended_wall_ns, 0);
  assert_int_equal(back.interval_ns, run.interval_ns);
  assert_int_equal(back.timeout_ns, run.timeout_ns);
  assert_int_equal(back.started_wall_ns, run.started_wall_ns);
  assert_int_equal(psprobe_store_end_run(store, run.id, 12345, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_each_run(store, NULL, keep_run, &back, NULL), PSPROBE_OK);
  assert_int_equal(back.ended_wall_ns, 12345);
  assert_int_equal(psprobe_store_begin_run(store, &run, &error), PSPROBE_ALREADY_EXISTS);
  run = scratch_run(2);
  assert_int_equal(psprobe_store_end_run(store, run.id, 1, &error), PSPROBE_NOT_FOUND);
  run.settings = "{\"pulls\":4}";
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  psprobe_filter last = {.run = "last"};
  assert_int_equal(psprobe_store_each_run(store, &last, keep_run, &back, NULL), PSPROBE_OK);
  assert_string_equal(back.id, run.id);
  psprobe_store_free(store);
}

static void test_bad_runs(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run good = scratch_run(1), bad;
  bad = good;
  strcpy(bad.id, "x");
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.source_count = 0;
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad.source_count = PSPROBE_MAX_SOURCES + 1;
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.sources[1] = "No Name";
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.settings = "[1]";
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad.settings = "{";
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.sources[1] = bad.sources[0]; /* two sources of one name could not be told apart */
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  psprobe_store_free(store);
}

static void test_added_twice(void **state) {
  psprobe_store *store = begin(state, 1);
  psprobe_finished finished = scratch_finished(1);
  seen all;
  add(store, 1, &finished);
  finished.result.answers[0].elapsed_ns = 1;
  add(store, 1, &finished); /* the first stands */
  read_all(store, NULL, &all);
  assert_int_equal(all.count, 1);
  assert_int_equal(all.rows[0].result.answers[0].elapsed_ns, 60000001);
  finished.update = true;
  finished.result.publish_ns = 77;
  finished.result.answers[1].duplicates = 5;
  add(store, 1, &finished);
  read_all(store, NULL, &all);
  assert_int_equal(all.count, 1);
  assert_int_equal(all.rows[0].result.answers[0].elapsed_ns, 1);
  assert_int_equal(all.rows[0].result.answers[1].duplicates, 5);
  assert_int_equal(all.rows[0].result.publish_ns, 77);
  finished = scratch_finished(2); /* an update of what never came is a result all the same */
  finished.update = true;
  add(store, 1, &finished);
  read_all(store, NULL, &all);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

static void test_refused_whole(void **state) {
  psprobe_store *store = begin(state, 1);
  psprobe_run run = scratch_run(1), other = scratch_run(2);
  psprobe_error error = {0};
  psprobe_finished batch[3] = {scratch_finished(1), scratch_finished(2), scratch_finished(3)};
  seen all;
  strcpy(batch[1].result.id, "not-an-id");
  assert_int_equal(psprobe_store_add(store, run.id, batch, 3, &error), PSPROBE_INVALID_ARGUMENT);
  batch[1] = scratch_finished(2);
  batch[2].result.source_count = 1;
  assert_int_equal(psprobe_store_add(store, run.id, batch, 3, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "1 answers, its run 2"));
  assert_int_equal(psprobe_store_add(store, other.id, batch, 2, &error), PSPROBE_NOT_FOUND);
  read_all(store, NULL, &all);
  assert_int_equal(all.count, 0); /* all or nothing */
  assert_int_equal(psprobe_store_add(store, run.id, batch, 2, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_add(store, run.id, batch, 0, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_begin_run(store, &other, NULL), PSPROBE_OK);
  batch[0].update = true;
  assert_int_equal(psprobe_store_add(store, other.id, batch, 1, NULL), PSPROBE_ALREADY_EXISTS);
  read_all(store, NULL, &all);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

static void test_order_and_filters(void **state) {
  psprobe_store *store = begin(state, 1);
  psprobe_run second = scratch_run(2);
  psprobe_error error = {0};
  seen all;
  static const uint64_t order[] = {5, 1, 4, 2, 3};
  for (size_t i = 0; i < 5; i++) {
    psprobe_finished finished = scratch_finished(order[i]);
    add(store, 1, &finished);
  }
  assert_int_equal(psprobe_store_begin_run(store, &second, NULL), PSPROBE_OK);
  for (uint64_t i = 10; i < 13; i++) {
    psprobe_finished finished = scratch_finished(i);
    add(store, 2, &finished);
  }
  read_all(store, NULL, &all);
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
    read_all(store, &cases[i].filter, &all);
    if (all.count != cases[i].count) fail_msg("case %zu: %zu rows", i, all.count);
    if (cases[i].filter.run != NULL && all.count > 0) assert_string_equal(all.run_id, second.id);
  }
  psprobe_filter filter = {.run = "ffffffffffff"};
  assert_int_equal(psprobe_store_each(store, &filter, remember, &all, &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "begins with \"ffffffffffff\""));
  filter.run = "";
  assert_int_equal(psprobe_store_each(store, &filter, remember, &all, &error),
                   PSPROBE_INVALID_ARGUMENT);
  filter.run = "%"; /* a pattern for nobody */
  assert_int_equal(psprobe_store_each(store, &filter, remember, &all, &error), PSPROBE_NOT_FOUND);
  memset(&all, 0, sizeof all);
  all.stop_after = 2;
  assert_int_equal(psprobe_store_each(store, NULL, remember, &all, &error), PSPROBE_OK);
  assert_int_equal(all.count, 2);
  psprobe_store_free(store);
}

static bool count_run(void *arg, const psprobe_run *run) {
  (void)run;
  ++*(int *)arg;
  return true;
}

static void test_ambiguous_and_no_run(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_error error = {0};
  psprobe_filter last = {.run = "last"}, some = {.run = "abc"};
  int runs = 0;
  assert_int_equal(psprobe_store_each_run(store, &last, count_run, &runs, &error),
                   PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "no run in"));
  for (char c = '0'; c < '3'; c++) {
    psprobe_run run = scratch_run(1);
    memcpy(run.id, "abc", 3);
    run.id[3] = c;
    run.started_wall_ns = (c - '0') * 1000 + 1;
    run.ended_wall_ns = run.started_wall_ns + 500;
    assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  }
  assert_int_equal(psprobe_store_each_run(store, &some, count_run, &runs, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "3 runs"));
  assert_int_equal(psprobe_store_each_run(store, NULL, count_run, &runs, NULL), PSPROBE_OK);
  assert_int_equal(runs, 3);
  psprobe_filter times = {.since_wall_ns = 600, .until_wall_ns = 1500};
  runs = 0;
  assert_int_equal(psprobe_store_each_run(store, &times, count_run, &runs, NULL), PSPROBE_OK);
  assert_int_equal(runs, 1);
  psprobe_store_free(store);
}

/* A callback may use the store that calls it. */
static bool add_more(void *arg, const psprobe_row *row) {
  psprobe_finished finished = scratch_finished(100);
  assert_int_equal(psprobe_store_add(arg, row->run->id, &finished, 1, NULL), PSPROBE_OK);
  return true;
}

static void test_callback_may_write(void **state) {
  psprobe_store *store = begin(state, 1);
  psprobe_finished finished = scratch_finished(1);
  add(store, 1, &finished);
  assert_int_equal(psprobe_store_each(store, NULL, add_more, store, NULL), PSPROBE_OK);
  seen all;
  read_all(store, NULL, &all);
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
  add(store, 1, &finished);
  seen all;
  read_all(store, NULL, &all);
  assert_int_equal(all.rows[0].result.source_count, PSPROBE_MAX_SOURCES);
  for (size_t i = 0; i < PSPROBE_MAX_SOURCES; i++)
    assert_int_equal(all.rows[0].result.answers[i].elapsed_ns, i);
  psprobe_store_free(store);
}

/* Reads and marks as the uploader does. */
static void test_outbox(void **state) {
  psprobe_store *store = begin(state, 1);
  psp_outbox outbox;
  uint64_t rows = 0, refused = 0;
  for (uint64_t i = 1; i <= 5; i++) {
    psprobe_finished finished = scratch_finished(6 - i); /* kept in another order than sent */
    add(store, 1, &finished);
  }
  assert_int_equal(psp_outbox_take(store, 0, 3, &outbox, NULL), PSPROBE_OK);
  assert_int_equal(outbox.count, 3);
  for (size_t i = 0; i < 3; i++) {
    char id[PSPROBE_ID_SIZE];
    scratch_id(id, 5 - i);
    assert_string_equal(outbox.rows[i].result.id, id); /* oldest kept first */
    assert_int_equal(outbox.rows[i].revision, 1);
    assert_int_equal(outbox.rows[i].uploaded, 0);
    assert_int_equal(outbox.rows[i].result.source_count, 2);
    assert_int_equal(outbox.rows[i].result.answers[1].elapsed_ns, 50000005 - (int64_t)i);
  }
  psprobe_finished changed = scratch_finished(5); /* while it is under way */
  changed.update = true;
  add(store, 1, &changed);
  psp_mark marks[] = {PSP_MARK_NEWEST, PSP_MARK_UNWELCOME, PSP_MARK_NONE};
  assert_int_equal(psp_outbox_mark(store, &outbox, marks, NULL), PSPROBE_OK);
  psp_outbox_free(&outbox);
  assert_int_equal(psp_outbox_count(store, &rows, &refused, NULL), PSPROBE_OK);
  assert_int_equal(rows, 5);
  assert_int_equal(refused, 1);
  assert_int_equal(psp_outbox_take(store, 0, 10, &outbox, NULL), PSPROBE_OK);
  assert_int_equal(outbox.count, 4);
  assert_int_equal(outbox.rows[0].revision, 2);
  assert_int_equal(outbox.rows[0].uploaded, 1);
  psp_mark more[] = {PSP_MARK_GONE, PSP_MARK_NEWEST, PSP_MARK_NEWEST, PSP_MARK_NEWEST};
  assert_int_equal(psp_outbox_mark(store, &outbox, more, NULL), PSPROBE_OK);
  psp_outbox_free(&outbox);
  assert_int_equal(psp_outbox_take(store, 0, 10, &outbox, NULL), PSPROBE_OK);
  assert_int_equal(outbox.count, 1);
  assert_int_equal(outbox.rows[0].uploaded, 0); /* to be created again, as it is now */
  assert_int_equal(outbox.rows[0].revision, 2);
  psp_outbox_free(&outbox);
  assert_int_equal(psp_outbox_forgive(store, NULL), PSPROBE_OK);
  assert_int_equal(psp_outbox_count(store, &rows, &refused, NULL), PSPROBE_OK);
  assert_int_equal(rows, 2);
  assert_int_equal(refused, 0);
  seen all;
  read_all(store, NULL, &all);
  assert_true(all.rows[0].uploaded && all.rows[1].uploaded && all.rows[2].uploaded);
  assert_false(all.rows[3].uploaded || all.rows[4].uploaded);
  psprobe_store_free(store);
}

static void test_marks(void **state) {
  (void)state;
  static const struct {
    int64_t revision, uploaded;
    psprobe_code code;
    psp_mark mark;
  } cases[] = {
      {1, 0, PSPROBE_OK, PSP_MARK_NEWEST},
      {3, 1, PSPROBE_OK, PSP_MARK_NEWEST},
      {1, 0, PSPROBE_ALREADY_EXISTS, PSP_MARK_NEWEST},
      {2, 0, PSPROBE_ALREADY_EXISTS, PSP_MARK_FIRST},
      {2, 1, PSPROBE_ALREADY_EXISTS, PSP_MARK_NONE},
      {2, 1, PSPROBE_NOT_FOUND, PSP_MARK_GONE},
      {1, 0, PSPROBE_NOT_FOUND, PSP_MARK_NONE},
      {1, 0, PSPROBE_INVALID_ARGUMENT, PSP_MARK_UNWELCOME},
      {2, 1, PSPROBE_INVALID_ARGUMENT, PSP_MARK_UNWELCOME},
      {1, 0, PSPROBE_UNAVAILABLE, PSP_MARK_NONE},
      {1, 0, PSPROBE_ABORTED, PSP_MARK_NONE},
      {1, 0, PSPROBE_PERMISSION_DENIED, PSP_MARK_NONE},
      {1, 0, PSPROBE_RESOURCE_EXHAUSTED, PSP_MARK_NONE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_stored_row row = {.revision = cases[i].revision, .uploaded = cases[i].uploaded};
    psprobe_error outcome = {.code = cases[i].code, .from_service = true};
    if (psp_mark_of(&row, &outcome) != cases[i].mark) fail_msg("case %zu", i);
  }
}

/* Only Firestore's own word about what a row holds gives it up. */
static void test_whose_word(void **state) {
  (void)state;
  const psp_stored_row row = {.revision = 1};
  psprobe_error outcome = {.code = PSPROBE_INVALID_ARGUMENT, .http_status = 400};
  assert_int_equal(psp_mark_of(&row, &outcome), PSP_MARK_NONE); /* a proxy's page */
  outcome.from_service = true;
  assert_int_equal(psp_mark_of(&row, &outcome), PSP_MARK_UNWELCOME);
  strcpy(outcome.reason, "API_KEY_INVALID"); /* whatever the row */
  assert_int_equal(psp_mark_of(&row, &outcome), PSP_MARK_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_round_trip),
      TEST(test_runs),
      TEST(test_bad_runs),
      TEST(test_added_twice),
      TEST(test_refused_whole),
      TEST(test_order_and_filters),
      TEST(test_ambiguous_and_no_run),
      TEST(test_callback_may_write),
      TEST(test_sixteen_sources),
      TEST(test_outbox),
      cmocka_unit_test(test_marks),
      cmocka_unit_test(test_whose_word),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
