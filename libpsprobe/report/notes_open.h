/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_NOTES_OPEN_H
#define PSP_REPORT_NOTES_OPEN_H
/** @file What runs without an end have left open, in words. */
#include "base/buf.h"
#include "results/columns/columns.h"

/** Adds a line for each run of a prober that is gone, or that has probes in flight. */
void psp_notes_open(psp_buf *out, const psp_columns *columns);

#endif
