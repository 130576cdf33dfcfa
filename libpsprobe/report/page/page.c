/* SPDX-License-Identifier: MIT */
#include "report/page/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "report/page/assets.h"
#include "report/page/table.h"
#include "report/sink.h"

/* JSON within an element: "<" cannot be taken for a tag when it is written \u003c. */
static void put_json(psp_buf *out, const psp_buf *json) {
  for (size_t i = 0; i < json->len; i++) {
    if (json->data[i] == '<')
      psp_buf_text(out, "\\u003c");
    else
      psp_buf_char(out, json->data[i]);
  }
}

/* ---- the plots' places ---- */

/* What a reader who cannot see the plot is told instead. */
static void put_aria(const psp_sink *out, const char *what, const psp_page *page) {
  psp_sink_raw(out, " role=\"img\" aria-label=\"");
  psp_sink_text(out, what);
  for (size_t k = 0; k < psprobe_comparison_source_count(page->comparison); k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(page->comparison, k);
    psp_sink_text(out, k == 0 ? ": " : "; ");
    psp_sink_text(out, s->name);
    if (s->answered + s->late == 0) {
      psp_sink_raw(out, " did not answer");
      continue;
    }
    psp_sink_raw(out, " median ");
    psp_sink_duration(out, s->quantiles[0].value_ns);
    psp_sink_raw(out, ", 99 % within ");
    psp_sink_duration(out, s->quantiles[2].value_ns);
  }
  psp_sink_raw(out, ". Arrow keys move, plus and minus zoom, 0 shows all.\"");
}

/* The plot's place, and its legend's beside it. */
#define put_plot(out, id, kind, what, page)                                                   \
  do {                                                                                        \
    psp_sink_raw(out, "<figure><div class=\"plot " kind "\" id=\"" id "\"");                  \
    put_aria(out, what, page);                                                                \
    psp_sink_raw(out, "></div><div class=\"legend\" id=\"" id "-legend\"></div></figure>\n"); \
  } while (0)

static void put_controls(const psp_sink *out, const psp_page *page) {
  psp_sink_raw(out, "<div class=\"controls\" hidden id=\"controls\">\n");
  for (size_t k = 0; k < page->probes->source_count; k++) {
    psp_sink_raw(out, "<label><input type=\"checkbox\" checked data-source=\"");
    psp_sink_count(out, k);
    psp_sink_raw(out, "\"> <span class=\"swatch");
    psp_sink_text(out, k % 6 == 0 ? "" : " dashed");
    psp_sink_raw(out, "\" style=\"border-color:var(--s");
    psp_sink_count(out, k % 6);
    psp_sink_raw(out, ")\"></span> ");
    psp_sink_text(out, page->probes->sources[k].name);
    psp_sink_raw(out, "</label>\n");
  }
  psp_sink_raw(out,
               "<label><input type=\"checkbox\" checked id=\"log\"> logarithmic scale</label>\n"
               "<button type=\"button\" id=\"all\">Show all</button>\n");
  if (page->live) psp_sink_raw(out, "<span class=\"live\" id=\"live\" role=\"status\">live</span>");
  psp_sink_raw(out, "</div>\n");
}

static void put_heat(const psp_sink *out, const psp_page *page) {
  psp_sink_raw(out,
               "<section id=\"heat\" hidden><h2>Hour by hour</h2>\n<p class=\"note\">The "
               "fuller the colour, the more of that hour's answers took that long.</p>\n"
               "<div class=\"pair\">\n");
  for (size_t k = 0; k < page->probes->source_count; k++) {
    psp_sink_raw(out, "<figure><figcaption>");
    psp_sink_text(out, page->probes->sources[k].name);
    psp_sink_raw(out, "</figcaption><canvas class=\"heat\" id=\"heat-");
    psp_sink_count(out, k);
    psp_sink_raw(out, "\"");
    put_aria(out, "Hours against time taken", page);
    psp_sink_raw(out, "></canvas></figure>\n");
  }
  psp_sink_raw(out, "</div></section>\n");
}

static void put_plots(const psp_sink *out, const psp_page *page) {
  psp_sink_raw(out,
               "<noscript><p class=\"note\">The plots need JavaScript; the answer, the table "
               "and how it was measured do not.</p></noscript>\n");
  put_controls(out, page);
  psp_sink_raw(out, "<div id=\"plots\" hidden>\n<h2>Over time</h2>\n");
  psp_sink_raw(out, "<p class=\"note\" id=\"thinned\" hidden></p>\n");
  put_plot(out, "series", "", "Time each probe took", page);
  psp_sink_raw(out,
               "<div class=\"pair\">\n<section><h2>How many were answered within what "
               "time</h2>\n");
  put_plot(out, "ecdf", "small", "Share of answers against time", page);
  psp_sink_raw(out, "</section><section><h2>How the answers spread</h2>\n");
  put_plot(out, "histogram", "small", "Histogram", page);
  psp_sink_raw(out,
               "</section></div>\n<section id=\"difference\"><h2>The difference, probe by "
               "probe</h2>\n");
  put_plot(out, "differences", "small", "Paired differences", page);
  psp_sink_raw(out,
               "</section>\n<section id=\"stages\" hidden><h2>Where the time went</h2>\n"
               "<p class=\"note\">Means over the probes up to each source's p99. "
               "<i>Publish</i> is the prober's call, <i>broker</i> the way from there to the "
               "responder and back, <i>answer</i> the time that the responder held the "
               "message, by its own clock.</p>\n<div class=\"bars\" "
               "id=\"stage-bars\"></div></section>\n");
  put_heat(out, page);
  psp_sink_raw(out, "</div>\n");
}

/* ---- the whole ---- */

/* Modules and dygraphs are part of the program: not from outside, but no literals either. */
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

/* Without the source map, which a reader's tools would look for beside the file. */
static void put_asset(psp_buf *out, const psp_asset *asset) {
  const char *map = strstr(asset->text, "# sourceMappingURL");
  psp_buf_add(out, asset->text,
              map != NULL ? (size_t)(map - 2 - asset->text) : strlen(asset->text));
}

static void put_how(const psp_sink *out, const psp_page *page) {
  psp_sink_raw(out, "<h2>How it was measured</h2>\n<dl class=\"how\" id=\"how\">\n");
  for (size_t i = 0; i < page->fact_count; i++) {
    psp_sink_raw(out, "<dt>");
    psp_sink_text(out, page->facts[i].name);
    psp_sink_raw(out, "</dt><dd>");
    psp_sink_text(out, page->facts[i].value);
    psp_sink_raw(out, "</dd>\n");
  }
  psp_sink_raw(out, "</dl>\n");
}

static void put_head(const psp_sink *out) {
  psp_sink_raw(out,
               "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:; "
               "connect-src 'self'\">\n"
               "<title>Which answers faster? \xE2\x80\x93 psprobe</title>\n<style>");
  put_asset(out->to, &psp_asset_dygraph_style);
  put_asset(out->to, &psp_asset_style);
  psp_sink_raw(out, "</style>\n</head>\n<body>\n");
}

/* Whether the blank at `at` stands between a number and its unit, which belong on one line. */
static bool before_unit(const char *text, const char *at) {
  return at > text && at[-1] >= '0' && at[-1] <= '9' &&
         (at[1] == '%' || strchr("nums", at[1]) != NULL) && at[1] != '\0';
}

/* Text with blanks before units that do not break. */
static void put_words(const psp_sink *out, const char *text) {
  psp_buf words = {0};
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == ' ' && before_unit(text, at))
      psp_buf_text(&words, "\xC2\xA0");
    else
      psp_buf_char(&words, *at);
  }
  psp_sink_text(out, words.failed || words.len == 0 ? text : words.data);
  psp_buf_free(&words);
}

/* The answer itself large, what follows it (cold starts, a ranking) smaller. */
static void put_sentence(const psp_sink *out, const char *sentence) {
  const char *rest = strstr(sentence, ". ");
  psp_buf first = {0};
  psp_buf_add(&first, sentence, rest != NULL ? (size_t)(rest - sentence) + 1 : strlen(sentence));
  put_words(out, first.failed ? sentence : first.data);
  if (rest != NULL) {
    psp_sink_raw(out, " <small>");
    put_words(out, rest + 2);
    psp_sink_raw(out, "</small>");
  }
  psp_buf_free(&first);
}

void psp_page_html(psp_buf *html, const psp_page *page) {
  const psp_sink sink = psp_sink_html(html), *out = &sink;
  psp_buf data = {0};
  psp_page_data(&data, page, true);
  put_head(out);
  psp_sink_raw(out,
               "<header>\n<h1>Which answers a Pub/Sub message faster?</h1>\n"
               "<p class=\"sentence\" id=\"sentence\">");
  put_sentence(out, page->sentence);
  psp_sink_raw(out, "</p>\n<p class=\"sub\" id=\"notes\">");
  put_words(out, page->notes);
  psp_sink_raw(out, "</p>\n</header>\n<main>\n");
  put_plots(out, page);
  psp_page_table_html(out, page->comparison);
  if (page->grids != NULL) psp_grids_put_html(out, page->grids);
  put_how(out, page);
  psp_sink_raw(out, "</main>\n<script type=\"application/json\" id=\"data\">");
  put_json(html, &data);
  psp_sink_raw(out, "</script>\n<script>");
  put_asset(html, &psp_asset_dygraph_script);
  psp_sink_raw(out, "</script>\n");
  put_modules(html);
  psp_sink_raw(out, "</body>\n</html>\n");
  if (data.failed) html->failed = true;
  psp_buf_free(&data);
}
