/* SPDX-License-Identifier: MIT */
/**
 * @file Power cuts: at each sync of a run, and after each probe that was said to be kept, the file
 * as the disk may have it then is opened again; every probe that was said to be kept is there,
 * once. PSPROBE_SEEDS: ways to lose what was not synced, at each of these instants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "power.h"
#include "results/store/store.h"
#include "scratch.h"

#define PROBES 200
#define SEEDS  20

typedef struct story {
  const char *file, *image;
  uint64_t kept, begun; /* probes that were said to be kept, and that were handed over */
  uint64_t seeds, cuts, losses;
  bool forgiving; /* losses are counted */
} story;

static char told[200];

static void remember(void *arg, psprobe_log_level level, const char *line) {
  (void)arg;
  (void)level;
  if (strstr(line, "event=run_was_interrupted") == NULL) strncpy(told, line, sizeof told - 1);
}

/* ---- the file after the cut ---- */

typedef struct census {
  unsigned seen[PROBES];
  bool odd;
} census;

static bool see(void *arg, const psprobe_row *row) {
  census *all = arg;
  uint64_t number = strtoull(row->result.id + 16, NULL, 16);
  if (number >= PROBES) {
    all->odd = true;
    return true;
  }
  psprobe_finished want = scratch_finished(number);
  all->seen[number]++;
  for (size_t i = 0; i < 2; i++)
    if (row->result.answers[i].elapsed_ns != want.result.answers[i].elapsed_ns) all->odd = true;
  return true;
}

/* What is wrong with the image. */
static const char *look(const story *tale) {
  const psprobe_logger logger = {.sink = remember, .level = PSPROBE_LOG_ERROR};
  psprobe_store_options options = {.logger = &logger};
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  census all = {0};
  told[0] = '\0';
  psprobe_code code = psprobe_store_new(tale->image, &options, &store, &error);
  if (code == PSPROBE_OK) code = psprobe_store_each(store, NULL, see, &all, &error);
  psprobe_store_free(store);
  if (code != PSPROBE_OK) return strcpy(told, error.message);
  if (told[0] != '\0') return told;
  if (all.odd) return "a probe is not as it was";
  for (uint64_t i = 0; i < PROBES; i++) {
    if (i < tale->kept && all.seen[i] == 0) return "a probe that was kept is not there";
    if (all.seen[i] > (i < tale->begun ? 1 : 0)) return "a probe is there too often";
  }
  return NULL;
}

static void cut(void *arg) {
  story *tale = arg;
  for (uint64_t i = 0; i < tale->seeds; i++) {
    uint64_t seed = tale->cuts++;
    power_cut(tale->file, tale->image, seed);
    const char *wrong = look(tale);
    if (wrong != NULL) tale->losses++;
    if (wrong != NULL && !tale->forgiving)
      fail_msg("cut %llu, %llu kept: %s", (unsigned long long)seed, (unsigned long long)tale->kept,
               wrong);
  }
}

/* ---- the run ---- */

static void keep(psprobe_store *store, story *tale, uint64_t count) {
  psprobe_finished batch[4];
  psprobe_run run = scratch_run(1);
  if (count > PROBES - tale->begun) count = PROBES - tale->begun;
  for (uint64_t i = 0; i < count; i++)
    batch[i] = scratch_finished(tale->begun + i);
  tale->begun += count;
  assert_int_equal(psprobe_store_add(store, run.id, batch, count, NULL), PSPROBE_OK);
  tale->kept += count;
  power_pause();
}

static void play(void **state, story *tale, const char *pragma) {
  psprobe_run run = scratch_run(1);
  char file[256], image[256];
  strcpy(file, scratch_file(state, "r.db"));
  strcpy(image, scratch_file(state, "image.db"));
  tale->file = file;
  tale->image = image;
  power_begin(cut, tale);
  psprobe_store *store = scratch_store(file, false);
  assert_int_equal(psp_sql_run(store->db, pragma), SQLITE_OK);
  sqlite3_wal_autocheckpoint(store->db, 50); /* and some checkpoints */
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (uint64_t n = 1; tale->kept < PROBES && (tale->losses == 0 || !tale->forgiving);
       n = n % 4 + 1)
    keep(store, tale, n);
  psprobe_store_free(store);
  power_end();
  assert_int_equal(unlink(file), 0);
}

static void test_nothing_kept_is_lost(void **state) {
  const char *seeds = getenv("PSPROBE_SEEDS");
  story tale = {.seeds = seeds != NULL ? strtoull(seeds, NULL, 10) : SEEDS};
  play(state, &tale, "PRAGMA synchronous");
  assert_true(tale.cuts > 2 * 80 * tale.seeds); /* 80 transactions */
  print_message("%llu cuts\n", (unsigned long long)tale.cuts);
}

/* The same with fewer syncs, or none, loses some, or the test would show nothing. */
static void test_without_syncs_it_is(void **state) {
  static const char *const less[] = {"PRAGMA synchronous = OFF", "PRAGMA synchronous = NORMAL"};
  for (size_t i = 0; i < sizeof less / sizeof *less; i++) {
    story tale = {.seeds = SEEDS, .forgiving = true};
    play(state, &tale, less[i]);
    assert_true(tale.losses > 0);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_nothing_kept_is_lost),
      TEST(test_without_syncs_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
