/* SPDX-License-Identifier: MIT */
/** @file Transactions, and keeping runs. Probes are kept in keep.c. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/shown.h"
#include "base/text.h"
#include "results/store/store.h"

psprobe_code psp_store_enter(psprobe_store *store, psprobe_error *error) {
  if (store->read_only)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "%s was opened to be read only",
                    store->path);
  pthread_mutex_lock(&store->mutex);
  psprobe_code code = psp_writer_follow(store, error);
  if (code != PSPROBE_OK) pthread_mutex_unlock(&store->mutex);
  return code;
}

void psp_store_leave(psprobe_store *store) {
  pthread_mutex_unlock(&store->mutex);
}

/* NORMAL: a commit is written to the log, which the next one of FULL syncs as a whole. */
static int set_synced(psprobe_store *store, bool synced) {
  if (synced == !store->unsynced) return SQLITE_OK;
  int result =
      psp_sql_run(store->db, synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (result == SQLITE_OK) store->unsynced = !synced;
  return result;
}

static psprobe_code begin(psprobe_store *store, bool synced, psprobe_error *error) {
  psprobe_code code = psp_store_enter(store, error);
  if (code != PSPROBE_OK) return code;
  if (set_synced(store, synced) == SQLITE_OK &&
      psp_sql_run(store->db, "BEGIN IMMEDIATE") == SQLITE_OK)
    return PSPROBE_OK;
  code = psp_sql_fail(store->db, store->path, "write to", error);
  store->damaged |= code == PSPROBE_DATA_LOSS;
  psp_store_leave(store);
  return code;
}

psprobe_code psp_store_begin(psprobe_store *store, psprobe_error *error) {
  return begin(store, true, error);
}

psprobe_code psp_store_begin_unsynced(psprobe_store *store, psprobe_error *error) {
  return begin(store, false, error);
}

psprobe_code psp_store_finish(psprobe_store *store, psprobe_code code, psprobe_error *error) {
  if (code == PSPROBE_OK && psp_sql_run(store->db, "COMMIT") != SQLITE_OK)
    code = psp_sql_fail(store->db, store->path, "write to", error);
  store->damaged |= code == PSPROBE_DATA_LOSS;
  /* Some errors have ended the transaction already: then there is nothing to roll back. */
  if (code != PSPROBE_OK && !sqlite3_get_autocommit(store->db)) psp_sql_run(store->db, "ROLLBACK");
  psp_store_leave(store);
  return code;
}

psprobe_code psp_store_change(psprobe_store *store, psp_statement which, psprobe_error *error) {
  if (psp_sql_step_once(store->statements[which]) == SQLITE_DONE) return PSPROBE_OK;
  return psp_sql_fail(store->db, store->path, "write to", error);
}

psprobe_code psp_store_find(psprobe_store *store, psp_statement which, int64_t found[2],
                            psprobe_error *error) {
  sqlite3_stmt *find = store->statements[which];
  const int step = sqlite3_step(find);
  for (int i = 0; i < 2 && step == SQLITE_ROW; i++)
    found[i] = sqlite3_column_int64(find, i);
  sqlite3_reset(find);
  if (step == SQLITE_ROW) return PSPROBE_OK;
  if (step == SQLITE_DONE) return PSPROBE_NOT_FOUND;
  return psp_sql_fail(store->db, store->path, "read", error);
}

static psprobe_code check_run(const psprobe_run *run, psprobe_error *error) {
  uint64_t id[2];
  if (!psp_id_parse(run->id, id))
    return psp_setting_refuse(error, "run", run->id, "it is not the id of a run");
  if (run->source_count < 1 || run->source_count > PSPROBE_MAX_SOURCES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "run %s: 1 to %d sources, not %zu", run->id,
                    PSPROBE_MAX_SOURCES, run->source_count);
  for (size_t i = 0; i < run->source_count; i++) {
    psprobe_code code = psprobe_source_check(run->sources[i], error);
    if (code != PSPROBE_OK) return code;
    for (size_t k = 0; k < i; k++)
      if (psp_text_equal(run->sources[k], run->sources[i]))
        return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "run %s: source %s is named twice",
                        run->id, run->sources[i]);
  }
  if (run->settings == NULL) return PSPROBE_OK;
  psp_json *json = NULL;
  psprobe_code code =
      psp_json_parse(run->settings, strlen(run->settings), "settings of the run", &json, error);
  if (code == PSPROBE_OK && !psp_json_is_object(json))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "settings of the run are no JSON object");
  psp_json_free(json);
  return code;
}

static psprobe_code insert_run(psprobe_store *store, const psprobe_run *run, psprobe_error *error) {
  char host[256] = "";
  if (run->host == NULL && gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  sqlite3_stmt *insert = store->statements[PSP_INSERT_RUN];
  psp_sql_bind_text(insert, 1, run->id);
  psp_sql_bind_int64(insert, 2, run->started_wall_ns);
  psp_sql_bind_int64(insert, 3, run->ended_wall_ns);
  if (run->ended_wall_ns == 0) psp_sql_bind_text(insert, 3, NULL);
  psp_sql_bind_text(insert, 4, run->project);
  psp_sql_bind_text(insert, 5, run->topic);
  psp_sql_bind_text(insert, 6, run->host != NULL ? run->host : host);
  psp_sql_bind_text(insert, 7, run->version != NULL ? run->version : psprobe_version());
  psp_sql_bind_text(insert, 8, run->settings);
  psp_sql_bind_int64(insert, 9, run->interval_ns);
  psp_sql_bind_int64(insert, 10, run->timeout_ns);
  psp_sql_bind_text(insert, 11, run->region);
  psp_sql_bind_text(insert, 12, run->clock);
  psp_sql_bind_int64(insert, 13, run->ending);
  psp_sql_bind_int64(insert, 14, run->resumed);
  psprobe_code code = psp_store_change(store, PSP_INSERT_RUN, error);
  if (code == PSPROBE_ALREADY_EXISTS)
    return psp_fail(error, code, "run %s is in %s already", run->id, store->path);
  int64_t seq = sqlite3_last_insert_rowid(store->db);
  for (size_t i = 0; code == PSPROBE_OK && i < run->source_count; i++) {
    sqlite3_stmt *source = store->statements[PSP_INSERT_SOURCE];
    psp_sql_bind_int64(source, 1, seq);
    psp_sql_bind_int64(source, 2, (int64_t)i);
    psp_sql_bind_text(source, 3, run->sources[i]);
    code = psp_store_change(store, PSP_INSERT_SOURCE, error);
  }
  return code;
}

psprobe_code psprobe_store_begin_run(psprobe_store *store, const psprobe_run *run,
                                     psprobe_error *error) {
  psprobe_code code = check_run(run, error);
  if (code == PSPROBE_OK) code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  return psp_store_finish(store, insert_run(store, run, error), error);
}

psprobe_code psp_store_find_run(psprobe_store *store, const char *id, int64_t *seq, size_t *sources,
                                psprobe_error *error) {
  int64_t found[2] = {0};
  psp_sql_bind_text(store->statements[PSP_FIND_RUN], 1, id);
  const psprobe_code code = psp_store_find(store, PSP_FIND_RUN, found, error);
  *seq = found[0];
  *sources = (size_t)found[1];
  if (code != PSPROBE_NOT_FOUND) return code;
  return psp_fail(error, code, "there is no run %s in %s: begin it first", id, store->path);
}

/* Runs a statement that changes the run of its first parameter, and ends the transaction. */
static psprobe_code change_run(psprobe_store *store, psp_statement which, const char *run_id,
                               psprobe_error *error) {
  psp_sql_bind_text(store->statements[which], 1, run_id);
  psprobe_code code = psp_store_change(store, which, error);
  if (code == PSPROBE_OK && sqlite3_changes(store->db) == 0)
    code = psp_fail(error, PSPROBE_NOT_FOUND, "there is no run %s in %s", run_id, store->path);
  return psp_store_finish(store, code, error);
}

psprobe_code psprobe_store_end_run(psprobe_store *store, const char *run_id, int64_t ended_wall_ns,
                                   psprobe_ending ending, psprobe_error *error) {
  int64_t run = 0;
  size_t sources = 0;
  psp_closed closed;
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  code = psp_store_find_run(store, run_id, &run, &sources, error);
  if (code == PSPROBE_OK)
    code = psp_store_close_probes(store, run, ending != PSPROBE_ENDING_INTERRUPTED, &closed, error);
  if (code != PSPROBE_OK) return psp_store_finish(store, code, error);
  psp_sql_bind_int64(store->statements[PSP_END_RUN], 2, ended_wall_ns);
  psp_sql_bind_int64(store->statements[PSP_END_RUN], 3, ending);
  return change_run(store, PSP_END_RUN, run_id, error);
}

psprobe_code psp_store_set_settings(psprobe_store *store, const char *run_id, const char *settings,
                                    psprobe_error *error) {
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  psp_sql_bind_text(store->statements[PSP_SET_SETTINGS], 2, settings);
  return change_run(store, PSP_SET_SETTINGS, run_id, error);
}
