/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_COLUMNS_H
#define PSP_RESULTS_COLUMNS_COLUMNS_H
/** @file Results in memory, a column a figure: what every table, text and picture is made from. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/compare.h>
#include <psprobe/results.h>

#include "results/columns/chosen.h"
#include "results/columns/interned.h"
#include "results/columns/row.h"
#include "results/columns/runs.h"

/** What an answer told, and when it came by the run's clock; 0: not told (psprobe_facts). */
typedef struct psp_told_row {
  uint32_t instance; /**< its number among the columns' instances */
  uint32_t invocation, attempt;
  int64_t received_ns, age_ns, ready_ns, published_ns, arrived_ns, sent_ns;
  int64_t exchange_ns[PSPROBE_STAMPS];
} psp_told_row;

/** One source's columns, as long as there are probes. */
typedef struct psp_source_columns {
  char *name;
  char *shown; /**< the name without control characters: what every figure and word is told by */
  int64_t *elapsed_ns, *handled_ns;
  uint8_t *status;
  bool *cold;
  uint32_t *duplicates;
  psp_told_row *told; /**< NULL: no answer has told anything */
} psp_source_columns;

/** Valid when zeroed. */
typedef struct psp_columns {
  size_t count, capacity;
  char (*id)[PSP_COLUMN_ID_SIZE];
  int64_t *sent_wall_ns, *lateness_ns, *publish_ns, *saved_wall_ns;
  bool *unsent;  /**< the publish call failed, and nobody has answered */
  uint32_t *run; /**< index of each probe's run */
  size_t source_count;
  psp_source_columns sources[PSPROBE_MAX_SOURCES];
  psp_run_copy *runs;
  size_t run_count;
  psp_interned instances;
  /** Probes of the cold cadence, which no figure of the others knows: the same sources, and runs
   * that are ours. NULL: none. */
  struct psp_columns *apart;
  size_t left_out; /**< probes of runs that had other sources than these */
  bool failed;     /**< memory ran out: the columns are not whole */
} psp_columns;

void psp_columns_free(psp_columns *columns);
/** Sets the sources, copied, before the first probe. */
void psp_columns_set_sources(psp_columns *columns, const char *const *names, size_t count);
/** Adds one, where there is room for it. */
void psp_columns_add_source(psp_columns *columns, const char *name);
/** Adds a run, copied. @return its index */
uint32_t psp_columns_add_run(psp_columns *columns, const psprobe_run *run);
/** Adds a probe of run `run`; its answers are in the order of that run's sources. */
void psp_columns_add(psp_columns *columns, uint32_t run, const psprobe_result *result,
                     int64_t saved_wall_ns);
/** The same with an id that is not one of ours, cut to its room. */
void psp_columns_add_foreign(psp_columns *columns, uint32_t run, const char *id,
                             const psprobe_result *result, int64_t saved_wall_ns);
/** Replaces the answers of probe `index`; facts that are told no more stay. */
void psp_columns_update(psp_columns *columns, size_t index, const psprobe_result *result);
/** Finds sources that were asked for, as psp_chosen_find. */
psprobe_code psp_columns_find(const psp_columns *columns, const psp_chosen *chosen, size_t *which,
                              size_t *count, psprobe_error *error);
/** Keeps these sources alone, in this order. @return PSPROBE_OK; NOT_FOUND names one it lacks */
psprobe_code psp_columns_select(psp_columns *columns, const char *const *names, size_t count,
                                psprobe_error *error);
/** Keeps the probes of one run, and that run, alone. */
void psp_columns_keep_run(psp_columns *columns, uint32_t run);
/** Puts the probes into the order sent, as a file has them. @return PSPROBE_OK; RESOURCE_EXHAUSTED
 */
psprobe_code psp_columns_sort(psp_columns *columns, psprobe_error *error);
/** Forgets the first `count` probes. */
void psp_columns_drop(psp_columns *columns, size_t count);
/** The same as views for the comparison and the page; valid until the columns change. */
psprobe_probes psp_columns_probes(const psp_columns *columns,
                                  psprobe_series series[PSPROBE_MAX_SOURCES]);

/** Reads a store into columns (zeroed), those of the newest run's sources. */
psprobe_code psp_columns_load(psp_columns *columns, psprobe_store *store,
                              const psprobe_filter *filter, psprobe_error *error);

/** Looks what runs of the columns, which are a store's, have left open. @return as
 * psprobe_store_each_run */
psprobe_code psp_columns_look_for_open(psp_columns *columns, psprobe_store *store,
                                       const psprobe_filter *filter, psprobe_error *error);

/** What to read into columns. All borrowed. */
typedef struct psp_columns_source {
  const char *path; /**< "-": standard input */
  psprobe_filter filter;
  const psprobe_logger *logger;
} psp_columns_source;
/** Reads a results file, CSV or JSON lines, told apart by what is in it, into columns (zeroed). */
psprobe_code psp_columns_open(psp_columns *columns, const psp_columns_source *source,
                              psprobe_error *error);
/** Results in Firestore. All borrowed. */
typedef struct psp_columns_cloud {
  psprobe_client *client;
  const char *collection, *runs; /**< NULL: as an uploader has them */
  psprobe_filter filter;
  void (*progress)(void *arg, uint64_t rows); /**< NULL: nobody wants to know */
  void *progress_arg;
} psp_columns_cloud;
/** Reads what probers uploaded into columns (zeroed), in the order sent. Blocks: while it is read.
 */
psprobe_code psp_columns_fetch(psp_columns *columns, const psp_columns_cloud *from,
                               psprobe_error *error);

/** A run as these columns have it: of their sources. Borrowed from them. */
psprobe_run psp_columns_run(const psp_columns *columns, uint32_t index);
/** Hands every probe to `take`, the rare ones where they were sent. @return false: it ended it */
bool psp_columns_each(const psp_columns *columns, psp_row_take *take, void *arg);

#endif
