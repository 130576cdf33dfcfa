/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_EXPORT_H
#define PSP_RESULTS_COLUMNS_EXPORT_H
/**
 * @file Rows written out as they come, one after the other: as a table or as lines of JSON.
 *
 * CSV (RFC 4180, but LF) has a row a probe. Its first columns are the five fields of the first
 * experiment, and a NAME_response_time for each further source, so that what is written here can be
 * read here; ours follow. What is told of a run stands in its first row, in columns of its own.
 *
 * JSON lines have an object for each run, before its first probe, and one for each probe.
 */
#include <psprobe/report.h>

#include "base/buf.h"
#include "results/columns/columns.h"

/** Takes some of a text. @return false to end */
typedef bool psp_text_put(void *arg, const char *text, size_t len);

/** What of a table's head is not always there. */
typedef struct psp_csv_shape {
  bool any;                       /**< there was a probe */
  bool publish;                   /**< something is told of publishing */
  bool cadence;                   /**< there are rare probes */
  bool runs;                      /**< something is told of a run */
  bool told[PSPROBE_MAX_SOURCES]; /**< a source has told facts */
} psp_csv_shape;

/** An export under way; zeroed but for form, put, arg and chosen. */
typedef struct psp_export {
  psprobe_report_form form;
  psp_text_put *put;
  void *arg;
  psp_chosen chosen;   /**< sources; with any, of runs that have the newest one's alone */
  psp_csv_shape shape; /**< of a table: known before the first row */
  size_t which[PSPROBE_MAX_SOURCES], which_count; /**< of the rows' sources */
  bool unnamed;                                   /**< the run without an id was written */
  psp_interned runs;                              /**< those that were written */
  char last_run[PSPROBE_ID_SIZE];                 /**< the last of them */
  psp_buf text;
  bool ended; /**< `put` did not want more */
} psp_export;

/** Notes what a row makes of the table's shape. `arg` is a psp_csv_shape. Ends never. */
bool psp_export_note(void *arg, const psp_row *row);
/** Begins: a table's head, with the sources of the newest run, or the runs' lines.
 * @return PSPROBE_OK; NOT_FOUND a source that is asked for */
psprobe_code psp_export_runs(psp_export *out, const psp_run_list *runs, psprobe_error *error);
/** The same of columns. */
psprobe_code psp_export_columns(psp_export *out, const psp_columns *columns, psprobe_error *error);
/** A probe, and what is still to be told of its run. `arg` is a psp_export. */
bool psp_export_row(void *arg, const psp_row *row);
/** Hands on what is left, and frees. @return PSPROBE_OK; RESOURCE_EXHAUSTED */
psprobe_code psp_export_end(psp_export *out, psprobe_error *error);

/** All of a results file or a text, in the memory of a piece of it: it is read more than once,
 * since a table's head tells which columns there are. @return as psp_columns_open */
psprobe_code psp_export_file(const psp_columns_source *source, psp_export *out,
                             psprobe_error *error);
/** The same of a store. @return as psprobe_store_each */
psprobe_code psp_export_store(psprobe_store *store, const psprobe_filter *filter, psp_export *out,
                              psprobe_error *error);
/** The same of what probers uploaded, which is read once: lines as they come, in Firestore's order;
 * a table, or some sources, in the order sent, by way of a file (psp_sorted). @return as
 * psp_columns_fetch, psp_sorted_open */
psprobe_code psp_export_cloud(const psp_columns_cloud *from, psp_export *out, psprobe_error *error);
/** All that columns hold, as a text. NULL: no memory. */
char *psp_columns_export(const psp_columns *columns, psprobe_report_form form);

/** The forms of a row, for psp_export_row. */
void psp_csv_put_head(psp_buf *out, const char *const *sources, size_t count,
                      const psp_csv_shape *shape);
void psp_csv_put_row(psp_buf *out, const psp_row *row, const psp_csv_shape *shape, bool first);
void psp_line_put_run(psp_buf *out, const psprobe_run *run);
void psp_line_put_row(psp_buf *out, const psp_row *row);

#endif
