/* SPDX-License-Identifier: MIT */
/**
 * @file The connection that writes: opened under the lock, and made anew when the file was removed
 * or renamed under it. What a removed file holds can still be read by who has it open, so that it
 * is carried over to a new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "results/store/store.h"

/* How long to wait for a reader who tidies up. */
#define PATIENCE_NS 300000000
/* Up to this size a file is looked through at each opening; above, after a crash only. */
#define CHECK_ALWAYS (INT64_C(64) << 20)

/* Of the probes, as parameters 1 and 2 say. */
#define TO_UPLOAD "revision > uploaded AND revision > refused AND seq > ?1 ORDER BY seq LIMIT ?2"

static const char *const statements[PSP_STATEMENTS] = {
    [PSP_INSERT_RUN] =
        "INSERT INTO runs (id, started_ns, ended_ns, project, topic, host, version, "
        "settings, interval_ns, timeout_ns, region, clock, ending, resumed) VALUES (?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [PSP_INSERT_SOURCE] = "INSERT INTO sources (run, position, name) VALUES (?, ?, ?)",
    [PSP_END_RUN] =
        "UPDATE runs SET ended_ns = ?2, ending = ?3, revision = revision + 1 WHERE id = ?1",
    [PSP_RESUME_RUN] =
        "UPDATE runs SET ended_ns = NULL, ending = 0, resumed = resumed + 1, "
        "revision = revision + 1 WHERE id = ?1",
    [PSP_SET_SETTINGS] = "UPDATE runs SET settings = ?2, revision = revision + 1 WHERE id = ?1",
    [PSP_FIND_RUN] =
        "SELECT seq, (SELECT count(*) FROM sources WHERE run = seq) FROM runs "
        "WHERE id = ?",
    [PSP_PLAN_PROBE] =
        "INSERT INTO probes (id, run, sent_ns, lateness_ns, publish_ns, saved_ns, cadence, state, "
        "revision) VALUES (?1, ?2, ?3, 0, -1, 0, ?4, 0, 0) ON CONFLICT (id) DO NOTHING",
    [PSP_SEND_PROBE] =
        "INSERT INTO probes (id, run, sent_ns, lateness_ns, publish_ns, saved_ns, cadence, state, "
        "revision) VALUES (?1, ?2, ?3, ?5, -1, 0, ?4, 1, 0) ON CONFLICT (id) DO UPDATE SET "
        "sent_ns = ?3, lateness_ns = ?5, state = 1 WHERE state = 0",
    [PSP_INSERT_PROBE] =
        "INSERT INTO probes (id, run, sent_ns, lateness_ns, publish_ns, saved_ns, cadence) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET sent_ns = ?3, "
        "lateness_ns = ?4, publish_ns = ?5, saved_ns = ?6, state = 2, revision = 1 "
        "WHERE state < 2 AND run = ?2",
    [PSP_FIND_PROBE] = "SELECT seq, state FROM probes WHERE id = ?1 AND run = ?2",
    [PSP_NEXT_REVISION] = "UPDATE probes SET revision = revision + 1 WHERE seq = ?1",
    [PSP_COUNT_DELIVERY] =
        "UPDATE answers SET duplicates = max(duplicates, ?3) "
        "WHERE probe = ?1 AND position = ?2 AND delivery = 1",
    [PSP_UPDATE_PROBE] =
        "UPDATE probes SET publish_ns = ?2, revision = revision + 1 WHERE seq = ?1",
    [PSP_PUT_INSTANCE] =
        "INSERT INTO instances (run, position, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    /* Facts are handed out once: a later state of an answer leaves them as they are. */
    [PSP_PUT_ANSWER] =
        "INSERT INTO answers (probe, position, status, elapsed_ns, duplicates, cold, handled_ns, "
        "received_ns, invocation, attempt, age_ns, ready_ns, published_ns, arrived_ns, "
        "responder_sent_ns, t1_ns, t2_ns, t3_ns, t4_ns, instance, delivery) VALUES (?1, ?2, ?3, "
        "?4, ?5, ?6, "
        "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, (SELECT seq FROM instances "
        "WHERE run = ?20 AND position = ?2 AND name = ?21), ?22) ON CONFLICT DO UPDATE SET status "
        "= "
        "excluded.status, elapsed_ns = excluded.elapsed_ns, duplicates = excluded.duplicates, "
        "cold = excluded.cold, handled_ns = excluded.handled_ns, received_ns = "
        "coalesce(excluded.received_ns, received_ns), invocation = coalesce(excluded.invocation, "
        "invocation), attempt = coalesce(excluded.attempt, attempt), age_ns = "
        "coalesce(excluded.age_ns, age_ns), ready_ns = coalesce(excluded.ready_ns, ready_ns), "
        "published_ns = coalesce(excluded.published_ns, published_ns), arrived_ns = "
        "coalesce(excluded.arrived_ns, arrived_ns), responder_sent_ns = "
        "coalesce(excluded.responder_sent_ns, responder_sent_ns), t1_ns = "
        "coalesce(excluded.t1_ns, t1_ns), t2_ns = coalesce(excluded.t2_ns, t2_ns), t3_ns = "
        "coalesce(excluded.t3_ns, t3_ns), t4_ns = coalesce(excluded.t4_ns, t4_ns), instance = "
        "coalesce(excluded.instance, instance) "
        "WHERE (?23 AND excluded.status <> 0) OR status NOT IN (1, 2)",
    /* Those that rows are of, and those that are to be uploaded themselves. */
    [PSP_TAKE_RUNS] = "SELECT " PSP_RUN_SQL
                      " FROM runs WHERE revision > uploaded OR seq IN (SELECT run FROM (SELECT run "
                      "FROM probes WHERE " TO_UPLOAD ")) ORDER BY seq",
    [PSP_TAKE_SOURCES] = PSP_SOURCES_SQL,
    [PSP_TAKE_ROWS] = "SELECT " PSP_ROW_COLUMNS " FROM (SELECT * FROM probes WHERE " TO_UPLOAD
                      ") p " PSP_ROW_ANSWERS "ORDER BY p.seq",
    [PSP_FORGET_DIGEST] = "DELETE FROM digests WHERE block BETWEEN ?1 AND ?2",
    [PSP_PUT_DIGEST] = "INSERT INTO digests (block, run, data) VALUES (?1, ?2, ?3)",
    [PSP_MARK_RUN] = "UPDATE runs SET uploaded = max(uploaded, ?2) WHERE seq = ?1",
    [PSP_MARK_UPLOADED] = "UPDATE probes SET uploaded = max(uploaded, ?2) WHERE seq = ?1",
    [PSP_MARK_REFUSED] = "UPDATE probes SET refused = max(refused, ?2) WHERE seq = ?1",
};

/*
 * Looks at every page. One that could not be read is no damage, though the check tells of it as it
 * does of damage: as text, "unable to get the page. error code=266".
 * @return SQLite's code
 */
static int look_through(sqlite3 *db, bool *damaged) {
  static const char unread[] = "error code=";
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
  if (result == SQLITE_OK) result = sqlite3_step(statement);
  *damaged = false;
  if (result == SQLITE_ROW) {
    const char *text = psp_sql_text(statement, 0);
    const char *code = text == NULL ? NULL : strstr(text, unread);
    *damaged = !psp_text_equal(text, "ok");
    result = code == NULL ? SQLITE_OK : (int)strtol(code + strlen(unread), NULL, 10);
  }
  sqlite3_finalize(statement);
  return result;
}

/* A log that is left means that the last writer was killed. */
static bool wants_check(const char *path) {
  char log[PATH_MAX + 8];
  struct stat info;
  snprintf(log, sizeof log, "%s-wal", path);
  if (stat(log, &info) == 0 && info.st_size > 0) return true;
  return stat(path, &info) == 0 && info.st_size <= CHECK_ALWAYS;
}

/* Whether all pages of the file are as they should be, where that is to be looked at. */
static psprobe_code check_pages(psprobe_store *store, psp_file_kind *kind, psprobe_error *error) {
  bool damaged = false;
  int result = look_through(store->db, &damaged);
  psprobe_code code = psp_sql_code(result, 0);
  if (code == PSPROBE_DATA_LOSS || (code == PSPROBE_OK && damaged)) {
    *kind = PSP_FILE_DAMAGED;
    return PSPROBE_OK;
  }
  if (code == PSPROBE_OK) return code;
  return psp_fail(error, code, "read %s: a page cannot be read (%s); the file is left as it is",
                  store->path, sqlite3_errstr(result));
}

/* What the file is, made ours when it is empty. */
static psprobe_code look_at_file(psprobe_store *store, bool check, psp_file_kind *kind,
                                 psprobe_error *error) {
  int64_t version = 0;
  psprobe_code code = PSPROBE_OK;
  if (!psp_schema_look(store->db, kind, &version)) {
    code = psp_sql_fail(store->db, store->path, "read", error);
    *kind = code == PSPROBE_DATA_LOSS ? psp_file_look(store->path) : PSP_FILE_OURS;
    return code == PSPROBE_DATA_LOSS ? psp_file_refuse(store->path, *kind, 0, error) : code;
  }
  if (*kind == PSP_FILE_NEW) {
    code = psp_schema_create(store->db, store->path, error);
    *kind = PSP_FILE_OURS;
  } else if (*kind == PSP_FILE_OURS) {
    if (check) code = check_pages(store, kind, error);
    if (code == PSPROBE_OK && *kind == PSP_FILE_OURS)
      code = psp_schema_migrate(store->db, store->path, version, error);
  }
  if (code != PSPROBE_OK || *kind == PSP_FILE_OURS) return code;
  return psp_file_refuse(store->path, *kind, version, error);
}

/* The log's inode: when its name leads elsewhere, what is written is lost with the process. */
static ino_t inode_of_log(const char *path) {
  char log[PATH_MAX + 8];
  struct stat info;
  snprintf(log, sizeof log, "%s-wal", path);
  return stat(log, &info) == 0 ? info.st_ino : 0;
}

/*
 * Opens to write what is there, or makes it. `kind` tells what it is when it cannot be used.
 * FULL: each commit is on the disk before it returns.
 */
static psprobe_code open_writer(psprobe_store *store, psp_file_kind *kind, psprobe_error *error) {
  bool check = wants_check(store->path);
  *kind = PSP_FILE_OURS;
  store->unsynced = false;
  int result =
      sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (result != SQLITE_OK) return psp_sql_fail(store->db, store->path, "open", error);
  psp_connection_configure(store->db);
  psprobe_code code = look_at_file(store, check, kind, error);
  if (code != PSPROBE_OK) return code;
  if (psp_sql_run(store->db,
                  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "PRAGMA foreign_keys = ON") != SQLITE_OK ||
      psp_checkpoint_configure(store) != SQLITE_OK)
    return psp_sql_fail(store->db, store->path, "open", error);
  for (int i = 0; i < PSP_STATEMENTS; i++)
    if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                           &store->statements[i], NULL) != SQLITE_OK)
      return psp_sql_fail(store->db, store->path, "prepare to write", error);
  if (psp_sql_run(store->db, "SELECT 1 FROM runs LIMIT 1") != SQLITE_OK) /* which makes the log */
    return psp_sql_fail(store->db, store->path, "read", error);
  store->log_inode = inode_of_log(store->path);
  psp_checkpoint_note(store);
  return psp_store_look_for_digests(store) == SQLITE_OK
             ? PSPROBE_OK
             : psp_sql_fail(store->db, store->path, "read", error);
}

void psp_writer_close(psprobe_store *store) {
  for (int i = 0; i < PSP_STATEMENTS; i++) {
    sqlite3_finalize(store->statements[i]);
    store->statements[i] = NULL;
  }
  sqlite3_close(store->db);
  store->db = NULL;
}

/* Another file of the name of one that is damaged. */
static psprobe_code begin_anew(psprobe_store *store, psprobe_error *error) {
  psp_file_kind kind;
  psp_writer_close(store);
  psprobe_code code = psp_file_set_aside(store->path, &store->logger, error);
  if (code == PSPROBE_OK) code = psp_writer_lock(store, store->path, error);
  return code == PSPROBE_OK ? open_writer(store, &kind, error) : code;
}

psprobe_code psp_writer_open(psprobe_store *store, psprobe_error *error) {
  psp_file_kind kind;
  psprobe_code code = open_writer(store, &kind, error);
  return code != PSPROBE_OK && kind == PSP_FILE_DAMAGED ? begin_anew(store, error) : code;
}

psprobe_code psp_writer_lock(psprobe_store *store, const char *path, psprobe_error *error) {
  psp_file_lock *before = store->lock;
  psprobe_code code = psp_file_lock_take(path, true, PATIENCE_NS, &store->lock, error);
  if (code == PSPROBE_OK) psp_file_lock_release(before);
  return code;
}

/* ---- a file that somebody else wrote to ---- */

static bool is_as_left(const psprobe_store *store) {
  struct stat info;
  return store->db == NULL || store->damaged || stat(store->path, &info) != 0 ||
         (info.st_size == store->size && info.st_mtim.tv_sec == store->written.tv_sec &&
          info.st_mtim.tv_nsec == store->written.tv_nsec);
}

/* Another program wrote to the file in its place: a checkpoint by an SQLite tool does no harm; what
 * a copy put there is no file that can be gone on with, and what is kept from now on has to be in
 * one. */
static psprobe_code look_again(psprobe_store *store, psprobe_error *error) {
  psp_file_kind kind = PSP_FILE_OURS;
  psp_log_line line;
  if (is_as_left(store)) return PSPROBE_OK;
  sqlite3_db_release_memory(store->db); /* what is known of pages is not what they are */
  psprobe_code code = check_pages(store, &kind, error);
  if (code != PSPROBE_OK) return code;
  store->damaged = kind == PSP_FILE_DAMAGED;
  psp_checkpoint_note(store);
  if (psp_log_begin(&line, &store->logger, store->damaged ? PSPROBE_LOG_ERROR : PSPROBE_LOG_WARNING,
                    "results_written_by_another")) {
    psp_log_text(&line, "file", store->path);
    psp_log_text(&line, "meaning",
                 store->damaged ? "another program wrote over the file: what is left of it is set "
                                  "aside, and results go to a new one"
                                : "another program wrote to the file, which is whole: let none do "
                                  "so while a prober runs");
    psp_log_end(&line);
  }
  return PSPROBE_OK;
}

/* ---- a file that was removed or renamed ---- */

static void tell(const psprobe_store *store, psprobe_log_level level, const char *event,
                 const char *key, int64_t number) {
  psp_log_line line;
  if (!psp_log_begin(&line, &store->logger, level, event)) return;
  psp_log_text(&line, "file", store->path);
  psp_log_int(&line, key, number);
  psp_log_end(&line);
}

static psprobe_code refuse_name(const psprobe_store *store, psprobe_error *error) {
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                  "%s was removed or renamed while it was written to, and another file has its "
                  "name: move that away",
                  store->path);
}

/* Whether nothing is in the way of a new file. A log of ours would be taken for the new file's:
 * what it holds is in that already. */
static bool clear_name(const psprobe_store *store) {
  char log[PATH_MAX + 8];
  ino_t there = inode_of_log(store->path);
  if (access(store->path, F_OK) == 0 || (there != 0 && there != store->log_inode)) return false;
  snprintf(log, sizeof log, "%s-wal", store->path);
  return there == 0 || unlink(log) == 0;
}

/* Sees that the names in the folder of `path` are on the disk. @return an errno */
static int sync_names(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/'); /* the store's path is absolute */
  snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int why = fd < 0 || fsync(fd) != 0 ? errno : 0;
  if (fd >= 0) close(fd);
  return why == EINVAL ? 0 : why; /* which is that this file system syncs no folders */
}

/* Gives a file that is whole and locked the store's name, if nobody has it. @return an errno */
static int give_name(const char *made, const char *path) {
  if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL) return errno; /* which is that this file system cannot */
  if (link(made, path) != 0) return errno;
  return unlink(made) == 0 ? 0 : errno;
}

/* A copy of all that the open file holds, at `made`, and the lock of it under the store's name. */
static psprobe_code copy_to(psprobe_store *store, const char *made, psp_file_lock **lock,
                            psprobe_error *error) {
  char *sql = sqlite3_mprintf("VACUUM INTO %Q", made);
  if (sql == NULL) return psp_fail_memory(error, "results file");
  int result = psp_sql_run(store->db, sql);
  sqlite3_free(sql);
  if (result != SQLITE_OK) return psp_sql_fail(store->db, store->path, "make anew", error);
  psprobe_code code = psp_file_lock_take(made, false, 0, lock, error);
  if (code == PSPROBE_OK && !clear_name(store)) return refuse_name(store, error);
  int why = code == PSPROBE_OK ? give_name(made, store->path) : 0;
  if (why == EEXIST) return refuse_name(store, error);
  if (why == 0 && code == PSPROBE_OK) why = sync_names(store->path);
  return why == 0 ? code : psp_open_fail(store->path, why, error);
}

/* Writes all that the open file holds to a new one of the old name, which is seen once it is whole.
 */
static psprobe_code carry_over(psprobe_store *store, psprobe_error *error) {
  char made[PATH_MAX + 16];
  int64_t rows = 0;
  psp_file_lock *lock = NULL;
  if (!store->gone) tell(store, PSPROBE_LOG_ERROR, "results_file_gone", "process", getpid());
  store->gone = true;
  if (access(store->path, F_OK) == 0) return refuse_name(store, error);
  snprintf(made, sizeof made, "%s-carried", store->path);
  unlink(made); /* half a copy of one who was killed */
  psprobe_code code = copy_to(store, made, &lock, error);
  if (code != PSPROBE_OK) {
    psp_file_lock_release(lock);
    unlink(made);
    return code;
  }
  psp_sql_int64(store->db, "SELECT count(*) FROM probes WHERE state = 2", &rows);
  atomic_store(&store->carried, (uint64_t)rows);
  tell(store, PSPROBE_LOG_WARNING, "results_carried_over", "rows", rows);
  psp_writer_close(store); /* before its lock is given back */
  psp_file_lock_release(store->lock);
  store->lock = lock;
  return PSPROBE_OK;
}

/* Opens the file of that name: one that is not open yet, or whose log was taken away. */
static psprobe_code open_again(psprobe_store *store, psprobe_error *error) {
  psp_file_kind kind;
  psprobe_code code = PSPROBE_OK;
  psp_writer_close(store); /* before the other is opened: closing takes a log of its name away */
  if (!psp_file_lock_leads(store->lock, store->path))
    code = psp_writer_lock(store, store->path, error);
  return code == PSPROBE_OK ? open_writer(store, &kind, error) : code;
}

psprobe_code psp_writer_follow(psprobe_store *store, psprobe_error *error) {
  bool leads = psp_file_lock_leads(store->lock, store->path);
  psprobe_code code = leads ? look_again(store, error) : PSPROBE_OK;
  if (code != PSPROBE_OK) return code;
  if (store->db != NULL && leads && !store->damaged &&
      inode_of_log(store->path) == store->log_inode)
    return PSPROBE_OK;
  if (!leads && store->db != NULL) code = carry_over(store, error);
  if (code != PSPROBE_OK) return code;
  code = leads && store->damaged ? begin_anew(store, error) : open_again(store, error);
  if (code != PSPROBE_OK) psp_writer_close(store);
  store->gone = code != PSPROBE_OK;
  store->damaged &= code != PSPROBE_OK;
  return code;
}
