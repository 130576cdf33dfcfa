/* SPDX-License-Identifier: MIT */
/** @file Keeping runs and probes. */
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

psprobe_code psp_store_begin(psprobe_store *store, psprobe_error *error) {
  psprobe_code code = psp_store_enter(store, error);
  if (code != PSPROBE_OK) return code;
  if (psp_sql_run(store->db, "BEGIN IMMEDIATE") == SQLITE_OK) return PSPROBE_OK;
  code = psp_sql_fail(store->db, store->path, "write to", error);
  psp_store_leave(store);
  return code;
}

psprobe_code psp_store_finish(psprobe_store *store, psprobe_code code, psprobe_error *error) {
  if (code == PSPROBE_OK && psp_sql_run(store->db, "COMMIT") != SQLITE_OK)
    code = psp_sql_fail(store->db, store->path, "write to", error);
  /* Some errors have ended the transaction already: then there is nothing to roll back. */
  if (code != PSPROBE_OK && !sqlite3_get_autocommit(store->db)) psp_sql_run(store->db, "ROLLBACK");
  psp_store_leave(store);
  return code;
}

/* Runs a statement that changes something. */
static psprobe_code change(psprobe_store *store, psp_statement which, psprobe_error *error) {
  if (psp_sql_step_once(store->statements[which]) == SQLITE_DONE) return PSPROBE_OK;
  return psp_sql_fail(store->db, store->path, "write to", error);
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
  psprobe_code code = change(store, PSP_INSERT_RUN, error);
  if (code == PSPROBE_ALREADY_EXISTS)
    return psp_fail(error, code, "run %s is in %s already", run->id, store->path);
  int64_t seq = sqlite3_last_insert_rowid(store->db);
  for (size_t i = 0; code == PSPROBE_OK && i < run->source_count; i++) {
    sqlite3_stmt *source = store->statements[PSP_INSERT_SOURCE];
    psp_sql_bind_int64(source, 1, seq);
    psp_sql_bind_int64(source, 2, (int64_t)i);
    psp_sql_bind_text(source, 3, run->sources[i]);
    code = change(store, PSP_INSERT_SOURCE, error);
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

/* Runs a statement that changes the run of its first parameter, and ends the transaction. */
static psprobe_code change_run(psprobe_store *store, psp_statement which, const char *run_id,
                               psprobe_error *error) {
  psp_sql_bind_text(store->statements[which], 1, run_id);
  psprobe_code code = change(store, which, error);
  if (code == PSPROBE_OK && sqlite3_changes(store->db) == 0)
    code = psp_fail(error, PSPROBE_NOT_FOUND, "there is no run %s in %s", run_id, store->path);
  return psp_store_finish(store, code, error);
}

psprobe_code psprobe_store_end_run(psprobe_store *store, const char *run_id, int64_t ended_wall_ns,
                                   psprobe_ending ending, psprobe_error *error) {
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
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

static psprobe_code find_run(psprobe_store *store, const char *id, int64_t *seq, size_t *sources,
                             psprobe_error *error) {
  sqlite3_stmt *find = store->statements[PSP_FIND_RUN];
  psp_sql_bind_text(find, 1, id);
  int result = sqlite3_step(find);
  if (result == SQLITE_ROW) {
    *seq = sqlite3_column_int64(find, 0);
    *sources = (size_t)sqlite3_column_int64(find, 1);
  }
  sqlite3_reset(find);
  if (result == SQLITE_ROW) return PSPROBE_OK;
  if (result == SQLITE_DONE)
    return psp_fail(error, PSPROBE_NOT_FOUND, "there is no run %s in %s: begin it first", id,
                    store->path);
  return psp_sql_fail(store->db, store->path, "read", error);
}

/* What was told, from parameter 8 on; the rest is NULL. */
static void bind_facts(sqlite3_stmt *put, const psprobe_answer *answer) {
  const psprobe_facts *f = &answer->facts;
  const int64_t facts[] = {answer->received_wall_ns,
                           f->invocation,
                           f->delivery_attempt,
                           f->age_ns,
                           f->ready_ns,
                           f->published_wall_ns,
                           f->arrived_wall_ns,
                           f->sent_wall_ns,
                           f->exchange_wall_ns[0],
                           f->exchange_wall_ns[1],
                           f->exchange_wall_ns[2],
                           f->exchange_wall_ns[3]};
  for (int i = 0; i < (int)(sizeof facts / sizeof *facts); i++)
    if (facts[i] != 0) psp_sql_bind_int64(put, 8 + i, facts[i]);
}

static psprobe_code put_answer(psprobe_store *store, int64_t run, int64_t probe, size_t position,
                               const psprobe_answer *answer, psprobe_error *error) {
  sqlite3_stmt *put = store->statements[PSP_PUT_ANSWER];
  const char *instance = answer->facts.instance[0] != '\0' ? answer->facts.instance : NULL;
  if (instance != NULL) {
    sqlite3_stmt *name = store->statements[PSP_PUT_INSTANCE];
    psp_sql_bind_int64(name, 1, run);
    psp_sql_bind_int64(name, 2, (int64_t)position);
    psp_sql_bind_text(name, 3, instance);
    psprobe_code code = change(store, PSP_PUT_INSTANCE, error);
    if (code != PSPROBE_OK) return code;
  }
  sqlite3_clear_bindings(put);
  psp_sql_bind_int64(put, 1, probe);
  psp_sql_bind_int64(put, 2, (int64_t)position);
  psp_sql_bind_int64(put, 3, answer->status);
  psp_sql_bind_int64(put, 4, answer->elapsed_ns);
  psp_sql_bind_int64(put, 5, answer->duplicates);
  psp_sql_bind_int64(put, 6, answer->cold);
  psp_sql_bind_int64(put, 7, answer->handled_ns);
  bind_facts(put, answer);
  psp_sql_bind_int64(put, 20, run);
  psp_sql_bind_text(put, 21, instance);
  return change(store, PSP_PUT_ANSWER, error);
}

static psprobe_code put_answers(psprobe_store *store, int64_t run, int64_t probe,
                                const psprobe_result *result, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < result->source_count; i++)
    code = put_answer(store, run, probe, i, &result->answers[i], error);
  return code;
}

/* A new state of a probe that is there: its next revision, which is to be uploaded again. */
static psprobe_code update(psprobe_store *store, int64_t run, const psprobe_result *result,
                           psprobe_error *error) {
  sqlite3_stmt *find = store->statements[PSP_FIND_PROBE];
  sqlite3_stmt *bump = store->statements[PSP_UPDATE_PROBE];
  psp_sql_bind_text(find, 1, result->id);
  psp_sql_bind_int64(find, 2, run);
  int step = sqlite3_step(find);
  int64_t seq = step == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
  sqlite3_reset(find);
  if (step == SQLITE_DONE)
    return psp_fail(error, PSPROBE_ALREADY_EXISTS, "probe %s is one of another run", result->id);
  if (step != SQLITE_ROW) return psp_sql_fail(store->db, store->path, "read", error);
  psp_sql_bind_int64(bump, 1, seq);
  psp_sql_bind_int64(bump, 2, result->publish_ns);
  psprobe_code code = change(store, PSP_UPDATE_PROBE, error);
  return code == PSPROBE_OK ? put_answers(store, run, seq, result, error) : code;
}

static psprobe_code add_one(psprobe_store *store, int64_t run, size_t sources, int64_t now,
                            const psprobe_finished *finished, psprobe_error *error) {
  const psprobe_result *result = &finished->result;
  uint64_t id[2];
  if (!psp_id_parse(result->id, id))
    return psp_setting_refuse(error, "probe", result->id, "it is not a probe's id");
  if (result->source_count != sources)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "probe %s has %zu answers, its run %zu sources", result->id,
                    result->source_count, sources);
  sqlite3_stmt *insert = store->statements[PSP_INSERT_PROBE];
  psp_sql_bind_text(insert, 1, result->id);
  psp_sql_bind_int64(insert, 2, run);
  psp_sql_bind_int64(insert, 3, result->sent_wall_ns);
  psp_sql_bind_int64(insert, 4, result->lateness_ns);
  psp_sql_bind_int64(insert, 5, result->publish_ns);
  psp_sql_bind_int64(insert, 6, now);
  psp_sql_bind_int64(insert, 7, result->cadence);
  psprobe_code code = change(store, PSP_INSERT_PROBE, error);
  if (code != PSPROBE_OK) return code;
  if (sqlite3_changes(store->db) == 1)
    return put_answers(store, run, sqlite3_last_insert_rowid(store->db), result, error);
  return finished->update ? update(store, run, result, error) : PSPROBE_OK;
}

psprobe_code psprobe_store_add(psprobe_store *store, const char *run_id,
                               const psprobe_finished *finished, size_t count,
                               psprobe_error *error) {
  int64_t run = 0, now = psprobe_clock_wall();
  size_t sources = 0;
  if (count == 0) return PSPROBE_OK;
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  code = find_run(store, run_id, &run, &sources, error);
  for (size_t i = 0; code == PSPROBE_OK && i < count; i++)
    code = add_one(store, run, sources, now, &finished[i], error);
  return psp_store_finish(store, code, error);
}
