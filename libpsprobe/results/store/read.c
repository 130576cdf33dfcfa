/* SPDX-License-Identifier: MIT */
/** @file Reading probes. */
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/name.h"
#include "prober/facts.h"
#include "results/store/store.h"

/* The columns of an answer in PSP_ROW_COLUMNS. */
enum {
  POSITION = 10,
  STATUS,
  ELAPSED,
  DUPLICATES,
  COLD,
  HANDLED,
  RECEIVED,
  INSTANCE,
  INVOCATION,
  ATTEMPT,
  AGE,
  READY,
  PUBLISHED,
  ARRIVED,
  SENT,
  EXCHANGE,
  NAME = EXCHANGE + PSPROBE_STAMPS,
  DELIVERY /* of further answers alone */
};

/* A number from 1 on; 0: NULL. */
static bool read_count(sqlite3_stmt *statement, int column, uint32_t *count) {
  int64_t value = sqlite3_column_int64(statement, column);
  *count = (uint32_t)value;
  return value >= 0 && value <= UINT32_MAX;
}

/* What is NULL is 0: not told. False: what we never write. */
static bool read_facts(sqlite3_stmt *statement, psprobe_facts *facts) {
  const char *name = psp_sql_text(statement, NAME);
  if (name != NULL && !psp_instance_ok(name)) return false;
  memset(facts, 0, sizeof *facts);
  if (name != NULL) memcpy(facts->instance, name, strlen(name));
  facts->age_ns = sqlite3_column_int64(statement, AGE);
  facts->ready_ns = sqlite3_column_int64(statement, READY);
  facts->published_wall_ns = sqlite3_column_int64(statement, PUBLISHED);
  facts->arrived_wall_ns = sqlite3_column_int64(statement, ARRIVED);
  facts->sent_wall_ns = sqlite3_column_int64(statement, SENT);
  for (int i = 0; i < PSPROBE_STAMPS; i++)
    facts->exchange_wall_ns[i] = sqlite3_column_int64(statement, EXCHANGE + i);
  return read_count(statement, INVOCATION, &facts->invocation) &&
         read_count(statement, ATTEMPT, &facts->delivery_attempt);
}

/* The answer that a statement stands at. False: what we never write. */
static bool read_answer(sqlite3_stmt *statement, psprobe_answer *answer, size_t *source) {
  int64_t position = sqlite3_column_int64(statement, POSITION);
  int64_t status = sqlite3_column_int64(statement, STATUS);
  int64_t duplicates = sqlite3_column_int64(statement, DUPLICATES);
  if (position < 0 || position >= PSPROBE_MAX_SOURCES || status < PSPROBE_LOST ||
      status > PSPROBE_UNCERTAIN || duplicates < 0 || duplicates > UINT32_MAX)
    return false;
  *source = (size_t)position;
  answer->status = (psprobe_status)status;
  answer->elapsed_ns = sqlite3_column_int64(statement, ELAPSED);
  answer->duplicates = (uint32_t)duplicates;
  answer->cold = sqlite3_column_int(statement, COLD) != 0;
  answer->handled_ns = sqlite3_column_int64(statement, HANDLED);
  answer->received_wall_ns = sqlite3_column_int64(statement, RECEIVED);
  return read_facts(statement, &answer->facts);
}

static bool add_answer(sqlite3_stmt *statement, psp_stored_row *stored) {
  psprobe_answer answer;
  size_t source;
  if (sqlite3_column_type(statement, POSITION) == SQLITE_NULL) return true; /* it has none */
  if (!read_answer(statement, &answer, &source)) return false;
  stored->result.answers[source] = answer;
  stored->answers |= 1u << source;
  return true;
}

/* Ours are looked at quickly; what else a stranger's file has goes to a terminal, or into a path.
 */
static bool can_be_id(const char *id) {
  uint64_t bits[2];
  return psp_id_parse(id, bits) || psp_name_check("probe", id, strlen(id), NULL) == PSPROBE_OK;
}

int psp_row_read(sqlite3_stmt *statement, psp_stored_row *stored) {
  psprobe_result *result = &stored->result;
  const char *id = psp_sql_text(statement, 1);
  int64_t cadence = sqlite3_column_int64(statement, 9);
  if (id == NULL || strlen(id) >= sizeof result->id || !can_be_id(id) ||
      cadence < PSPROBE_CADENCE_STEADY || cadence > PSPROBE_CADENCE_COLD)
    return SQLITE_MISMATCH;
  memcpy(result->id, id, strlen(id) + 1);
  stored->seq = sqlite3_column_int64(statement, 0);
  stored->run = sqlite3_column_int64(statement, 2);
  result->sent_wall_ns = sqlite3_column_int64(statement, 3);
  result->lateness_ns = sqlite3_column_int64(statement, 4);
  result->publish_ns = sqlite3_column_int64(statement, 5);
  stored->saved_ns = sqlite3_column_int64(statement, 6);
  stored->revision = sqlite3_column_int64(statement, 7);
  stored->uploaded = sqlite3_column_int64(statement, 8);
  result->cadence = (psprobe_cadence)cadence;
  stored->answers = 0;
  int step;
  do {
    if (!add_answer(statement, stored)) return SQLITE_MISMATCH;
    step = sqlite3_step(statement);
  } while (step == SQLITE_ROW && sqlite3_column_int64(statement, 0) == stored->seq);
  return step;
}

bool psp_row_fit(psp_stored_row *stored, const psp_run *run) {
  static const psprobe_answer none = {.status = PSPROBE_LOST, .handled_ns = -1};
  if (run == NULL || stored->answers >> run->run.source_count != 0) return false;
  stored->result.source_count = run->run.source_count;
  for (size_t i = 0; i < run->run.source_count; i++)
    if ((stored->answers >> i & 1) == 0) stored->result.answers[i] = none;
  return true;
}

/* The statement for a filter whose run (if it names one) is `run`: only the conditions that there
 * are, so that SQLite finds the index that fits them. */
static sqlite3_stmt *prepare(sqlite3 *db, const psprobe_filter *filter, const int64_t *run) {
  char sql[1024];
  int64_t since = filter == NULL ? 0 : filter->since_wall_ns;
  int64_t until = filter == NULL ? 0 : filter->until_wall_ns;
  sqlite3_stmt *statement = NULL;
  sqlite3_snprintf(sizeof sql, sql,
                   "SELECT " PSP_ROW_COLUMNS " FROM probes p" PSP_ROW_ANSWERS
                   "WHERE p.state = 2%s%s%s"
                   " ORDER BY p.sent_ns, p.seq",
                   run == NULL ? "" : " AND p.run = ?1", since == 0 ? "" : " AND p.sent_ns >= ?2",
                   until == 0 ? "" : " AND p.sent_ns < ?3");
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return NULL;
  if (run != NULL) psp_sql_bind_int64(statement, 1, *run);
  if (since != 0) psp_sql_bind_int64(statement, 2, since);
  if (until != 0) psp_sql_bind_int64(statement, 3, until);
  return statement;
}

/* ---- further answers ---- */

/* Who is given the rows: one of the two. */
typedef struct reading {
  psprobe_row_each *each;
  psp_row_further *with_further;
  void *arg;
  sqlite3_stmt *answers; /* after the first of each source, of one probe */
  psp_further_list further;
} reading;

static bool is_repeated(const psp_stored_row *stored) {
  bool any = false;
  for (size_t k = 0; k < stored->result.source_count; k++)
    any = any || stored->result.answers[k].duplicates > 0;
  return any;
}

/* @return SQLite's code; SQLITE_MISMATCH as psp_row_read */
static int read_further(reading *r, const psp_stored_row *stored) {
  int step;
  psp_sql_bind_int64(r->answers, 1, stored->seq);
  while ((step = sqlite3_step(r->answers)) == SQLITE_ROW) {
    psp_further further = {0};
    int64_t delivery = sqlite3_column_int64(r->answers, DELIVERY);
    bool good = read_answer(r->answers, &further.answer, &further.source) &&
                further.source < stored->result.source_count && delivery <= UINT32_MAX;
    further.delivery = (uint32_t)delivery;
    if (good && psp_further_add(&r->further, &further)) continue;
    step = good ? SQLITE_NOMEM : SQLITE_MISMATCH;
    break;
  }
  sqlite3_reset(r->answers);
  return step;
}

/* ---- rows ---- */

/* Hands a row on. @return SQLite's code, SQLITE_DONE: the next one may follow; SQLITE_ABORT: no
 * more is wanted */
static int hand_on(reading *r, const psprobe_row *row, const psp_stored_row *stored) {
  r->further.count = 0;
  int step = r->with_further != NULL && is_repeated(stored) ? read_further(r, stored) : SQLITE_DONE;
  if (step != SQLITE_DONE) return step;
  bool on =
      r->with_further != NULL ? r->with_further(r->arg, row, &r->further) : r->each(r->arg, row);
  return on ? SQLITE_DONE : SQLITE_ABORT;
}

static psprobe_code read_rows(psprobe_store *store, sqlite3 *db, const psp_runs *runs,
                              sqlite3_stmt *statement, reading *r, psprobe_error *error) {
  int step = sqlite3_step(statement);
  while (step == SQLITE_ROW) {
    psp_stored_row stored;
    step = psp_row_read(statement, &stored);
    const psp_run *run = psp_runs_find(runs, stored.run);
    bool fits = step != SQLITE_MISMATCH && psp_row_fit(&stored, run);
    if (fits) {
      psprobe_row row = {.run = &run->run,
                         .result = stored.result,
                         .saved_wall_ns = stored.saved_ns,
                         .uploaded = stored.uploaded >= stored.revision};
      int handed = hand_on(r, &row, &stored);
      if (handed == SQLITE_ABORT) return PSPROBE_OK;
      if (handed == SQLITE_NOMEM) return psp_fail_memory(error, "rows");
      fits = handed != SQLITE_MISMATCH;
      if (handed != SQLITE_DONE && fits) step = handed;
    }
    if (!fits)
      return psp_fail(error, PSPROBE_DATA_LOSS, "%s is damaged: a probe in it makes no sense",
                      store->path);
  }
  return step == SQLITE_DONE ? PSPROBE_OK : psp_sql_fail(db, store->path, "read", error);
}

static const char further_answers[] =
    "SELECT " PSP_ROW_COLUMNS
    ", a.delivery FROM probes p JOIN answers a ON a.probe = p.seq AND a.delivery > 1 "
    "LEFT JOIN instances i ON i.seq = a.instance WHERE p.seq = ?1 ORDER BY a.position, a.delivery";

static psprobe_code read_store(psprobe_store *store, const psprobe_filter *filter, reading *r,
                               psprobe_error *error) {
  sqlite3 *db = NULL;
  psp_runs runs;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(db, store->path, filter, &runs, error);
  if (code == PSPROBE_OK) {
    bool one = filter != NULL && filter->run != NULL;
    sqlite3_stmt *statement = prepare(db, filter, one ? &runs.items[0].seq : NULL);
    bool ready = statement != NULL &&
                 (r->with_further == NULL ||
                  sqlite3_prepare_v2(db, further_answers, -1, &r->answers, NULL) == SQLITE_OK);
    code = ready ? read_rows(store, db, &runs, statement, r, error)
                 : psp_sql_fail(db, store->path, "read", error);
    sqlite3_finalize(statement);
    sqlite3_finalize(r->answers);
    psp_further_free(&r->further);
    psp_runs_free(&runs);
  }
  psp_reader_close(db);
  return code;
}

psprobe_code psprobe_store_each(psprobe_store *store, const psprobe_filter *filter,
                                psprobe_row_each *each, void *arg, psprobe_error *error) {
  return read_store(store, filter, &(reading){.each = each, .arg = arg}, error);
}

psprobe_code psp_store_each_further(psprobe_store *store, const psprobe_filter *filter,
                                    psp_row_further *each, void *arg, psprobe_error *error) {
  return read_store(store, filter, &(reading){.with_further = each, .arg = arg}, error);
}

psprobe_code psprobe_store_backlog(psprobe_store *store, uint64_t *rows, psprobe_error *error) {
  sqlite3 *db = NULL;
  int64_t count = 0;
  psprobe_code code = psp_reader_open(store, &db, error);
  if (code != PSPROBE_OK) return code;
  if (psp_sql_int64(db, "SELECT count(*) FROM probes WHERE revision > uploaded", &count) ==
      SQLITE_OK)
    *rows = (uint64_t)count;
  else
    code = psp_sql_fail(db, store->path, "read", error);
  psp_reader_close(db);
  return code;
}
