/* SPDX-License-Identifier: MIT */
#include "results/upload/outbox.h"

#include <stdlib.h>

#include "base/error.h"

/* Binds what is asked for to a statement of the writer's. */
static sqlite3_stmt *ask(psprobe_store *store, psp_statement which, int64_t after, size_t max) {
  sqlite3_stmt *statement = store->statements[which];
  psp_sql_bind_int64(statement, 1, after);
  psp_sql_bind_int64(statement, 2, (int64_t)max);
  return statement;
}

/* Reads up to `max` probes, on the writer's connection with its mutex held. */
static psprobe_code take(psprobe_store *store, int64_t after, size_t max, psp_outbox *outbox,
                         psprobe_error *error) {
  sqlite3_stmt *statement = ask(store, PSP_TAKE_ROWS, after, max);
  int step = sqlite3_step(statement);
  while (step == SQLITE_ROW && outbox->count < max) {
    psp_stored_row *row = &outbox->rows[outbox->count++];
    step = psp_row_read(statement, row);
    if (step != SQLITE_MISMATCH && !psp_row_fit(row, psp_runs_find(&outbox->runs, row->run)))
      step = SQLITE_MISMATCH;
  }
  psprobe_code code = PSPROBE_OK;
  if (step == SQLITE_MISMATCH)
    code = psp_fail(error, PSPROBE_DATA_LOSS, "%s is damaged: a probe in it makes no sense",
                    store->path);
  else if (step != SQLITE_DONE)
    code = psp_sql_fail(store->db, store->path, "read", error);
  sqlite3_reset(statement);
  return code;
}

/* The runs whose newest state is not uploaded, up to `max`. */
static void take_runs(psp_outbox *outbox, size_t max) {
  for (size_t i = 0; i < outbox->runs.count; i++) {
    const psp_run *run = &outbox->runs.items[i];
    if (outbox->due_count == max || outbox->due_count == PSP_OUTBOX_RUNS) return;
    if (run->revision > run->uploaded) outbox->due[outbox->due_count++] = run;
  }
}

psprobe_code psp_outbox_take(psprobe_store *store, int64_t after, size_t max, bool runs,
                             psp_outbox *outbox, psprobe_error *error) {
  *outbox = (psp_outbox){.rows = calloc(max, sizeof *outbox->rows)};
  if (outbox->rows == NULL) return psp_fail_memory(error, "rows to upload");
  psprobe_code code = psp_store_enter(store, error);
  bool inside = code == PSPROBE_OK;
  if (code == PSPROBE_OK)
    code = psp_runs_take(store->db, store->path, ask(store, PSP_TAKE_RUNS, after, max),
                         store->statements[PSP_TAKE_SOURCES], &outbox->runs, error);
  if (code == PSPROBE_OK) code = take(store, after, max, outbox, error);
  if (code == PSPROBE_OK && runs) take_runs(outbox, max - outbox->count);
  if (inside) psp_store_leave(store);
  if (code != PSPROBE_OK) psp_outbox_free(outbox);
  return code;
}

void psp_outbox_free(psp_outbox *outbox) {
  psp_runs_free(&outbox->runs);
  free(outbox->rows);
  *outbox = (psp_outbox){0};
}

bool psp_row_refused(const psprobe_error *outcome) {
  bool content = outcome->code == PSPROBE_INVALID_ARGUMENT || outcome->code == PSPROBE_OUT_OF_RANGE;
  /* A reason (API_KEY_INVALID, …) tells of the project or the caller, whatever the row. */
  return content && outcome->from_service && outcome->reason[0] == '\0';
}

psp_mark psp_mark_of(int64_t revision, int64_t uploaded, const psprobe_error *outcome) {
  switch (outcome->code) {
    case PSPROBE_OK:
      return PSP_MARK_NEWEST;
    case PSPROBE_ALREADY_EXISTS:
      /*
       * Ids are random: the document is ours, from an upload whose answer or mark was lost. It may
       * hold an earlier state than the one just sent, but never a later one.
       */
      return uploaded > 0 ? PSP_MARK_NONE : revision == 1 ? PSP_MARK_NEWEST : PSP_MARK_FIRST;
    default:
      return psp_row_refused(outcome) ? PSP_MARK_UNWELCOME : PSP_MARK_NONE;
  }
}

/* Binds a row or a run, and the revision that a mark is about, and steps. */
static psprobe_code mark_one(psprobe_store *store, psp_statement which, int64_t seq,
                             int64_t revision, psprobe_error *error) {
  psp_sql_bind_int64(store->statements[which], 1, seq);
  psp_sql_bind_int64(store->statements[which], 2, revision);
  return psp_store_change(store, which, error);
}

static psprobe_code mark_row(psprobe_store *store, const psp_stored_row *row, psp_mark mark,
                             psprobe_error *error) {
  if (mark == PSP_MARK_NONE) return PSPROBE_OK;
  return mark_one(store, mark == PSP_MARK_UNWELCOME ? PSP_MARK_REFUSED : PSP_MARK_UPLOADED,
                  row->seq, mark == PSP_MARK_FIRST ? 1 : row->revision, error);
}

static psprobe_code mark_run(psprobe_store *store, const psp_run *run, psp_mark mark,
                             psprobe_error *error) {
  if (mark == PSP_MARK_NONE) return PSPROBE_OK;
  return mark_one(store, PSP_MARK_RUN, run->seq, mark == PSP_MARK_FIRST ? 1 : run->revision, error);
}

psprobe_code psp_outbox_mark(psprobe_store *store, const psp_outbox *outbox, const psp_mark *marks,
                             psprobe_error *error) {
  psprobe_code code = psp_store_begin_unsynced(store, error);
  if (code != PSPROBE_OK) return code;
  for (size_t i = 0; code == PSPROBE_OK && i < outbox->count; i++)
    code = mark_row(store, &outbox->rows[i], marks[i], error);
  for (size_t i = 0; code == PSPROBE_OK && i < outbox->due_count; i++)
    code = mark_run(store, outbox->due[i], marks[outbox->count + i], error);
  return psp_store_finish(store, code, error);
}

psprobe_code psp_outbox_count(psprobe_store *store, uint64_t *rows, uint64_t *refused,
                              psprobe_error *error) {
  int64_t all = 0, unwelcome = 0;
  psprobe_code code = psp_store_enter(store, error);
  *rows = *refused = 0;
  if (code != PSPROBE_OK) return code;
  if (psp_sql_int64(store->db, "SELECT count(*) FROM probes WHERE revision > uploaded", &all) !=
          SQLITE_OK ||
      psp_sql_int64(store->db,
                    "SELECT count(*) FROM probes WHERE revision > uploaded AND refused >= revision",
                    &unwelcome) != SQLITE_OK)
    code = psp_sql_fail(store->db, store->path, "read", error);
  psp_store_leave(store);
  *rows = (uint64_t)all;
  *refused = (uint64_t)unwelcome;
  return code;
}

psprobe_code psp_outbox_forgive(psprobe_store *store, psprobe_error *error) {
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  /* Only rows in the outbox's index are looked at. */
  if (psp_sql_run(store->db,
                  "UPDATE probes SET refused = 0 WHERE revision > uploaded AND "
                  "refused > 0") != SQLITE_OK)
    code = psp_sql_fail(store->db, store->path, "write to", error);
  return psp_store_finish(store, code, error);
}
