/* SPDX-License-Identifier: MIT */
/** @file Taking away what is old and uploaded, piece by piece; its room is used again. */
#include "base/error.h"
#include "results/store/store.h"

/* Probes that are looked at in one transaction, some milliseconds; a disk that has no room for what
 * that writes gets smaller pieces. */
#define PIECE   500
#define SMALLER 8

/* Which of a piece, parameters 1 to 2, were sent before 3 and need not be kept: what has not been
 * uploaded, or was refused, stays. */
#define OLD                                                                                   \
  " FROM probes WHERE seq > ?1 AND seq <= ?2 AND state = 2 AND sent_ns < ?3 AND revision <= " \
  "uploaded"

/* The last probe of the piece after *last, and how many it has; a young one ends the pass. */
static int find_piece(sqlite3 *db, int piece, int64_t before_ns, int64_t *last, int *count) {
  sqlite3_stmt *find = NULL;
  int result = sqlite3_prepare_v2(
      db, "SELECT seq, sent_ns < ?2 FROM probes WHERE seq > ?1 ORDER BY seq LIMIT ?3", -1, &find,
      NULL);
  if (result != SQLITE_OK) return result;
  psp_sql_bind_int64(find, 1, *last);
  psp_sql_bind_int64(find, 2, before_ns);
  psp_sql_bind_int64(find, 3, piece);
  *count = 0;
  while ((result = sqlite3_step(find)) == SQLITE_ROW && sqlite3_column_int(find, 1) != 0) {
    *last = sqlite3_column_int64(find, 0);
    ++*count;
  }
  sqlite3_finalize(find);
  return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

static int take_away(sqlite3 *db, const char *sql, int64_t after, int64_t last, int64_t before_ns) {
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  if (result != SQLITE_OK) return result;
  psp_sql_bind_int64(statement, 1, after);
  psp_sql_bind_int64(statement, 2, last);
  psp_sql_bind_int64(statement, 3, before_ns);
  sqlite3_step(statement);
  return sqlite3_finalize(statement);
}

/* In a transaction. *to: the last probe of the piece. */
static int prune_piece(sqlite3 *db, int piece, int64_t before_ns, psp_pruning *pruning,
                       int64_t *to) {
  int64_t last = pruning->last;
  int count = 0, gone = 0;
  int result = find_piece(db, piece, before_ns, &last, &count);
  if (result == SQLITE_OK && count > 0)
    result = take_away(db, "DELETE FROM answers WHERE probe IN (SELECT seq" OLD ")", pruning->last,
                       last, before_ns);
  if (result == SQLITE_OK && count > 0) {
    result = take_away(db, "DELETE" OLD, pruning->last, last, before_ns);
    gone = sqlite3_changes(db);
  }
  *to = last;
  pruning->last = count == piece ? last : 0;
  pruning->gone += (uint64_t)gone;
  return result;
}

psprobe_code psp_store_prune(psprobe_store *store, int64_t before_ns, psp_pruning *pruning,
                             psprobe_error *error) {
  psp_pruning next = *pruning;
  int piece = pruning->piece > 0 ? pruning->piece : PIECE;
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  int64_t to = pruning->last;
  if (prune_piece(store->db, piece, before_ns, &next, &to) != SQLITE_OK)
    code = psp_sql_fail(store->db, store->path, "prune", error);
  if (code == PSPROBE_OK && next.gone > pruning->gone)
    code = psp_store_forget_blocks(store, pruning->last / PSP_BLOCK, to / PSP_BLOCK, error);
  code = psp_store_finish(store, code, error);
  if (code == PSPROBE_OK)
    *pruning = next;
  else if (code == PSPROBE_RESOURCE_EXHAUSTED && piece > SMALLER)
    pruning->piece = piece / SMALLER;
  return code;
}
