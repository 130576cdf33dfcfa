/* SPDX-License-Identifier: MIT */
#include "results/store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "results/store/lock.h"

/* How long to wait for a lock that some other tool holds on the file. */
#define BUSY_MS 5000
/* How long to wait for a reader who tidies up (below). */
#define PATIENCE_NS 300000000
/* Up to this size a file is looked through at each opening; above, after a crash only. */
#define CHECK_ALWAYS (INT64_C(64) << 20)

static const char *const statements[PSP_STATEMENTS] = {
    [PSP_INSERT_RUN] =
        "INSERT INTO runs (id, started_ns, ended_ns, project, topic, host, version, "
        "settings, interval_ns, timeout_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [PSP_INSERT_SOURCE] = "INSERT INTO sources (run, position, name) VALUES (?, ?, ?)",
    [PSP_END_RUN] = "UPDATE runs SET ended_ns = ?2 WHERE id = ?1",
    [PSP_FIND_RUN] =
        "SELECT seq, (SELECT count(*) FROM sources WHERE run = seq) FROM runs "
        "WHERE id = ?",
    [PSP_INSERT_PROBE] =
        "INSERT INTO probes (id, run, sent_ns, lateness_ns, publish_ns, saved_ns) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    [PSP_FIND_PROBE] = "SELECT seq FROM probes WHERE id = ?1 AND run = ?2",
    [PSP_UPDATE_PROBE] =
        "UPDATE probes SET publish_ns = ?2, revision = revision + 1 WHERE seq = ?1",
    [PSP_PUT_ANSWER] =
        "INSERT OR REPLACE INTO answers (probe, position, status, elapsed_ns, "
        "duplicates, cold, handled_ns) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [PSP_MARK_UPLOADED] = "UPDATE probes SET uploaded = max(uploaded, ?2) WHERE seq = ?1",
    [PSP_MARK_ABSENT] = "UPDATE probes SET uploaded = 0 WHERE seq = ?1",
    [PSP_MARK_REFUSED] = "UPDATE probes SET refused = max(refused, ?2) WHERE seq = ?1",
};

/* The file's own name: two names of one file must come to one lock. */
static psprobe_code absolute(const char *path, char **out, psprobe_error *error) {
  char resolved[PATH_MAX], folder[PATH_MAX];
  if (path == NULL || path[0] == '\0')
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the results file needs a name");
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "%s is not a file but a %s", path,
                    S_ISDIR(info.st_mode) ? "folder" : "device");
  if (realpath(path, resolved) != NULL) {
    *out = psp_strdup(resolved);
    return *out == NULL ? psp_fail_memory(error, "results file") : PSPROBE_OK;
  }
  if (errno != ENOENT) return psp_open_fail(path, errno, error);
  const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
  int len = slash == NULL ? snprintf(folder, sizeof folder, ".")
                          : snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path);
  if (len >= (int)sizeof folder) return psp_open_fail(path, ENAMETOOLONG, error);
  if (realpath(folder, resolved) == NULL) {
    psp_open_fail(path, errno, error);
    if (errno != ENOENT) return psp_open_fail(path, errno, error);
    return psp_fail(error, PSPROBE_NOT_FOUND, "cannot open %s: there is no folder %s", path,
                    folder);
  }
  psp_buf buf = {0};
  psp_buf_printf(&buf, "%s%s%s", resolved, strcmp(resolved, "/") == 0 ? "" : "/", name);
  *out = psp_buf_take(&buf, NULL);
  return *out == NULL ? psp_fail_memory(error, "results file") : PSPROBE_OK;
}

/* Whether every page is as it should be. */
static bool is_whole(sqlite3 *db) {
  sqlite3_stmt *statement = NULL;
  bool whole = false;
  if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    whole = psp_text_equal(psp_sql_text(statement, 0), "ok");
  sqlite3_finalize(statement);
  return whole;
}

/* A log that is left means that the last writer was killed. */
static bool wants_check(const char *path) {
  char log[PATH_MAX + 8];
  struct stat info;
  snprintf(log, sizeof log, "%s-wal", path);
  if (stat(log, &info) == 0 && info.st_size > 0) return true;
  return stat(path, &info) == 0 && info.st_size <= CHECK_ALWAYS;
}

static int configure(sqlite3 *db) {
  sqlite3_busy_timeout(db, BUSY_MS);
  sqlite3_extended_result_codes(db, 1);
  /* A file made by somebody else may define views and triggers: they shall call nothing. */
  return psp_sql_run(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
}

/*
 * Opens to write what is there, or makes it. `kind` tells what it is when it cannot be used.
 * FULL: each commit is on the disk before it returns.
 */
static psprobe_code open_writer(psprobe_store *store, psp_file_kind *kind, psprobe_error *error) {
  int64_t version = 0;
  bool check = wants_check(store->path);
  *kind = PSP_FILE_OURS;
  int result =
      sqlite3_open_v2(store->path, &store->db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  if (result != SQLITE_OK) return psp_sql_fail(store->db, store->path, "open", error);
  if (sqlite3_db_readonly(store->db, "main") == 1)
    return psp_fail(error, PSPROBE_PERMISSION_DENIED,
                    "%s may not be written to by this user: choose another file", store->path);
  configure(store->db);
  if (!psp_schema_look(store->db, kind, &version)) {
    psprobe_code code = psp_sql_fail(store->db, store->path, "read", error);
    *kind = code == PSPROBE_DATA_LOSS ? psp_file_look(store->path) : PSP_FILE_OURS;
    return code == PSPROBE_DATA_LOSS ? psp_file_refuse(store->path, *kind, 0, error) : code;
  }
  if (*kind == PSP_FILE_NEW) {
    if (psp_schema_create(store->db) != SQLITE_OK)
      return psp_sql_fail(store->db, store->path, "make tables in", error);
    *kind = PSP_FILE_OURS;
    check = false;
  }
  if (*kind == PSP_FILE_OURS && check && !is_whole(store->db)) *kind = PSP_FILE_DAMAGED;
  if (*kind != PSP_FILE_OURS) return psp_file_refuse(store->path, *kind, version, error);
  if (psp_sql_run(store->db,
                  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "PRAGMA foreign_keys = ON") != SQLITE_OK)
    return psp_sql_fail(store->db, store->path, "open", error);
  for (int i = 0; i < PSP_STATEMENTS; i++)
    if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                           &store->statements[i], NULL) != SQLITE_OK)
      return psp_sql_fail(store->db, store->path, "prepare to write", error);
  return PSPROBE_OK;
}

static void close_writer(psprobe_store *store) {
  for (int i = 0; i < PSP_STATEMENTS; i++) {
    sqlite3_finalize(store->statements[i]);
    store->statements[i] = NULL;
  }
  sqlite3_close(store->db);
  store->db = NULL;
}

static psprobe_code open_to_write(psprobe_store *store, psprobe_error *error) {
  psp_file_kind kind;
  psprobe_code code = psp_lock_take(store->path, PATIENCE_NS, &store->lock, error);
  if (code != PSPROBE_OK) return code;
  code = open_writer(store, &kind, error);
  if (code == PSPROBE_OK || kind != PSP_FILE_DAMAGED) return code;
  close_writer(store);
  code = psp_file_set_aside(store->path, &store->logger, error);
  return code == PSPROBE_OK ? open_writer(store, &kind, error) : code;
}

static psprobe_code open_to_read(psprobe_store *store, psprobe_error *error) {
  sqlite3 *db = NULL;
  struct stat info;
  if (stat(store->path, &info) != 0) {
    if (errno != ENOENT) return psp_open_fail(store->path, errno, error);
    return psp_fail(error, PSPROBE_NOT_FOUND, "there is no results file %s", store->path);
  }
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code == PSPROBE_OK) psp_reader_close(db);
  return code;
}

psprobe_code psprobe_store_open(const char *path, const psprobe_store_options *options,
                                psprobe_store **store, psprobe_error *error) {
  psprobe_store *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "results file");
  made->lock = -1;
  made->read_only = options != NULL && options->read_only;
  if (options != NULL && options->logger != NULL) made->logger = *options->logger;
  pthread_mutex_init(&made->mutex, NULL);
  psprobe_code code = absolute(path, &made->path, error);
  if (code == PSPROBE_OK)
    code = made->read_only ? open_to_read(made, error) : open_to_write(made, error);
  if (code == PSPROBE_OK)
    *store = made;
  else
    psprobe_store_free(made);
  return code;
}

/*
 * Where nobody writes, reading has left an empty log beside the file. A connection that may write
 * takes it away when it is the last: under the writer's lock, and with nothing to checkpoint.
 */
static void tidy(psprobe_store *store) {
  char log[PATH_MAX + 8];
  struct stat info;
  int lock = -1;
  snprintf(log, sizeof log, "%s-wal", store->path);
  if (stat(log, &info) != 0 || info.st_size != 0) return;
  if (psp_lock_take(store->path, 0, &lock, NULL) != PSPROBE_OK) return;
  if (stat(log, &info) == 0 && info.st_size == 0 &&
      sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
          SQLITE_OK)
    psp_sql_run(store->db, "SELECT 1 FROM sqlite_master LIMIT 1");
  close_writer(store);
  psp_lock_release(store->path, lock);
}

void psprobe_store_free(psprobe_store *store) {
  if (store == NULL) return;
  if (store->read_only && store->path != NULL) tidy(store);
  close_writer(store);
  psp_lock_release(store->path, store->lock);
  pthread_mutex_destroy(&store->mutex);
  free(store->path);
  free(store);
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
  return result == SQLITE_OK && configure(*db) == SQLITE_OK;
}

psprobe_code psp_reader_open(psprobe_store *store, sqlite3 **db, psprobe_error *error) {
  psp_file_kind kind;
  int64_t version = 0;
  psprobe_code code;
  int result = sqlite3_open_v2(store->path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
  if (result == SQLITE_OK) {
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(*db, 0);
    configure(*db);
    result = psp_sql_run(*db, "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1");
  }
  if ((result & 0xFF) == SQLITE_CANTOPEN || (result & 0xFF) == SQLITE_READONLY)
    if (try_immutable(store, db))
      result = psp_sql_run(*db, "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1");
  if (result == SQLITE_OK && psp_schema_look(*db, &kind, &version)) {
    if (kind == PSP_FILE_OURS) return PSPROBE_OK;
    code = psp_file_refuse(store->path, kind, version, error);
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
