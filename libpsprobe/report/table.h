/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_TABLE_H
#define PSP_REPORT_TABLE_H
/** @file The table and the histogram, in text. Pure. */
#include "base/buf.h"
#include "report/report.h"

/** How text is laid out. */
typedef struct psp_text_style {
  int width; /**< columns of the terminal */
  bool ascii, color;
} psp_text_style;

/** Columns that a text takes up: UTF-8, each character one column. */
int psp_text_width(const char *text);
/** Begins the colour of source `k`; the text after it ends it with psp_text_plain. */
void psp_text_color(psp_buf *out, const psp_text_style *style, size_t k);
void psp_text_plain(psp_buf *out, const psp_text_style *style);
/** Appends text broken at spaces so that no line is longer than the width. */
void psp_text_wrap(psp_buf *out, const char *text, int width);

/** The table: a row a source, or, where the width is too small, a block a source. */
void psp_table_put(psp_buf *out, const psprobe_report *report, const psp_text_style *style);
/** A line a pair: the median of the differences, who was first. */
void psp_table_put_pairs(psp_buf *out, const psprobe_report *report, const psp_text_style *style);
/** An empty line and a histogram of each source, one under the other, over a common scale; nothing
 * when nobody answered or there is no room. */
void psp_bars_put(psp_buf *out, const psprobe_report *report, const psp_text_style *style);

#endif
