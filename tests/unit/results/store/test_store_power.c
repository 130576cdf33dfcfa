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

#include "power_names.h"
#include "results/store/store.h"
#include "results/upload/outbox.h"
#include "scratch.h"

#define PROBES 200
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 5 /* what a sanitizer finds does not hang on what a disk loses */
#else
#define SEEDS 20
#endif
#define BLOCK 20

/* What was said to be kept of a probe. */
typedef enum { NOTHING, SENT, HALF, WHOLE } level;

typedef struct story {
  const char *file, *image;
  level kept[PROBES]; /* in the order of their numbers */
  uint64_t begun;     /* probes that were handed over */
  uint64_t seeds, cuts, losses;
  bool marking;   /* some are uploaded meanwhile, which is noted without a sync */
  bool forgiving; /* losses are counted */
  bool nameless;  /* the file has been removed, and has no name yet again: all is lost by a cut */
} story;

static char told[200];

static void remember(void *arg, psprobe_log_level how, const char *line) {
  (void)arg;
  (void)how;
  if (strstr(line, "event=run_was_interrupted") == NULL) strncpy(told, line, sizeof told - 1);
}

/* ---- the file after the cut ---- */

typedef struct census {
  unsigned seen[PROBES];
  level level[PROBES];
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
  all->level[number] = SENT;
  for (size_t i = 0; i < 2; i++) {
    const psprobe_answer *answer = &row->result.answers[i];
    if (answer->status == PSPROBE_ANSWERED) all->level[number] = i == 0 ? HALF : WHOLE;
    if (answer->status == PSPROBE_ANSWERED &&
        answer->elapsed_ns != want.result.answers[i].elapsed_ns)
      all->odd = true;
  }
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
    if (all.level[i] < tale->kept[i]) return "what was kept of a probe is not there";
    if (all.seen[i] > (i < tale->begun ? 1 : 0)) return "a probe is there too often";
  }
  return NULL;
}

static void cut(void *arg) {
  story *tale = arg;
  for (uint64_t i = 0; i < tale->seeds && !tale->nameless; i++) {
    uint64_t seed = tale->cuts++;
    power_cut(tale->file, tale->image, seed);
    const char *wrong = look(tale);
    if (wrong != NULL) tale->losses++;
    if (wrong != NULL && !tale->forgiving)
      fail_msg("cut %llu, of %llu probes: %s", (unsigned long long)seed,
               (unsigned long long)tale->begun, wrong);
  }
}

/* ---- the run ---- */

static void keep(psprobe_store *store, const psprobe_news *news) {
  psprobe_run run = scratch_run(1);
  assert_int_equal(psp_store_keep(store, run.id, news, NULL), PSPROBE_OK);
}

/* The oldest that Firestore does not have go there; what is lost of that is found out again. */
static void upload_some(psprobe_store *store) {
  psp_outbox outbox;
  psp_mark marks[BLOCK];
  assert_int_equal(psp_outbox_take(store, 0, BLOCK / 2, false, &outbox, NULL), PSPROBE_OK);
  for (size_t i = 0; i < outbox.count; i++)
    marks[i] = PSP_MARK_NEWEST;
  assert_int_equal(psp_outbox_mark(store, &outbox, marks, NULL), PSPROBE_OK);
  assert_true(store->unsynced);
  psp_outbox_free(&outbox);
}

/* Some probes are sent, and each source answers; what is finished comes with the second answer. */
static void keep_some(psprobe_store *store, story *tale, uint64_t from, uint64_t count) {
  psprobe_sent sent[BLOCK];
  psprobe_arrival arrivals[2][BLOCK];
  psprobe_finished finished[BLOCK];
  const uint64_t seeds = tale->seeds;
  for (uint64_t i = 0; i < count; i++) {
    finished[i] = scratch_finished(from + i);
    sent[i] = (psprobe_sent){.sent_wall_ns = finished[i].result.sent_wall_ns};
    scratch_id(sent[i].id, from + i);
    for (size_t k = 0; k < 2; k++)
      arrivals[k][i] = (psprobe_arrival){
          .sent = sent[i], .source = k, .delivery = 1, .answer = finished[i].result.answers[k]};
  }
  const psprobe_news news[] = {
      {.sent = sent, .sent_count = count},
      {.arrivals = arrivals[0], .arrival_count = count},
      {.arrivals = arrivals[1],
       .arrival_count = count,
       .finished = finished,
       .finished_count = count},
  };
  for (level l = SENT; l <= WHOLE; l++) {
    keep(store, &news[l - SENT]);
    for (uint64_t i = 0; i < count; i++)
      tale->kept[from + i] = l;
    tale->seeds = 1; /* nothing waits for a sync, if all is well */
    power_pause();
    tale->seeds = seeds;
    if (tale->marking) upload_some(store);
  }
}

static void keep_block(psprobe_store *store, story *tale) {
  psprobe_planned planned[BLOCK] = {0};
  uint64_t from = tale->begun;
  for (uint64_t i = 0; i < BLOCK; i++) {
    scratch_id(planned[i].id, from + i);
    planned[i].intended_wall_ns = scratch_finished(from + i).result.sent_wall_ns;
  }
  tale->begun += BLOCK;
  keep(store, &(psprobe_news){.planned = planned, .planned_count = BLOCK});
  for (uint64_t i = 0, n = 2 + from / BLOCK % 7; i < BLOCK; i += n)
    keep_some(store, tale, from + i, n < BLOCK - i ? n : BLOCK - i);
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
  while (tale->begun < PROBES && (tale->losses == 0 || !tale->forgiving))
    keep_block(store, tale);
  psprobe_store_free(store);
  power_end();
  assert_int_equal(unlink(file), 0);
}

static void test_nothing_kept_is_lost(void **state) {
  const char *seeds = getenv("PSPROBE_SEEDS");
  const uint64_t whole = seeds != NULL ? strtoull(seeds, NULL, 10) : SEEDS;
  for (int marking = 0; marking < 2; marking++) {
    story tale = {.seeds = marking ? 1 + whole / 4 : whole, .marking = marking};
    play(state, &tale, "PRAGMA synchronous");
    assert_true(tale.cuts > 120 * tale.seeds); /* of 148 transactions */
    print_message("%llu cuts\n", (unsigned long long)tale.cuts);
  }
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

static void take_name(void *arg, psprobe_log_level how, const char *line) {
  story *tale = arg;
  (void)how;
  if (strstr(line, "event=results_carried_over") != NULL) tale->nameless = false;
}

/* A file that is removed, made anew, and said to be: from there on its name is on the disk too. */
static void test_what_is_carried_over(void **state) {
  story tale = {.seeds = SEEDS / 5};
  const psprobe_logger logger = {.sink = take_name, .arg = &tale, .level = PSPROBE_LOG_WARNING};
  const psprobe_store_options options = {.logger = &logger};
  psprobe_run run = scratch_run(1);
  psprobe_store *store = NULL;
  char file[256], image[256];
  strcpy(file, scratch_file(state, "r.db"));
  strcpy(image, scratch_file(state, "image.db"));
  tale.file = file;
  tale.image = image;
  power_begin(cut, &tale);
  assert_int_equal(psprobe_store_new(file, &options, &store, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (int i = 0; i < 3; i++) {
    keep_block(store, &tale);
    assert_int_equal(unlink(file), 0);
    tale.nameless = true;
  }
  keep_block(store, &tale);
  assert_false(tale.nameless);
  psprobe_store_free(store);
  power_end();
  print_message("%llu cuts\n", (unsigned long long)tale.cuts);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  if (access("/dev/shm", W_OK) == 0)
    setenv("TMPDIR", "/dev/shm", 1); /* a real disk is not wanted */
  const struct CMUnitTest tests[] = {
      TEST(test_nothing_kept_is_lost),
      TEST(test_without_syncs_it_is),
      TEST(test_what_is_carried_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
