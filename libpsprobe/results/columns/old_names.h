/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_OLD_NAMES_H
#define PSP_RESULTS_COLUMNS_OLD_NAMES_H
/** @file The names that the first experiment gave things, beside ours. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** "cloud_func_response_time", "reg_service_response_time", or NAME_response_time. */
void psp_put_response_column(psp_buf *out, const char *source);
/** The source of such a column, added to `out`. False: it is another column. */
bool psp_response_source(psp_buf *out, const char *column);

#endif
