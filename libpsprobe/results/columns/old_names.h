/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_OLD_NAMES_H
#define PSP_RESULTS_COLUMNS_OLD_NAMES_H
/**
 * @file
 * The names that the first experiment gave things, beside ours. Pure.
 *
 * cloud_func_response_time stands for cloud_function, unless there is a source that is called
 * cloud_func: then a column cloud_func_status tells so, as every export of ours has one.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** What a column of a source's times ends in. */
#define PSP_RESPONSE_SUFFIX "_response_time"

/** Which old names are sources' own in a table; zeroed: none. */
typedef struct psp_old_names {
  bool own[2];
} psp_old_names;

/** Takes notice of a column of the table. */
void psp_old_names_note(psp_old_names *names, const char *column);
/** "cloud_func_response_time", "reg_service_response_time", or NAME_response_time, for source
 * `which` of these. */
void psp_put_response_column(psp_buf *out, const char *const *sources, size_t count, size_t which);
/** The source of such a column, added to `out`. False: it is another column. */
bool psp_response_source(psp_buf *out, const psp_old_names *names, const char *column);

#endif
