/* SPDX-License-Identifier: MIT */
/** @file What a run left behind that died: found by the next that writes to its file. */
#include <inttypes.h>

#include "base/error.h"
#include "base/log.h"
#include "results/store/store.h"

/* Whoever has the lock is alone: a run without an end is none that is under way. Its end is the
 * last that is known of it. */
static const char close_runs[] =
    "UPDATE runs SET ending = 3, ended_ns = max(started_ns, coalesce((SELECT max(sent_ns) FROM "
    "probes WHERE run = runs.seq AND state = 2), 0)) WHERE ended_ns IS NULL";

static void tell(const psprobe_store *store, int64_t runs) {
  psp_log_line line;
  if (runs == 0 ||
      !psp_log_begin(&line, &store->logger, PSPROBE_LOG_WARNING, "runs_were_interrupted"))
    return;
  psp_log_text(&line, "file", store->path);
  psp_log_int(&line, "runs", runs);
  psp_log_end(&line);
}

psprobe_code psp_store_recover(psprobe_store *store, psprobe_error *error) {
  int64_t runs = 0;
  if (psp_sql_int64(store->db, "SELECT count(*) FROM runs WHERE ended_ns IS NULL", &runs) !=
      SQLITE_OK)
    return psp_sql_fail(store->db, store->path, "read", error);
  if (runs == 0) return PSPROBE_OK;
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  if (psp_sql_run(store->db, close_runs) != SQLITE_OK)
    code = psp_sql_fail(store->db, store->path, "write to", error);
  code = psp_store_finish(store, code, error);
  if (code == PSPROBE_OK) tell(store, runs);
  return code;
}
