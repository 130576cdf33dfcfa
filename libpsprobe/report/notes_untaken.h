/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_NOTES_UNTAKEN_H
#define PSP_REPORT_NOTES_UNTAKEN_H
/** @file What the prober itself could not take, in words. Pure. */
#include <psprobe/compare.h>

#include "base/buf.h"
#include "results/columns/columns.h"
#include "results/untaken.h"

/** Adds up what the runs of these columns tell. False: no memory. */
bool psp_columns_untaken(const psp_columns *columns, psp_untaken *untaken);
/** The comparison's notes, the prober's own failures first. To free(); NULL: no memory. */
char *psp_notes_with_untaken(const psprobe_comparison *comparison, const psp_untaken *untaken);

#endif
