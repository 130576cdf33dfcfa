/* SPDX-License-Identifier: MIT */
/** @file The log beside the file: how long it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "results/store/store.h"
#include "scratch.h"

static int64_t size_of(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  return info.st_size;
}

/* 2 MB, a transaction, and what goes with each page. */
#define BOUND (INT64_C(5) << 19)

static void add(psprobe_store *store, uint64_t from) {
  static psprobe_finished batch[20];
  psprobe_run run = scratch_run(1);
  for (uint64_t i = 0; i < 20; i++)
    batch[i] = scratch_finished(from + i);
  assert_int_equal(psprobe_store_add(store, run.id, batch, 20, NULL), PSPROBE_OK);
}

/* It is bounded while the file grows; when a reader has held it back, it shrinks after that. */
static void test_bounded(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  sqlite3 *reader = NULL;
  uint64_t rows = 0;
  const char *log = scratch_file(state, "r.db-wal");
  for (; rows < 6000; rows += 20) {
    add(store, rows);
    assert_in_range(size_of(log), 0, BOUND);
  }
  assert_int_equal(psp_reader_open(store, &reader, NULL), PSPROBE_OK);
  for (; rows < 20000 && size_of(log) <= BOUND; rows += 20)
    add(store, rows);
  assert_true(size_of(log) > BOUND);
  psp_reader_close(reader);
  for (int i = 0; i < 2; i++, rows += 20)
    add(store, rows);
  assert_in_range(size_of(log), 0, BOUND);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(scratch_file(state, "r.db")), rows);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_bounded, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
