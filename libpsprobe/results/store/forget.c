/* SPDX-License-Identifier: MIT */
/**
 * @file What the file's digests (results/digests) are of: one goes in the transaction that changes
 * a probe of its block, and is kept only if none has changed since it was begun. Most changes are
 * of blocks that have none yet, and ask nothing of the file.
 */
#include "results/store/store.h"

int psp_store_look_for_digests(psprobe_store *store) {
  store->digests = (psp_digesting_state){.last = -1, .making = -1};
  const int result =
      psp_sql_int64(store->db, "SELECT max(block) FROM digests", &store->digests.last);
  if (result != SQLITE_OK) return result;
  return psp_sql_int64(
      store->db,
      "SELECT min(block) + 1 FROM digests d WHERE NOT EXISTS (SELECT 1 FROM digests "
      "e WHERE e.block = d.block + 1)",
      &store->digests.below);
}

psprobe_code psp_store_forget_blocks(psprobe_store *store, int64_t from, int64_t to,
                                     psprobe_error *error) {
  psp_digesting_state *d = &store->digests;
  d->stale |= from <= d->making && d->making <= to;
  if (from > d->last) return PSPROBE_OK;
  if (from < d->below) d->below = from;
  psp_sql_bind_int64(store->statements[PSP_FORGET_DIGEST], 1, from);
  psp_sql_bind_int64(store->statements[PSP_FORGET_DIGEST], 2, to);
  if (psp_sql_step_once(store->statements[PSP_FORGET_DIGEST]) == SQLITE_DONE) return PSPROBE_OK;
  return psp_sql_fail(store->db, store->path, "write to", error);
}

psprobe_code psp_store_forget(psprobe_store *store, int64_t seq, psprobe_error *error) {
  return psp_store_forget_blocks(store, seq / PSP_BLOCK, seq / PSP_BLOCK, error);
}

psprobe_code psp_store_forget_open(psprobe_store *store, int64_t run, psprobe_error *error) {
  char sql[160];
  store->digests.stale = true;
  store->digests.below = 0;
  sqlite3_snprintf(sizeof sql, sql,
                   "DELETE FROM digests WHERE block IN (SELECT seq / %d FROM probes WHERE run = "
                   "%lld AND state < 2)",
                   PSP_BLOCK, (long long)run);
  if (psp_sql_run(store->db, sql) == SQLITE_OK) return PSPROBE_OK;
  return psp_sql_fail(store->db, store->path, "write to", error);
}
