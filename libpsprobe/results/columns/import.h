/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_IMPORT_H
#define PSP_RESULTS_COLUMNS_IMPORT_H
/**
 * @file Results from elsewhere: CSV or JSON lines of the first experiment's fields. Pure.
 *
 * Needed: arbitrary_message_id, probe_sent (RFC 3339), and one or more NAME_response_time (ns;
 * empty or null: lost). The two old names stand for cloud_function and regular_service. What our
 * own CSV has beside them (run_id, NAME_status, NAME_cold, …, publish_ns, lateness_ns) is read
 * where it is there; any other column is let be. What says two things (a name twice, a status that
 * its time contradicts) is refused.
 */
#include "base/buf.h"
#include "results/columns/columns.h"
#include "results/columns/old_names.h"
#include "results/columns/text.h"

/** What a column of a file means. */
typedef enum psp_role {
  PSP_ROLE_NONE,
  PSP_ROLE_ID,
  PSP_ROLE_SENT,
  PSP_ROLE_SAVED,
  PSP_ROLE_RUN,
  PSP_ROLE_LATENESS,
  PSP_ROLE_PUBLISH,
  PSP_ROLE_CADENCE,
  PSP_ROLE_OF_RUN,                                      /**< the first of psp_run_columns */
  PSP_ROLE_ELAPSED = PSP_ROLE_OF_RUN + PSP_RUN_COLUMNS, /**< of a source, as the rest */
  PSP_ROLE_STATUS,
  PSP_ROLE_COLD,
  PSP_ROLE_DUPLICATES,
  PSP_ROLE_HANDLED,
  PSP_ROLE_RECEIVED,
  PSP_ROLE_FACT /**< the first of the facts, in the order of psp_fact_columns */
} psp_role;

/** A fact's column is NAME and this; what is in it has the form of this header. */
typedef struct psp_fact_column {
  const char *suffix, *header;
} psp_fact_column;
#define PSP_FACT_COLUMNS 9
extern const psp_fact_column psp_fact_columns[PSP_FACT_COLUMNS];
/** Of when an answer came by the run's clock, in ns since 1970. */
#define PSP_RECEIVED_SUFFIX "_received_ns"
/** The column of the cadence, and what it holds for each. */
#define PSP_CADENCE_COLUMN "cadence"
extern const char *const psp_cadence_names[2];
/** Of publish_ns where it is not known: an empty cell says that publishing failed. */
#define PSP_PUBLISH_UNKNOWN_TEXT "unknown"

/** What a line of ours is of, and its members that no table has. */
#define PSP_LINE_KIND        "kind"
#define PSP_LINE_RUN         "run"
#define PSP_LINE_PROBE       "probe"
#define PSP_LINE_RUN_SOURCES "run_sources"
#define PSP_LINE_SOURCES     "sources"
#define PSP_LINE_FURTHER     "further"

/** A table that is read; `what` names it in errors. Zeroed but for columns and what. */
typedef struct psp_import {
  psp_columns *columns;
  const char *what;
  const psprobe_filter *filter; /**< its bounds of time; NULL: none. psp_import_finish: its run */
  psp_row_take *take;           /**< takes the rows; NULL: the columns hold them */
  void *arg;
  bool chosen; /**< rows of runs that the columns do not have are let be */
  bool whole;  /**< rows of runs that have other sources are taken too, where runs have lines */
  bool ended;  /**< `take` did not want more */
  psp_old_names old_names;
  psp_run_list runs;        /**< that have lines of their own */
  uint64_t rows;            /**< that were added */
  int64_t newest_ns;        /**< when a probe was sent last */
  uint32_t newest;          /**< and its run */
  psp_further_list further; /**< of the row under way */
} psp_import;

/** A row under way. */
typedef struct psp_import_row {
  psprobe_result result;
  char id[PSP_COLUMN_ID_SIZE];
  char run[PSPROBE_ID_SIZE];
  int64_t saved_wall_ns;
  bool has_id, has_sent;
  bool timed[PSPROBE_MAX_SOURCES], told[PSPROBE_MAX_SOURCES]; /**< has a time, a status */
  const psprobe_run *listed; /**< its run, of import->runs; NULL: of the columns' sources */
  bool tells_run;
  psp_run_copy of_run; /**< what the row tells of its run */
  char wrong[200];     /**< what psp_import_end found */
} psp_import_row;

void psp_import_begin(psp_import_row *row, size_t source_count);
/** Sets one field from text. `text` "" counts as missing. @return false: it is not what the role
 * takes, and `why` says what that is */
bool psp_import_set(psp_import_row *row, psp_role role, size_t source, const char *text,
                    const char **why);
/** Adds the row, and frees what it holds. @return false: something is not as it must be, and
 * row->wrong says what */
bool psp_import_end(psp_import *import, psp_import_row *row);
/** Frees what a row holds that is given up. */
void psp_import_drop(psp_import_row *row);

/** The role of a column by its name, once the sources are known. `*source` receives the source's
 * index of those that have one. */
psp_role psp_import_role(const psp_import *import, const char *name, size_t *source);
/** The same of a member of an answer: NAME_status is "status" there. */
psp_role psp_import_answer_role(const char *member);
/** Adds the source of a NAME_response_time column that is not there yet, once old_names took notice
 * of all. @return PSPROBE_OK; INVALID_ARGUMENT: too many, or no name */
psprobe_code psp_import_source(psp_import *import, const char *column, psprobe_error *error);
/** After the last row: each id must be there once; keeps the run that the filter names.
 * @return PSPROBE_OK; NOT_FOUND; INVALID_ARGUMENT; RESOURCE_EXHAUSTED */
psprobe_code psp_import_finish(psp_import *import, psprobe_error *error);
/** Frees what it holds; the columns stay. */
void psp_import_free(psp_import *import);

/** Reads a table: its head makes the sources, each row after it goes where the import says.
 * @return PSPROBE_OK; INVALID_ARGUMENT with line and column; RESOURCE_EXHAUSTED */
psprobe_code psp_import_csv(psp_import *import, psp_text *text, psprobe_error *error);
/** Looks for the sources and runs of objects, one a line or in an array, since either can turn up
 * in a later one. The text stands at its beginning again. @return as psp_import_csv */
psprobe_code psp_import_json_scan(psp_import *import, psp_text *text, psprobe_error *error);
/** The rows of these objects. */
psprobe_code psp_import_json(psp_import *import, psp_text *text, psprobe_error *error);

/** Whatever a text is: told by how it begins. `scanned`: sources and runs are known. */
psprobe_code psp_import_text(psp_import *import, psp_text *text, bool scanned,
                             psprobe_error *error);

/** A cell, as an error shows it: printable, and cut to this. */
#define PSP_IMPORT_SHOWN 44

#endif
