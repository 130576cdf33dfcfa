/* SPDX-License-Identifier: MIT */
/** @file Reading probes. */
#include <string.h>

#include "base/error.h"
#include "results/store/store.h"

static bool read_answer(sqlite3_stmt *statement, psprobe_result *result) {
  if (sqlite3_column_type(statement, 9) == SQLITE_NULL) return true; /* a probe without any */
  int64_t position = sqlite3_column_int64(statement, 9);
  int64_t status = sqlite3_column_int64(statement, 10);
  int64_t duplicates = sqlite3_column_int64(statement, 12);
  if (position < 0 || position >= PSPROBE_MAX_SOURCES || status < PSPROBE_LOST ||
      status > PSPROBE_LATE || duplicates < 0 || duplicates > UINT32_MAX)
    return false;
  result->answers[position] = (psprobe_answer){
      .status = (psprobe_status)status,
      .elapsed_ns = sqlite3_column_int64(statement, 11),
      .duplicates = (uint32_t)duplicates,
      .cold = sqlite3_column_int(statement, 13) != 0,
      .handled_ns = sqlite3_column_int64(statement, 14),
  };
  if (result->source_count <= (size_t)position) result->source_count = (size_t)position + 1;
  return true;
}

int psp_row_read(sqlite3_stmt *statement, psp_stored_row *stored) {
  const char *id = psp_sql_text(statement, 1);
  *stored = (psp_stored_row){
      .seq = sqlite3_column_int64(statement, 0),
      .run = sqlite3_column_int64(statement, 2),
      .saved_ns = sqlite3_column_int64(statement, 6),
      .revision = sqlite3_column_int64(statement, 7),
      .uploaded = sqlite3_column_int64(statement, 8),
  };
  if (id == NULL || strlen(id) >= sizeof stored->result.id) return SQLITE_MISMATCH;
  memcpy(stored->result.id, id, strlen(id) + 1);
  stored->result.sent_wall_ns = sqlite3_column_int64(statement, 3);
  stored->result.lateness_ns = sqlite3_column_int64(statement, 4);
  stored->result.publish_ns = sqlite3_column_int64(statement, 5);
  int step;
  do {
    if (!read_answer(statement, &stored->result)) return SQLITE_MISMATCH;
    step = sqlite3_step(statement);
  } while (step == SQLITE_ROW && sqlite3_column_int64(statement, 0) == stored->seq);
  return step;
}

/* The statement for a filter whose run (if it names one) is `run`: only the conditions that there
 * are, so that SQLite finds the index that fits them. */
static sqlite3_stmt *prepare(sqlite3 *db, const psprobe_filter *filter, const int64_t *run) {
  char sql[640];
  int64_t since = filter == NULL ? 0 : filter->since_wall_ns;
  int64_t until = filter == NULL ? 0 : filter->until_wall_ns;
  sqlite3_stmt *statement = NULL;
  sqlite3_snprintf(sizeof sql, sql,
                   "SELECT " PSP_ROW_COLUMNS
                   " FROM probes p LEFT JOIN answers a ON a.probe = p.seq WHERE 1%s%s%s"
                   " ORDER BY p.sent_ns, p.seq",
                   run == NULL ? "" : " AND p.run = ?1", since == 0 ? "" : " AND p.sent_ns >= ?2",
                   until == 0 ? "" : " AND p.sent_ns < ?3");
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return NULL;
  if (run != NULL) psp_sql_bind_int64(statement, 1, *run);
  if (since != 0) psp_sql_bind_int64(statement, 2, since);
  if (until != 0) psp_sql_bind_int64(statement, 3, until);
  return statement;
}

static psprobe_code read_rows(psprobe_store *store, sqlite3 *db, const psp_runs *runs,
                              sqlite3_stmt *statement, psprobe_row_each *each, void *arg,
                              psprobe_error *error) {
  int step = sqlite3_step(statement);
  while (step == SQLITE_ROW) {
    psp_stored_row stored;
    step = psp_row_read(statement, &stored);
    const psp_run *run = psp_runs_find(runs, stored.run);
    if (step == SQLITE_MISMATCH || run == NULL ||
        run->run.source_count < stored.result.source_count)
      return psp_fail(error, PSPROBE_DATA_LOSS, "%s is damaged: a probe in it makes no sense",
                      store->path);
    stored.result.source_count = run->run.source_count;
    psprobe_row row = {.run = &run->run,
                       .result = stored.result,
                       .saved_wall_ns = stored.saved_ns,
                       .uploaded = stored.uploaded >= stored.revision};
    if (!each(arg, &row)) return PSPROBE_OK;
  }
  return step == SQLITE_DONE ? PSPROBE_OK : psp_sql_fail(db, store->path, "read", error);
}

psprobe_code psprobe_store_each(psprobe_store *store, const psprobe_filter *filter,
                                psprobe_row_each *each, void *arg, psprobe_error *error) {
  sqlite3 *db = NULL;
  psp_runs runs;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(db, store->path, filter, &runs, error);
  if (code == PSPROBE_OK) {
    bool one = filter != NULL && filter->run != NULL;
    sqlite3_stmt *statement = prepare(db, filter, one ? &runs.items[0].seq : NULL);
    code = statement == NULL ? psp_sql_fail(db, store->path, "read", error)
                             : read_rows(store, db, &runs, statement, each, arg, error);
    sqlite3_finalize(statement);
    psp_runs_free(&runs);
  }
  psp_reader_close(db);
  return code;
}

psprobe_code psprobe_store_backlog(psprobe_store *store, uint64_t *rows, psprobe_error *error) {
  sqlite3 *db = NULL;
  int64_t count = 0;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  if (psp_sql_int64(db, "SELECT count(*) FROM probes WHERE revision > uploaded", &count) ==
      SQLITE_OK)
    *rows = (uint64_t)count;
  else
    code = psp_sql_fail(db, store->path, "read", error);
  psp_reader_close(db);
  return code;
}
