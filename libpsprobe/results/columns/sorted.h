/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_SORTED_H
#define PSP_RESULTS_COLUMNS_SORTED_H
/** @file Rows put into the order sent in a nameless file (of TMPDIR, gone with its process), so
 * that any number of them takes the same memory. */
#include "base/buf.h"
#include "results/columns/row.h"
#include "results/columns/runs.h"
#include "sql/sql.h"

/** Rows that wait. Closed by psp_sorted_close, also where opening failed. */
typedef struct psp_sorted {
  sqlite3 *db;
  sqlite3_stmt *add;
  psp_buf line; /**< the row under way, as JSON lines have it */
  psprobe_code code;
  psprobe_error *error;
} psp_sorted;

/** Opens. `error` is where psp_sorted_take tells what went wrong.
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED, PERMISSION_DENIED: there is no room for the file */
psprobe_code psp_sorted_open(psp_sorted *sorted, psprobe_error *error);
/** Adds a row. `arg` is a psp_sorted. @return false: `code` says why it is not kept */
bool psp_sorted_take(void *arg, const psp_row *row);
/** Hands out all rows, the first sent first, as they were told. `runs`: theirs, with sources.
 * @return PSPROBE_OK, also when `take` ended it; as psp_sorted_open */
psprobe_code psp_sorted_each(psp_sorted *sorted, const psp_run_list *runs, psp_row_take *take,
                             void *arg, psprobe_error *error);
void psp_sorted_close(psp_sorted *sorted);

#endif
