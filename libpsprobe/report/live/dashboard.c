/* SPDX-License-Identifier: MIT */
/** @file Making a dashboard, telling open pages that there is news, and its end. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "os/limit.h"
#include "os/thread.h"
#include "os/wait.h"
#include "report/live/parts.h"

#define DEFAULT_PROBES 1000000
/* Of the page: a place for each stream, and for who comes beside them. */
#define MAX_CONNECTIONS 1500
/* News is told at most this often, and a sign of life at least that often, so that a proxy does
 * not close a stream that is silent and a client that has gone is noticed. */
#define TELL_NS  INT64_C(1000000000)
#define ALIVE_NS INT64_C(15000000000)

/* ---- who is told ---- */

static void tell(psprobe_dashboard *d, const char *text) {
  size_t kept = 0, len = strlen(text);
  for (size_t i = 0; i < d->stream_count; i++) {
    if (psp_stream_append(d->streams[i], text, len))
      d->streams[kept++] = d->streams[i];
    else
      psp_stream_free(d->streams[i]);
  }
  d->stream_count = kept;
}

/* The inbox's lock is held. */
static void wait_until(psprobe_dashboard *d, int64_t until_ns, bool for_news) {
  while (!d->end && !(for_news && d->changed) &&
         psp_cond_wait_until(&d->news, &d->inbox_lock, until_ns)) {
  }
}

/* Waits for news, a while at most, then for the time that must pass from one to the next.
 * @return false at the end; `*told` says whether there is news */
static bool wait_for_news(psprobe_dashboard *d, bool *told) {
  pthread_mutex_lock(&d->inbox_lock);
  if (*told) wait_until(d, psprobe_clock_monotonic() + TELL_NS, false);
  wait_until(d, psprobe_clock_monotonic() + ALIVE_NS, true);
  bool go_on = !d->end;
  *told = d->changed;
  d->changed = false;
  pthread_mutex_unlock(&d->inbox_lock);
  return go_on;
}

static void *teller(void *arg) {
  psprobe_dashboard *d = arg;
  bool told = false;
  while (wait_for_news(d, &told)) {
    pthread_mutex_lock(&d->lock);
    psp_dashboard_take_in(d);
    tell(d, told ? "event: news\ndata:\n\n" : ": alive\n\n");
    pthread_mutex_unlock(&d->lock);
  }
  return NULL;
}

/* ---- life ---- */

static psprobe_code serve(psprobe_dashboard *d, const psprobe_dashboard_options *options,
                          psprobe_error *error) {
  psp_route routes[PSP_DASHBOARD_ROUTES];
  psp_server_options server = {
      .listen = options->listen != NULL ? options->listen : PSP_DASHBOARD_LISTEN,
      .what = "--admin-listen",
      .routes = routes,
      .route_count = psp_dashboard_routes(d, routes),
      .max_connections = (unsigned)psp_limit_files_share(PSP_FILES_PAGE, MAX_CONNECTIONS),
      .threads = 1,
      .logger = &d->logger};
  return psp_server_new(&server, &d->server, error);
}

static void free_parts(psprobe_dashboard *d) {
  psp_columns_free(&d->columns);
  psp_buf_free(&d->summary.text);
  psp_buf_free(&d->page.text);
  for (size_t i = 0; d->hosts[i] != NULL; i++)
    free(d->hosts[i]);
  psp_buf_free(&d->inbox);
  free(d->changes);
  pthread_cond_destroy(&d->news);
  pthread_mutex_destroy(&d->inbox_lock);
  pthread_mutex_destroy(&d->lock);
  free(d);
}

psprobe_code psprobe_dashboard_new(const psprobe_prober *prober, psprobe_uploader *uploader,
                                   const psprobe_run *run, const psprobe_dashboard_options *options,
                                   psprobe_dashboard **dashboard, psprobe_error *error) {
  static const psprobe_dashboard_options none = {0};
  if (options == NULL) options = &none;
  psprobe_dashboard *d = calloc(1, sizeof *d);
  if (d == NULL) return psp_fail_memory(error, "dashboard");
  d->prober = prober;
  d->uploader = uploader;
  d->max_probes = options->max_probes > 0 ? options->max_probes : DEFAULT_PROBES;
  if (options->logger != NULL) d->logger = *options->logger;
  memcpy(d->run_id, run->id, sizeof d->run_id);
  pthread_mutex_init(&d->lock, NULL);
  pthread_mutex_init(&d->inbox_lock, NULL);
  psp_cond_init(&d->news);
  psp_columns_set_sources(&d->columns, run->sources, run->source_count);
  psp_columns_add_run(&d->columns, run);
  psprobe_code code = !psp_dashboard_set_hosts(d, options) || d->columns.failed
                          ? psp_fail_memory(error, "dashboard")
                          : PSPROBE_OK;
  if (code == PSPROBE_OK && !psp_thread_start(&d->teller, "psp-teller", teller, d))
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "dashboard: no thread to be had");
  if (code != PSPROBE_OK) {
    free_parts(d);
    return code;
  }
  code = serve(d, options, error);
  if (code == PSPROBE_OK)
    *dashboard = d;
  else
    psprobe_dashboard_free(d);
  return code;
}

const char *psprobe_dashboard_url(const psprobe_dashboard *dashboard) {
  return psp_server_url(dashboard->server);
}

void psprobe_dashboard_free(psprobe_dashboard *d) {
  if (d == NULL) return;
  pthread_mutex_lock(&d->inbox_lock);
  d->end = true;
  pthread_cond_signal(&d->news);
  pthread_mutex_unlock(&d->inbox_lock);
  pthread_join(d->teller, NULL);
  pthread_mutex_lock(&d->lock);
  for (size_t i = 0; i < d->stream_count; i++)
    psp_stream_free(d->streams[i]);
  d->closed = true;
  d->stream_count = PSP_DASHBOARD_STREAMS; /* who comes now is refused */
  pthread_mutex_unlock(&d->lock);
  psp_server_free(d->server);
  free_parts(d);
}
