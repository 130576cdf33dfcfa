/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "results/store/store.h"
#include "scratch.h"

static psprobe_code open_it(const char *path, bool read_only, psprobe_error *error) {
  psprobe_store *store = NULL;
  psprobe_store_options options = {.read_only = read_only};
  psprobe_error_clear(error);
  psprobe_code code = psprobe_store_new(path, &options, &store, error);
  psprobe_store_free(store);
  return code;
}

static void write_file(const char *path, const void *data, size_t len) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  fclose(file);
}

static void expect(const char *path, bool read_only, psprobe_code code, const char *part) {
  psprobe_error error;
  if (open_it(path, read_only, &error) != code || strstr(error.message, part) == NULL)
    fail_msg("wanted %s \"%s\", got %s \"%s\"", psprobe_code_name(code), part,
             psprobe_code_name(error.code), error.message);
}

static void fill(const char *path, uint64_t from, uint64_t count) {
  psprobe_store *store = scratch_store(path, false);
  psprobe_run run = scratch_run(1000000 + from);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  psprobe_finished *all = calloc(count, sizeof *all);
  for (uint64_t i = 0; i < count; i++)
    all[i] = scratch_finished(from + i);
  assert_int_equal(psprobe_store_add(store, run.id, all, count, NULL), PSPROBE_OK);
  free(all);
  psprobe_store_free(store);
}

/* Names in the folder, without its own two. */
static int files_in(void **state, char *seen, size_t size) {
  int count = 0;
  DIR *dir = opendir(*state);
  seen[0] = '\0';
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    count++;
    strncat(seen, entry->d_name, size - strlen(seen) - 2);
    strcat(seen, " ");
  }
  closedir(dir);
  return count;
}

static void test_made_and_found_again(void **state) {
  const char *path = scratch_file(state, "r.db");
  char seen[500];
  fill(path, 0, 3);
  assert_int_equal(files_in(state, seen, sizeof seen), 1); /* no lock, no log is left */
  assert_string_equal(seen, "r.db ");
  assert_int_equal(scratch_rows(path), 3);
  fill(path, 10, 2);
  assert_int_equal(scratch_rows(path), 5);
}

/* Reading makes SQLite put files beside ours; the last who closes takes them away. */
static void test_readers_leave_nothing_behind(void **state) {
  const char *path = scratch_file(state, "r.db");
  char seen[500];
  fill(path, 0, 3);
  psprobe_store *one = scratch_store(path, true), *other = scratch_store(path, true);
  int rows = 0;
  assert_int_equal(psprobe_store_each(one, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
  psprobe_store_free(one);
  assert_int_equal(psprobe_store_each(other, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
  psprobe_store_free(other);
  assert_int_equal(rows, 6);
  assert_int_equal(files_in(state, seen, sizeof seen), 1);
}

static void test_read_while_written(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store *writer = scratch_store(path, false);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(writer, &run, NULL), PSPROBE_OK);
  psprobe_store *reader = scratch_store(path, true);
  for (int i = 0; i < 20; i++) {
    psprobe_finished finished = scratch_finished((uint64_t)i);
    int rows = 0;
    assert_int_equal(psprobe_store_add(writer, run.id, &finished, 1, NULL), PSPROBE_OK);
    assert_int_equal(psprobe_store_each(reader, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
    assert_int_equal(rows, i + 1);
  }
  psprobe_store_free(writer);
  int rows = 0; /* the reader goes on when the writer, with its log, is gone */
  assert_int_equal(psprobe_store_each(reader, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
  assert_int_equal(rows, 20);
  psprobe_store_free(reader);
}

static void test_reader_changes_nothing(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_error error;
  fill(path, 0, 1);
  psprobe_store *reader = scratch_store(path, true);
  psprobe_run run = scratch_run(7);
  psprobe_finished finished = scratch_finished(7);
  assert_int_equal(psprobe_store_begin_run(reader, &run, &error), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "read only"));
  assert_int_equal(psprobe_store_add(reader, run.id, &finished, 1, NULL),
                   PSPROBE_FAILED_PRECONDITION);
  assert_int_equal(psprobe_store_end_run(reader, run.id, 1, PSPROBE_ENDING_STOPPED, NULL),
                   PSPROBE_FAILED_PRECONDITION);
  psprobe_store_free(reader);
  assert_int_equal(scratch_rows(path), 1);
}

static void test_second_writer_is_refused(void **state) {
  const char *path = scratch_file(state, "r.db"), *link = scratch_file(state, "link.db");
  psprobe_store *first = scratch_store(path, false);
  char part[64];
  snprintf(part, sizeof part, "another prober (process %d)", (int)getpid());
  expect(path, false, PSPROBE_FAILED_PRECONDITION, part);
  assert_int_equal(symlink(path, link), 0);
  expect(link, false, PSPROBE_FAILED_PRECONDITION, part); /* two names, one file */
  pid_t child = fork();
  if (child == 0) {
    psprobe_error error;
    _exit(open_it(path, false, &error) == PSPROBE_FAILED_PRECONDITION ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  psprobe_store_free(first);
  psprobe_error error;
  assert_int_equal(open_it(path, false, &error), PSPROBE_OK);
}

static void test_lock_dies_with_its_process(void **state) {
  const char *path = scratch_file(state, "r.db");
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    psprobe_store *store = NULL;
    bool good = psprobe_store_new(path, NULL, &store, NULL) == PSPROBE_OK;
    if (write(ready[1], good ? "y" : "n", 1) != 1) _exit(1);
    for (;;)
      pause();
  }
  char answer = 0;
  assert_int_equal(read(ready[0], &answer, 1), 1);
  assert_int_equal(answer, 'y');
  expect(path, false, PSPROBE_FAILED_PRECONDITION, "another prober");
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  psprobe_error error;
  assert_int_equal(open_it(path, false, &error), PSPROBE_OK);
  close(ready[0]);
  close(ready[1]);
}

static void test_not_ours(void **state) {
  static const char text[] =
      "dear diary, this file is not a database, and is rather longer than "
      "one hundred bytes, so that a header would fit into it";
  const char *path = scratch_file(state, "diary.txt");
  write_file(path, text, sizeof text);
  expect(path, false, PSPROBE_FAILED_PRECONDITION, "not a results file");
  expect(path, true, PSPROBE_FAILED_PRECONDITION, "not a results file");
  char back[sizeof text];
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(back, 1, sizeof back, file), sizeof text);
  fclose(file);
  assert_memory_equal(back, text, sizeof text);

  path = scratch_file(state, "other.db");
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(psp_sql_run(db, "CREATE TABLE things (name TEXT)"), SQLITE_OK);
  sqlite3_close(db);
  expect(path, false, PSPROBE_FAILED_PRECONDITION, "not a results file");
  expect(path, true, PSPROBE_FAILED_PRECONDITION, "not a results file");
}

static void test_newer_version(void **state) {
  const char *path = scratch_file(state, "r.db");
  fill(path, 0, 1);
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(psp_sql_run(db, "PRAGMA user_version = 99"), SQLITE_OK);
  sqlite3_close(db);
  expect(path, false, PSPROBE_FAILED_PRECONDITION, "newer version");
  expect(path, true, PSPROBE_FAILED_PRECONDITION, "its schema is 99");
}

static void test_empty_and_missing(void **state) {
  const char *path = scratch_file(state, "r.db");
  expect(path, true, PSPROBE_NOT_FOUND, "no results file");
  write_file(path, "", 0);
  expect(path, true, PSPROBE_FAILED_PRECONDITION, "is empty");
  fill(path, 0, 1); /* an empty file is as good as none */
  assert_int_equal(scratch_rows(path), 1);
  expect("", false, PSPROBE_INVALID_ARGUMENT, "needs a name");
  expect(*state, false, PSPROBE_FAILED_PRECONDITION, "folder");
  expect("/dev/null", false, PSPROBE_FAILED_PRECONDITION, "device");
  expect(scratch_file(state, "no/where/r.db"), false, PSPROBE_NOT_FOUND, "there is no folder");
  expect(scratch_file(state, "r.db/x"), false, PSPROBE_NOT_FOUND, "r.db/x");
}

/* As a user who may not write there. Root may everywhere, so a child gives that up. */
static void test_unwritable_place(void **state) {
  const char *path = scratch_file(state, "r.db");
  fill(path, 0, 2);
  chmod(path, 0444);
  chmod(*state, 0555);
  pid_t child = fork();
  if (child == 0) {
    psprobe_error error;
    int rows = 0;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(10);
    if (open_it(path, false, &error) != PSPROBE_PERMISSION_DENIED) _exit(11);
    if (strstr(error.message, "r.db") == NULL || strstr(error.message, "may write") == NULL)
      _exit(12);
    if (open_it(scratch_file(state, "new.db"), false, &error) != PSPROBE_PERMISSION_DENIED)
      _exit(13);
    psprobe_store *store = NULL;
    psprobe_store_options options = {.read_only = true};
    if (psprobe_store_new(path, &options, &store, &error) != PSPROBE_OK) _exit(14);
    if (psprobe_store_each(store, NULL, scratch_count_row, &rows, &error) != PSPROBE_OK ||
        rows != 2)
      _exit(15);
    psprobe_store_free(store);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  chmod(*state, 0755);
  if (status != 0) fail_msg("the child ended with %d", WEXITSTATUS(status));
}

/* What damage there may be to a file that was ours, and that each is set aside but once. */
static void test_damaged_is_set_aside(void **state) {
  enum { PAGE = 4096 };
  static const struct {
    const char *what;
    long at, len;
    bool cut;
  } cases[] = {
      {"a page of garbage", PAGE * 2, PAGE, false},
      {"the schema", 100, PAGE - 100, false},
      {"cut short", PAGE * 3, 0, true},
      {"cut in the header", 50, 0, true},
      {"zeros for a header", 0, PAGE, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[32], seen[2000];
    snprintf(name, sizeof name, "r%zu.db", i);
    const char *path = scratch_file(state, name);
    fill(path, 0, 200);
    int before = files_in(state, seen, sizeof seen);
    FILE *file = fopen(path, "r+b");
    fseek(file, cases[i].at, SEEK_SET);
    for (long k = 0; k < cases[i].len; k++)
      fputc(cases[i].at == 0 ? 0 : 0x5A, file);
    fclose(file);
    if (cases[i].cut) assert_int_equal(truncate(path, cases[i].at), 0);
    psprobe_error error;
    print_message("%s\n", cases[i].what);
    if (cases[i].at != PAGE * 2 && cases[i].at != PAGE * 3)
      expect(path, true, PSPROBE_DATA_LOSS, "damaged"); /* looks at the beginning only */
    if (open_it(path, false, &error) != PSPROBE_OK) fail_msg("%s", error.message);
    files_in(state, seen, sizeof seen);
    assert_non_null(strstr(seen, ".db.damaged-20"));
    psprobe_store_free(scratch_store(path, false));
    assert_true(files_in(state, seen, sizeof seen) <= before + 3); /* with a reader's log files */
    fill(path, 0, 3);
    assert_int_equal(scratch_rows(path), 3);
  }
}

static void remember(void *arg, psprobe_log_level level, const char *line) {
  (void)level;
  snprintf(arg, 500, "%s", line);
}

static void test_setting_aside_is_told(void **state) {
  const char *path = scratch_file(state, "r.db");
  char told[500] = "";
  psprobe_logger logger = {.sink = remember, .arg = told, .level = PSPROBE_LOG_ERROR};
  psprobe_store_options options = {.logger = &logger};
  psprobe_store *store = NULL;
  char zeros[8192] = {0};
  write_file(path, zeros, sizeof zeros);
  assert_int_equal(psprobe_store_new(path, &options, &store, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_non_null(strstr(told, "event=damaged_results_set_aside file="));
  assert_non_null(strstr(told, "r.db.damaged-"));
}

/* The log of a damaged file goes with it: it must not be taken for that of the new one. */
static void test_log_goes_with_the_damaged_file(void **state) {
  const char *path = scratch_file(state, "r.db");
  pid_t child = fork();
  if (child == 0) {
    psprobe_store *store = NULL;
    psprobe_run run = scratch_run(1);
    if (psprobe_store_new(path, NULL, &store, NULL) != PSPROBE_OK) _exit(1);
    if (psprobe_store_begin_run(store, &run, NULL) != PSPROBE_OK) _exit(2);
    for (uint64_t i = 0; i < 50; i++) {
      psprobe_finished finished = scratch_finished(i);
      if (psprobe_store_add(store, run.id, &finished, 1, NULL) != PSPROBE_OK) _exit(3);
    }
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(access(scratch_file(state, "r.db-wal"), F_OK), 0);
  char zeros[4096] = {0};
  write_file(path, zeros, sizeof zeros);
  psprobe_store *store = scratch_store(path, false);
  uint64_t backlog = 99;
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 0);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_made_and_found_again),
      TEST(test_readers_leave_nothing_behind),
      TEST(test_read_while_written),
      TEST(test_reader_changes_nothing),
      TEST(test_second_writer_is_refused),
      TEST(test_lock_dies_with_its_process),
      TEST(test_not_ours),
      TEST(test_newer_version),
      TEST(test_empty_and_missing),
      TEST(test_unwritable_place),
      TEST(test_damaged_is_set_aside),
      TEST(test_setting_aside_is_told),
      TEST(test_log_goes_with_the_damaged_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
