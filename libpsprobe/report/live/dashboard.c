/* SPDX-License-Identifier: MIT */
/** @file The dashboard's data: what the sink brings, and who is told of it. */
#include "report/live/dashboard.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "os/wait.h"

#define DEFAULT_LISTEN "127.0.0.1:8090"
#define DEFAULT_PROBES 1000000
/** News is told at most this often, and a sign of life at least that often, so that a proxy does
 * not close a stream that is silent and a client that has gone is noticed. */
#define TELL_NS  INT64_C(1000000000)
#define ALIVE_NS INT64_C(15000000000)

/* ---- what the sink brings --------------------------------------------------------------- */

/** The index of a probe that was handed over before; it was not long ago. */
static bool find(const psp_columns *c, const char *id, size_t *index) {
  for (size_t i = c->count; i-- > 0;) {
    if (strcmp(c->id[i], id) != 0) continue;
    *index = i;
    return true;
  }
  return false;
}

static void note_change(psprobe_dashboard *d, size_t index) {
  if (d->change_count == d->change_capacity) {
    size_t capacity = d->change_capacity == 0 ? 1024 : d->change_capacity * 2;
    uint32_t *grown = realloc(d->changes, capacity * sizeof *grown);
    if (grown == NULL) return;
    d->changes = grown;
    d->change_capacity = capacity;
  }
  d->changes[d->change_count++] = (uint32_t)index;
}

/** Forgets the older half when the room is used up: rare, and cheap on the average. */
static void make_room(psprobe_dashboard *d) {
  if (d->columns.count < d->max_probes) return;
  size_t dropped = d->columns.count / 2, kept = 0;
  psp_columns_drop(&d->columns, dropped);
  for (size_t i = 0; i < d->change_count; i++)
    if (d->changes[i] >= dropped) d->changes[kept++] = d->changes[i] - (uint32_t)dropped;
  d->forgotten += d->change_count - kept;
  d->change_count = kept;
}

static void take(psprobe_dashboard *d, const psprobe_finished *finished) {
  const psprobe_result *result = &finished->result;
  size_t index;
  for (size_t k = 0; k < result->source_count; k++)
    if ((finished->fresh >> k & 1) != 0 && result->answers[k].status != PSPROBE_LOST)
      psp_metric_record(&d->histograms[k], result->answers[k].elapsed_ns);
  if (finished->update) {
    if (!find(&d->columns, result->id, &index)) return;
    psp_columns_update(&d->columns, index, result);
  } else {
    make_room(d);
    index = d->columns.count;
    psp_columns_add(&d->columns, 0, result, psprobe_clock_wall());
    if (d->columns.count == index) return;
  }
  note_change(d, index);
}

void psprobe_dashboard_sink(void *arg, const psprobe_finished *finished, size_t count) {
  psprobe_dashboard *d = arg;
  pthread_mutex_lock(&d->lock);
  for (size_t i = 0; i < count; i++)
    take(d, &finished[i]);
  d->changed = true;
  pthread_cond_signal(&d->news);
  pthread_mutex_unlock(&d->lock);
}

/* ---- who is told ---------------------------------------------------------------------------- */

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

static void wait_until(psprobe_dashboard *d, int64_t until_ns, bool for_news) {
  while (!d->end && !(for_news && d->changed) &&
         psp_cond_wait_until(&d->news, &d->lock, until_ns)) {
  }
}

static void *teller(void *arg) {
  psprobe_dashboard *d = arg;
  pthread_mutex_lock(&d->lock);
  while (!d->end) {
    wait_until(d, psprobe_clock_monotonic() + ALIVE_NS, true);
    if (d->end) break;
    tell(d, d->changed ? "event: news\ndata:\n\n" : ": alive\n\n");
    bool told = d->changed;
    d->changed = false;
    if (told) wait_until(d, psprobe_clock_monotonic() + TELL_NS, false);
  }
  pthread_mutex_unlock(&d->lock);
  return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static psprobe_code serve(psprobe_dashboard *d, const psprobe_dashboard_options *options,
                          psprobe_error *error) {
  psp_route routes[PSP_DASHBOARD_ROUTES];
  psp_server_options server = {.listen = options->listen != NULL ? options->listen : DEFAULT_LISTEN,
                               .what = "--admin-listen",
                               .routes = routes,
                               .route_count = psp_dashboard_routes(d, routes),
                               .threads = 1,
                               .logger = &d->logger};
  return psp_server_new(&server, &d->server, error);
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
  psp_cond_init(&d->news);
  psp_columns_set_sources(&d->columns, run->sources, run->source_count);
  psp_columns_add_run(&d->columns, run);
  psprobe_code code = d->columns.failed ? psp_fail_memory(error, "dashboard") : PSPROBE_OK;
  if (code == PSPROBE_OK && pthread_create(&d->teller, NULL, teller, d) != 0)
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "dashboard: no thread to be had");
  if (code != PSPROBE_OK) {
    psp_columns_free(&d->columns);
    free(d);
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
  pthread_mutex_lock(&d->lock);
  d->end = true;
  pthread_cond_signal(&d->news);
  pthread_mutex_unlock(&d->lock);
  pthread_join(d->teller, NULL);
  pthread_mutex_lock(&d->lock);
  for (size_t i = 0; i < d->stream_count; i++)
    psp_stream_free(d->streams[i]);
  d->stream_count = PSP_DASHBOARD_STREAMS; /* who comes now is refused */
  pthread_mutex_unlock(&d->lock);
  psp_server_free(d->server);
  psp_columns_free(&d->columns);
  psp_buf_free(&d->summary);
  free(d->changes);
  pthread_cond_destroy(&d->news);
  pthread_mutex_destroy(&d->lock);
  free(d);
}
