/* SPDX-License-Identifier: MIT */
/** @file The table, in text. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "report/report.h"

#define COLUMNS 12
/** Beyond this many columns of text the lines would be too long to read: parts are left away. */
static const char *const heads[COLUMNS] = {"sent",      "answered", "late", "lost",
                                           "duplicate", "min",      "p50",  "p90",
                                           "p99",       "p99.9",    "max",  "cold"};

typedef struct row {
  const char *name;
  char cells[COLUMNS][PSP_DURATION_SIZE];
} row;

static void put_count(char *cell, uint64_t n) {
  snprintf(cell, PSP_DURATION_SIZE, "%llu", (unsigned long long)n);
}

static void put_time(char *cell, bool there, int64_t ns) {
  if (there)
    psp_format_duration(cell, ns);
  else
    snprintf(cell, PSP_DURATION_SIZE, "-");
}

static row row_of(const psprobe_source_summary *s) {
  row r = {.name = s->name};
  bool any = s->answered + s->late > 0;
  put_count(r.cells[0], s->sent);
  put_count(r.cells[1], s->answered);
  put_count(r.cells[2], s->late);
  put_count(r.cells[3], s->lost);
  put_count(r.cells[4], s->duplicates);
  put_time(r.cells[5], any, s->min_ns);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    put_time(r.cells[6 + q], any, s->quantiles[q].value_ns);
  put_time(r.cells[10], any, s->max_ns);
  put_count(r.cells[11], s->cold_count);
  return r;
}

/** Columns that are taken up: µ is two bytes and one column. */
static int width_of(const char *text) {
  int width = 0;
  for (; *text != '\0'; text++)
    width += ((unsigned char)*text & 0xC0) != 0x80;
  return width;
}

static void pad(psp_buf *out, const char *text, int width) {
  for (int n = width_of(text); n < width; n++)
    psp_buf_char(out, ' ');
  psp_buf_text(out, text);
}

static void put_rows(psp_buf *out, const row *rows, size_t count) {
  int name = width_of("source"), widths[COLUMNS];
  for (size_t k = 0; k < count; k++)
    if (width_of(rows[k].name) > name) name = width_of(rows[k].name);
  for (size_t c = 0; c < COLUMNS; c++) {
    widths[c] = width_of(heads[c]);
    for (size_t k = 0; k < count; k++)
      if (width_of(rows[k].cells[c]) > widths[c]) widths[c] = width_of(rows[k].cells[c]);
  }
  psp_buf_printf(out, "%-*s", name, "source");
  for (size_t c = 0; c < COLUMNS; c++)
    pad(out, heads[c], widths[c] + 2);
  psp_buf_char(out, '\n');
  for (size_t k = 0; k < count; k++) {
    psp_buf_text(out, rows[k].name);
    for (int n = width_of(rows[k].name); n < name; n++)
      psp_buf_char(out, ' ');
    for (size_t c = 0; c < COLUMNS; c++)
      pad(out, rows[k].cells[c], widths[c] + 2);
    psp_buf_char(out, '\n');
  }
}

static void put_pair(psp_buf *out, const psprobe_report *report, const psprobe_pair *pair) {
  const char *a = report->columns.sources[pair->a].name;
  const char *b = report->columns.sources[pair->b].name;
  char median[PSP_DURATION_SIZE];
  if (pair->all.n == 0) {
    psp_buf_printf(out, "%s - %s: no probe was answered by both\n", a, b);
    return;
  }
  psp_buf_printf(out,
                 "%s - %s: median of %llu paired differences %s; first: %s %llu, %s %llu, ties "
                 "%llu\n",
                 a, b, (unsigned long long)pair->all.n,
                 psp_format_duration(median, pair->all.median_ns), a,
                 (unsigned long long)pair->a_first.count, b,
                 (unsigned long long)pair->b_first.count, (unsigned long long)pair->ties);
}

char *psprobe_report_table(const psprobe_report *report) {
  psp_buf out = {0};
  row rows[PSPROBE_MAX_SOURCES];
  size_t count = psprobe_comparison_source_count(report->comparison);
  for (size_t k = 0; k < count; k++)
    rows[k] = row_of(psprobe_comparison_source(report->comparison, k));
  put_rows(&out, rows, count);
  psp_buf_char(&out, '\n');
  for (size_t i = 0; i < psprobe_comparison_pair_count(report->comparison); i++)
    put_pair(&out, report, psprobe_comparison_pair(report->comparison, i));
  if (report->columns.left_out > 0)
    psp_buf_printf(&out, "%zu probes of runs with other sources are left out; see --run\n",
                   report->columns.left_out);
  return psp_buf_take(&out, NULL);
}
