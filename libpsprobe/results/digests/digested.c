/* SPDX-License-Identifier: MIT */
#include "results/digests/digested.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "results/digests/walk.h"
#include "stats/digest/digest_compare.h"

/* ---- whether ---- */

psprobe_code psp_digested_wanted(psprobe_store *store, const psprobe_filter *filter, uint64_t most,
                                 bool *wanted, psprobe_error *error) {
  sqlite3 *db = NULL;
  psp_runs runs;
  int64_t matching = 0;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(db, store->path, filter, &runs, error);
  if (code == PSPROBE_OK) {
    const bool one = filter != NULL && filter->run != NULL;
    const int64_t since = filter == NULL ? 0 : filter->since_wall_ns;
    const int64_t until = filter == NULL ? 0 : filter->until_wall_ns;
    char sql[256], of[40] = "";
    if (one) sqlite3_snprintf(sizeof of, of, " AND run = %lld", (long long)runs.items[0].seq);
    sqlite3_snprintf(sizeof sql, sql,
                     "SELECT count(*) FROM (SELECT 1 FROM probes WHERE state = 2 AND sent_ns >= "
                     "%lld AND sent_ns < %lld%s LIMIT %llu)",
                     (long long)(since != 0 ? since : -INT64_MAX),
                     (long long)(until != 0 ? until : INT64_MAX), of, (unsigned long long)most + 1);
    if (psp_sql_int64(db, sql, &matching) != SQLITE_OK)
      code = psp_sql_fail(db, store->path, "read", error);
    psp_runs_free(&runs);
  }
  psp_reader_close(db);
  *wanted = (uint64_t)matching > most;
  return code;
}

/* ---- reading ---- */

/* A probe that pictures show. */
typedef struct drawn {
  int64_t seq;
  bool even;
} drawn;

typedef struct reading {
  psp_digested *to;
  const psp_digesting *what;
  sqlite3 *db;
  psp_runs runs;
  int64_t *index;                    /* of each run among the columns'; -1: it has other sources */
  size_t which[PSPROBE_MAX_SOURCES]; /* of the sources that are asked for */
  size_t which_count;
  drawn *drawn;
  size_t drawn_count, drawn_room;
  bool failed;
} reading;

static bool same_sources(const psp_columns *c, const psprobe_run *run) {
  bool same = c->source_count == run->source_count;
  for (size_t k = 0; same && k < run->source_count; k++)
    same = strcmp(c->sources[k].name, run->sources[k]) == 0;
  return same;
}

static bool within(const psprobe_filter *filter, const psprobe_run *run) {
  if (filter == NULL) return true;
  if (filter->until_wall_ns != 0 && run->started_wall_ns >= filter->until_wall_ns) return false;
  return run->ended_wall_ns == 0 || run->ended_wall_ns >= filter->since_wall_ns;
}

/* Those within the filter's time, with the sources of the newest of them. */
static psprobe_code take_runs(reading *r, psprobe_error *error) {
  psp_columns *c = &r->to->columns;
  const psprobe_run *newest = NULL;
  r->index = calloc(r->runs.count + 1, sizeof *r->index);
  if (r->index == NULL) return psp_fail_memory(error, "results");
  for (size_t i = 0; i < r->runs.count; i++)
    if (within(r->what->filter, &r->runs.items[i].run)) newest = &r->runs.items[i].run;
  if (newest != NULL) psp_columns_set_sources(c, newest->sources, newest->source_count);
  for (size_t i = 0; i < r->runs.count && !c->failed; i++) {
    const psprobe_run *run = &r->runs.items[i].run;
    const bool counts = within(r->what->filter, run) && same_sources(c, run);
    r->index[i] = counts ? (int64_t)psp_columns_add_run(c, run) : -1;
  }
  return c->failed ? psp_fail_memory(error, "results") : PSPROBE_OK;
}

static int64_t index_of(const reading *r, int64_t seq) {
  const psp_run *run = psp_runs_find(&r->runs, seq);
  return run == NULL ? -1 : r->index[run - r->runs.items];
}

static bool has_sources(const void *arg, int64_t run) {
  return index_of(arg, run) >= 0;
}

/* ---- single rows ---- */

/* Reads the rows of a statement into the columns. */
static psprobe_code add_rows(reading *r, sqlite3_stmt *rows, psprobe_error *error) {
  int step = sqlite3_step(rows);
  while (step == SQLITE_ROW) {
    psp_stored_row stored;
    step = psp_row_read(rows, &stored);
    if (step == SQLITE_MISMATCH || !psp_row_fit(&stored, psp_runs_find(&r->runs, stored.run)))
      return psp_fail(error, PSPROBE_DATA_LOSS, "%s is damaged: a probe in it makes no sense",
                      r->what->store->path);
    const int64_t index = index_of(r, stored.run);
    if (index < 0)
      r->to->columns.left_out++;
    else
      psp_columns_add(&r->to->columns, (uint32_t)index, &stored.result, stored.saved_ns);
  }
  if (step != SQLITE_DONE) return psp_sql_fail(r->db, r->what->store->path, "read", error);
  return r->to->columns.failed ? psp_fail_memory(error, "results") : PSPROBE_OK;
}

/* The rare probes, all of them: they are few. */
static psprobe_code read_rare(reading *r, const psp_block_filter *filter, psprobe_error *error) {
  sqlite3_stmt *rows = NULL;
  if (sqlite3_prepare_v2(r->db,
                         "SELECT " PSP_ROW_COLUMNS " FROM probes p" PSP_ROW_ANSWERS
                         "WHERE +p.state = 2 AND p.cadence = 1 AND (?1 = 0 OR p.run = ?1) AND "
                         "p.sent_ns >= ?2 AND (?3 = 0 OR p.sent_ns < ?3) ORDER BY p.sent_ns, p.seq",
                         -1, &rows, NULL) != SQLITE_OK)
    return psp_sql_fail(r->db, r->what->store->path, "read", error);
  psp_sql_bind_int64(rows, 1, filter->run);
  psp_sql_bind_int64(rows, 2, filter->since_ns);
  psp_sql_bind_int64(rows, 3, filter->until_ns);
  const psprobe_code code = add_rows(r, rows, error);
  sqlite3_finalize(rows);
  return code;
}

/* The probes that pictures show, or every so many-th of them. */
static psprobe_code read_drawn(reading *r, psprobe_error *error) {
  sqlite3_stmt *row = NULL;
  psprobe_code code = PSPROBE_OK;
  const size_t step = r->drawn_count / PSP_DIGESTED_DRAWN + 1;
  r->to->even = calloc(r->drawn_count / step + 1, sizeof *r->to->even);
  if (r->to->even == NULL) return psp_fail_memory(error, "results");
  if (sqlite3_prepare_v2(r->db,
                         "SELECT " PSP_ROW_COLUMNS " FROM probes p" PSP_ROW_ANSWERS
                         "WHERE p.seq = ?1 AND p.state = 2 AND p.cadence = 0",
                         -1, &row, NULL) != SQLITE_OK)
    code = psp_sql_fail(r->db, r->what->store->path, "read", error);
  for (size_t i = 0; code == PSPROBE_OK && i < r->drawn_count; i += step) {
    const size_t at = r->to->columns.count;
    psp_sql_bind_int64(row, 1, r->drawn[i].seq);
    code = add_rows(r, row, error);
    sqlite3_reset(row);
    if (r->to->columns.count > at) r->to->even[at] = r->drawn[i].even;
  }
  sqlite3_finalize(row);
  return code;
}

/* ---- all together ---- */

static void note_drawn(void *arg, int64_t block, const psp_digest *digest) {
  reading *r = arg;
  if (r->drawn_count + digest->drawn_count > r->drawn_room) {
    const size_t room = 2 * r->drawn_room + PSP_DIGEST_DRAWN;
    drawn *grown = realloc(r->drawn, room * sizeof *grown);
    r->failed |= grown == NULL;
    if (grown == NULL) return;
    r->drawn = grown;
    r->drawn_room = room;
  }
  for (size_t i = 0; i < digest->drawn_count; i++)
    r->drawn[r->drawn_count++] =
        (drawn){block * PSP_BLOCK + digest->drawn[i], i < digest->even_count};
}

/* What the report needs of the totals, which go. */
static void take_totals(psp_digested *to, psp_totals *totals) {
  const size_t sources = totals->digests->source_count;
  to->probes = totals->probes;
  to->unsent = totals->unsent;
  to->first_ns = totals->first_ns;
  to->last_ns = totals->last_ns;
  for (size_t k = 0; k < sources; k++) {
    to->answers[k] = totals->values[k].kinds[PSP_KIND_ALL];
    totals->values[k].kinds[PSP_KIND_ALL] = (psp_spread){0};
  }
  if (totals->pair_count == 0) return;
  to->differences = totals->values[sources].kinds[PSP_KIND_ALL];
  totals->values[sources].kinds[PSP_KIND_ALL] = (psp_spread){0};
}

static psprobe_code compare(reading *r, psp_walk *walk, psprobe_error *error) {
  const char *names[PSPROBE_MAX_SOURCES];
  const psp_columns *c = &r->to->columns;
  const size_t count = r->which_count;
  const psp_digests digests = {.walk = psp_walk_over,
                               .from = walk,
                               .expected = (uint64_t)(walk->last - walk->first + 1) * PSP_BLOCK,
                               .source_count = count,
                               .which = r->which};
  psp_totals totals;
  for (size_t n = 0; n < count; n++)
    names[n] = c->sources[r->which[n]].shown;
  psprobe_code code = psp_totals_make(&totals, &digests, error);
  if (code == PSPROBE_OK && r->failed) code = psp_fail_memory(error, "results");
  if (code == PSPROBE_OK) code = psp_digests_compare(&totals, names, &r->to->comparison, error);
  if (code == PSPROBE_OK) take_totals(r->to, &totals);
  psp_totals_free(&totals);
  return code;
}

static psprobe_code read_all(reading *r, psprobe_error *error) {
  const psprobe_filter *filter = r->what->filter;
  psp_walk walk = {.db = r->db,
                   .path = r->what->store->path,
                   .runs = &r->runs,
                   .recount = r->what->recount,
                   .has_sources = has_sources,
                   .arg = r,
                   .first_time = note_drawn,
                   .first_time_arg = r};
  if (filter != NULL && filter->run != NULL) walk.filter.run = r->runs.items[0].seq;
  if (filter != NULL) walk.filter.since_ns = filter->since_wall_ns;
  if (filter != NULL) walk.filter.until_ns = filter->until_wall_ns;
  psprobe_code code = take_runs(r, error);
  if (code == PSPROBE_OK)
    code = psp_columns_find(&r->to->columns, &(psp_chosen){r->what->sources, r->what->source_count},
                            r->which, &r->which_count, error);
  if (code == PSPROBE_OK) code = psp_walk_begin(&walk, error);
  if (code == PSPROBE_OK) code = compare(r, &walk, error);
  if (code == PSPROBE_OK) code = read_drawn(r, error);
  if (code == PSPROBE_OK) code = read_rare(r, &walk.filter, error);
  r->to->columns.left_out += walk.left_out;
  psp_walk_end(&walk);
  if (code != PSPROBE_OK || r->what->source_count == 0) return code;
  return psp_columns_select(&r->to->columns, r->what->sources, r->what->source_count, error);
}

psprobe_code psp_digested_read(psp_digested *digested, const psp_digesting *what,
                               psprobe_error *error) {
  reading r = {.to = digested, .what = what};
  psprobe_code code = psp_reader_open(what->store, &r.db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(r.db, what->store->path, what->filter, &r.runs, error);
  if (code == PSPROBE_OK) code = read_all(&r, error);
  psp_runs_free(&r.runs);
  free(r.index);
  free(r.drawn);
  psp_reader_close(r.db);
  if (code != PSPROBE_OK) return code;
  return psp_columns_look_for_open(&digested->columns, what->store, what->filter, error);
}

void psp_digested_free(psp_digested *digested) {
  psp_columns_free(&digested->columns);
  free(digested->even);
  psprobe_comparison_free(digested->comparison);
  for (size_t k = 0; k < PSPROBE_MAX_SOURCES; k++)
    psp_spread_free(&digested->answers[k]);
  psp_spread_free(&digested->differences);
  memset(digested, 0, sizeof *digested);
}
