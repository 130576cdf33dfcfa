/* SPDX-License-Identifier: MIT */
/** @file What the dashboard answers. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "report/live/dashboard.h"
#include "report/page/html.h"
#include "report/page/page.h"

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"
/** Probes in one answer of /api/probes; the page asks again while there are more. */
#define PROBES_MOST 5000
/** A summary is made at most each half second, and takes at most a part in so many of the time. */
#define SUMMARY_LEAST_NS INT64_C(500000000)
#define SUMMARY_REST     20

static void reply(psp_exchange *exchange, const char *type, psp_buf *body) {
  psp_exchange_set_header(exchange, "Cache-Control", "no-store");
  if (body->failed)
    psp_exchange_reply_error(exchange, 500, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
  else
    psp_exchange_reply(exchange, 200, type, body->data, body->len);
  psp_buf_free(body);
}

/** A page of what is there now. The lock is held. */
static void with_page(psprobe_dashboard *d, psp_buf *out,
                      void (*write)(psp_buf *, const psp_page *)) {
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_probes probes = psp_columns_probes(&d->columns, series);
  psprobe_comparison *comparison = NULL;
  char *sentence = NULL, *notes = NULL;
  if (psprobe_comparison_new(&probes, NULL, &comparison, NULL) == PSPROBE_OK) {
    sentence = psprobe_comparison_sentence(comparison);
    notes = psprobe_comparison_notes(comparison);
  }
  if (sentence != NULL && notes != NULL) {
    psp_html_page page;
    psp_html_page_fill(&page, &d->columns, &probes, comparison, sentence, notes);
    page.page.live = true;
    page.page.next = d->forgotten + d->change_count;
    page.page.run = d->run_id;
    write(out, &page.page);
  } else {
    out->failed = true;
  }
  free(sentence);
  free(notes);
  psprobe_comparison_free(comparison);
}

static void write_summary(psp_buf *out, const psp_page *page) {
  psp_page_data(out, page, false);
}

/** Makes the summary anew when there is news, but not more often than it can be afforded: figures
 * over a million probes must not keep this machine busy. The lock is held. */
static void refresh_summary(psprobe_dashboard *d) {
  int64_t begin = psprobe_clock_monotonic();
  uint64_t change = d->forgotten + d->change_count;
  int64_t rest = d->summary_cost_ns * SUMMARY_REST;
  if (rest < SUMMARY_LEAST_NS) rest = SUMMARY_LEAST_NS;
  bool fresh = d->summary.len > 0 && !d->summary.failed &&
               (d->summary_change == change || begin - d->summary_made_ns < rest);
  if (fresh) return;
  psp_buf_reset(&d->summary);
  with_page(d, &d->summary, write_summary);
  d->summary_change = change;
  d->summary_made_ns = psprobe_clock_monotonic();
  d->summary_cost_ns = d->summary_made_ns - begin;
}

static void get_page(void *arg, psp_exchange *exchange) {
  psprobe_dashboard *d = arg;
  psp_buf body = {0};
  pthread_mutex_lock(&d->lock);
  with_page(d, &body, psp_page_html);
  pthread_mutex_unlock(&d->lock);
  reply(exchange, "text/html; charset=utf-8", &body);
}

static void get_summary(void *arg, psp_exchange *exchange) {
  psprobe_dashboard *d = arg;
  psp_buf body = {0};
  pthread_mutex_lock(&d->lock);
  refresh_summary(d);
  psp_buf_add(&body, d->summary.data, d->summary.len);
  body.failed |= d->summary.failed;
  pthread_mutex_unlock(&d->lock);
  reply(exchange, JSON, &body);
}

/** Probes from change `since` on, of this run; of another run, or from before what is kept, all. */
static void write_probes(psprobe_dashboard *d, psp_buf *body, const char *run, int64_t since) {
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_probes probes = psp_columns_probes(&d->columns, series);
  psp_html_page page;
  bool reset = run != NULL && strcmp(run, d->run_id) != 0;
  uint64_t first = d->forgotten, end = d->forgotten + d->change_count;
  uint64_t from = reset || since < 0 ? first : (uint64_t)since;
  reset |= from < first || from > end;
  if (from < first || from > end) from = first;
  uint64_t to = end - from > PROBES_MOST ? from + PROBES_MOST : end;
  psp_html_page_fill(&page, &d->columns, &probes, NULL, "", "");
  page.page.next = to;
  page.page.run = d->run_id;
  page.page.reset = reset;
  page.page.more = to < end;
  psp_page_probes(body, &page.page, d->changes + (from - first), (size_t)(to - from));
}

static void get_probes(void *arg, psp_exchange *exchange) {
  psprobe_dashboard *d = arg;
  const char *since = psp_exchange_query(exchange, "since", 0);
  const char *run = psp_exchange_query(exchange, "run", 0);
  int64_t from = 0;
  psp_buf body = {0};
  if (since != NULL && !psp_parse_int64(since, 0, INT64_MAX, &from)) {
    psp_exchange_reply_error(exchange, 400, PSPROBE_INVALID_ARGUMENT,
                             "since: not a whole number from 0 on");
    return;
  }
  pthread_mutex_lock(&d->lock);
  write_probes(d, &body, run, from);
  pthread_mutex_unlock(&d->lock);
  reply(exchange, JSON, &body);
}

/** Ends the streams of clients that have gone. The lock is held. */
static void forget_gone(psprobe_dashboard *d) {
  size_t kept = 0;
  for (size_t i = 0; i < d->stream_count; i++) {
    if (psp_stream_is_gone(d->streams[i]))
      psp_stream_free(d->streams[i]);
    else
      d->streams[kept++] = d->streams[i];
  }
  d->stream_count = kept;
}

static void get_events(void *arg, psp_exchange *exchange) {
  psprobe_dashboard *d = arg;
  pthread_mutex_lock(&d->lock);
  /* Else only news or a sign of life would find out. While freeing, the count is no list's. */
  if (!d->end && d->stream_count >= PSP_DASHBOARD_STREAMS) forget_gone(d);
  if (d->stream_count >= PSP_DASHBOARD_STREAMS) {
    pthread_mutex_unlock(&d->lock);
    psp_exchange_reply_error(exchange, 503, PSPROBE_RESOURCE_EXHAUSTED, "too many listeners");
    return;
  }
  psp_exchange_set_header(exchange, "Cache-Control", "no-store");
  psp_stream *stream = psp_exchange_stream_begin(exchange, 200, "text/event-stream");
  /* A browser that is cut off comes back after as long. */
  static const char hello[] = "retry: 2000\n\n";
  if (stream != NULL && psp_stream_append(stream, hello, sizeof hello - 1))
    d->streams[d->stream_count++] = stream;
  else
    psp_stream_free(stream);
  pthread_mutex_unlock(&d->lock);
}

static void get_metrics(void *arg, psp_exchange *exchange) {
  psprobe_dashboard *d = arg;
  psp_buf body = {0};
  psprobe_prober_stats prober;
  psprobe_uploader_stats uploader;
  const char *names[PSPROBE_MAX_SOURCES];
  psp_metric_histogram histograms[PSPROBE_MAX_SOURCES];
  psprobe_prober_get_stats(d->prober, &prober);
  if (d->uploader != NULL) psprobe_uploader_get_stats(d->uploader, &uploader);
  pthread_mutex_lock(&d->lock);
  memcpy(histograms, d->histograms, sizeof histograms);
  pthread_mutex_unlock(&d->lock);
  for (size_t k = 0; k < d->columns.source_count; k++)
    names[k] = d->columns.sources[k].name;
  psp_metrics metrics = {.prober = &prober,
                         .uploader = d->uploader != NULL ? &uploader : NULL,
                         .source_count = d->columns.source_count,
                         .sources = names,
                         .histograms = histograms,
                         .started_wall_ns = d->columns.runs[0].run.started_wall_ns};
  psp_metrics_write(&body, &metrics);
  reply(exchange, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static void get_live(void *arg, psp_exchange *exchange) {
  (void)arg;
  psp_exchange_reply(exchange, 200, TEXT, "live\n", 5);
}

/** Not ready: every publish has failed so far, so nothing is measured. */
static void get_ready(void *arg, psp_exchange *exchange) {
  psprobe_dashboard *d = arg;
  psprobe_prober_stats stats;
  psprobe_prober_get_stats(d->prober, &stats);
  static const char failing[] = "not ready: no publish call has succeeded\n";
  if (stats.sent > 0 && stats.publish_failed >= stats.sent)
    psp_exchange_reply(exchange, 503, TEXT, failing, sizeof failing - 1);
  else
    psp_exchange_reply(exchange, 200, TEXT, "ready\n", 6);
}

size_t psp_dashboard_routes(psprobe_dashboard *d, psp_route *routes) {
  const psp_route all[] = {
      {"GET", "/", get_page, d},
      {"GET", "/events", get_events, d},
      {"GET", "/api/summary", get_summary, d},
      {"GET", "/api/probes", get_probes, d},
      {"GET", "/metrics", get_metrics, d},
      {"GET", "/health/live", get_live, d},
      {"GET", "/health/ready", get_ready, d},
  };
  memcpy(routes, all, sizeof all);
  return sizeof all / sizeof *all;
}
