/* SPDX-License-Identifier: MIT */
/** @file The tables of a results file, and the way from older ones. */
#include "results/store/store.h"

#include "base/error.h"

/*
 * seq is the order in which probes were kept. revision counts the states of a
 * probe's answers, from 1; uploaded is the revision that is in Firestore, 0 for
 * none; refused the revision that Firestore will not take. So what is still to
 * be uploaded is a comparison inside the row, and an index holds just that.
 */
static const char tables[] =
    "CREATE TABLE runs ("
    " seq INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " started_ns INTEGER NOT NULL,"
    " ended_ns INTEGER,"
    " project TEXT, topic TEXT, host TEXT, version TEXT, settings TEXT,"
    " interval_ns INTEGER NOT NULL, timeout_ns INTEGER NOT NULL);"
    "CREATE TABLE sources ("
    " run INTEGER NOT NULL REFERENCES runs (seq),"
    " position INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " PRIMARY KEY (run, position)) WITHOUT ROWID;"
    "CREATE TABLE probes ("
    " seq INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " run INTEGER NOT NULL REFERENCES runs (seq),"
    " sent_ns INTEGER NOT NULL,"
    " lateness_ns INTEGER NOT NULL,"
    " publish_ns INTEGER NOT NULL," /* -1: failed */
    " saved_ns INTEGER NOT NULL,"
    " revision INTEGER NOT NULL DEFAULT 1,"
    " uploaded INTEGER NOT NULL DEFAULT 0,"
    " refused INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE answers ("
    " probe INTEGER NOT NULL REFERENCES probes (seq),"
    " position INTEGER NOT NULL," /* of the source in its run */
    " status INTEGER NOT NULL,"   /* psprobe_status */
    " elapsed_ns INTEGER NOT NULL,"
    " duplicates INTEGER NOT NULL,"
    " cold INTEGER NOT NULL,"
    " handled_ns INTEGER NOT NULL," /* -1: not told */
    " PRIMARY KEY (probe, position)) WITHOUT ROWID;"
    "CREATE INDEX probes_sent ON probes (sent_ns);"
    "CREATE INDEX probes_run ON probes (run, sent_ns);"
    "CREATE INDEX probes_outbox ON probes (seq) WHERE revision > uploaded;";

psprobe_code psp_schema_create(sqlite3 *db, const char *path, psprobe_error *error) {
  char *sql = sqlite3_mprintf(
      "BEGIN IMMEDIATE; %s PRAGMA application_id = %d;"
      "PRAGMA user_version = %d; COMMIT;",
      tables, PSP_APPLICATION_ID, PSP_SCHEMA_VERSION);
  if (sql == NULL) return psp_fail_memory(error, "results file");
  int result = psp_sql_run(db, sql);
  sqlite3_free(sql);
  if (result == SQLITE_OK) return PSPROBE_OK;
  psprobe_code code = psp_sql_fail(db, path, "make tables in", error);
  /* A full disk has ended the transaction already. */
  if (!sqlite3_get_autocommit(db)) psp_sql_run(db, "ROLLBACK");
  return code;
}

bool psp_schema_look(sqlite3 *db, psp_file_kind *kind, int64_t *version) {
  int64_t application = 0, tables_there = 0, ours = 0;
  *version = 0;
  if (psp_sql_int64(db, "SELECT count(*) FROM sqlite_master", &tables_there) != SQLITE_OK ||
      psp_sql_int64(db, "PRAGMA application_id", &application) != SQLITE_OK ||
      psp_sql_int64(db, "PRAGMA user_version", version) != SQLITE_OK ||
      psp_sql_int64(db,
                    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN "
                    "('runs', 'sources', 'probes', 'answers')",
                    &ours) != SQLITE_OK)
    return false;
  if (application == 0 && tables_there == 0)
    *kind = PSP_FILE_NEW;
  else if (application != PSP_APPLICATION_ID)
    *kind = PSP_FILE_FOREIGN;
  else if (*version > PSP_SCHEMA_VERSION)
    *kind = PSP_FILE_NEWER;
  else if (*version < 1 || ours != 4)
    *kind = PSP_FILE_DAMAGED;
  else
    *kind = PSP_FILE_OURS;
  return true;
}
