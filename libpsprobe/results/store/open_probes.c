/* SPDX-License-Identifier: MIT */
#include "results/store/open_probes.h"

#include <stdlib.h>

#include "base/error.h"
#include "results/store/store.h"

static const char counts_sql[] =
    "SELECT count(*) FILTER (WHERE p.state = 1 OR a.probe IS NOT NULL), count(*) FILTER (WHERE "
    "p.state = 0 AND a.probe IS NULL AND (p.cadence <> 0 OR p.seq <= ?2)) FROM probes p LEFT JOIN "
    "(SELECT DISTINCT probe FROM answers WHERE probe IN (SELECT seq FROM probes WHERE run = ?1 AND "
    "state < 2)) a ON a.probe = p.seq WHERE p.run = ?1 AND p.state < 2 AND p.sent_ns >= ?3 AND "
    "(?4 = 0 OR p.sent_ns < ?4)";

/* @return SQLite's code; SQLITE_OK with the counts */
static int count(sqlite3 *db, sqlite3_stmt *counts, int64_t run, psp_open_probes *open) {
  int64_t last = INT64_MAX;
  int result = psp_store_find_last_sent(db, run, &last);
  if (result != SQLITE_OK) return result;
  psp_sql_bind_int64(counts, 1, run);
  psp_sql_bind_int64(counts, 2, last);
  result = sqlite3_step(counts);
  if (result == SQLITE_ROW) {
    open->sent = (uint64_t)sqlite3_column_int64(counts, 0);
    open->perhaps = (uint64_t)sqlite3_column_int64(counts, 1);
    result = SQLITE_OK;
  }
  sqlite3_reset(counts);
  return result;
}

/* Of each run that has no end. @return SQLite's code */
static int count_all(sqlite3 *db, const psp_runs *runs, const psprobe_filter *filter,
                     psp_open_probes *open) {
  sqlite3_stmt *counts = NULL;
  int result = sqlite3_prepare_v2(db, counts_sql, -1, &counts, NULL);
  if (result == SQLITE_OK) {
    psp_sql_bind_int64(counts, 3, filter == NULL ? 0 : filter->since_wall_ns);
    psp_sql_bind_int64(counts, 4, filter == NULL ? 0 : filter->until_wall_ns);
  }
  for (size_t i = 0; result == SQLITE_OK && i < runs->count; i++)
    if (runs->items[i].run.ended_wall_ns == 0)
      result = count(db, counts, runs->items[i].seq, &open[i]);
  sqlite3_finalize(counts);
  return result;
}

static psprobe_code read_all(psprobe_store *store, const psprobe_filter *filter, psp_runs *runs,
                             psp_open_probes **open, psprobe_error *error) {
  sqlite3 *db = NULL;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(db, store->path, filter, runs, error);
  if (code == PSPROBE_OK) {
    *open = calloc(runs->count + 1, sizeof **open);
    if (*open == NULL)
      code = psp_fail_memory(error, "runs");
    else if (count_all(db, runs, filter, *open) != SQLITE_OK)
      code = psp_sql_fail(db, store->path, "read", error);
  }
  psp_reader_close(db);
  return code;
}

/* The lock is looked at before the file is read, and after: a prober that ends or begins meanwhile
 * runs, as far as that goes. */
psprobe_code psp_store_each_open(psprobe_store *store, const psprobe_filter *filter,
                                 psp_open_probes_each *each, void *arg, psprobe_error *error) {
  psp_runs runs = {0};
  psp_open_probes *open = NULL;
  psp_writer prober = psp_file_lock_look(store->path);
  const psprobe_code code = read_all(store, filter, &runs, &open, error);
  if (prober == PSP_WRITER_GONE) prober = psp_file_lock_look(store->path);
  for (size_t i = 0; code == PSPROBE_OK && i < runs.count; i++) {
    if (runs.items[i].run.ended_wall_ns != 0) continue;
    open[i].prober = prober;
    if (prober == PSP_WRITER_RUNNING) open[i].perhaps = 0; /* they are planned, no more */
    each(arg, runs.items[i].run.id, &open[i]);
  }
  psp_runs_free(&runs);
  free(open);
  return code;
}
