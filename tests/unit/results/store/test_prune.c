/* SPDX-License-Identifier: MIT */
/** @file What is taken away, and what stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "results/store/store.h"
#include "scratch.h"

#define PROBES 1300

/* Probes from `from` on, five seconds apart, as scratch_finished has them. */
static void fill(psprobe_store *store, uint64_t from) {
  static psprobe_finished batch[PROBES];
  psprobe_run run = scratch_run(1);
  for (uint64_t i = 0; i < PROBES; i++)
    batch[i] = scratch_finished(from + i);
  assert_int_equal(psprobe_store_add(store, run.id, batch, PROBES, NULL), PSPROBE_OK);
}

static int64_t sent(uint64_t number) {
  return scratch_finished(number).result.sent_wall_ns;
}

/* Passes until one is over. @return how many went */
static uint64_t prune(psprobe_store *store, int64_t before_ns) {
  psp_pruning pruning = {0};
  unsigned pieces = 0;
  do {
    uint64_t before = pruning.gone;
    assert_int_equal(psp_store_prune(store, before_ns, &pruning, NULL), PSPROBE_OK);
    assert_in_range(pruning.gone - before, 0, 500); /* bounded */
    assert_in_range(++pieces, 1, 10);
  } while (pruning.last != 0);
  return pruning.gone;
}

static int64_t number_of(psprobe_store *store, const char *sql) {
  int64_t value = -1;
  assert_int_equal(psp_sql_int64(store->db, sql, &value), SQLITE_OK);
  return value;
}

/* What is not in Firestore in its newest state stays, and so does what is young. */
static void test_what_goes(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  fill(store, 0);
  assert_int_equal(prune(store, sent(PROBES)), 0); /* nothing is uploaded */
  psp_sql_run(store->db,
              "UPDATE probes SET uploaded = 1 WHERE seq % 10 <> 0;"
              "UPDATE probes SET refused = 1 WHERE seq % 10 = 0;"
              "UPDATE probes SET revision = 2 WHERE seq = 5");
  assert_int_equal(prune(store, sent(1000)), 1000 - 100 - 1);
  assert_int_equal(prune(store, sent(1000)), 0);
  assert_int_equal(number_of(store, "SELECT count(*) FROM probes"), PROBES - 899);
  assert_int_equal(number_of(store, "SELECT count(*) FROM answers"), 2 * (PROBES - 899));
  assert_int_equal(number_of(store, "SELECT min(seq) FROM probes WHERE seq % 10 <> 0"), 5);
  assert_int_equal(number_of(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  assert_int_equal(number_of(store,
                             "SELECT count(*) FROM pragma_integrity_check WHERE "
                             "integrity_check <> 'ok'"),
                   0);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(scratch_file(state, "r.db")), PROBES - 899);
}

/* What goes makes room for what comes: the file stays as long as it is. */
static void test_room_is_used_again(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  int64_t first = 0;
  for (uint64_t round = 0; round < 8; round++) {
    fill(store, round * PROBES);
    psp_sql_run(store->db, "UPDATE probes SET uploaded = revision");
    int64_t pages = number_of(store, "PRAGMA page_count");
    if (round == 0) first = pages;
    assert_in_range(pages, first, first * 3 / 2);
    assert_int_equal(prune(store, sent((round + 1) * PROBES)), PROBES);
  }
  psprobe_store_free(store);
}

/* A disk that takes no more: nothing is half gone, and what is tried next is smaller. */
static void test_no_room(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psp_pruning pruning = {0};
  fill(store, 0);
  psp_sql_run(store->db, "UPDATE probes SET uploaded = 1");
  sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH,
                20); /* too big, which is one of the ways to be full */
  assert_int_equal(psp_store_prune(store, sent(PROBES), &pruning, NULL),
                   PSPROBE_RESOURCE_EXHAUSTED);
  sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, 1000000);
  assert_int_equal(pruning.last, 0);
  assert_int_equal(number_of(store, "SELECT count(*) FROM answers"), 2 * PROBES);
  assert_int_equal(psp_store_prune(store, sent(PROBES), &pruning, NULL), PSPROBE_OK);
  assert_in_range(pruning.gone, 1, 100);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_what_goes),
      TEST(test_room_is_used_again),
      TEST(test_no_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
