/* SPDX-License-Identifier: MIT */
#include "report/live/metrics.h"

#include <psprobe/version.h>

#include "report/sink.h"

/* Upper bounds in ms: from a broker on the same machine to an answer after the usual timeout. */
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

/* Names, types and helps are literals of this file. */
#define head(out, name, type, help) \
  psp_sink_raw(out, "# HELP psprobe_" name " " help "\n# TYPE psprobe_" name " " type "\n")

static void count(const psp_sink *out, uint64_t value) {
  psp_sink_raw(out, " ");
  psp_sink_count(out, value);
  psp_sink_raw(out, "\n");
}

#define plain(out, name, type, help, value) \
  do {                                      \
    head(out, name, type, help);            \
    psp_sink_raw(out, "psprobe_" name);     \
    count(out, value);                      \
  } while (0)

/* psprobe_NAME{source="SOURCE"MORE} */
#define labelled(out, name, source, more)            \
  do {                                               \
    psp_sink_raw(out, "psprobe_" name "{source=\""); \
    psp_sink_text(out, source);                      \
    psp_sink_raw(out, "\"" more "}");                \
  } while (0)

#define sample(out, name, source, more, value) \
  do {                                         \
    labelled(out, name, source, more);         \
    count(out, value);                         \
  } while (0)

/* psprobe_answer_seconds_PART{source="SOURCE",start="START" */
#define histogram_head(out, part, source, start)                    \
  do {                                                              \
    psp_sink_raw(out, "psprobe_answer_seconds_" part "{source=\""); \
    psp_sink_text(out, source);                                     \
    psp_sink_raw(out, "\",start=\"");                               \
    psp_sink_text(out, start);                                      \
    psp_sink_raw(out, "\"");                                        \
  } while (0)

static void put_histogram(const psp_sink *out, const char *source, const char *start,
                          const psp_metric_histogram *h) {
  uint64_t below = 0;
  for (size_t i = 0; i < PSP_METRIC_BOUNDS; i++) {
    below += h->at_most[i];
    histogram_head(out, "bucket", source, start);
    psp_sink_raw(out, ",le=\"");
    psp_sink_text(out, bounds[i].seconds);
    psp_sink_raw(out, "\"}");
    count(out, below);
  }
  histogram_head(out, "bucket", source, start);
  psp_sink_raw(out, ",le=\"+Inf\"}");
  count(out, h->count);
  histogram_head(out, "sum", source, start);
  psp_sink_raw(out, "} ");
  psp_sink_number(out, h->sum_s, 9);
  psp_sink_raw(out, "\n");
  histogram_head(out, "count", source, start);
  psp_sink_raw(out, "}");
  count(out, h->count);
}

static void put_sources(const psp_sink *out, const psp_metrics *m) {
  head(out, "answers_total", "counter", "Answers that came, in time or late.");
  for (size_t k = 0; k < m->source_count; k++) {
    sample(out, "answers_total", m->sources[k], ",status=\"answered\"", m->prober->answered[k]);
    sample(out, "answers_total", m->sources[k], ",status=\"late\"", m->prober->late[k]);
  }
  head(out, "lost_total", "counter", "Probes that no answer came to within the timeout.");
  for (size_t k = 0; k < m->source_count; k++)
    sample(out, "lost_total", m->sources[k], "", m->prober->lost[k]);
  head(out, "lost_in_doubt_total", "counter",
       "Of the lost: in flight as the prober turned somebody away, and so maybe its own loss.");
  for (size_t k = 0; k < m->source_count; k++)
    sample(out, "lost_in_doubt_total", m->sources[k], "", m->prober->in_doubt[k]);
  head(out, "duplicates_total", "counter", "Further answers after the first.");
  for (size_t k = 0; k < m->source_count; k++)
    sample(out, "duplicates_total", m->sources[k], "", m->prober->duplicates[k]);
  head(out, "answer_seconds", "histogram",
       "Time from just before the publish call to the answer, on the prober's clock; "
       "cold: the first event of the responder's process.");
  for (size_t k = 0; k < m->source_count; k++) {
    put_histogram(out, m->sources[k], "warm", &m->histograms[k][0]);
    put_histogram(out, m->sources[k], "cold", &m->histograms[k][1]);
  }
}

static void put_connections(const psp_sink *out, const psprobe_connections *c) {
  plain(out, "connections_open", "gauge", "Connections to the port that answers come in at.",
        c->open);
  plain(out, "connections_refused_total", "counter", "Not taken: all places were busy.",
        c->refused);
  plain(out, "connections_made_room_total", "counter",
        "Closed for another: idle the longest, or half asked.", c->made_room);
  plain(out, "connections_overdue_total", "counter", "Closed because they took too long.",
        c->overdue);
  plain(out, "connections_starved_total", "counter",
        "Times that no file descriptor or memory was left for one.", c->starved);
  plain(out, "untaken_total", "counter",
        "Requests that the prober turned away: answers may have been among them.", c->untaken);
}

static void put_cadences(const psp_sink *out, const psprobe_prober_stats *p) {
  plain(out, "cold_sent_total", "counter", "Rare probes sent, on a topic of their own.",
        p->cold_sent);
  plain(out, "filler_sent_total", "counter", "Messages without a probe.", p->filler_sent);
  plain(out, "filler_failures_total", "counter", "Of them, not published.", p->filler_failed);
  plain(out, "malformed_facts_total", "counter",
        "What answers told of their responder and was not of its form.", p->malformed);
  plain(out, "facts_dropped_total", "counter", "Answers whose facts had no room.",
        p->facts_dropped);
}

static void put_upload(const psp_sink *out, const psprobe_uploader_stats *u) {
  plain(out, "upload_backlog_results", "gauge", "Results in the file and not yet in Firestore.",
        u->backlog);
  plain(out, "uploads_total", "counter", "Results carried to Firestore.", u->uploaded);
  plain(out, "upload_failures_total", "counter", "Calls to Firestore that failed.", u->failures);
}

/* A gauge in seconds. */
static void seconds(const psp_sink *out, int64_t ns, int decimals) {
  psp_sink_raw(out, " ");
  psp_sink_number(out, (double)ns / 1e9, decimals);
  psp_sink_raw(out, "\n");
}

void psp_metrics_write(psp_buf *text, const psp_metrics *m) {
  const psprobe_prober_stats *p = m->prober;
  const psp_sink sink = psp_sink_metrics(text), *out = &sink;
  head(out, "build_info", "gauge", "The version of libpsprobe, as a label.");
  psp_sink_raw(out, "psprobe_build_info{version=\"" PSPROBE_VERSION "\"} 1\n");
  head(out, "start_time_seconds", "gauge", "When the run began, in seconds since 1970.");
  psp_sink_raw(out, "psprobe_start_time_seconds");
  seconds(out, m->started_wall_ns, 3);
  plain(out, "sent_total", "counter", "Publish calls begun.", p->sent);
  plain(out, "publish_failures_total", "counter", "Publish calls that failed.", p->publish_failed);
  plain(out, "refused_total", "counter",
        "Answers with an unknown or finished id, from an unknown source, or without a token.",
        p->refused);
  plain(out, "overflowed_total", "counter", "Probes not sent because too many were in flight.",
        p->overflowed);
  plain(out, "withheld_total", "counter", "Probes not sent because they could not be kept in time.",
        p->withheld);
  plain(out, "in_flight_probes", "gauge", "Probes that wait for an answer.", p->in_flight);
  plain(out, "sent_late_total", "counter",
        "Probes sent more than 0.1 s after their time: the machine is too busy.", p->sent_late);
  head(out, "pacer_lateness_max_seconds", "gauge",
       "The longest that a probe was sent after its intended time.");
  psp_sink_raw(out, "psprobe_pacer_lateness_max_seconds");
  seconds(out, p->max_lateness_ns, 9);
  head(out, "interval_seconds", "gauge", "From probe to probe, as set.");
  psp_sink_raw(out, "psprobe_interval_seconds");
  seconds(out, m->interval_ns, 9);
  put_connections(out, &p->connections);
  put_cadences(out, p);
  put_sources(out, m);
  if (m->uploader != NULL) put_upload(out, m->uploader);
}
