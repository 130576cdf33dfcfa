/* SPDX-License-Identifier: MIT */
/** @file The page of a report: what the page is told, from the columns. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "report/page.h"
#include "report/report.h"

#define FACTS     16
#define FACT_SIZE 160

/** How it was measured, in pairs of name and value. */
typedef struct facts {
  psp_page_fact list[FACTS];
  char text[FACTS][FACT_SIZE];
  size_t count;
} facts;

static void add(facts *f, const char *name, const char *value) {
  if (f->count == FACTS || value == NULL || value[0] == '\0') return;
  snprintf(f->text[f->count], FACT_SIZE, "%s", value);
  f->list[f->count] = (psp_page_fact){name, f->text[f->count]};
  f->count++;
}

static void add_time(facts *f, const char *name, int64_t wall_ns) {
  char text[PSP_TIMESTAMP_SIZE];
  add(f, name, wall_ns == 0 ? "not yet" : psp_timestamp_format_ns(text, wall_ns));
}

static void add_duration(facts *f, const char *name, int64_t ns) {
  char text[PSP_DURATION_SIZE];
  if (ns > 0) add(f, name, psp_format_duration(text, ns));
}

/** The longest that a probe was sent after its time: what the prober itself did to the figures. */
static int64_t max_lateness(const psp_columns *c) {
  int64_t most = 0;
  for (size_t i = 0; i < c->count; i++)
    most = c->lateness_ns[i] > most ? c->lateness_ns[i] : most;
  return most;
}

static void fill(facts *f, const psp_columns *c) {
  char text[FACT_SIZE];
  snprintf(text, sizeof text, "%zu in %zu run%s", c->count, c->run_count,
           c->run_count == 1 ? "" : "s");
  add(f, "Probes", text);
  if (c->run_count > 0) {
    const psprobe_run *first = &c->runs[0].run, *last = &c->runs[c->run_count - 1].run;
    add_time(f, "Begun", first->started_wall_ns);
    add_time(f, "Ended", last->ended_wall_ns);
    add(f, "Project", last->project);
    add(f, "Topic", last->topic);
    add_duration(f, "From probe to probe", last->interval_ns);
    add_duration(f, "Lost after", last->timeout_ns);
    add(f, "Prober's host", last->host);
    add(f, "libpsprobe", last->version);
    add(f, "Settings", last->settings);
  }
  add(f, "Clock",
      "CLOCK_MONOTONIC of the prober alone, from just before the publish call to the "
      "answer's first bytes");
  add_duration(f, "Prober late by at most", max_lateness(c));
}

static const char *id_of(const void *arg, size_t probe) {
  const psp_columns *c = arg;
  return c->id[probe];
}

char *psprobe_report_html(const psprobe_report *report) {
  const psp_columns *c = &report->columns;
  const int64_t *handled[PSPROBE_MAX_SOURCES];
  facts f = {.count = 0};
  psp_buf out = {0};
  fill(&f, c);
  for (size_t k = 0; k < c->source_count; k++)
    handled[k] = c->sources[k].handled_ns;
  psp_page page = {.probes = &report->probes,
                   .comparison = report->comparison,
                   .id = id_of,
                   .id_arg = c,
                   .publish_ns = c->publish_ns,
                   .handled_ns = handled,
                   .facts = f.list,
                   .fact_count = f.count,
                   .sentence = report->sentence,
                   .notes = report->notes};
  psp_page_html(&out, &page);
  return psp_buf_take(&out, NULL);
}
