/* SPDX-License-Identifier: MIT */
/** @file The report on a terminal: the sentence, the table, the bars, what else to know. */
#include "base/buf.h"
#include "report/table.h"

#define WIDTH_LEAST 20

char *psprobe_report_text(const psprobe_report *report, const psprobe_text_options *options) {
  psp_buf text = {0};
  psp_sink out = psp_sink_terminal(&text);
  psp_text_style style = {.width = options != NULL && options->width > 0 ? options->width : 80,
                          .ascii = options != NULL && options->ascii,
                          .color = options != NULL && options->color};
  if (style.width < WIDTH_LEAST) style.width = WIDTH_LEAST;
  psp_text_bold(&out, &style);
  psp_text_wrap(&out, report->sentence, style.width);
  psp_text_plain(&out, &style);
  psp_sink_raw(&out, "\n");
  psp_table_put(&out, report, &style);
  if (psprobe_comparison_pair_count(report->comparison) > 0 || report->columns.left_out > 0)
    psp_sink_raw(&out, "\n");
  psp_table_put_pairs(&out, report, &style);
  psp_grids_put_text(&out, &report->grids, &style);
  psp_bars_put(&out, report, &style);
  if (report->notes[0] != '\0') {
    psp_sink_raw(&out, "\n");
    psp_text_wrap(&out, report->notes, style.width);
  }
  return psp_buf_take(&text, NULL);
}

char *psprobe_report_table(const psprobe_report *report) {
  psp_buf text = {0};
  psp_sink out = psp_sink_terminal(&text);
  psp_text_style style = {.width = 1000};
  psp_table_put(&out, report, &style);
  psp_sink_raw(&out, "\n");
  psp_table_put_pairs(&out, report, &style);
  return psp_buf_take(&text, NULL);
}
