/* SPDX-License-Identifier: MIT */
/** @file Files of earlier versions: read as they are, brought to this one by who writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "results/digests/digested.h"
#include "results/store/store.h"
#include "results/upload/outbox.h"
#include "scratch.h"

/* Written by version 0.1.0: 40 probes of two sources and one of another run. */
#define VERSION_1 "tests/data/results/version-1.db"
/* By the version before probes were kept from their sending on: 28 of a run that finished (4 of
 * them rare), all in Firestore, 6 of another source and 34 of a run that was killed. */
#define VERSION_2 "tests/data/results/version-2.db"
/* By the version before blocks of probes were summed up: 91 of a run that was killed, 2 of them
 * rare, and 110 planned. */
#define VERSION_3 "tests/data/results/version-3.db"

static const char *copy(void **state, const char *version) {
  const char *path = scratch_file(state, "old.db");
  psp_buf bytes = test_file(version);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
  fclose(file);
  psp_buf_free(&bytes);
  return path;
}

static int64_t ask(const char *path, const char *sql) {
  sqlite3 *db = NULL;
  int64_t value = -1;
  assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  assert_int_equal(psp_sql_int64(db, sql, &value), SQLITE_OK);
  sqlite3_close(db);
  return value;
}

static void expect_rows(psprobe_store *store) {
  static scratch_seen seen;
  seen = (scratch_seen){0};
  scratch_read(store, NULL, &seen);
  assert_int_equal(seen.count, 41);
  const psprobe_result *r = &seen.rows[3].result;
  assert_string_equal(r->id, "00000000000000000000000000000103");
  assert_int_equal(r->cadence, PSPROBE_CADENCE_STEADY);
  assert_int_equal(r->source_count, 2);
  assert_int_equal(r->publish_ns, 9000003);
  assert_int_equal(r->answers[0].duplicates, 3);
  assert_int_equal(r->answers[0].elapsed_ns, 46000000);
  assert_int_equal(r->answers[0].handled_ns, -1);
  assert_int_equal(seen.rows[0].result.answers[0].cold, true);
  assert_int_equal(seen.rows[5].result.answers[0].status, PSPROBE_LOST);
  assert_int_equal(seen.rows[9].result.answers[1].status, PSPROBE_LATE);
  assert_true(seen.rows[9].uploaded);
  assert_false(seen.rows[10].uploaded);
  assert_int_equal(seen.rows[40].result.source_count, 1);
  for (size_t i = 0; i < seen.count; i++) {
    const psprobe_facts none = {0};
    assert_memory_equal(&seen.rows[i].result.answers[0].facts, &none, sizeof none);
    assert_int_equal(seen.rows[i].result.answers[0].received_wall_ns, 0);
  }
}

static void test_read_as_it_is(void **state) {
  const char *path = copy(state, VERSION_1);
  psprobe_store *store = scratch_store(path, true);
  uint64_t backlog = 0;
  expect_rows(store);
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 32);
  psprobe_store_free(store);
  assert_int_equal(ask(path, "PRAGMA user_version"), 1);
}

static void test_brought_to_this_version(void **state) {
  const char *path = copy(state, VERSION_1);
  psprobe_store *store = scratch_store(path, false);
  assert_int_equal(ask(path, "PRAGMA user_version"), PSP_SCHEMA_VERSION);
  assert_int_equal(ask(path, "SELECT count(*) FROM answers WHERE delivery = 1"), 81);
  assert_int_equal(ask(path,
                       "SELECT count(*) FROM answers WHERE received_ns IS NOT NULL OR age_ns "
                       "IS NOT NULL OR t1_ns IS NOT NULL OR instance IS NOT NULL"),
                   0);
  assert_int_equal(ask(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  expect_rows(store);
  /* What waited to be uploaded still does, and what was refused still is. */
  uint64_t rows = 0, refused = 0;
  assert_int_equal(psp_outbox_count(store, &rows, &refused, NULL), PSPROBE_OK);
  assert_int_equal(rows, 32);
  assert_int_equal(refused, 1);
  psprobe_run run = scratch_run(9);
  psprobe_finished finished = scratch_finished(1);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  scratch_add(store, 9, &finished);
  psprobe_store_free(store);
  store = scratch_store(path, false); /* and only once */
  assert_int_equal(scratch_rows(path), 42);
  psprobe_store_free(store);
}

typedef struct tally {
  uint64_t rows, uploaded, statuses[PSPROBE_LATE + 1], named, rare;
} tally;

static bool count_row(void *arg, const psprobe_row *row) {
  tally *all = arg;
  all->rows++;
  all->uploaded += row->uploaded;
  all->rare += row->result.cadence == PSPROBE_CADENCE_COLD;
  for (size_t i = 0; i < row->result.source_count; i++) {
    all->statuses[row->result.answers[i].status]++;
    all->named += row->result.answers[i].facts.instance[0] != '\0';
  }
  return true;
}

static void expect_version_2(psprobe_store *store) {
  tally all = {0};
  uint64_t backlog = 0;
  assert_int_equal(psprobe_store_each(store, NULL, count_row, &all, NULL), PSPROBE_OK);
  assert_int_equal(all.rows, 68);
  assert_int_equal(all.uploaded, 28);
  assert_int_equal(all.rare, 4);
  assert_int_equal(all.statuses[PSPROBE_LOST], 78);
  assert_int_equal(all.statuses[PSPROBE_ANSWERED], 47);
  assert_int_equal(all.statuses[PSPROBE_LATE], 5);
  assert_int_equal(all.named, 52);
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 40);
}

static bool take_ending(void *arg, const psprobe_run *run) {
  psprobe_ending **next = arg;
  assert_null(run->region);
  *(*next)++ = run->ending;
  return true;
}

static void expect_endings(psprobe_store *store, psprobe_ending killed) {
  psprobe_ending endings[3], *next = endings;
  assert_int_equal(psprobe_store_each_run(store, NULL, take_ending, &next, NULL), PSPROBE_OK);
  assert_ptr_equal(next, endings + 3);
  assert_int_equal(endings[0], PSPROBE_ENDING_UNKNOWN);
  assert_int_equal(endings[2], killed);
}

/* Version 2, read as it is; then by who writes, who also sees that a run was killed. */
static void test_version_2(void **state) {
  const char *path = copy(state, VERSION_2);
  psprobe_store *store = scratch_store(path, true);
  expect_version_2(store);
  expect_endings(store, PSPROBE_ENDING_UNKNOWN);
  psprobe_store_free(store);
  assert_int_equal(ask(path, "PRAGMA user_version"), 2);
  store = scratch_store(path, false);
  assert_int_equal(ask(path, "PRAGMA user_version"), PSP_SCHEMA_VERSION);
  assert_int_equal(ask(path, "SELECT count(*) FROM probes WHERE state = 2"), 68);
  assert_int_equal(ask(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  expect_version_2(store);
  expect_endings(store, PSPROBE_ENDING_INTERRUPTED);
  psprobe_store_free(store);
  /* The last that is known of it. */
  assert_int_equal(ask(path,
                       "SELECT ended_ns = (SELECT max(sent_ns) FROM probes WHERE run = runs.seq) "
                       "FROM runs WHERE ending = 3"),
                   1);
}

static void test_version_3(void **state) {
  const char *path = copy(state, VERSION_3);
  psprobe_store *store = scratch_store(path, true);
  tally all = {0};
  psp_digested digested = {0};
  const psp_digesting what = {.store = store};
  assert_int_equal(psprobe_store_each(store, NULL, count_row, &all, NULL), PSPROBE_OK);
  assert_int_equal(all.rows, 91);
  assert_int_equal(all.rare, 2);
  assert_int_equal(psp_digested_read(&digested, &what, NULL), PSPROBE_OK);
  assert_int_equal(digested.probes, 89);
  assert_int_equal(digested.columns.apart->count, 2);
  psp_digested_free(&digested);
  psprobe_store_free(store);
  assert_int_equal(ask(path, "PRAGMA user_version"), 3);
  store = scratch_store(path, false);
  assert_int_equal(ask(path, "PRAGMA user_version"), PSP_SCHEMA_VERSION);
  assert_true(ask(path, "SELECT count(*) FROM probes WHERE state = 2") >= 91);
  assert_int_equal(ask(path, "SELECT count(*) FROM digests"), 0);
  assert_int_equal(ask(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  psprobe_store_free(store);
}

/* What cannot be brought over is left as it was. */
static void test_a_migration_that_fails(void **state) {
  const char *path = copy(state, VERSION_1);
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(psp_sql_run(db, "CREATE TABLE answers_1 (x)"), SQLITE_OK);
  sqlite3_close(db);
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  assert_int_not_equal(psprobe_store_new(path, NULL, &store, &error), PSPROBE_OK);
  assert_non_null(strstr(error.message, "bring to this version"));
  assert_int_equal(ask(path, "PRAGMA user_version"), 1);
  store = scratch_store(path, true);
  expect_rows(store);
  psprobe_store_free(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_read_as_it_is, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_brought_to_this_version, scratch_setup,
                                      scratch_teardown),
      cmocka_unit_test_setup_teardown(test_version_2, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_version_3, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_a_migration_that_fails, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
