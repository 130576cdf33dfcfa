/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_RUNS_H
#define PSP_RESULTS_COLUMNS_RUNS_H
/** @file Runs as they go between files: what is told of one, by which names, and lists of them.
 * Pure. */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/results.h>

#include "base/buf.h"
#include "results/store/open_probes.h"

/** What is in a cell of a run's column. */
typedef enum psp_run_kind {
  PSP_RUN_TIME,
  PSP_RUN_NS,
  PSP_RUN_COUNT,
  PSP_RUN_ENDING,
  PSP_RUN_TEXT,
  PSP_RUN_SETTINGS /**< a JSON object */
} psp_run_kind;

/** What a table tells of a run: a column, and a member of its line. */
typedef struct psp_run_column {
  const char *name;
  psp_run_kind kind;
  size_t at; /**< in psprobe_run */
} psp_run_column;
#define PSP_RUN_COLUMNS 13
extern const psp_run_column psp_run_columns[PSP_RUN_COLUMNS];

/** A run, with texts of its own. Valid when zeroed. */
typedef struct psp_run_copy {
  psprobe_run run;      /**< its pointers are its own */
  psp_open_probes open; /**< of one of a results file that has no end */
} psp_run_copy;

/** Copies a run, its times cut to what can be written. @return false: no memory, nothing is held */
bool psp_run_copy_make(psp_run_copy *copy, const psprobe_run *run);
void psp_run_copy_free(psp_run_copy *copy);

/** A cell's text; nothing where it is not told. */
void psp_run_put_cell(psp_buf *out, const psprobe_run *run, size_t column);
/** Sets what a cell tells. @return false: it is not what the column takes, and `why` says what */
bool psp_run_set_cell(psp_run_copy *copy, size_t column, const char *text, const char **why);
/** Whether any cell of it tells anything. */
bool psp_run_tells(const psprobe_run *run);
/** Adds what `from` tells. @return false: the two tell different things in `*column` */
bool psp_run_merge(psp_run_copy *to, const psprobe_run *from, size_t *column);

/** Runs that are told beside their probes. Valid when zeroed. */
typedef struct psp_run_list {
  psp_run_copy *items;
  size_t count;
} psp_run_list;

void psp_run_list_free(psp_run_list *runs);
/** Adds a copy. @return it; NULL: no memory */
psp_run_copy *psp_run_list_add(psp_run_list *runs, const psprobe_run *run);
psp_run_copy *psp_run_list_find(const psp_run_list *runs, const char *id); /**< NULL: not there */
/** The oldest first. */
void psp_run_list_sort(psp_run_list *runs);
/** Keeps those that the filter names, as psprobe_store_each_run has it.
 * @return PSPROBE_OK; INVALID_ARGUMENT: more than one begin so */
psprobe_code psp_run_list_choose(psp_run_list *runs, const psprobe_filter *filter,
                                 const char *where, psprobe_error *error);
/** Whether two runs have the same sources, in the same order. */
bool psp_run_same_sources(const psprobe_run *a, const psprobe_run *b);
/** A run that is there, and whose sources are not the newest run's. */
bool psp_run_list_leaves_out(const psp_run_list *runs, const char *id);

#endif
