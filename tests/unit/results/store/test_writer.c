/* SPDX-License-Identifier: MIT */
/** @file The connection that writes: what it takes for damage, and a file that goes away under it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "results/store/store.h"
#include "scratch.h"

static char told[4000];

static void remember(void *arg, psprobe_log_level level, const char *line) {
  (void)arg;
  (void)level;
  strncat(told, line, sizeof told - strlen(told) - 1);
}

static const psprobe_logger logger = {.sink = remember, .level = PSPROBE_LOG_INFO};

static psprobe_store *begin(const char *path) {
  psprobe_store *store = NULL;
  psprobe_run run = scratch_run(1);
  told[0] = '\0';
  psprobe_store_options options = {.logger = &logger};
  assert_int_equal(psprobe_store_new(path, &options, &store, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  return store;
}

static psprobe_code add(psprobe_store *store, uint64_t from, uint64_t count, psprobe_error *error) {
  psprobe_run run = scratch_run(1);
  psprobe_code code = PSPROBE_OK;
  for (uint64_t i = from; code == PSPROBE_OK && i < from + count; i++) {
    psprobe_finished finished = scratch_finished(i);
    code = psprobe_store_add(store, run.id, &finished, 1, error);
  }
  return code;
}

/* ---- a file that goes away ---- */

static void test_removed(void **state) {
  static const char *const names[] = {"r.db", "r.db-wal", "r.db-shm"};
  for (unsigned which = 1; which < 8; which++) { /* every part of it, alone and together */
    const char *path = scratch_file(state, "r.db");
    psprobe_store *store = begin(path);
    assert_int_equal(add(store, 0, 20, NULL), PSPROBE_OK);
    char carried[256];
    snprintf(carried, sizeof carried, "%s-carried", path);
    FILE *half = fopen(carried, "w"); /* of one who was killed */
    fputs("half a copy", half);
    fclose(half);
    for (unsigned i = 0; i < 3; i++)
      if ((which & 1u << i) != 0) assert_int_equal(unlink(scratch_file(state, names[i])), 0);
    assert_int_equal(add(store, 20, 20, NULL), PSPROBE_OK);
    assert_int_equal(strstr(told, "event=results_file_gone") != NULL, which & 1);
    assert_int_equal(strstr(told, "event=results_carried_over") != NULL, which & 1);
    if ((which & 1) != 0) assert_non_null(strstr(told, "rows=20"));
    assert_int_equal(psprobe_store_carried(store), (which & 1) != 0 ? 20 : 0);
    psprobe_store_free(store);
    assert_int_equal(scratch_rows(path), 40);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(carried), (which & 1) != 0 ? -1 : 0);
  }
}

static void test_renamed(void **state) {
  const char *path = scratch_file(state, "r.db"), *other = scratch_file(state, "other.db");
  psprobe_store *store = begin(path);
  assert_int_equal(add(store, 0, 20, NULL), PSPROBE_OK);
  assert_int_equal(rename(path, other), 0);
  assert_int_equal(rename(scratch_file(state, "r.db-wal"), scratch_file(state, "other.db-wal")), 0);
  assert_int_equal(add(store, 20, 5, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(path), 25);
  assert_int_equal(scratch_rows(other), 20);
}

/* Somebody else's file is not written to; what could not be kept is kept once it is moved away. */
static void test_name_given_to_another(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_error error = {0};
  psprobe_store *store = begin(path);
  assert_int_equal(add(store, 0, 20, NULL), PSPROBE_OK);
  assert_int_equal(unlink(path), 0);
  FILE *other = fopen(path, "w");
  fputs("a diary", other);
  fclose(other);
  assert_int_equal(add(store, 20, 1, &error), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "another file has its name"));
  assert_int_equal(add(store, 20, 1, &error), PSPROBE_FAILED_PRECONDITION);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_size, 7);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(add(store, 20, 1, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(path), 21);
}

/* ---- what is damage ---- */

/* Garbage where the pages of the file were, by another process: closing a file drops its locks. */
static void spoil(const char *path) {
  pid_t child = fork();
  if (child == 0) {
    char garbage[4096];
    memset(garbage, 0xA5, sizeof garbage);
    int file = open(path, O_WRONLY);
    for (off_t at = sizeof garbage; at < 40 * 4096; at += (off_t)sizeof garbage)
      if (pwrite(file, garbage, sizeof garbage, at) != sizeof garbage) _exit(1);
    _exit(0);
  }
  int status = 1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

/* A file that is found damaged as it is written to: set aside, and a new one goes on. */
static void test_damaged_meanwhile(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_run run = scratch_run(1);
  psprobe_error error = {0};
  psprobe_store *store = begin(path);
  assert_int_equal(add(store, 0, 300, NULL), PSPROBE_OK);
  assert_int_equal(psp_sql_run(store->db, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
  sqlite3_db_release_memory(store->db);
  spoil(path);
  psp_checkpoint_note(store); /* as a disk does it, which touches no time */
  assert_int_equal(add(store, 300, 1, &error), PSPROBE_DATA_LOSS);
  assert_null(strstr(told, "set_aside"));
  assert_int_equal(add(store, 300, 1, &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(told, "event=damaged_results_set_aside"));
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  assert_int_equal(add(store, 300, 20, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(path), 20);
}

/* Copies over a file as cp does, by another process: the file stays, and its bytes are others. */
static void copy_over(const char *from, const char *to) {
  pid_t child = fork();
  if (child == 0) execlp("cp", "cp", from, to, (char *)NULL);
  int status = 1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

/* Another results file is copied over the one that is written to: it is said at once, and what is
 * kept from then on is in a file that can be read. */
static void test_copied_over(void **state) {
  const char *path = scratch_file(state, "r.db"), *other = scratch_file(state, "other.db");
  psprobe_run run = scratch_run(1);
  psprobe_error error = {0};
  psprobe_store *store = begin(other);
  assert_int_equal(add(store, 0, 100, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  store = begin(path);
  assert_int_equal(add(store, 0, 3000, NULL), PSPROBE_OK);
  copy_over(other, path);
  assert_int_equal(add(store, 3000, 1, &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(told, "event=results_written_by_another"));
  assert_non_null(strstr(told, "event=damaged_results_set_aside"));
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  assert_int_equal(add(store, 3000, 300, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(path), 300);
}

/* A tool that brings the log into the file does no harm, and is said once. */
static void test_checkpoint_by_another(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store *store = begin(path);
  sqlite3 *tool = NULL;
  assert_int_equal(add(store, 0, 300, NULL), PSPROBE_OK);
  assert_int_equal(sqlite3_open(path, &tool), SQLITE_OK);
  assert_int_equal(psp_sql_run(tool, "PRAGMA wal_checkpoint"), SQLITE_OK);
  assert_int_equal(sqlite3_close(tool), SQLITE_OK);
  assert_int_equal(add(store, 300, 1, NULL), PSPROBE_OK);
  const char *first = strstr(told, "event=results_written_by_another");
  assert_non_null(first);
  assert_int_equal(add(store, 301, 2000, NULL), PSPROBE_OK); /* and checkpoints of our own */
  assert_null(strstr(first + 1, "event=results_written_by_another"));
  assert_null(strstr(told, "set_aside"));
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(path), 2301);
}

static struct {
  sqlite3_vfs vfs;
  sqlite3_vfs *real;
  sqlite3_io_methods methods;
  const sqlite3_io_methods *real_methods;
  long fail_at, reads; /* the read that fails, counted; 0: none */
} disk;

static int read_or_fail(sqlite3_file *file, void *data, int count, sqlite3_int64 at) {
  if (++disk.reads == disk.fail_at) return SQLITE_IOERR_READ;
  return disk.real_methods->xRead(file, data, count, at);
}

static int open_main(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *out) {
  (void)vfs;
  int result = disk.real->xOpen(disk.real, name, file, flags, out);
  if (result != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return result;
  disk.real_methods = file->pMethods;
  disk.methods = *file->pMethods;
  disk.methods.xRead = read_or_fail;
  file->pMethods = &disk.methods;
  return result;
}

/* Each read of the start fails once: it may be refused, but nothing is set aside. */
static void test_unread_is_no_damage(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store *store = begin(path);
  assert_int_equal(add(store, 0, 300, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  disk.real = sqlite3_vfs_find(NULL);
  disk.vfs = *disk.real;
  disk.vfs.zName = "failing";
  disk.vfs.xOpen = open_main;
  assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
  unsigned refused = 0;
  for (disk.fail_at = 1; disk.fail_at < 1000; disk.fail_at++) {
    psprobe_error error = {0};
    psprobe_store_options options = {.logger = &logger};
    disk.reads = 0;
    store = NULL;
    if (psprobe_store_new(path, &options, &store, &error) != PSPROBE_OK) {
      refused++;
      if (error.code == PSPROBE_DATA_LOSS || error.code == PSPROBE_FAILED_PRECONDITION)
        fail_msg("read %ld: %s", disk.fail_at, error.message);
    }
    psprobe_store_free(store);
    assert_null(strstr(told, "set_aside"));
    if (disk.reads < disk.fail_at) break;
  }
  assert_int_equal(sqlite3_vfs_unregister(&disk.vfs), SQLITE_OK);
  assert_in_range(disk.fail_at, 20, 999); /* a page each, at least */
  assert_in_range(refused, 10, 999);
  assert_int_equal(scratch_rows(path), 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_removed),
      TEST(test_renamed),
      TEST(test_name_given_to_another),
      TEST(test_damaged_meanwhile),
      TEST(test_copied_over),
      TEST(test_checkpoint_by_another),
      TEST(test_unread_is_no_damage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
