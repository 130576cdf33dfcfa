/* SPDX-License-Identifier: MIT */
/** @file What a run left behind that died: found by the next that writes to its file. */
#include "base/error.h"
#include "base/log.h"
#include "results/store/store.h"

/* Its end is the last that is known of it. */
static psprobe_code close_run(psprobe_store *store, int64_t run, psp_closed *closed,
                              psprobe_error *error) {
  psprobe_code code = psp_store_close_probes(store, run, false, closed, error);
  if (code != PSPROBE_OK) return code;
  char *sql = sqlite3_mprintf(
      "UPDATE runs SET ending = %d, revision = revision + 1, ended_ns = max(started_ns, "
      "coalesce((SELECT "
      "max(sent_ns) FROM probes WHERE run = %lld AND state = 2), 0)) "
      "WHERE seq = %lld",
      PSPROBE_ENDING_INTERRUPTED, (long long)run, (long long)run);
  int result = sql == NULL ? SQLITE_NOMEM : psp_sql_run(store->db, sql);
  sqlite3_free(sql);
  return result == SQLITE_OK ? PSPROBE_OK : psp_sql_fail(store->db, store->path, "write to", error);
}

static void tell(const psprobe_store *store, int64_t run, const psp_closed *closed) {
  psp_log_line line;
  if (!psp_log_begin(&line, &store->logger, PSPROBE_LOG_WARNING, "run_was_interrupted")) return;
  psp_log_text(&line, "file", store->path);
  psp_log_int(&line, "run", run);
  psp_log_int(&line, "interrupted", closed->interrupted);
  psp_log_int(&line, "perhaps_sent", closed->uncertain);
  psp_log_end(&line);
}

/* Whoever has the lock is alone: a run without an end is none that is under way. */
psprobe_code psp_store_recover(psprobe_store *store, psprobe_error *error) {
  for (;;) {
    int64_t run = -1;
    psp_closed closed;
    if (psp_sql_int64(store->db, "SELECT seq FROM runs WHERE ended_ns IS NULL LIMIT 1", &run) !=
        SQLITE_OK)
      return psp_sql_fail(store->db, store->path, "read", error);
    if (run < 0) return PSPROBE_OK;
    psprobe_code code = psp_store_begin(store, error);
    if (code != PSPROBE_OK) return code;
    code = psp_store_finish(store, close_run(store, run, &closed, error), error);
    if (code != PSPROBE_OK) return code;
    tell(store, run, &closed);
  }
}
