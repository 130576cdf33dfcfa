/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "report/page/html.h"
#include "report/report.h"
#include "report/words.h"

static void add(psp_html_page *p, const char *name, const char *value) {
  size_t n = p->page.fact_count;
  if (n == PSP_HTML_FACTS || value == NULL || value[0] == '\0') return;
  snprintf(p->name[n], PSP_HTML_NAME_SIZE, "%s", name);
  snprintf(p->text[n], PSP_HTML_FACT_SIZE, "%s", value);
  p->facts[n] = (psp_page_fact){p->name[n], p->text[n]};
  p->page.fact_count++;
}

static void add_time(psp_html_page *p, const char *name, int64_t wall_ns) {
  char text[PSP_TIMESTAMP_SIZE];
  if (wall_ns != 0) add(p, name, psp_timestamp_format_ns(text, wall_ns));
}

static void add_duration(psp_html_page *p, const char *name, int64_t ns) {
  char text[PSP_DURATION_SIZE];
  if (ns > 0) add(p, name, psp_format_duration(text, ns));
}

/* "cold_every_ns" of two seconds is "Cold every", "2.00 s"; what is no figure and no text is JSON.
 */
static void add_setting(psp_html_page *p, const psp_json *member) {
  char name[PSP_HTML_NAME_SIZE];
  const char *key = psp_json_key(member), *plain = psp_json_string(member);
  int64_t ns = 0;
  bool lasts = psp_text_ends(key, "_ns") && psp_json_int64(member, &ns);
  snprintf(name, sizeof name, "%.*s", (int)(strlen(key) - (lasts ? strlen("_ns") : 0)), key);
  for (char *at = name; *at; at++)
    if (*at == '_') *at = ' ';
  if (name[0] >= 'a' && name[0] <= 'z') name[0] = (char)(name[0] - 'a' + 'A');
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  if (plain == NULL) psp_json_put_json(&w, member);
  if (lasts)
    add_duration(p, name, ns);
  else
    add(p, name, plain != NULL ? plain : text.data);
  psp_buf_free(&text);
}

static void add_settings(psp_html_page *p, const char *text) {
  psp_json *settings = NULL;
  if (text == NULL || psp_json_parse(text, strlen(text), "settings", &settings, NULL) != PSPROBE_OK)
    return;
  for (const psp_json *m = psp_json_first(settings); m != NULL; m = psp_json_next(m))
    add_setting(p, m);
  psp_json_free(settings);
}

/* The longest that a probe was sent after its time: what the prober itself did to the figures. */
static int64_t max_lateness(const psp_columns *c) {
  int64_t most = 0;
  for (size_t i = 0; i < c->count; i++)
    most = c->lateness_ns[i] > most ? c->lateness_ns[i] : most;
  return most;
}

/* When the first probe was sent and when the last: answers, and so columns, come out of order. */
static void add_sent(psp_html_page *p, const psp_columns *c) {
  int64_t first = 0, last = 0;
  for (size_t i = 0; i < c->count; i++) {
    int64_t at = c->sent_wall_ns[i];
    first = i == 0 || at < first ? at : first;
    last = i == 0 || at > last ? at : last;
  }
  add_time(p, "First probe sent", first);
  add_time(p, "Last probe sent", last);
}

static void add_hedging(psp_html_page *p, const psprobe_comparison *comparison) {
  psprobe_hedging hedging = {0};
  psp_buf text = {0};
  if (comparison != NULL) hedging = psprobe_comparison_hedging(comparison);
  if (hedging.timed == 0) return;
  psp_words_count(&text, hedging.slow);
  psp_buf_text(&text, " of ");
  psp_words_count(&text, hedging.timed);
  psp_buf_text(&text, " (");
  psp_words_share(&text, hedging.slow, hedging.timed);
  psp_buf_text(&text, ")");
  if (!text.failed) add(p, "Publish calls over 1 s", text.data);
  psp_buf_free(&text);
}

static void fill(psp_html_page *p, const psp_columns *c, const psp_plots_sums *sums) {
  char text[PSP_HTML_FACT_SIZE];
  snprintf(text, sizeof text, "%llu in %zu run%s",
           (unsigned long long)(sums != NULL ? sums->probes : c->count), c->run_count,
           c->run_count == 1 ? "" : "s");
  add(p, "Probes", text);
  add_hedging(p, p->page.comparison);
  if (c->run_count > 0) {
    const psprobe_run *first = &c->runs[0].run, *last = &c->runs[c->run_count - 1].run;
    add_time(p, "Begun", first->started_wall_ns);
    const bool gone = c->runs[c->run_count - 1].open.prober == PSP_WRITER_GONE;
    if (first->started_wall_ns != 0 && last->ended_wall_ns == 0)
      add(p, "Ended", gone ? "not noted: its prober is gone" : "not yet");
    else
      add_time(p, "Ended", last->ended_wall_ns);
    if (last->ending == PSPROBE_ENDING_INTERRUPTED) add(p, "How it ended", "interrupted");
    add_sent(p, c);
    add(p, "Project", last->project);
    add(p, "Topic", last->topic);
    add_duration(p, "From probe to probe", last->interval_ns);
    add_duration(p, "Lost after", last->timeout_ns);
    add(p, "Prober's host", last->host);
    add(p, "Region", last->region);
    add(p, "Prober's wall clock", last->clock);
    add(p, "libpsprobe", last->version);
    add_settings(p, last->settings);
  }
  bool ours = c->run_count > 0 && c->runs[c->run_count - 1].run.started_wall_ns != 0;
  add(p, "Clock",
      ours ? "CLOCK_MONOTONIC of the prober alone, from just before the publish call to the "
             "answer's first bytes"
           : "not known: the figures were read from a file of another program");
  if (sums == NULL) add_duration(p, "Prober late by at most", max_lateness(c));
}

static const char *id_of(const void *arg, size_t probe) {
  const psp_columns *c = arg;
  return c->id[probe];
}

void psp_html_page_fill(psp_html_page *p, const psp_columns *columns, const psprobe_probes *probes,
                        const psp_plots_sums *sums, const psprobe_comparison *comparison,
                        const psp_grids *grids, const char *sentence, const char *notes) {
  for (size_t k = 0; k < columns->source_count; k++)
    p->handled[k] = columns->sources[k].handled_ns;
  p->page = (psp_page){.probes = probes,
                       .sums = sums,
                       .comparison = comparison,
                       .grids = grids,
                       .id = id_of,
                       .id_arg = columns,
                       .publish_ns = columns->publish_ns,
                       .handled_ns = p->handled,
                       .facts = p->facts,
                       .sentence = sentence,
                       .notes = notes};
  fill(p, columns, sums);
}

char *psprobe_report_html(const psprobe_report *report) {
  psp_html_page page;
  psp_buf out = {0};
  psp_html_page_fill(&page, &report->columns, &report->probes, report->sums, report->comparison,
                     &report->grids, report->sentence, report->notes);
  psp_page_html(&out, &page.page);
  return psp_buf_take(&out, NULL);
}
