/* SPDX-License-Identifier: MIT */
#include "report/page/table.h"

#include <stdio.h>

#include "base/text.h"

#define CELLS 12

/* The cells of one source's row, behind its name. */
static void fill_cells(char cells[CELLS][PSP_DURATION_SIZE], const psprobe_source_summary *s) {
  const uint64_t counts[] = {s->sent, s->answered, s->late, s->lost, s->duplicates, s->cold_count};
  size_t n = 0;
  for (; n < sizeof counts / sizeof *counts; n++)
    snprintf(cells[n], PSP_DURATION_SIZE, "%llu", (unsigned long long)counts[n]);
  int64_t times[CELLS] = {s->min_ns};
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    times[1 + q] = s->quantiles[q].value_ns;
  times[1 + PSPROBE_QUANTILE_COUNT] = s->max_ns;
  for (size_t t = 0; n < CELLS; n++, t++) {
    if (s->answered + s->late > 0)
      psp_format_duration(cells[n], times[t]);
    else
      snprintf(cells[n], PSP_DURATION_SIZE, "\xE2\x80\x93");
  }
}

void psp_page_table_json(psp_json_writer *w, const psprobe_comparison *comparison) {
  char cells[CELLS][PSP_DURATION_SIZE];
  psp_json_begin_array(w);
  for (size_t k = 0; k < psprobe_comparison_source_count(comparison); k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(comparison, k);
    fill_cells(cells, s);
    psp_json_begin_array(w);
    psp_json_put_string(w, s->name);
    for (size_t n = 0; n < CELLS; n++)
      psp_json_put_string(w, cells[n]);
    psp_json_end_array(w);
  }
  psp_json_end_array(w);
}

static void put_table_rows(const psp_sink *out, const psprobe_comparison *comparison) {
  char cells[CELLS][PSP_DURATION_SIZE];
  for (size_t k = 0; k < psprobe_comparison_source_count(comparison); k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(comparison, k);
    fill_cells(cells, s);
    psp_sink_raw(out, "<tr><th scope=\"row\">");
    psp_sink_text(out, s->name);
    psp_sink_raw(out, "</th>");
    for (size_t n = 0; n < CELLS; n++) {
      psp_sink_raw(out, "<td>");
      psp_sink_text(out, cells[n]);
      psp_sink_raw(out, "</td>");
    }
    psp_sink_raw(out, "</tr>\n");
  }
}

void psp_page_table_html(const psp_sink *out, const psprobe_comparison *comparison) {
  psp_sink_raw(out,
               "<h2>The figures</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th "
               "scope=\"col\">source</th><th scope=\"col\">sent</th><th "
               "scope=\"col\">answered</th><th scope=\"col\">late</th><th "
               "scope=\"col\">lost</th><th scope=\"col\">duplicate</th><th "
               "scope=\"col\">cold</th><th scope=\"col\">min</th><th scope=\"col\">p50</th><th "
               "scope=\"col\">p90</th><th scope=\"col\">p99</th><th scope=\"col\">p99.9</th><th "
               "scope=\"col\">max</th></tr></thead>\n<tbody id=\"table-body\">\n");
  put_table_rows(out, comparison);
  psp_sink_raw(out, "</tbody></table></div>\n");
}
