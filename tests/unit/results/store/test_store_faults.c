/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_client.h"
#include "fake_firestore.h"
#include "results/store/store.h"
#include "scratch.h"

static int rows_of(psprobe_store *store) {
  int rows = 0;
  assert_int_equal(psprobe_store_each(store, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
  return rows;
}

static psprobe_store *begin(const char *path, psprobe_run *run) {
  psprobe_store *store = scratch_store(path, false);
  *run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(store, run, NULL), PSPROBE_OK);
  return store;
}

static psprobe_code add(psprobe_store *store, const psprobe_run *run, uint64_t number,
                        psprobe_error *error) {
  psprobe_finished finished = scratch_finished(number);
  psprobe_error_clear(error);
  return psprobe_store_add(store, run->id, &finished, 1, error);
}

/* A full disk: told, nothing half written, and once there is room it goes on. */
static void test_full(void **state) {
  psprobe_run run;
  psprobe_error error = {0};
  psprobe_store *store = begin(scratch_file(state, "r.db"), &run);
  assert_int_equal(psp_sql_run(store->db, "PRAGMA max_page_count = 20"), SQLITE_OK);
  uint64_t kept = 0;
  while (kept < 10000 && add(store, &run, kept, &error) == PSPROBE_OK)
    kept++;
  assert_true(kept > 10 && kept < 10000);
  assert_int_equal(error.code, PSPROBE_RESOURCE_EXHAUSTED);
  assert_non_null(strstr(error.message, "r.db"));
  assert_non_null(strstr(error.message, "full"));
  assert_int_equal(rows_of(store), kept);
  assert_int_equal(add(store, &run, kept, &error), PSPROBE_RESOURCE_EXHAUSTED);
  assert_int_equal(psp_sql_run(store->db, "PRAGMA max_page_count = 1000000"), SQLITE_OK);
  assert_int_equal(add(store, &run, kept, &error), PSPROBE_OK);
  assert_int_equal(rows_of(store), kept + 1);
  psprobe_store_free(store);
}

/* Some other tool has the file locked. */
static void test_locked(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_run run;
  psprobe_error error = {0};
  sqlite3 *other = NULL;
  psprobe_store *store = begin(path, &run);
  sqlite3_busy_timeout(store->db, 20);
  assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
  assert_int_equal(psp_sql_run(other, "BEGIN IMMEDIATE"), SQLITE_OK);
  assert_int_equal(add(store, &run, 1, &error), PSPROBE_UNAVAILABLE);
  assert_true(error.retryable);
  assert_non_null(strstr(error.message, "locked"));
  assert_int_equal(rows_of(store), 0); /* reading goes on */
  assert_int_equal(psp_sql_run(other, "ROLLBACK"), SQLITE_OK);
  assert_int_equal(add(store, &run, 1, &error), PSPROBE_OK);
  sqlite3_close(other);
  psprobe_store_free(store);
}

/* The file cannot take the marks: the documents are not made twice for it. */
static void test_marks_that_fail(void **state) {
  const char *path = scratch_file(state, "r.db");
  void *client = NULL;
  psprobe_run run;
  psprobe_error error = {0};
  sqlite3 *other = NULL;
  psprobe_uploader *uploader = NULL;
  psprobe_uploader_stats stats;
  fake_client_setup(&client);
  fake_firestore *firestore =
      fake_firestore_new(((fake_client *)client)->fake, scratch_file(state, "documents"));
  psprobe_store *store = begin(path, &run);
  for (uint64_t i = 0; i < 5; i++)
    assert_int_equal(add(store, &run, i, &error), PSPROBE_OK);
  sqlite3_busy_timeout(store->db, 20);
  assert_int_equal(
      psprobe_uploader_new(store, ((fake_client *)client)->client, NULL, &uploader, &error),
      PSPROBE_OK);
  assert_int_equal(psprobe_uploader_flush(uploader, INT64_C(20000000000), &error), PSPROBE_OK);
  for (uint64_t i = 5; i < 8; i++)
    assert_int_equal(add(store, &run, i, &error), PSPROBE_OK);
  assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
  assert_int_equal(psp_sql_run(other, "BEGIN IMMEDIATE"), SQLITE_OK);
  for (int i = 0; i < 200; i++) { /* until a mark has failed */
    psprobe_uploader_flush(uploader, 20000000, &error);
    psprobe_uploader_get_stats(uploader, &stats);
    if (stats.failures > 0) break;
  }
  assert_true(stats.failures > 0);
  assert_int_equal(stats.backlog, 3);
  assert_int_equal(fake_firestore_count(firestore), 8);
  assert_int_equal(psp_sql_run(other, "ROLLBACK"), SQLITE_OK);
  sqlite3_close(other);
  assert_int_equal(psprobe_uploader_flush(uploader, INT64_C(20000000000), &error), PSPROBE_OK);
  for (uint64_t i = 0; i < 8; i++) {
    char id[PSPROBE_ID_SIZE];
    scratch_id(id, i);
    assert_int_equal(fake_firestore_creates(firestore, id), 1);
  }
  psprobe_uploader_free(uploader);
  psprobe_store_free(store);
  fake_client_teardown(&client);
  fake_firestore_free(firestore);
}

/* Names that no way in would take, in a file of a stranger's. */
static void test_names_that_cannot_go_round(void **state) {
  static const struct {
    const char *change, *says;
  } cases[] = {
      {"UPDATE sources SET name = 'a' || char(10) || 'b' WHERE position = 1",
       "source \"a\\x0Ab\": the name holds a character that cannot be seen"},
      {"UPDATE sources SET name = (SELECT name FROM sources WHERE position = 0)",
       "source \"cloud_function\": it is named twice"},
      {"UPDATE runs SET id = 'a/b'", "run \"a/b\": the name holds a /"},
      {"UPDATE runs SET id = ''", "run \"\": the name is empty"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[32];
    int rows = 0;
    psprobe_run run;
    psprobe_error error = {0};
    sqlite3 *other = NULL;
    snprintf(name, sizeof name, "n%zu.db", i);
    const char *path = scratch_file(state, name);
    psprobe_store_free(begin(path, &run));
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(psp_sql_run(other, cases[i].change), SQLITE_OK);
    sqlite3_close(other);
    psprobe_store *store = scratch_store(path, true);
    assert_int_equal(psprobe_store_each(store, NULL, scratch_count_row, &rows, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].says) == NULL) fail_msg("%s", error.message);
    psprobe_store_free(store);
  }
}

/* Values that we never write, in a file that bears our mark. */
static void test_rows_that_make_no_sense(void **state) {
  static const char *const changes[] = {
      "UPDATE answers SET status = 7",
      "UPDATE answers SET position = 99 WHERE position = 1",
      "UPDATE answers SET position = 15 WHERE position = 1",
      "UPDATE answers SET duplicates = -1",
      "UPDATE probes SET run = 77",
      "UPDATE probes SET id = id || 'x'",
      "UPDATE probes SET id = 'a' || char(27)",
      "UPDATE probes SET id = '../x'",
      "DELETE FROM sources WHERE position = 1",
  };
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    char name[32];
    int rows = 0;
    psprobe_run run;
    psprobe_error error = {0};
    sqlite3 *other = NULL;
    snprintf(name, sizeof name, "r%zu.db", i);
    const char *path = scratch_file(state, name);
    psprobe_store *store = begin(path, &run);
    assert_int_equal(add(store, &run, 1, &error), PSPROBE_OK);
    psprobe_store_free(store);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(psp_sql_run(other, changes[i]), SQLITE_OK);
    sqlite3_close(other);
    store = scratch_store(path, true);
    if (psprobe_store_each(store, NULL, scratch_count_row, &rows, &error) != PSPROBE_DATA_LOSS)
      fail_msg("%s: %s", changes[i], error.message);
    psprobe_store_free(store);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_full),
      TEST(test_locked),
      TEST(test_marks_that_fail),
      TEST(test_rows_that_make_no_sense),
      TEST(test_names_that_cannot_go_round),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
