/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_TABLE_H
#define PSP_REPORT_TABLE_H
/** @file The table and the histogram, in text. Pure. */
#include "report/layout.h"
#include "report/report.h"

/** The table: a row a source, or, where the width is too small, a block a source. */
void psp_table_put(const psp_sink *out, const psprobe_report *report, const psp_text_style *style);
/** A line a pair: the median of the differences, who was first. */
void psp_table_put_pairs(const psp_sink *out, const psprobe_report *report,
                         const psp_text_style *style);
/** An empty line and a histogram of each source, one under the other, over a common scale; nothing
 * when nobody answered or there is no room. */
void psp_bars_put(const psp_sink *out, const psprobe_report *report, const psp_text_style *style);

#endif
