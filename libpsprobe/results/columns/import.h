/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_IMPORT_H
#define PSP_RESULTS_COLUMNS_IMPORT_H
/**
 * @file Results from elsewhere: CSV or JSON lines of the first experiment's fields. Pure.
 *
 * Needed: arbitrary_message_id, probe_sent (RFC 3339), and one or more NAME_response_time (ns;
 * empty or null: lost). The two old names stand for cloud_function and regular_service. What our
 * own CSV has beside them (NAME_status, NAME_cold, …, publish_ns, lateness_ns) is read where it is
 * there; any other column is let be.
 */
#include "base/buf.h"
#include "results/columns/columns.h"

/** What a column of a file means. */
typedef enum psp_role {
  PSP_ROLE_NONE,
  PSP_ROLE_ID,
  PSP_ROLE_SENT,
  PSP_ROLE_SAVED,
  PSP_ROLE_LATENESS,
  PSP_ROLE_PUBLISH,
  PSP_ROLE_ELAPSED, /**< of a source, as the rest */
  PSP_ROLE_STATUS,
  PSP_ROLE_COLD,
  PSP_ROLE_DUPLICATES,
  PSP_ROLE_HANDLED
} psp_role;

/** A row under way. */
typedef struct psp_import_row {
  psprobe_result result;
  char id[PSP_COLUMN_ID_SIZE];
  int64_t saved_wall_ns;
  bool has_id, has_sent;
} psp_import_row;

void psp_import_begin(psp_import_row *row, size_t source_count);
/** Sets one field from text. `text` "" counts as missing. @return false: it is not what the role
 * takes, and `why` says what that is */
bool psp_import_set(psp_import_row *row, psp_role role, size_t source, const char *text,
                    const char **why);
/** Adds the row. @return false: what must be there is not, and `why` names it */
bool psp_import_end(psp_import_row *row, psp_columns *columns, const psprobe_filter *filter,
                    const char **why);

/** The role of a column by its name, once the sources are known. `*source` receives the source's
 * index of those that have one. */
psp_role psp_import_role(const psp_columns *columns, const char *name, size_t *source);
/** Adds the source of a NAME_response_time column that is not there yet. False: too many sources.
 */
bool psp_import_source(psp_columns *columns, const char *column);

/** @param what names the text in errors. @return PSPROBE_OK; INVALID_ARGUMENT with line and column
 */
psprobe_code psp_import_csv(const char *text, size_t len, const char *what,
                            const psprobe_filter *filter, psp_columns *columns,
                            psprobe_error *error);
psprobe_code psp_import_json_lines(const char *text, size_t len, const char *what,
                                   const psprobe_filter *filter, psp_columns *columns,
                                   psprobe_error *error);

#endif
