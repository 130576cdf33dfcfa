/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_PAGE_HTML_H
#define PSP_REPORT_PAGE_HTML_H
/** @file What the page is told, from the columns. */
#include "report/page/page.h"
#include "results/columns/columns.h"

#define PSP_HTML_FACTS     24
#define PSP_HTML_FACT_SIZE 160
#define PSP_HTML_NAME_SIZE 40

/** A page with what it points to. */
typedef struct psp_html_page {
  psp_page page;
  psp_page_fact facts[PSP_HTML_FACTS];
  char name[PSP_HTML_FACTS][PSP_HTML_NAME_SIZE];
  char text[PSP_HTML_FACTS][PSP_HTML_FACT_SIZE];
  const int64_t *handled[PSPROBE_MAX_SOURCES];
} psp_html_page;

/** Fills `page`, which must stay where it is; all else is borrowed as long as it is used. */
void psp_html_page_fill(psp_html_page *page, const psp_columns *columns,
                        const psprobe_probes *probes, const psp_plots_sums *sums,
                        const psprobe_comparison *comparison, const psp_grids *grids,
                        const char *sentence, const char *notes);

#endif
