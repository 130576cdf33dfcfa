/* SPDX-License-Identifier: MIT */
#include "report/table.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define COLUMNS 12
static const char *const heads[COLUMNS] = {"sent", "answered", "late", "lost", "duplicate", "cold",
                                           "min",  "p50",      "p90",  "p99",  "p99.9",     "max"};

typedef struct row {
  const char *name;
  char cells[COLUMNS][PSP_DURATION_SIZE];
} row;

static row row_of(const psprobe_source_summary *s) {
  row r = {.name = s->name};
  const uint64_t counts[] = {s->sent, s->answered, s->late, s->lost, s->duplicates, s->cold_count};
  int64_t times[2 + PSPROBE_QUANTILE_COUNT] = {s->min_ns};
  size_t n = 0;
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    times[1 + q] = s->quantiles[q].value_ns;
  times[1 + PSPROBE_QUANTILE_COUNT] = s->max_ns;
  for (; n < sizeof counts / sizeof *counts; n++)
    snprintf(r.cells[n], PSP_DURATION_SIZE, "%llu", (unsigned long long)counts[n]);
  for (size_t t = 0; n < COLUMNS; n++, t++) {
    if (s->answered + s->late > 0)
      psp_format_duration(r.cells[n], times[t]);
    else
      snprintf(r.cells[n], PSP_DURATION_SIZE, "-");
  }
  return r;
}

static void put_name(const psp_sink *out, const psp_text_style *style, const char *name, size_t k) {
  psp_text_color(out, style, k);
  psp_sink_text(out, name);
  psp_text_plain(out, style);
}

static void put_wide(const psp_sink *out, const row *rows, size_t count, int name,
                     const int *widths, const psp_text_style *style) {
  psp_sink_raw(out, "source");
  psp_sink_spaces(out, name - psp_text_width("source"));
  for (size_t c = 0; c < COLUMNS; c++) {
    psp_sink_spaces(out, widths[c] + 2 - psp_text_width(heads[c]));
    psp_sink_text(out, heads[c]);
  }
  psp_sink_raw(out, "\n");
  for (size_t k = 0; k < count; k++) {
    put_name(out, style, rows[k].name, k);
    psp_sink_spaces(out, name - psp_text_width(rows[k].name));
    for (size_t c = 0; c < COLUMNS; c++) {
      psp_sink_spaces(out, widths[c] + 2 - psp_text_width(rows[k].cells[c]));
      psp_sink_text(out, rows[k].cells[c]);
    }
    psp_sink_raw(out, "\n");
  }
}

/* Turned over: a line a figure, a column a source, if they fit; else a block a source. */
static void put_turned(const psp_sink *out, const row *rows, size_t from, size_t to,
                       const psp_text_style *style) {
  int label = psp_text_width("duplicate");
  int width[PSPROBE_MAX_SOURCES], all = label;
  for (size_t k = from; k < to; k++) {
    width[k] = psp_text_width(rows[k].name);
    for (size_t c = 0; c < COLUMNS; c++)
      if (psp_text_width(rows[k].cells[c]) > width[k]) width[k] = psp_text_width(rows[k].cells[c]);
    all += width[k] + 2;
  }
  if (all > style->width && to - from > 1) {
    for (size_t k = from; k < to; k++)
      put_turned(out, rows, k, k + 1, style);
    return;
  }
  psp_sink_spaces(out, all > style->width ? 0 : label);
  for (size_t k = from; k < to; k++) {
    psp_sink_spaces(out, all > style->width ? 0 : width[k] + 2 - psp_text_width(rows[k].name));
    put_name(out, style, rows[k].name, k);
  }
  psp_sink_raw(out, "\n");
  for (size_t c = 0; c < COLUMNS; c++) {
    psp_sink_text(out, heads[c]);
    psp_sink_spaces(out, label - psp_text_width(heads[c]));
    for (size_t k = from; k < to; k++) {
      int gap = all > style->width ? 1 : width[k] + 2 - psp_text_width(rows[k].cells[c]);
      psp_sink_spaces(out, gap);
      psp_sink_text(out, rows[k].cells[c]);
    }
    psp_sink_raw(out, "\n");
  }
}

void psp_table_put(const psp_sink *out, const psprobe_report *report, const psp_text_style *style) {
  row rows[PSPROBE_MAX_SOURCES];
  size_t count = psprobe_comparison_source_count(report->comparison);
  int name = psp_text_width("source"), widths[COLUMNS], all;
  for (size_t k = 0; k < count; k++) {
    rows[k] = row_of(psprobe_comparison_source(report->comparison, k));
    if (psp_text_width(rows[k].name) > name) name = psp_text_width(rows[k].name);
  }
  all = name;
  for (size_t c = 0; c < COLUMNS; c++) {
    widths[c] = psp_text_width(heads[c]);
    for (size_t k = 0; k < count; k++)
      if (psp_text_width(rows[k].cells[c]) > widths[c])
        widths[c] = psp_text_width(rows[k].cells[c]);
    all += widths[c] + 2;
  }
  if (all <= style->width)
    put_wide(out, rows, count, name, widths, style);
  else
    put_turned(out, rows, 0, count, style);
}

/* The names are the comparison's: printable. */
static void put_pair(psp_buf *out, const psprobe_report *report, const psprobe_pair *pair) {
  const char *a = psprobe_comparison_source(report->comparison, pair->a)->name;
  const char *b = psprobe_comparison_source(report->comparison, pair->b)->name;
  char median[PSP_DURATION_SIZE];
  if (pair->all.n == 0) {
    psp_buf_printf(out, "%s - %s: no probe was answered by both.", a, b);
    return;
  }
  psp_buf_printf(
      out, "%s - %s: paired difference %s at the median of %llu; first: %s %llu, %s %llu", a, b,
      psp_format_duration(median, pair->all.median_ns), (unsigned long long)pair->all.n, a,
      (unsigned long long)pair->a_first.count, b, (unsigned long long)pair->b_first.count);
  if (pair->ties > 0) psp_buf_printf(out, ", ties %llu", (unsigned long long)pair->ties);
  psp_buf_char(out, '.');
}

void psp_table_put_pairs(const psp_sink *out, const psprobe_report *report,
                         const psp_text_style *style) {
  for (size_t i = 0; i < psprobe_comparison_pair_count(report->comparison); i++) {
    psp_buf line = {0};
    put_pair(&line, report, psprobe_comparison_pair(report->comparison, i));
    if (line.failed)
      out->to->failed = true;
    else
      psp_text_wrap(out, line.data, style->width);
    psp_buf_free(&line);
  }
  if (report->columns.left_out > 0) {
    psp_sink_count(out, report->columns.left_out);
    psp_sink_raw(out, " probes of runs with other sources are left out; see --run.\n");
  }
}
