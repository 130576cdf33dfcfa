/* SPDX-License-Identifier: MIT */
/**
 * @file The page's HTML. What matters most (the sentence, the table, how it was measured) is plain
 * HTML, there without a script; the plots are drawn by the modules of report/page/.
 */
#include "report/page/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/page/assets.h"

void psp_html_text(psp_buf *out, const char *text) {
  for (; *text != '\0'; text++) {
    switch (*text) {
      case '&':
        psp_buf_text(out, "&amp;");
        break;
      case '<':
        psp_buf_text(out, "&lt;");
        break;
      case '>':
        psp_buf_text(out, "&gt;");
        break;
      case '"':
        psp_buf_text(out, "&quot;");
        break;
      case '\'':
        psp_buf_text(out, "&#39;");
        break;
      default:
        psp_buf_char(out, *text);
    }
  }
}

/** JSON within an element: "<" cannot be taken for a tag when it is written \u003c. */
static void json_text(psp_buf *out, const psp_buf *json) {
  for (size_t i = 0; i < json->len; i++) {
    if (json->data[i] == '<')
      psp_buf_text(out, "\\u003c");
    else
      psp_buf_char(out, json->data[i]);
  }
}

static void put_duration(psp_buf *out, int64_t ns) {
  char text[PSP_DURATION_SIZE];
  psp_buf_text(out, psp_format_duration(text, ns));
}

/* ---- the table ---------------------------------------------------------------------- */

#define CELLS 12

/** The cells of one source's row, behind its name. */
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

static void put_table_rows(psp_buf *out, const psprobe_comparison *comparison) {
  char cells[CELLS][PSP_DURATION_SIZE];
  for (size_t k = 0; k < psprobe_comparison_source_count(comparison); k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(comparison, k);
    fill_cells(cells, s);
    psp_buf_text(out, "<tr><th scope=\"row\">");
    psp_html_text(out, s->name);
    psp_buf_text(out, "</th>");
    for (size_t n = 0; n < CELLS; n++)
      psp_buf_printf(out, "<td>%s</td>", cells[n]);
    psp_buf_text(out, "</tr>\n");
  }
}

static void put_table(psp_buf *out, const psp_page *page) {
  psp_buf_text(out,
               "<h2>The figures</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th "
               "scope=\"col\">source</th><th scope=\"col\">sent</th><th "
               "scope=\"col\">answered</th><th scope=\"col\">late</th><th "
               "scope=\"col\">lost</th><th scope=\"col\">duplicate</th><th "
               "scope=\"col\">cold</th><th scope=\"col\">min</th><th scope=\"col\">p50</th><th "
               "scope=\"col\">p90</th><th scope=\"col\">p99</th><th scope=\"col\">p99.9</th><th "
               "scope=\"col\">max</th></tr></thead>\n<tbody id=\"table-body\">\n");
  put_table_rows(out, page->comparison);
  psp_buf_text(out, "</tbody></table></div>\n");
}

/* ---- the plots' places ---------------------------------------------------------------- */

/** What a reader who cannot see the plot is told instead. */
static void put_aria(psp_buf *out, const char *what, const psp_page *page) {
  psp_buf_printf(out, " role=\"img\" aria-label=\"%s", what);
  for (size_t k = 0; k < psprobe_comparison_source_count(page->comparison); k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(page->comparison, k);
    psp_buf_text(out, k == 0 ? ": " : "; ");
    psp_html_text(out, s->name);
    psp_buf_text(out, " median ");
    put_duration(out, s->quantiles[0].value_ns);
    psp_buf_text(out, ", 99 % within ");
    put_duration(out, s->quantiles[2].value_ns);
  }
  psp_buf_text(out, ". Arrow keys move, plus and minus zoom, 0 shows all.\"");
}

static void put_plot(psp_buf *out, const char *id, const char *kind, const char *what,
                     const psp_page *page) {
  psp_buf_printf(out, "<figure><div class=\"plot %s\" id=\"%s\"", kind, id);
  put_aria(out, what, page);
  psp_buf_printf(out, "></div><div class=\"legend\" id=\"%s-legend\"></div></figure>\n", id);
}

static void put_controls(psp_buf *out, const psp_page *page) {
  psp_buf_text(out, "<div class=\"controls\" hidden id=\"controls\">\n");
  for (size_t k = 0; k < page->probes->source_count; k++) {
    psp_buf_printf(out,
                   "<label><input type=\"checkbox\" checked data-source=\"%zu\"> <span "
                   "class=\"swatch%s\" style=\"border-color:var(--s%zu)\"></span> ",
                   k, k % 6 == 0 ? "" : " dashed", k % 6);
    psp_html_text(out, page->probes->sources[k].name);
    psp_buf_text(out, "</label>\n");
  }
  psp_buf_text(out,
               "<label><input type=\"checkbox\" checked id=\"log\"> logarithmic scale</label>\n"
               "<button type=\"button\" id=\"all\">Show all</button>\n");
  if (page->live) psp_buf_text(out, "<span class=\"live\" id=\"live\" role=\"status\">live</span>");
  psp_buf_text(out, "</div>\n");
}

static void put_heat(psp_buf *out, const psp_page *page) {
  psp_buf_text(out,
               "<section id=\"heat\" hidden><h2>Hour by hour</h2>\n<p class=\"note\">The "
               "fuller the colour, the more of that hour's answers took that long.</p>\n"
               "<div class=\"pair\">\n");
  for (size_t k = 0; k < page->probes->source_count; k++) {
    psp_buf_text(out, "<figure><figcaption>");
    psp_html_text(out, page->probes->sources[k].name);
    psp_buf_printf(out, "</figcaption><canvas class=\"heat\" id=\"heat-%zu\"", k);
    put_aria(out, "Hours against time taken", page);
    psp_buf_text(out, "></canvas></figure>\n");
  }
  psp_buf_text(out, "</div></section>\n");
}

static void put_plots(psp_buf *out, const psp_page *page) {
  psp_buf_text(out,
               "<noscript><p class=\"note\">The plots need JavaScript; the answer, the table "
               "and how it was measured do not.</p></noscript>\n");
  put_controls(out, page);
  psp_buf_text(out, "<div id=\"plots\" hidden>\n<h2>Over time</h2>\n");
  psp_buf_text(out, "<p class=\"note\" id=\"thinned\" hidden></p>\n");
  put_plot(out, "series", "", "Time each probe took", page);
  psp_buf_text(out,
               "<div class=\"pair\">\n<section><h2>How many were answered within what "
               "time</h2>\n");
  put_plot(out, "ecdf", "small", "Share of answers against time", page);
  psp_buf_text(out, "</section><section><h2>How the answers spread</h2>\n");
  put_plot(out, "histogram", "small", "Histogram", page);
  psp_buf_text(out,
               "</section></div>\n<section id=\"difference\"><h2>The difference, probe by "
               "probe</h2>\n");
  put_plot(out, "differences", "small", "Paired differences", page);
  psp_buf_text(out,
               "</section>\n<section id=\"stages\" hidden><h2>Where the time went</h2>\n"
               "<p class=\"note\">Means over the probes up to each source's p99. "
               "<i>Publish</i> is the prober's call, <i>broker</i> the way from there to the "
               "responder and back, <i>answer</i> the time that the responder held the "
               "message, by its own clock.</p>\n<div class=\"bars\" "
               "id=\"stage-bars\"></div></section>\n");
  put_heat(out, page);
  psp_buf_text(out, "</div>\n");
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void put_modules(psp_buf *out) {
  psp_buf_text(out, "<script type=\"importmap\">{\"imports\":{");
  for (const psp_asset *m = psp_asset_modules; m->name != NULL; m++) {
    psp_buf_printf(out, "%s\"psprobe/%s\":\"data:text/javascript;base64,",
                   m == psp_asset_modules ? "" : ",", m->name);
    psp_base64_encode(out, m->text, strlen(m->text));
    psp_buf_char(out, '"');
  }
  psp_buf_text(out, "}}</script>\n<script type=\"module\">import \"psprobe/page\";</script>\n");
}

static void put_dygraphs(psp_buf *out) {
  const char *text = psp_asset_dygraph_script.text;
  /* The source map is no part of the page: a reader's tools would look for it beside the file. */
  const char *map = strstr(text, "//# sourceMappingURL");
  psp_buf_text(out, "<script>");
  psp_buf_add(out, text, map != NULL ? (size_t)(map - text) : strlen(text));
  psp_buf_text(out, "</script>\n");
}

static void put_how(psp_buf *out, const psp_page *page) {
  psp_buf_text(out, "<h2>How it was measured</h2>\n<dl class=\"how\" id=\"how\">\n");
  for (size_t i = 0; i < page->fact_count; i++) {
    psp_buf_text(out, "<dt>");
    psp_html_text(out, page->facts[i].name);
    psp_buf_text(out, "</dt><dd>");
    psp_html_text(out, page->facts[i].value);
    psp_buf_text(out, "</dd>\n");
  }
  psp_buf_text(out, "</dl>\n");
}

static void put_head(psp_buf *out) {
  const char *style = psp_asset_dygraph_style.text;
  const char *map = strstr(style, "/*# sourceMappingURL");
  psp_buf_text(out,
               "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:; "
               "connect-src 'self'\">\n"
               "<title>Which answers faster? \xE2\x80\x93 psprobe</title>\n<style>");
  psp_buf_add(out, style, map != NULL ? (size_t)(map - style) : strlen(style));
  psp_buf_text(out, psp_asset_style.text);
  psp_buf_text(out, "</style>\n</head>\n<body>\n");
}

/** Whether the blank at `at` stands between a number and its unit, which belong on one line. */
static bool before_unit(const char *text, const char *at) {
  return at > text && at[-1] >= '0' && at[-1] <= '9' &&
         (at[1] == '%' || strchr("nums", at[1]) != NULL) && at[1] != '\0';
}

/** Text with blanks before units that do not break. */
static void put_words(psp_buf *out, const char *text) {
  psp_buf words = {0};
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == ' ' && before_unit(text, at))
      psp_buf_text(&words, "\xC2\xA0");
    else
      psp_buf_char(&words, *at);
  }
  psp_html_text(out, words.failed || words.len == 0 ? text : words.data);
  psp_buf_free(&words);
}

/** The answer itself large, what follows it (cold starts, a ranking) smaller. */
static void put_sentence(psp_buf *out, const char *sentence) {
  const char *rest = strstr(sentence, ". ");
  psp_buf first = {0};
  psp_buf_add(&first, sentence, rest != NULL ? (size_t)(rest - sentence) + 1 : strlen(sentence));
  put_words(out, first.failed ? sentence : first.data);
  if (rest != NULL) {
    psp_buf_text(out, " <small>");
    put_words(out, rest + 2);
    psp_buf_text(out, "</small>");
  }
  psp_buf_free(&first);
}

void psp_page_html(psp_buf *out, const psp_page *page) {
  psp_buf data = {0};
  psp_page_data(&data, page, true);
  put_head(out);
  psp_buf_text(out,
               "<header>\n<h1>Which answers a Pub/Sub message faster?</h1>\n"
               "<p class=\"sentence\" id=\"sentence\">");
  put_sentence(out, page->sentence);
  psp_buf_text(out, "</p>\n<p class=\"sub\" id=\"notes\">");
  psp_html_text(out, page->notes);
  psp_buf_text(out, "</p>\n</header>\n<main>\n");
  put_plots(out, page);
  put_table(out, page);
  put_how(out, page);
  psp_buf_text(out, "</main>\n<script type=\"application/json\" id=\"data\">");
  json_text(out, &data);
  psp_buf_text(out, "</script>\n");
  put_dygraphs(out);
  put_modules(out);
  psp_buf_text(out, "</body>\n</html>\n");
  if (data.failed) out->failed = true;
  psp_buf_free(&data);
}
