/* SPDX-License-Identifier: MIT */
/** @file Reading runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/name.h"
#include "base/shown.h"
#include "base/text.h"
#include "results/store/store.h"

#define TEXTS 7 /* project, topic, host, version, settings, region, clock */

void psp_runs_free(psp_runs *runs) {
  for (size_t i = 0; i < runs->count; i++)
    free(runs->items[i].text);
  free(runs->items);
  *runs = (psp_runs){0};
}

const psp_run *psp_runs_find(const psp_runs *runs, int64_t seq) {
  for (size_t low = 0, high = runs->count; low < high;) { /* seq goes up */
    size_t middle = low + (high - low) / 2;
    if (runs->items[middle].seq == seq) return &runs->items[middle];
    if (runs->items[middle].seq < seq)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static void add_text(psp_buf *buf, size_t at[], size_t which, const char *text) {
  at[which] = text == NULL ? SIZE_MAX : buf->len;
  if (text != NULL) psp_buf_add(buf, text, strlen(text) + 1);
}

/* All texts of a run stand in one block; `at` says where, until the block has its place. */
static bool read_run(sqlite3_stmt *run, sqlite3_stmt *sources, psp_run *out) {
  psp_buf buf = {0};
  size_t at[TEXTS + PSPROBE_MAX_SOURCES];
  *out = (psp_run){.seq = sqlite3_column_int64(run, 0)};
  const char *id = psp_sql_text(run, 1);
  if (id != NULL) snprintf(out->run.id, sizeof out->run.id, "%s", id);
  out->run.started_wall_ns = sqlite3_column_int64(run, 2);
  out->run.ended_wall_ns = sqlite3_column_int64(run, 3);
  out->run.interval_ns = sqlite3_column_int64(run, 4);
  out->run.timeout_ns = sqlite3_column_int64(run, 5);
  int64_t ending = sqlite3_column_int64(run, 6);
  if (ending >= PSPROBE_ENDING_UNKNOWN && ending <= PSPROBE_ENDING_INTERRUPTED)
    out->run.ending = (psprobe_ending)ending;
  out->run.resumed = (uint32_t)sqlite3_column_int64(run, 7);
  out->revision = sqlite3_column_int64(run, 8);
  out->uploaded = sqlite3_column_int64(run, 9);
  for (int i = 0; i < TEXTS; i++)
    add_text(&buf, at, (size_t)i, psp_sql_text(run, 10 + i));
  sqlite3_reset(sources);
  psp_sql_bind_int64(sources, 1, out->seq);
  size_t count = 0;
  while (count < PSPROBE_MAX_SOURCES && sqlite3_step(sources) == SQLITE_ROW) {
    const char *name = psp_sql_text(sources, 0);
    add_text(&buf, at, TEXTS + count++, name == NULL ? "" : name);
  }
  sqlite3_reset(sources);
  out->text = psp_buf_take(&buf, NULL);
  if (out->text == NULL) return false;
  const char **texts[TEXTS] = {&out->run.project, &out->run.topic,    &out->run.host,
                               &out->run.version, &out->run.settings, &out->run.region,
                               &out->run.clock};
  for (size_t i = 0; i < TEXTS; i++)
    *texts[i] = at[i] == SIZE_MAX ? NULL : out->text + at[i];
  out->run.source_count = count;
  for (size_t i = 0; i < count; i++)
    out->run.sources[i] = out->text + at[TEXTS + i];
  return true;
}

static bool append(psp_runs *runs, const psp_run *run) {
  if ((runs->count & (runs->count - 1)) == 0) { /* full at each power of two */
    size_t cap = runs->count == 0 ? 1 : runs->count * 2;
    psp_run *grown = realloc(runs->items, cap * sizeof *grown);
    if (grown == NULL) return false;
    runs->items = grown;
  }
  runs->items[runs->count++] = *run;
  return true;
}

/* What a file of a stranger's can have for names goes nowhere from here. */
static psprobe_code check_names(const psprobe_run *run, const char *path, psprobe_error *error) {
  psprobe_code code = psp_name_check("run", run->id, strlen(run->id), error);
  for (size_t i = 0; code == PSPROBE_OK && i < run->source_count; i++)
    code = psp_name_check_source(run->sources[i], run->sources, i, error);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "%s", path);
  return code;
}

static psprobe_code take_run(sqlite3_stmt *run, sqlite3_stmt *sources, const char *path,
                             psp_runs *runs, psprobe_error *error) {
  psp_run item;
  psprobe_code code = read_run(run, sources, &item) ? check_names(&item.run, path, error)
                                                    : psp_fail_memory(error, "runs");
  if (code == PSPROBE_OK && !append(runs, &item)) code = psp_fail_memory(error, "runs");
  if (code != PSPROBE_OK) free(item.text);
  return code;
}

/* What the filter's text means for the runs that fit. */
static psprobe_code check_found(const psp_runs *runs, const char *wanted, const char *path,
                                psprobe_error *error) {
  if (wanted == NULL || runs->count == 1) return PSPROBE_OK;
  char shown[PSP_SHOWN_SIZE];
  psp_setting_shown(shown, sizeof shown, wanted);
  if (runs->count == 0 && strcmp(wanted, "last") == 0)
    return psp_fail(error, PSPROBE_NOT_FOUND, "there is no run in %s yet", path);
  if (runs->count == 0)
    return psp_fail(error, PSPROBE_NOT_FOUND, "no run in %s has an id that begins with \"%s\"",
                    path, shown);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "the ids of %zu runs in %s begin with \"%s\": give more of it", runs->count, path,
                  shown);
}

psprobe_code psp_runs_take(sqlite3 *db, const char *path, sqlite3_stmt *run, sqlite3_stmt *sources,
                           psp_runs *runs, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  int step = SQLITE_DONE;
  while (code == PSPROBE_OK && (step = sqlite3_step(run)) == SQLITE_ROW)
    code = take_run(run, sources, path, runs, error);
  if (code == PSPROBE_OK && step != SQLITE_DONE) code = psp_sql_fail(db, path, "read", error);
  sqlite3_reset(run);
  return code;
}

psprobe_code psp_runs_read(sqlite3 *db, const char *path, const psprobe_filter *filter,
                           psp_runs *runs, psprobe_error *error) {
  static const char sql[] = "SELECT " PSP_RUN_SQL
                            " FROM runs WHERE CASE WHEN ?1 IS NULL THEN 1 "
                            "WHEN ?1 = 'last' THEN seq = (SELECT max(seq) FROM runs) "
                            "ELSE substr(id, 1, length(?1)) = ?1 END ORDER BY seq";
  const char *wanted = filter == NULL ? NULL : filter->run;
  if (wanted != NULL && wanted[0] == '\0')
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the run's id is empty");
  sqlite3_stmt *run = NULL, *sources = NULL;
  psprobe_code code = PSPROBE_OK;
  *runs = (psp_runs){0};
  if (sqlite3_prepare_v2(db, sql, -1, &run, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(db, PSP_SOURCES_SQL, -1, &sources, NULL) != SQLITE_OK)
    code = psp_sql_fail(db, path, "read", error);
  if (code == PSPROBE_OK) psp_sql_bind_text(run, 1, wanted);
  if (code == PSPROBE_OK) code = psp_runs_take(db, path, run, sources, runs, error);
  if (code == PSPROBE_OK) code = check_found(runs, wanted, path, error);
  sqlite3_finalize(run);
  sqlite3_finalize(sources);
  if (code != PSPROBE_OK) psp_runs_free(runs);
  return code;
}

psprobe_code psprobe_store_each_run(psprobe_store *store, const psprobe_filter *filter,
                                    psprobe_run_each *each, void *arg, psprobe_error *error) {
  sqlite3 *db = NULL;
  psp_runs runs = {0};
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(db, store->path, filter, &runs, error);
  psp_reader_close(db);
  if (code != PSPROBE_OK) return code;
  int64_t since = filter == NULL ? 0 : filter->since_wall_ns;
  int64_t until = filter == NULL ? 0 : filter->until_wall_ns;
  for (size_t i = 0; i < runs.count; i++) {
    const psprobe_run *run = &runs.items[i].run;
    if (until != 0 && run->started_wall_ns >= until) continue;
    if (since != 0 && run->ended_wall_ns != 0 && run->ended_wall_ns < since) continue;
    if (!each(arg, run)) break;
  }
  psp_runs_free(&runs);
  return PSPROBE_OK;
}
