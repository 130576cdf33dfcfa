/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_REPORT_H
#define PSP_REPORT_REPORT_H
/** @file A report: columns, what the comparison made of them, and the words. */
#include <psprobe/report.h>

#include "base/buf.h"
#include "report/grids.h"
#include "report/plots.h"
#include "results/columns/columns.h"
#include "results/digests/digested.h"
#include "results/untaken.h"

struct psprobe_report {
  psp_columns columns; /**< all probes, or those that pictures show where all are summed up */
  psp_digested summed;
  psp_plots_sums sums_of;     /**< views of that */
  const psp_plots_sums *sums; /**< NULL: columns hold all */
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_probes probes; /**< views of the columns */
  psprobe_comparison *comparison;
  psp_untaken untaken; /**< of all its runs */
  psp_grids grids;
  char *sentence, *notes;
};

/** Takes columns that are whole (they are empty afterwards) and compares. */
psprobe_code psp_report_new(psp_columns *columns, psprobe_report **report, psprobe_error *error);
/** The same of what sums probes up (emptied). */
psprobe_code psp_report_of_digests(psp_digested *digested, psprobe_report **report,
                                   psprobe_error *error);

#endif
