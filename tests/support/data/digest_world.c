/* SPDX-License-Identifier: MIT */
#include "digest_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "results/digests/blocks.h"
#include "results/digests/seal.h"
#include "scratch.h"

void world_need(psprobe_code code, const psprobe_error *error) {
  if (code != PSPROBE_OK) fail_msg("%s", error->message);
}

void world_begin_run(digest_world *w) {
  psprobe_error error = {0};
  const psprobe_run run = scratch_run(++w->run);
  world_need(psprobe_store_begin_run(w->store, &run, &error), &error);
}

psprobe_sent world_sent_of(uint64_t number) {
  psprobe_sent sent = {
      .sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number * 1000000,
      .cadence = number % 900 == 5 ? PSPROBE_CADENCE_COLD : PSPROBE_CADENCE_STEADY};
  scratch_id(sent.id, number);
  return sent;
}

void world_keep(digest_world *w, const psprobe_news *news) {
  psprobe_error error = {0};
  const psprobe_run run = scratch_run(w->run);
  world_need(psp_store_keep(w->store, run.id, news, &error), &error);
}

/* The next ids, planned and mostly sent. */
void world_plan(digest_world *w) {
  static psprobe_planned planned[WORLD_BATCH];
  static psprobe_sent sent[WORLD_BATCH];
  for (size_t i = 0; i < WORLD_BATCH; i++) {
    sent[i] = world_sent_of(w->next + i);
    memcpy(planned[i].id, sent[i].id, sizeof planned[i].id);
    planned[i].intended_wall_ns = sent[i].sent_wall_ns;
    planned[i].cadence = sent[i].cadence;
  }
  world_keep(w, &(psprobe_news){.planned = planned,
                                .planned_count = WORLD_BATCH,
                                .sent = sent,
                                .sent_count = WORLD_BATCH - (size_t)psp_rng_below(&w->rng, 20)});
  w->next += WORLD_BATCH;
}

psprobe_finished world_finish_one(digest_world *w, uint64_t number, bool update) {
  psprobe_finished f = scratch_finished(number);
  const psprobe_sent sent = world_sent_of(number);
  f.update = update;
  f.result.sent_wall_ns = sent.sent_wall_ns;
  f.result.cadence = sent.cadence;
  if (psp_rng_below(&w->rng, 40) == 0) f.result.publish_ns = -1;
  for (size_t k = 0; k < 2; k++) {
    f.result.answers[k].status = (psprobe_status)psp_rng_below(&w->rng, 3);
    f.result.answers[k].elapsed_ns = 1000000 + (int64_t)psp_rng_below(&w->rng, 50000000);
    f.result.answers[k].cold = psp_rng_below(&w->rng, 9) == 0;
  }
  return f;
}

/* What is open, but for a few that stay so. */
void world_finish(digest_world *w) {
  static psprobe_finished finished[WORLD_BATCH];
  size_t count = 0;
  for (; w->oldest < w->next && count < WORLD_BATCH; w->oldest++)
    if (psp_rng_below(&w->rng, 4000) > 0) finished[count++] = world_finish_one(w, w->oldest, false);
  world_keep(w, &(psprobe_news){.finished = finished, .finished_count = count});
}

/* A probe of long ago gets another state, an answer or a second one. */
void world_come_late(digest_world *w) {
  const uint64_t number = psp_rng_below(&w->rng, w->oldest + 1);
  if (number < w->oldest && psp_rng_below(&w->rng, 2) == 0) {
    const psprobe_finished f = world_finish_one(w, number, true);
    psprobe_error error = {0};
    const psprobe_run run = scratch_run(w->run);
    const psprobe_code code = psprobe_store_add(w->store, run.id, &f, 1, &error);
    if (code != PSPROBE_ALREADY_EXISTS) world_need(code, &error); /* it is one of another run */
    return;
  }
  psprobe_arrival arrival = {.sent = world_sent_of(number),
                             .source = (uint32_t)psp_rng_below(&w->rng, 2),
                             .delivery = 1 + (uint32_t)psp_rng_below(&w->rng, 3)};
  arrival.answer.status = PSPROBE_LATE;
  arrival.answer.elapsed_ns = 70000000;
  arrival.answer.handled_ns = -1;
  psprobe_error error = {0};
  const psprobe_run run = scratch_run(w->run);
  const psprobe_code code = psp_store_keep(
      w->store, run.id, &(psprobe_news){.arrivals = &arrival, .arrival_count = 1}, &error);
  if (code != PSPROBE_ALREADY_EXISTS) world_need(code, &error);
}

/* What was sent long ago goes, as if it had been uploaded. */
void world_prune(digest_world *w) {
  psp_pruning pruning = {0};
  psprobe_error error = {0};
  sqlite3 *db = w->store->db;
  assert_int_equal(psp_sql_run(db,
                               "UPDATE probes SET uploaded = revision WHERE state = 2 AND "
                               "seq % 5 > 0"),
                   SQLITE_OK);
  const int64_t before = SCRATCH_SENT_NS + (int64_t)(w->oldest / 3) * 1000000;
  do {
    world_need(psp_store_prune(w->store, before, &pruning, &error), &error);
  } while (pruning.last != 0);
}

void world_end_run(digest_world *w, psprobe_ending ending) {
  psprobe_error error = {0};
  const psprobe_run run = scratch_run(w->run);
  world_need(psprobe_store_end_run(w->store, run.id, SCRATCH_SENT_NS, ending, &error), &error);
  w->oldest = w->next;
}

void world_resume(digest_world *w) {
  psprobe_error error = {0};
  psprobe_run run = scratch_run(w->run);
  world_end_run(w, PSPROBE_ENDING_STOPPED);
  world_need(psp_store_resume_run(w->store, "last", &run, NULL, &error), &error);
}

/* Killed, and opened by the next. */
void world_crash(digest_world *w) {
  psprobe_store_free(w->store);
  w->store = scratch_store(w->path, false);
  w->oldest = w->next;
  world_begin_run(w);
}

void world_seal(digest_world *w) {
  psprobe_error error = {0};
  bool done = false;
  for (int i = 0; i < 5 && !done; i++)
    world_need(psp_digests_seal(w->store, 1, &done, &error), &error);
}

/* ---- what must hold ---- */

typedef struct stored {
  sqlite3_stmt *statement; /* at the digests of a block */
  size_t count;
} stored;

static bool compare(void *arg, int64_t run, const psp_digest *digest) {
  stored *s = arg;
  psp_buf bytes = {0};
  psp_digest_put(&bytes, digest);
  assert_int_equal(sqlite3_step(s->statement), SQLITE_ROW);
  assert_int_equal(sqlite3_column_int64(s->statement, 0), run);
  assert_int_equal(sqlite3_column_bytes(s->statement, 1), bytes.len);
  assert_memory_equal(sqlite3_column_blob(s->statement, 1), bytes.data, bytes.len);
  psp_buf_free(&bytes);
  s->count++;
  return true;
}

/* @return how many blocks have digests, each of which is what its rows are */
int world_check(digest_world *w) {
  sqlite3 *db = NULL;
  sqlite3_stmt *blocks = NULL, *digests = NULL;
  psp_runs runs;
  psp_blocks *reader = NULL;
  psprobe_error error = {0};
  const psp_block_filter all = {0};
  int count = 0;
  world_need(psp_reader_open(w->store, &db, &error), &error);
  world_need(psp_runs_read(db, w->path, NULL, &runs, &error), &error);
  world_need(psp_blocks_new(db, w->path, &runs, &reader, &error), &error);
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT DISTINCT block FROM digests ORDER BY block", -1,
                                      &blocks, NULL),
                   SQLITE_OK);
  assert_int_equal(
      sqlite3_prepare_v2(db, "SELECT run, data FROM digests WHERE block = ? ORDER BY rowid", -1,
                         &digests, NULL),
      SQLITE_OK);
  for (; sqlite3_step(blocks) == SQLITE_ROW; count++) {
    const int64_t block = sqlite3_column_int64(blocks, 0);
    stored s = {.statement = digests};
    psp_sql_bind_int64(digests, 1, block);
    world_need(psp_blocks_read(reader, block, &all, compare, &s, &error), &error);
    const int step = sqlite3_step(digests);
    if (s.count > 0) assert_int_equal(step, SQLITE_DONE);
    if (s.count == 0) assert_int_equal(sqlite3_column_int64(digests, 0), 0); /* nothing is there */
    sqlite3_reset(digests);
  }
  sqlite3_finalize(blocks);
  sqlite3_finalize(digests);
  psp_blocks_free(reader);
  psp_runs_free(&runs);
  psp_reader_close(db);
  return count;
}

digest_world world_start(void **state, uint64_t seed) {
  digest_world w = {.path = scratch_file(state, seed % 2 == 0 ? "even.db" : "odd.db")};
  psp_rng_seed(&w.rng, seed);
  w.store = scratch_store(w.path, false);
  world_begin_run(&w);
  return w;
}
