/* SPDX-License-Identifier: MIT */
/** @file What the dashboard answers. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "report/live/parts.h"
#include "report/notes_untaken.h"
#include "report/page/html.h"
#include "report/page/page.h"

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"
/* Probes in one answer of /api/probes; the page asks again while there are more. */
#define PROBES_MOST 5000
/* A summary is made at most each half second and a page each second, and either takes at most a
 * part in so many of the time: figures over a million probes must not keep this machine busy. */
#define SUMMARY_LEAST_NS INT64_C(500000000)
#define PAGE_LEAST_NS    INT64_C(1000000000)
#define REST             20

static void reply(psp_exchange *exchange, const char *type, psp_buf *body) {
  psp_exchange_set_header(exchange, "Cache-Control", "no-store");
  if (body->failed)
    psp_exchange_reply_error(exchange, 500, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
  else
    psp_exchange_reply(exchange, 200, type, body->data, body->len);
  psp_buf_free(body);
}

/* A page of what is there now. The lock is held. */
static void with_page(psprobe_dashboard *d, psp_buf *out,
                      void (*write)(psp_buf *, const psp_page *)) {
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_probes probes = psp_columns_probes(&d->columns, series);
  psprobe_comparison *comparison = NULL;
  char *sentence = NULL, *notes = NULL;
  psprobe_prober_stats stats;
  psprobe_prober_get_stats(d->prober, &stats);
  psp_untaken untaken = psp_untaken_of(&stats);
  if (psprobe_comparison_new(&probes, NULL, &comparison, NULL) == PSPROBE_OK) {
    sentence = psprobe_comparison_sentence(comparison);
    notes = psp_notes_with_untaken(comparison, &untaken);
  }
  if (sentence != NULL && notes != NULL) {
    psp_html_page page;
    psp_grids grids;
    psp_grids_make(&grids, &d->columns, comparison, true);
    psp_html_page_fill(&page, &d->columns, &probes, NULL, comparison, &grids, sentence, notes);
    page.page.live = true;
    page.page.next = d->forgotten + d->change_count;
    page.page.run = d->run_id;
    write(out, &page.page);
    psp_grids_free(&grids);
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

static void answer_kept(psprobe_dashboard *d, psp_exchange *exchange, psp_kept_answer *kept,
                        int64_t least_ns, void (*write)(psp_buf *, const psp_page *),
                        const char *type) {
  psp_buf body = {0};
  pthread_mutex_lock(&d->lock);
  psp_dashboard_take_in(d);
  int64_t begin = psprobe_clock_monotonic(), rest = kept->cost_ns * REST;
  uint64_t change = d->forgotten + d->change_count;
  if (rest < least_ns) rest = least_ns;
  bool there = kept->text.len > 0 && !kept->text.failed;
  if (!there || (kept->change != change && begin - kept->made_ns >= rest)) {
    psp_buf_reset(&kept->text);
    with_page(d, &kept->text, write);
    kept->change = change;
    kept->made_ns = psprobe_clock_monotonic();
    kept->cost_ns = kept->made_ns - begin;
  }
  psp_buf_add(&body, kept->text.data, kept->text.len);
  body.failed |= kept->text.failed;
  pthread_mutex_unlock(&d->lock);
  reply(exchange, type, &body);
}

static void get_page(psprobe_dashboard *d, psp_exchange *exchange) {
  answer_kept(d, exchange, &d->page, PAGE_LEAST_NS, psp_page_html, "text/html; charset=utf-8");
}

static void get_summary(psprobe_dashboard *d, psp_exchange *exchange) {
  answer_kept(d, exchange, &d->summary, SUMMARY_LEAST_NS, write_summary, JSON);
}

/* Probes from change `since` on, of this run; of another run, or from before what is kept, all. */
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
  psp_html_page_fill(&page, &d->columns, &probes, NULL, NULL, NULL, "", "");
  page.page.next = to;
  page.page.run = d->run_id;
  page.page.reset = reset;
  page.page.more = to < end;
  psp_page_probes(body, &page.page, d->changes + (from - first), (size_t)(to - from));
}

static void get_probes(psprobe_dashboard *d, psp_exchange *exchange) {
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
  psp_dashboard_take_in(d);
  write_probes(d, &body, run, from);
  pthread_mutex_unlock(&d->lock);
  reply(exchange, JSON, &body);
}

/* Ends the streams of clients that have gone. The lock is held. */
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

static void get_events(psprobe_dashboard *d, psp_exchange *exchange) {
  pthread_mutex_lock(&d->lock);
  /* Else only news or a sign of life would find out. While freeing, the count is no list's. */
  if (!d->closed && d->stream_count >= PSP_DASHBOARD_STREAMS) forget_gone(d);
  if (d->stream_count >= PSP_DASHBOARD_STREAMS) {
    pthread_mutex_unlock(&d->lock);
    psp_exchange_reply_error(exchange, 503, PSPROBE_RESOURCE_EXHAUSTED, "too many listeners");
    return;
  }
  psp_exchange_set_header(exchange, "Cache-Control", "no-store");
  /* nginx would hold events back until it has some kilobytes of them. */
  psp_exchange_set_header(exchange, "X-Accel-Buffering", "no");
  psp_stream *stream = psp_exchange_stream_begin(exchange, 200, "text/event-stream");
  /* A browser that is cut off comes back after as long. */
  static const char hello[] = "retry: 2000\n\n";
  if (stream != NULL && psp_stream_append(stream, hello, sizeof hello - 1))
    d->streams[d->stream_count++] = stream;
  else
    psp_stream_free(stream);
  pthread_mutex_unlock(&d->lock);
}

static void get_metrics(psprobe_dashboard *d, psp_exchange *exchange) {
  psp_buf body = {0};
  psprobe_prober_stats prober;
  psprobe_uploader_stats uploader;
  const char *names[PSPROBE_MAX_SOURCES];
  psp_metric_histogram histograms[PSPROBE_MAX_SOURCES][2];
  psprobe_prober_get_stats(d->prober, &prober);
  if (d->uploader != NULL) psprobe_uploader_get_stats(d->uploader, &uploader);
  pthread_mutex_lock(&d->lock);
  psp_dashboard_take_in(d);
  memcpy(histograms, d->histograms, sizeof histograms);
  pthread_mutex_unlock(&d->lock);
  for (size_t k = 0; k < d->columns.source_count; k++)
    names[k] = d->columns.sources[k].name;
  psp_metrics metrics = {.prober = &prober,
                         .uploader = d->uploader != NULL ? &uploader : NULL,
                         .source_count = d->columns.source_count,
                         .sources = names,
                         .histograms = histograms,
                         .started_wall_ns = d->columns.runs[0].run.started_wall_ns,
                         .interval_ns = d->columns.runs[0].run.interval_ns};
  psp_metrics_write(&body, &metrics);
  reply(exchange, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static void get_live(void *arg, psp_exchange *exchange) {
  (void)arg;
  psp_exchange_reply(exchange, 200, TEXT, "live\n", 5);
}

/* Not ready: every publish has failed so far, so nothing is measured. */
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

/* ---- who may ask ---- */

static bool allowed(const psprobe_dashboard *d, psp_exchange *exchange) {
  if (psp_dashboard_host_ok(d, psp_exchange_header(exchange, "Host"))) return true;
  psp_exchange_reply_error(
      exchange, 421, PSPROBE_PERMISSION_DENIED,
      "not the address that this page is served at; a name of ours in the Host "
      "header is allowed by --admin-host");
  return false;
}

#define GUARDED(name)                                         \
  static void ask_##name(void *arg, psp_exchange *exchange) { \
    if (allowed(arg, exchange)) get_##name(arg, exchange);    \
  }

GUARDED(page)
GUARDED(events)
GUARDED(summary)
GUARDED(probes)
GUARDED(metrics)

size_t psp_dashboard_routes(psprobe_dashboard *d, psp_route *routes) {
  const psp_route all[] = {
      {"GET", "/", ask_page, d},
      {"GET", "/events", ask_events, d},
      {"GET", "/api/summary", ask_summary, d},
      {"GET", "/api/probes", ask_probes, d},
      {"GET", "/metrics", ask_metrics, d},
      {"GET", "/health/live", get_live, d}, /* a balancer's, by whatever name; it tells nothing */
      {"GET", "/health/ready", get_ready, d},
  };
  memcpy(routes, all, sizeof all);
  return sizeof all / sizeof *all;
}
