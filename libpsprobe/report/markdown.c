/* SPDX-License-Identifier: MIT */
/** @file The report for an issue or a pull request: GitHub's Markdown. */
#include "base/buf.h"
#include "report/report.h"
#include "report/table.h"

static void put_time(const psp_sink *out, bool there, int64_t ns) {
  psp_sink_raw(out, " ");
  if (there)
    psp_sink_duration(out, ns);
  else
    psp_sink_raw(out, "-");
  psp_sink_raw(out, " |");
}

static void put_source(const psp_sink *out, const psprobe_source_summary *s) {
  const uint64_t counts[] = {s->sent, s->answered, s->late, s->lost, s->duplicates};
  bool any = s->answered + s->late > 0;
  psp_sink_raw(out, "| ");
  psp_sink_text(out, s->name);
  psp_sink_raw(out, " |");
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    psp_sink_raw(out, " ");
    psp_sink_count(out, counts[i]);
    psp_sink_raw(out, " |");
  }
  put_time(out, any, s->min_ns);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    put_time(out, any, s->quantiles[q].value_ns);
  put_time(out, any, s->max_ns);
  psp_sink_raw(out, "\n");
}

char *psprobe_report_markdown(const psprobe_report *report) {
  psp_buf text = {0}, pairs = {0};
  psp_sink out = psp_sink_markdown(&text), below = psp_sink_markdown(&pairs);
  psp_sink_raw(&out, "**");
  psp_sink_text(&out, report->sentence);
  psp_sink_raw(&out,
               "**\n\n| source | sent | answered | late | lost | duplicate | min | p50 | p90 | "
               "p99 | p99.9 | max |\n"
               "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n");
  for (size_t k = 0; k < psprobe_comparison_source_count(report->comparison); k++)
    put_source(&out, psprobe_comparison_source(report->comparison, k));
  psp_table_put_pairs(&below, report, &(psp_text_style){.width = 10000});
  if (pairs.len > 0) {
    psp_sink_raw(&out, "\n");
    psp_buf_add(&text, pairs.data, pairs.len);
  }
  text.failed |= pairs.failed;
  psp_buf_free(&pairs);
  psp_grids_put_markdown(&out, &report->grids);
  if (report->notes[0] != '\0') {
    psp_sink_raw(&out, "\n");
    psp_sink_text(&out, report->notes);
  }
  return psp_buf_take(&text, NULL);
}
