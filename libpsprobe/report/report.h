/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_REPORT_H
#define PSP_REPORT_REPORT_H
/** @file A report: columns, what the comparison made of them, and the words. */
#include <psprobe/report.h>

#include "base/buf.h"
#include "report/grids.h"
#include "results/columns/columns.h"
#include "results/untaken.h"

struct psprobe_report {
  psp_columns columns;
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_probes probes; /**< views of the columns */
  psprobe_comparison *comparison;
  psp_untaken untaken; /**< of all its runs */
  psp_grids grids;
  char *sentence, *notes;
};

/** Takes columns that are whole (they are empty afterwards) and compares. */
psprobe_code psp_report_new(psp_columns *columns, psprobe_report **report, psprobe_error *error);

#endif
