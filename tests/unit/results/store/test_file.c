/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "results/store/store.h"
#include "scratch.h"

static void run_sql(sqlite3 *db, const char *sql) {
  if (psp_sql_run(db, sql) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3 *open_tool(const char *path) {
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  run_sql(db, "PRAGMA journal_mode = DELETE");
  return db;
}

static void expect(const char *path, bool read_only, psprobe_code wanted, const char *part) {
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  const psprobe_store_options how = {.read_only = read_only};
  psprobe_code code = psprobe_store_new(path, &how, &store, &error);
  psprobe_store_free(store);
  if (code != wanted || strstr(error.message, part) == NULL)
    fail_msg("%s: %s", psprobe_code_name(code), error.message);
}

static void append(const char *path, const void *data, size_t len) {
  FILE *file = fopen(path, "ab");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  fclose(file);
}

static void copy(const char *from, const char *to) {
  psp_buf bytes = test_file(from);
  append(to, bytes.data, bytes.len);
  psp_buf_free(&bytes);
}

static void put_number(const char *path, uint32_t number) {
  const unsigned char bytes[4] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                  (unsigned char)(number >> 8), (unsigned char)number};
  append(path, bytes, sizeof bytes);
}

/* Leaves `path` as in the midst of a transaction that is too large for memory, with its journal. */
static void leave_hot(const char *own, const char *path, const char *journal) {
  char name[600];
  psprobe_store_free(scratch_store(own, false));
  sqlite3 *db = open_tool(own);
  run_sql(db,
          "PRAGMA cache_size = 1; BEGIN; CREATE TABLE more (x);"
          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
          " INSERT INTO more SELECT hex(zeroblob(100)) FROM n");
  snprintf(name, sizeof name, "%s-journal", own);
  copy(own, path);
  copy(name, journal);
  sqlite3_close(db);
}

/* Whoever rolls back a journal that names a super-journal deletes that: any file of the user's. */
static void test_a_journal_that_names_a_file(void **state) {
  static const unsigned char magic[] = {0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7};
  char path[500], journal[520], log[520], precious[500];
  const unsigned char write_ahead[] = {2, 2};
  snprintf(path, sizeof path, "%s", scratch_file(state, "r.db"));
  snprintf(precious, sizeof precious, "%s", scratch_file(state, "precious"));
  snprintf(journal, sizeof journal, "%s-journal", path);
  snprintf(log, sizeof log, "%s-wal", path);
  leave_hot(scratch_file(state, "own.db"), path, journal);
  FILE *file = fopen(path, "r+b"); /* as a file with a write-ahead log, and an empty one beside */
  assert_non_null(file);
  assert_int_equal(fseek(file, 18, SEEK_SET), 0);
  assert_int_equal(fwrite(write_ahead, 1, 2, file), 2);
  fclose(file);
  append(log, "", 0);
  append(precious, "mine\n", 5);
  uint32_t sum = 0;
  for (size_t i = 0; precious[i] != '\0'; i++)
    sum += (unsigned char)precious[i];
  put_number(journal, 0x40000000 / 4096 + 1);
  append(journal, precious, strlen(precious));
  put_number(journal, (uint32_t)strlen(precious));
  put_number(journal, sum);
  append(journal, magic, sizeof magic);
  expect(path, true, PSPROBE_FAILED_PRECONDITION, "r.db-journal is no journal of ours");
  assert_int_equal(access(precious, F_OK), 0);
  expect(path, false, PSPROBE_FAILED_PRECONDITION, "r.db-journal is no journal of ours");
  assert_int_equal(access(precious, F_OK), 0);
}

/* A pipe in a journal's place keeps who opens it for ever. */
static void test_no_plain_file_beside(void **state) {
  static const char *const names[] = {"r.db-wal", "r.db-shm", "r.db-journal"};
  psprobe_store_free(scratch_store(scratch_file(state, "r.db"), false));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    assert_int_equal(mkfifo(scratch_file(state, names[i]), 0600), 0);
    expect(scratch_file(state, "r.db"), true, PSPROBE_FAILED_PRECONDITION, names[i]);
    expect(scratch_file(state, "r.db"), false, PSPROBE_FAILED_PRECONDITION, names[i]);
    assert_int_equal(unlink(scratch_file(state, names[i])), 0);
  }
}

static void test_a_column_that_computes(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store_free(scratch_store(path, false));
  sqlite3 *db = open_tool(path);
  run_sql(db,
          "ALTER TABLE runs DROP COLUMN host;"
          "ALTER TABLE runs ADD COLUMN host TEXT AS (hex(zeroblob(400000000)))");
  sqlite3_close(db);
  expect(path, true, PSPROBE_DATA_LOSS, "is damaged");
}

static void test_a_text_without_end(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store *store = scratch_store(path, false);
  psprobe_run run = scratch_run(1);
  static scratch_seen seen;
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  sqlite3 *db = open_tool(path);
  run_sql(db, "UPDATE runs SET host = hex(zeroblob(9000000))");
  sqlite3_close(db);
  store = scratch_store(path, true);
  seen = (scratch_seen){0};
  assert_int_equal(psprobe_store_each(store, NULL, scratch_see, &seen, NULL),
                   PSPROBE_RESOURCE_EXHAUSTED);
  psprobe_store_free(store);
}

/* Nothing that a file brings along is run when we write. */
static void test_a_trigger(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store_free(scratch_store(path, false));
  sqlite3 *db = open_tool(path);
  run_sql(db,
          "CREATE TRIGGER t AFTER INSERT ON runs BEGIN"
          " SELECT raise(ABORT, 'a trigger was run'); END");
  sqlite3_close(db);
  psprobe_store *store = scratch_store(path, false);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

/* Locks of this process on a file (proc(5), /proc/locks). */
static int locks_on(const char *path) {
  char line[200];
  struct stat info;
  unsigned long inode = 0;
  int count = 0, pid = 0;
  FILE *locks = fopen("/proc/locks", "r");
  assert_int_equal(stat(path, &info), 0);
  assert_non_null(locks);
  while (fgets(line, sizeof line, locks) != NULL)
    if (sscanf(line, "%*s %*s %*s %*s %d %*x:%*x:%lu", &pid, &inode) == 2)
      count += pid == getpid() && inode == (unsigned long)info.st_ino;
  fclose(locks);
  return count;
}

/* Who looks at what stands beside a file that this process writes closes no index of it, which
 * would drop the writer's locks on it. */
static void test_a_reader_beside_our_own_writer(void **state) {
  psprobe_store *writer = scratch_begin(state, 1), *reader = NULL;
  const psprobe_store_options how = {.read_only = true};
  const char *index = scratch_file(state, "r.db-shm");
  const int before = locks_on(index);
  assert_true(before > 0);
  assert_int_equal(psprobe_store_new(scratch_file(state, "r.db"), &how, &reader, NULL), PSPROBE_OK);
  assert_int_equal(locks_on(index), before);
  psprobe_store_free(reader);
  assert_int_equal(locks_on(index), before);
  psprobe_store_free(writer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_journal_that_names_a_file),
      TEST(test_no_plain_file_beside),
      TEST(test_a_column_that_computes),
      TEST(test_a_text_without_end),
      TEST(test_a_trigger),
      TEST(test_a_reader_beside_our_own_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
