/* SPDX-License-Identifier: MIT */
#include "results/columns/sorted.h"

#include <string.h>

#include "base/error.h"
#include "results/columns/export.h"
#include "results/columns/import.h"

#define WHERE "a temporary file (of TMPDIR)"

/* SQLite's cache and its sorter hold two MiB each; what is more goes to disk. */
static const char begin[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
    "PRAGMA temp_store = FILE; PRAGMA cache_size = -2000;"
    "CREATE TABLE rows (sent INTEGER, line TEXT); BEGIN";

static psprobe_code fail(const psp_sorted *sorted, psprobe_error *error) {
  return psp_sql_fail(sorted->db, WHERE, "sort rows in", error);
}

psprobe_code psp_sorted_open(psp_sorted *sorted, psprobe_error *error) {
  *sorted = (psp_sorted){.error = error};
  if (sqlite3_open("", &sorted->db) != SQLITE_OK || psp_sql_run(sorted->db, begin) != SQLITE_OK ||
      sqlite3_prepare_v2(sorted->db, "INSERT INTO rows VALUES (?, ?)", -1, &sorted->add, NULL) !=
          SQLITE_OK)
    return fail(sorted, error);
  return PSPROBE_OK;
}

bool psp_sorted_take(void *arg, const psp_row *row) {
  psp_sorted *sorted = arg;
  psp_buf_reset(&sorted->line);
  psp_line_put_row(&sorted->line, row);
  if (sorted->line.failed) {
    sorted->code = psp_fail_memory(sorted->error, "row");
    return false;
  }
  psp_sql_bind_int64(sorted->add, 1, row->result->sent_wall_ns);
  psp_sql_bind_text(sorted->add, 2, sorted->line.data);
  if (psp_sql_step_once(sorted->add) != SQLITE_DONE) sorted->code = fail(sorted, sorted->error);
  return sorted->code == PSPROBE_OK;
}

/* A line that was written here, read as any other. */
static psprobe_code hand_on(psp_import *import, const char *line, psprobe_error *error) {
  psp_text text;
  psp_text_of(&text, WHERE, line, strlen(line));
  return psp_import_json(import, &text, error);
}

static psprobe_code read_lines(psp_sorted *sorted, psp_import *import, psprobe_error *error) {
  sqlite3_stmt *select = NULL;
  psprobe_code code = PSPROBE_OK;
  int step = sqlite3_prepare_v2(sorted->db, "SELECT line FROM rows ORDER BY sent, rowid", -1,
                                &select, NULL);
  if (step == SQLITE_OK) step = sqlite3_step(select);
  while (step == SQLITE_ROW && code == PSPROBE_OK && !import->ended) {
    code = hand_on(import, psp_sql_text(select, 0), error);
    if (code == PSPROBE_OK) step = sqlite3_step(select);
  }
  if (code == PSPROBE_OK && step != SQLITE_ROW && step != SQLITE_DONE) code = fail(sorted, error);
  sqlite3_finalize(select);
  return code;
}

psprobe_code psp_sorted_each(psp_sorted *sorted, const psp_run_list *runs, psp_row_take *take,
                             void *arg, psprobe_error *error) {
  psp_columns none = {0};
  psp_import import = {.columns = &none,
                       .what = WHERE,
                       .take = take,
                       .arg = arg,
                       .whole = true, /* each row's run is listed */
                       .runs = *runs};
  psprobe_code code = read_lines(sorted, &import, error);
  import.runs = (psp_run_list){.count = 0}; /* borrowed */
  psp_import_free(&import);
  psp_columns_free(&none);
  return code;
}

void psp_sorted_close(psp_sorted *sorted) {
  sqlite3_finalize(sorted->add);
  sqlite3_close(sorted->db);
  psp_buf_free(&sorted->line);
}
