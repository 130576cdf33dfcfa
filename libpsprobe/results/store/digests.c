/* SPDX-License-Identifier: MIT */
/** @file Keeping digests (results/digests) in the file, unless their block has changed since they
 * were begun. */
#include "results/store/store.h"

psprobe_code psp_store_make_digest(psprobe_store *store, int64_t block, int64_t *below,
                                   psprobe_error *error) {
  psprobe_code code = psp_store_enter(store, error);
  if (code != PSPROBE_OK) return code;
  store->digests.making = block;
  store->digests.stale = false;
  *below = store->digests.below;
  psp_store_leave(store);
  return PSPROBE_OK;
}

static psprobe_code put(psprobe_store *store, int64_t block, const psp_digest_bytes *digests,
                        size_t count, psprobe_error *error) {
  sqlite3_stmt *statement = store->statements[PSP_PUT_DIGEST];
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < count; i++) {
    psp_sql_bind_int64(statement, 1, block);
    psp_sql_bind_int64(statement, 2, digests[i].run);
    sqlite3_bind_blob64(statement, 3, digests[i].data, digests[i].len, SQLITE_STATIC);
    code = psp_store_change(store, PSP_PUT_DIGEST, error);
  }
  sqlite3_clear_bindings(statement);
  return code;
}

psprobe_code psp_store_put_digests(psprobe_store *store, int64_t block,
                                   const psp_digest_bytes *digests, size_t count,
                                   psprobe_error *error) {
  psprobe_code code = psp_store_begin_unsynced(store, error);
  if (code != PSPROBE_OK) return code;
  psp_digesting_state *d = &store->digests;
  const bool good = d->making == block && !d->stale;
  if (good) code = put(store, block, digests, count, error);
  d->making = -1;
  if (good && code == PSPROBE_OK) {
    if (block > d->last) d->last = block;
    if (block == d->below) d->below = block + 1;
  }
  return psp_store_finish(store, code, error);
}
