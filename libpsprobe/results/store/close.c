/* SPDX-License-Identifier: MIT */
/** @file Closing the probes that are open as their run ends, in peace or found to be dead. */
#include "base/error.h"
#include "os/clock.h"
#include "prober/ahead.h"
#include "results/store/store.h"

/*
 * In turn: what has not been sent goes; an answer proves that its probe was; who has none is
 * interrupted (3), or uncertain (4); then all of it is closed, and may be uploaded.
 * The run; whether all that is planned, or from which on it, is known not to be sent (the time does
 * not tell: its clock may have been put back since); the run twice.
 */
static const char close_probes[] =
    "DELETE FROM probes WHERE run = %lld AND state < 2 AND state = 0 AND (%d OR cadence = 0 AND "
    "seq "
    "> %lld) AND NOT EXISTS (SELECT 1 FROM answers WHERE probe = probes.seq);"
    "UPDATE probes SET state = 1 WHERE run = %lld AND state < 2 AND EXISTS (SELECT 1 FROM answers "
    "WHERE probe = probes.seq);"
    "INSERT INTO answers (probe, position, status, elapsed_ns, duplicates, cold, handled_ns) "
    "SELECT p.seq, s.position, 4 - p.state, 0, 0, 0, -1 FROM probes p JOIN sources s ON s.run = "
    "p.run WHERE p.run = %lld AND p.state < 2 ON CONFLICT DO NOTHING;";

static const char counts[] =
    "SELECT count(*) FROM probes p WHERE run = %lld AND state < 2 AND EXISTS (SELECT 1 FROM "
    "answers WHERE probe = p.seq AND status = %d)";

static int run_sql(sqlite3 *db, char *sql) {
  int result = sql == NULL ? SQLITE_NOMEM : psp_sql_run(db, sql);
  sqlite3_free(sql);
  return result;
}

static int count(sqlite3 *db, int64_t run, psprobe_status status, int64_t *value) {
  char *sql = sqlite3_mprintf(counts, (long long)run, status);
  int result = sql == NULL ? SQLITE_NOMEM : psp_sql_int64(db, sql, value);
  sqlite3_free(sql);
  return result;
}

/* Notes of sending are kept in order, and no more than a window of probes is sent without. */
int psp_store_find_last_sent(sqlite3 *db, int64_t run, int64_t *last) {
  int64_t interval = 0;
  char *sql = sqlite3_mprintf("SELECT interval_ns FROM runs WHERE seq = %lld", (long long)run);
  int result = sql == NULL ? SQLITE_NOMEM : psp_sql_int64(db, sql, &interval);
  sqlite3_free(sql);
  if (result != SQLITE_OK) return result;
  *last = INT64_MAX;
  sql = sqlite3_mprintf(
      "SELECT seq FROM probes WHERE run = %lld AND cadence = 0 AND seq >= (SELECT min(seq) FROM "
      "probes WHERE run = %lld AND state < 2 AND state = 0 AND cadence = 0) ORDER BY seq LIMIT 1 "
      "OFFSET %lld",
      (long long)run, (long long)run, (long long)psp_ahead_window(interval) - 1);
  result = sql == NULL ? SQLITE_NOMEM : psp_sql_int64(db, sql, last);
  sqlite3_free(sql);
  return result;
}

psprobe_code psp_store_close_probes(psprobe_store *store, int64_t run, bool told,
                                    psp_closed *closed, psprobe_error *error) {
  int64_t now = psprobe_clock_wall();
  long long seq = run;
  *closed = (psp_closed){0};
  int64_t last = INT64_MAX;
  psprobe_code code = psp_store_forget_open(store, run, error);
  if (code != PSPROBE_OK) return code;
  int result = psp_store_find_last_sent(store->db, run, &last);
  if (result == SQLITE_OK)
    result =
        run_sql(store->db, sqlite3_mprintf(close_probes, seq, told, (long long)last, seq, seq));
  if (result == SQLITE_OK)
    result = count(store->db, run, PSPROBE_INTERRUPTED, &closed->interrupted);
  if (result == SQLITE_OK) result = count(store->db, run, PSPROBE_UNCERTAIN, &closed->uncertain);
  if (result == SQLITE_OK)
    result = run_sql(store->db,
                     sqlite3_mprintf("UPDATE probes SET state = 2, revision = 1, saved_ns = %lld "
                                     "WHERE run = %lld AND state < 2",
                                     (long long)now, seq));
  return result == SQLITE_OK ? PSPROBE_OK : psp_sql_fail(store->db, store->path, "write to", error);
}
