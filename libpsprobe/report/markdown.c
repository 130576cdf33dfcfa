/* SPDX-License-Identifier: MIT */
/** @file The report for an issue or a pull request: GitHub's Markdown. */
#include "base/buf.h"
#include "base/text.h"
#include "report/report.h"
#include "report/table.h"

/** What Markdown would take for its own is escaped; source names may hold _ and -. */
static void put(psp_buf *out, const char *text) {
  for (; *text != '\0'; text++) {
    switch (*text) {
      case '|':
      case '*':
      case '_':
      case '`':
      case '[':
      case ']':
      case '<':
      case '>':
      case '\\':
        psp_buf_char(out, '\\');
        break;
      default:
        break;
    }
    psp_buf_char(out, *text);
  }
}

static void put_time(psp_buf *out, bool there, int64_t ns) {
  char text[PSP_DURATION_SIZE];
  psp_buf_printf(out, " %s |", there ? psp_format_duration(text, ns) : "-");
}

static void put_source(psp_buf *out, const psprobe_source_summary *s) {
  bool any = s->answered + s->late > 0;
  psp_buf_text(out, "| ");
  put(out, s->name);
  psp_buf_printf(out, " | %llu | %llu | %llu | %llu | %llu |", (unsigned long long)s->sent,
                 (unsigned long long)s->answered, (unsigned long long)s->late,
                 (unsigned long long)s->lost, (unsigned long long)s->duplicates);
  put_time(out, any, s->min_ns);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    put_time(out, any, s->quantiles[q].value_ns);
  put_time(out, any, s->max_ns);
  psp_buf_char(out, '\n');
}

char *psprobe_report_markdown(const psprobe_report *report) {
  psp_buf out = {0};
  psp_buf_text(&out, "**");
  put(&out, report->sentence);
  psp_buf_text(&out,
               "**\n\n| source | sent | answered | late | lost | duplicate | min | p50 | p90 | "
               "p99 | p99.9 | max |\n"
               "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n");
  for (size_t k = 0; k < psprobe_comparison_source_count(report->comparison); k++)
    put_source(&out, psprobe_comparison_source(report->comparison, k));
  psp_buf pairs = {0};
  psp_table_put_pairs(&pairs, report, &(psp_text_style){.width = 10000});
  if (pairs.len > 0) psp_buf_char(&out, '\n');
  if (pairs.len > 0) put(&out, pairs.data);
  out.failed |= pairs.failed;
  psp_buf_free(&pairs);
  if (report->notes[0] != '\0') {
    psp_buf_char(&out, '\n');
    put(&out, report->notes);
  }
  return psp_buf_take(&out, NULL);
}
