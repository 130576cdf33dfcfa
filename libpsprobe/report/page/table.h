/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PAGE_TABLE_H
#define PSP_REPORT_PAGE_TABLE_H
/** @file The page's table, as HTML and for the modules that bring it up to date. Pure. */
#include <psprobe/compare.h>

#include "base/json.h"
#include "report/sink.h"

/** With its heading. */
void psp_page_table_html(const psp_sink *out, const psprobe_comparison *comparison);
/** The cells alone: an array of arrays of texts, a source each. */
void psp_page_table_json(psp_json_writer *w, const psprobe_comparison *comparison);

#endif
