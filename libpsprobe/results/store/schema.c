/* SPDX-License-Identifier: MIT */
/** @file The tables of a results file, and the way from older ones. */
#include "results/store/store.h"

#include "base/error.h"

/*
 * seq is the order in which probes were kept. revision counts the states of a
 * probe's answers, from 1; uploaded is the revision that is in Firestore, 0 for
 * none; refused the revision that Firestore will not take. So what is still to
 * be uploaded is a comparison inside the row, and an index holds just that.
 *
 * A probe is there before it is sent: state 0, planned (sent_ns: the time of its
 * slot); 1, sent; 2, closed: answered, lost or interrupted. Until then its
 * revision is 0, so that nothing of it is uploaded.
 *
 * An answer is a delivery of a message that came back: its first counts, and
 * is delivery 1. What was not told is NULL.
 */
#define ANSWERS                                                              \
  "CREATE TABLE instances ("                                                 \
  " seq INTEGER PRIMARY KEY,"                                                \
  " run INTEGER NOT NULL REFERENCES runs (seq),"                             \
  " position INTEGER NOT NULL," /* of the source in its run */               \
  " name TEXT NOT NULL,"                                                     \
  " UNIQUE (run, position, name));"                                          \
  "CREATE TABLE answers ("                                                   \
  " probe INTEGER NOT NULL REFERENCES probes (seq),"                         \
  " position INTEGER NOT NULL,"                                              \
  " delivery INTEGER NOT NULL DEFAULT 1,"                                    \
  " status INTEGER NOT NULL," /* psprobe_status */                           \
  " elapsed_ns INTEGER NOT NULL,"                                            \
  " duplicates INTEGER NOT NULL,"                                            \
  " cold INTEGER NOT NULL,"                                                  \
  " handled_ns INTEGER NOT NULL," /* -1: not told */                         \
  " received_ns INTEGER,"         /* the run's clock */                      \
  " instance INTEGER REFERENCES instances (seq),"                            \
  " invocation INTEGER, attempt INTEGER, age_ns INTEGER, ready_ns INTEGER,"  \
  " published_ns INTEGER,"                          /* the broker's clock */ \
  " arrived_ns INTEGER, responder_sent_ns INTEGER," /* the responder's */    \
  " t1_ns INTEGER, t2_ns INTEGER, t3_ns INTEGER, t4_ns INTEGER,"             \
  " PRIMARY KEY (probe, position, delivery)) WITHOUT ROWID;"

/* By blocks of probes' numbers: what they come to (results/digests). What is here is what the rows
 * of that block are: whoever changes one of them takes it away in the same transaction. Of run 0:
 * the block has none. */
#define DIGESTS                                    \
  "CREATE TABLE digests ("                         \
  " block INTEGER NOT NULL," /* seq / PSP_BLOCK */ \
  " run INTEGER NOT NULL,"                         \
  " data BLOB NOT NULL);"                          \
  "CREATE INDEX digests_block ON digests (block);" \
  "CREATE INDEX probes_rare ON probes (sent_ns) WHERE cadence = 1;"

/* By the conditions that readers make: what is open is in none of these. */
#define INDEXES                                                       \
  "CREATE INDEX probes_sent ON probes (sent_ns) WHERE state = 2;"     \
  "CREATE INDEX probes_run ON probes (run, sent_ns) WHERE state = 2;" \
  "CREATE INDEX probes_open ON probes (run) WHERE state < 2;"

static const char tables[] =
    "CREATE TABLE runs ("
    " seq INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " started_ns INTEGER NOT NULL,"
    " ended_ns INTEGER,"
    " project TEXT, topic TEXT, host TEXT, version TEXT, settings TEXT,"
    " interval_ns INTEGER NOT NULL, timeout_ns INTEGER NOT NULL,"
    " region TEXT, clock TEXT,"
    " ending INTEGER NOT NULL DEFAULT 0," /* psprobe_ending */
    " resumed INTEGER NOT NULL DEFAULT 0,"
    " revision INTEGER NOT NULL DEFAULT 1,"
    " uploaded INTEGER NOT NULL DEFAULT 0);"
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
    " refused INTEGER NOT NULL DEFAULT 0,"
    " cadence INTEGER NOT NULL DEFAULT 0," /* psprobe_cadence */
    " state INTEGER NOT NULL DEFAULT 2);"
    "CREATE INDEX probes_outbox ON probes (seq) WHERE revision > uploaded;" INDEXES ANSWERS DIGESTS;

/* From version 1, whose answers had neither delivery nor facts. */
static const char from_1[] =
    "ALTER TABLE probes ADD COLUMN cadence INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE answers RENAME TO answers_1;" ANSWERS
    "INSERT INTO answers (probe, position, status, elapsed_ns, duplicates, cold, handled_ns)"
    " SELECT probe, position, status, elapsed_ns, duplicates, cold, handled_ns FROM answers_1;"
    "DROP TABLE answers_1;";

/* From version 2, which knew of a probe once it was closed. */
static const char from_2[] =
    "ALTER TABLE runs ADD COLUMN region TEXT;"
    "ALTER TABLE runs ADD COLUMN clock TEXT;"
    "ALTER TABLE runs ADD COLUMN ending INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE runs ADD COLUMN uploaded INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE probes ADD COLUMN state INTEGER NOT NULL DEFAULT 2;"
    "DROP INDEX probes_sent; DROP INDEX probes_run;" INDEXES;

/* From version 3, whose probes nothing summed up. */
static const char from_3[] = DIGESTS;

/* The same as views, which a name finds before the file's tables. */
#define DIGESTS_VIEW \
  "CREATE TEMP VIEW digests AS SELECT 0 AS block, 0 AS run, NULL AS data WHERE 0;"
#define RUNS_VIEW                                                                  \
  "CREATE TEMP VIEW runs AS SELECT *, NULL AS region, NULL AS clock, 0 AS ending," \
  " 0 AS resumed, 1 AS revision, 0 AS uploaded FROM main.runs;"
static const char *const bridges[PSP_SCHEMA_VERSION] = {
    [1] = RUNS_VIEW
    "CREATE TEMP VIEW probes AS SELECT *, 0 AS cadence, 2 AS state FROM main.probes;"
    "CREATE TEMP VIEW instances AS SELECT NULL AS seq, NULL AS name WHERE 0;"
    "CREATE TEMP VIEW answers AS SELECT *, 1 AS delivery, NULL AS received_ns, NULL AS instance,"
    " NULL AS invocation, NULL AS attempt, NULL AS age_ns, NULL AS ready_ns, NULL AS published_ns,"
    " NULL AS arrived_ns, NULL AS responder_sent_ns, NULL AS t1_ns, NULL AS t2_ns, NULL AS t3_ns,"
    " NULL AS t4_ns FROM main.answers;" DIGESTS_VIEW,
    [2] =
        RUNS_VIEW "CREATE TEMP VIEW probes AS SELECT *, 2 AS state FROM main.probes;" DIGESTS_VIEW,
    [3] = DIGESTS_VIEW};

/* Runs statements in one transaction, which also tell whose file it is, and of which version. */
static psprobe_code transact(sqlite3 *db, const char *path, const char *const steps[3],
                             const char *what, psprobe_error *error) {
  char *sql = sqlite3_mprintf(
      "BEGIN IMMEDIATE; %s %s %s PRAGMA application_id = %d;"
      "PRAGMA user_version = %d; COMMIT;",
      steps[0], steps[1], steps[2], PSP_APPLICATION_ID, PSP_SCHEMA_VERSION);
  if (sql == NULL) return psp_fail_memory(error, "results file");
  int result = psp_sql_run(db, sql);
  sqlite3_free(sql);
  if (result == SQLITE_OK) return PSPROBE_OK;
  psprobe_code code = psp_sql_fail(db, path, what, error);
  /* A full disk has ended the transaction already. */
  if (!sqlite3_get_autocommit(db)) psp_sql_run(db, "ROLLBACK");
  return code;
}

psprobe_code psp_schema_create(sqlite3 *db, const char *path, psprobe_error *error) {
  return transact(db, path, (const char *[]){tables, "", ""}, "make tables in", error);
}

psprobe_code psp_schema_migrate(sqlite3 *db, const char *path, int64_t version,
                                psprobe_error *error) {
  if (version == PSP_SCHEMA_VERSION) return PSPROBE_OK;
  return transact(db, path,
                  (const char *[]){version < 2 ? from_1 : "", version < 3 ? from_2 : "", from_3},
                  "bring to this version", error);
}

int psp_schema_bridge(sqlite3 *db, int64_t version) {
  return version == PSP_SCHEMA_VERSION ? SQLITE_OK : psp_sql_run(db, bridges[version]);
}

#define OUR_TABLES "('runs', 'sources', 'probes', 'answers', 'instances', 'digests')"

/* Tables of ours are those that SQLite keeps itself, no module's, and compute no column. */
bool psp_schema_look(sqlite3 *db, psp_file_kind *kind, int64_t *version) {
  int64_t application = 0, tables_there = 0, ours = 0;
  *version = 0;
  if (psp_sql_int64(db, "SELECT count(*) FROM sqlite_master", &tables_there) != SQLITE_OK ||
      psp_sql_int64(db, "PRAGMA application_id", &application) != SQLITE_OK ||
      psp_sql_int64(db, "PRAGMA user_version", version) != SQLITE_OK ||
      psp_sql_int64(db,
                    "SELECT count(*) FROM sqlite_master m WHERE type = 'table' AND rootpage > 0 "
                    "AND name IN " OUR_TABLES " AND NOT EXISTS (SELECT 1 FROM "
                    "pragma_table_xinfo(m.name) WHERE hidden <> 0)",
                    &ours) != SQLITE_OK)
    return false;
  if (application == 0 && tables_there == 0)
    *kind = PSP_FILE_NEW;
  else if (application != PSP_APPLICATION_ID)
    *kind = PSP_FILE_FOREIGN;
  else if (*version > PSP_SCHEMA_VERSION)
    *kind = PSP_FILE_NEWER;
  else if (*version < 1 || ours != (*version == 1 ? 4 : *version < 4 ? 5 : 6))
    *kind = PSP_FILE_DAMAGED;
  else
    *kind = PSP_FILE_OURS;
  return true;
}
