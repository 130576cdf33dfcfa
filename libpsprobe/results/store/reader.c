/* SPDX-License-Identifier: MIT */
/** @file Connections that read: a snapshot each, and nothing is written or checkpointed. */
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "results/store/store.h"

/* Bytes of a row: a run's settings and a digest are some KiB. */
#define ROW_MOST (16 << 20)

int psp_connection_configure(sqlite3 *db) {
  sqlite3_busy_timeout(db, PSP_BUSY_MS);
  sqlite3_extended_result_codes(db, 1);
  /* A file made by somebody else may define views and triggers: none is run (ours are temporary
   * views, which stay), they would call nothing, and no row is larger than any of ours. */
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_MOST);
  return psp_sql_run(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
}

/* Where SQLite cannot make its files beside ours, ours is read as it is if no log belongs to it. */
static bool try_immutable(psprobe_store *store, sqlite3 **db) {
  char log[PATH_MAX + 8];
  struct stat info;
  psp_buf uri = {0};
  snprintf(log, sizeof log, "%s-wal", store->path);
  if (stat(log, &info) == 0 && info.st_size > 0) return false;
  psp_buf_text(&uri, "file:");
  psp_percent_encode(&uri, store->path);
  psp_buf_text(&uri, "?immutable=1");
  int result = SQLITE_NOMEM;
  if (!uri.failed) {
    sqlite3_close(*db);
    result = sqlite3_open_v2(uri.data, db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
  }
  psp_buf_free(&uri);
  return result == SQLITE_OK && psp_connection_configure(*db) == SQLITE_OK;
}

psprobe_code psp_reader_open(psprobe_store *store, sqlite3 **db, psprobe_error *error) {
  psp_file_kind kind;
  int64_t version = 0;
  psprobe_code code;
  int result = sqlite3_open_v2(store->path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
  if (result == SQLITE_OK) {
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(*db, 0);
    psp_connection_configure(*db);
    result = psp_sql_run(*db, "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1");
  }
  if ((result & 0xFF) == SQLITE_CANTOPEN || (result & 0xFF) == SQLITE_READONLY)
    if (try_immutable(store, db))
      result = psp_sql_run(*db, "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1");
  if (result == SQLITE_OK && psp_schema_look(*db, &kind, &version)) {
    if (kind == PSP_FILE_OURS && psp_schema_bridge(*db, version) == SQLITE_OK) return PSPROBE_OK;
    code = kind == PSP_FILE_OURS ? psp_sql_fail(*db, store->path, "read", error)
                                 : psp_file_refuse(store->path, kind, version, error);
  } else {
    code = psp_sql_fail(*db, store->path, "read", error);
    if (code == PSPROBE_DATA_LOSS)
      code = psp_file_refuse(store->path, psp_file_look(store->path), 0, error);
  }
  psp_reader_close(*db);
  *db = NULL;
  return code;
}

void psp_reader_close(sqlite3 *db) {
  psp_sql_run(db, "ROLLBACK");
  sqlite3_close(db);
}
