/* SPDX-License-Identifier: MIT */
#include "report/live/metrics.h"

#include <stdio.h>

#include <psprobe/version.h>

/** Upper bounds in ms: from a broker on the same machine to an answer after the usual timeout. */
static const struct {
  int64_t ns;
  const char *seconds;
} bounds[PSP_METRIC_BOUNDS] = {
    {1000000, "0.001"},  {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},
    {25000000, "0.025"}, {50000000, "0.05"},  {75000000, "0.075"}, {100000000, "0.1"},
    {150000000, "0.15"}, {250000000, "0.25"}, {500000000, "0.5"},  {1000000000, "1"},
    {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"}, {30000000000, "30"}};

void psp_metric_record(psp_metric_histogram *h, int64_t elapsed_ns) {
  h->count++;
  h->sum_s += (double)elapsed_ns / 1e9;
  for (size_t i = 0; i < PSP_METRIC_BOUNDS; i++) {
    if (elapsed_ns > bounds[i].ns) continue;
    h->at_most[i]++;
    return;
  }
}

static void head(psp_buf *out, const char *name, const char *type, const char *help) {
  psp_buf_printf(out, "# HELP psprobe_%s %s\n# TYPE psprobe_%s %s\n", name, help, name, type);
}

static void plain(psp_buf *out, const char *name, const char *type, const char *help,
                  uint64_t value) {
  head(out, name, type, help);
  psp_buf_printf(out, "psprobe_%s %llu\n", name, (unsigned long long)value);
}

/** A label's value: backslash, quote and line feed are escaped. */
static void label(psp_buf *out, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '\n')
      psp_buf_text(out, "\\n");
    else if (*text == '"' || *text == '\\')
      psp_buf_printf(out, "\\%c", *text);
    else
      psp_buf_char(out, *text);
  }
}

static void sample(psp_buf *out, const char *name, const char *source, const char *more,
                   uint64_t value) {
  psp_buf_printf(out, "psprobe_%s{source=\"", name);
  label(out, source);
  psp_buf_printf(out, "\"%s} %llu\n", more, (unsigned long long)value);
}

static void put_histograms(psp_buf *out, const psp_metrics *m) {
  head(out, "answer_seconds", "histogram",
       "Time from just before the publish call to the answer, on the prober's clock.");
  for (size_t k = 0; k < m->source_count; k++) {
    const psp_metric_histogram *h = &m->histograms[k];
    uint64_t below = 0;
    char more[64];
    for (size_t i = 0; i < PSP_METRIC_BOUNDS; i++) {
      below += h->at_most[i];
      snprintf(more, sizeof more, ",le=\"%s\"", bounds[i].seconds);
      sample(out, "answer_seconds_bucket", m->sources[k], more, below);
    }
    sample(out, "answer_seconds_bucket", m->sources[k], ",le=\"+Inf\"", h->count);
    psp_buf_text(out, "psprobe_answer_seconds_sum{source=\"");
    label(out, m->sources[k]);
    psp_buf_printf(out, "\"} %.9f\n", h->sum_s);
    sample(out, "answer_seconds_count", m->sources[k], "", h->count);
  }
}

static void put_sources(psp_buf *out, const psp_metrics *m) {
  head(out, "answers_total", "counter", "Answers that came, in time or late.");
  for (size_t k = 0; k < m->source_count; k++) {
    sample(out, "answers_total", m->sources[k], ",status=\"answered\"", m->prober->answered[k]);
    sample(out, "answers_total", m->sources[k], ",status=\"late\"", m->prober->late[k]);
  }
  head(out, "lost_total", "counter", "Probes that no answer came to within the timeout.");
  for (size_t k = 0; k < m->source_count; k++)
    sample(out, "lost_total", m->sources[k], "", m->prober->lost[k]);
  head(out, "duplicates_total", "counter", "Further answers after the first.");
  for (size_t k = 0; k < m->source_count; k++)
    sample(out, "duplicates_total", m->sources[k], "", m->prober->duplicates[k]);
  put_histograms(out, m);
}

static void put_upload(psp_buf *out, const psprobe_uploader_stats *u) {
  plain(out, "upload_backlog_results", "gauge", "Results in the file and not yet in Firestore.",
        u->backlog);
  plain(out, "uploads_total", "counter", "Results carried to Firestore.", u->uploaded);
  plain(out, "upload_failures_total", "counter", "Calls to Firestore that failed.", u->failures);
}

void psp_metrics_write(psp_buf *out, const psp_metrics *m) {
  const psprobe_prober_stats *p = m->prober;
  head(out, "build_info", "gauge", "The version of libpsprobe, as a label.");
  psp_buf_printf(out, "psprobe_build_info{version=\"%s\"} 1\n", PSPROBE_VERSION);
  head(out, "start_time_seconds", "gauge", "When the run began, in seconds since 1970.");
  psp_buf_printf(out, "psprobe_start_time_seconds %.3f\n", (double)m->started_wall_ns / 1e9);
  plain(out, "sent_total", "counter", "Publish calls begun.", p->sent);
  plain(out, "publish_failures_total", "counter", "Publish calls that failed.", p->publish_failed);
  plain(out, "refused_total", "counter",
        "Answers with an unknown or finished id, from an unknown source, or without a token.",
        p->refused);
  plain(out, "overflowed_total", "counter", "Probes not sent because too many were in flight.",
        p->overflowed);
  plain(out, "in_flight_probes", "gauge", "Probes that wait for an answer.", p->in_flight);
  head(out, "pacer_lateness_max_seconds", "gauge",
       "The longest that a probe was sent after its intended time.");
  psp_buf_printf(out, "psprobe_pacer_lateness_max_seconds %.9f\n",
                 (double)p->max_lateness_ns / 1e9);
  put_sources(out, m);
  if (m->uploader != NULL) put_upload(out, m->uploader);
}
