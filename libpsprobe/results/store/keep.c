/* SPDX-License-Identifier: MIT */
/** @file Keeping probes, from before they are sent until the last of their answers. */
#include "base/error.h"
#include "base/id.h"
#include "base/shown.h"
#include "results/store/store.h"

/* What all of one transaction share. */
typedef struct keeping {
  int64_t run, now_ns;
  size_t sources;
} keeping;

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

/* Which answer of which probe. */
typedef struct place {
  int64_t run, probe;
  size_t position;
  uint32_t delivery;
  bool replace; /* what is there, but for an answer by a loss; else only where there is no answer */
} place;

static psprobe_code put_answer(psprobe_store *store, const place *at, const psprobe_answer *answer,
                               psprobe_error *error) {
  sqlite3_stmt *put = store->statements[PSP_PUT_ANSWER];
  const char *instance = answer->facts.instance[0] != '\0' ? answer->facts.instance : NULL;
  if (instance != NULL) {
    sqlite3_stmt *name = store->statements[PSP_PUT_INSTANCE];
    psp_sql_bind_int64(name, 1, at->run);
    psp_sql_bind_int64(name, 2, (int64_t)at->position);
    psp_sql_bind_text(name, 3, instance);
    psprobe_code code = psp_store_change(store, PSP_PUT_INSTANCE, error);
    if (code != PSPROBE_OK) return code;
  }
  sqlite3_clear_bindings(put);
  psp_sql_bind_int64(put, 1, at->probe);
  psp_sql_bind_int64(put, 2, (int64_t)at->position);
  psp_sql_bind_int64(put, 3, answer->status);
  psp_sql_bind_int64(put, 4, answer->elapsed_ns);
  psp_sql_bind_int64(put, 5, answer->duplicates);
  psp_sql_bind_int64(put, 6, answer->cold);
  psp_sql_bind_int64(put, 7, answer->handled_ns);
  bind_facts(put, answer);
  psp_sql_bind_int64(put, 20, at->run);
  psp_sql_bind_text(put, 21, instance);
  psp_sql_bind_int64(put, 22, at->delivery);
  psp_sql_bind_int64(put, 23, at->replace);
  return psp_store_change(store, PSP_PUT_ANSWER, error);
}

static psprobe_code put_answers(psprobe_store *store, int64_t run, int64_t probe,
                                const psprobe_result *result, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < result->source_count; i++)
    code = put_answer(store, &(place){run, probe, i, 1, true}, &result->answers[i], error);
  return code;
}

/* Finds a probe of the run by its id. */
static psprobe_code find_probe(psprobe_store *store, int64_t run, const char *id, int64_t *seq,
                               int64_t *state, psprobe_error *error) {
  int64_t found[2] = {0};
  psp_sql_bind_text(store->statements[PSP_FIND_PROBE], 1, id);
  psp_sql_bind_int64(store->statements[PSP_FIND_PROBE], 2, run);
  const psprobe_code code = psp_store_find(store, PSP_FIND_PROBE, found, error);
  *seq = found[0];
  *state = found[1];
  if (code != PSPROBE_NOT_FOUND) return code;
  return psp_fail(error, PSPROBE_ALREADY_EXISTS, "probe %s is one of another run", id);
}

/* ---- finished probes ---- */

/* A new state of a probe that is closed: its next revision, which is to be uploaded again. */
static psprobe_code update(psprobe_store *store, int64_t run, const psprobe_result *result,
                           psprobe_error *error) {
  int64_t seq = 0, state = 0;
  psprobe_code code = find_probe(store, run, result->id, &seq, &state, error);
  if (code != PSPROBE_OK) return code;
  psp_sql_bind_int64(store->statements[PSP_UPDATE_PROBE], 1, seq);
  psp_sql_bind_int64(store->statements[PSP_UPDATE_PROBE], 2, result->publish_ns);
  code = psp_store_change(store, PSP_UPDATE_PROBE, error);
  if (code == PSPROBE_OK) code = psp_store_forget(store, seq, error);
  return code == PSPROBE_OK ? put_answers(store, run, seq, result, error) : code;
}

static psprobe_code check_id(const char *id, psprobe_error *error) {
  uint64_t binary[2];
  if (psp_id_parse(id, binary)) return PSPROBE_OK;
  return psp_setting_refuse(error, "probe", id, "it is not a probe's id");
}

/* Puts a probe that is not there, or closes one that is open. *seq: 0 when it was closed already.
 * RETURNING would say which; but it makes a table to return one number by, which costs as much as
 * all the rest. */
static psprobe_code close_one(psprobe_store *store, const keeping *k, const psprobe_result *result,
                              int64_t *seq, psprobe_error *error) {
  int64_t state = 0;
  sqlite3_stmt *insert = store->statements[PSP_INSERT_PROBE];
  psp_sql_bind_text(insert, 1, result->id);
  psp_sql_bind_int64(insert, 2, k->run);
  psp_sql_bind_int64(insert, 3, result->sent_wall_ns);
  psp_sql_bind_int64(insert, 4, result->lateness_ns);
  psp_sql_bind_int64(insert, 5, result->publish_ns);
  psp_sql_bind_int64(insert, 6, k->now_ns);
  psp_sql_bind_int64(insert, 7, result->cadence);
  sqlite3_set_last_insert_rowid(store->db, 0);
  psprobe_code code = psp_store_change(store, PSP_INSERT_PROBE, error);
  *seq = sqlite3_last_insert_rowid(store->db);
  if (code != PSPROBE_OK || *seq != 0 || sqlite3_changes(store->db) == 0) return code;
  return find_probe(store, k->run, result->id, seq, &state, error); /* it was open */
}

static psprobe_code add_one(psprobe_store *store, const keeping *k,
                            const psprobe_finished *finished, psprobe_error *error) {
  const psprobe_result *result = &finished->result;
  int64_t seq = 0;
  psprobe_code code = check_id(result->id, error);
  if (code != PSPROBE_OK) return code;
  if (result->source_count != k->sources)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "probe %s has %zu answers, its run %zu sources", result->id,
                    result->source_count, k->sources);
  code = close_one(store, k, result, &seq, error);
  if (code != PSPROBE_OK) return code;
  if (seq == 0) return finished->update ? update(store, k->run, result, error) : PSPROBE_OK;
  code = psp_store_forget(store, seq, error);
  return code == PSPROBE_OK ? put_answers(store, k->run, seq, result, error) : code;
}

/* ---- probes that are open ---- */

static psprobe_code plan_one(psprobe_store *store, const keeping *k, const psprobe_planned *planned,
                             psprobe_error *error) {
  sqlite3_stmt *plan = store->statements[PSP_PLAN_PROBE];
  psprobe_code code = check_id(planned->id, error);
  if (code != PSPROBE_OK) return code;
  psp_sql_bind_text(plan, 1, planned->id);
  psp_sql_bind_int64(plan, 2, k->run);
  psp_sql_bind_int64(plan, 3, planned->intended_wall_ns);
  psp_sql_bind_int64(plan, 4, planned->cadence);
  return psp_store_change(store, PSP_PLAN_PROBE, error);
}

/* Also of one that the file does not know, since it was made anew. */
static psprobe_code send_one(psprobe_store *store, const keeping *k, const psprobe_sent *sent,
                             psprobe_error *error) {
  sqlite3_stmt *send = store->statements[PSP_SEND_PROBE];
  psprobe_code code = check_id(sent->id, error);
  if (code != PSPROBE_OK) return code;
  psp_sql_bind_text(send, 1, sent->id);
  psp_sql_bind_int64(send, 2, k->run);
  psp_sql_bind_int64(send, 3, sent->sent_wall_ns);
  psp_sql_bind_int64(send, 4, sent->cadence);
  psp_sql_bind_int64(send, 5, sent->lateness_ns);
  return psp_store_change(store, PSP_SEND_PROBE, error);
}

/* What an answer changes of its probe beside itself. */
static psprobe_code note_change(psprobe_store *store, const place *at, bool closed,
                                psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (at->delivery > 1) {
    sqlite3_stmt *further = store->statements[PSP_COUNT_DELIVERY];
    psp_sql_bind_int64(further, 1, at->probe);
    psp_sql_bind_int64(further, 2, (int64_t)at->position);
    psp_sql_bind_int64(further, 3, at->delivery - 1);
    code = psp_store_change(store, PSP_COUNT_DELIVERY, error);
  }
  if (code != PSPROBE_OK || !closed) return code;
  psp_sql_bind_int64(store->statements[PSP_NEXT_REVISION], 1, at->probe);
  code = psp_store_change(store, PSP_NEXT_REVISION, error);
  return code == PSPROBE_OK ? psp_store_forget(store, at->probe, error) : code;
}

static psprobe_code take_one(psprobe_store *store, const keeping *k, const psprobe_arrival *arrival,
                             psprobe_error *error) {
  int64_t seq = 0, state = 0;
  if (arrival->source >= k->sources || arrival->delivery == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "probe %s: an answer of no source",
                    arrival->sent.id);
  psprobe_code code = send_one(store, k, &arrival->sent, error);
  if (code == PSPROBE_OK) code = find_probe(store, k->run, arrival->sent.id, &seq, &state, error);
  if (code != PSPROBE_OK) return code;
  place at = {k->run, seq, arrival->source, 1, false};
  /* The one that counts may have been refused, and not have come again. */
  if (arrival->delivery > 1 && psprobe_answer_came(arrival->first.status))
    code = put_answer(store, &at, &arrival->first, error);
  if (code != PSPROBE_OK) return code;
  at.delivery = arrival->delivery;
  code = put_answer(store, &at, &arrival->answer, error);
  if (code != PSPROBE_OK || sqlite3_changes(store->db) == 0) return code; /* it is there */
  return note_change(store, &at, state == PSP_PROBE_CLOSED, error);
}

static psprobe_code keep_all(psprobe_store *store, const keeping *k, const psprobe_news *news,
                             psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < news->planned_count; i++)
    code = plan_one(store, k, &news->planned[i], error);
  for (size_t i = 0; code == PSPROBE_OK && i < news->sent_count; i++)
    code = send_one(store, k, &news->sent[i], error);
  for (size_t i = 0; code == PSPROBE_OK && i < news->arrival_count; i++)
    code = take_one(store, k, &news->arrivals[i], error);
  for (size_t i = 0; code == PSPROBE_OK && i < news->finished_count; i++)
    code = add_one(store, k, &news->finished[i], error);
  return code;
}

psprobe_code psp_store_keep(psprobe_store *store, const char *run_id, const psprobe_news *news,
                            psprobe_error *error) {
  keeping k = {.now_ns = psprobe_clock_wall()};
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  code = psp_store_find_run(store, run_id, &k.run, &k.sources, error);
  if (code == PSPROBE_OK) code = keep_all(store, &k, news, error);
  return psp_store_finish(store, code, error);
}

psprobe_code psprobe_store_add(psprobe_store *store, const char *run_id,
                               const psprobe_finished *finished, size_t count,
                               psprobe_error *error) {
  if (count == 0) return PSPROBE_OK;
  const psprobe_news news = {.finished = finished, .finished_count = count};
  return psp_store_keep(store, run_id, &news, error);
}
