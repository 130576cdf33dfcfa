/* SPDX-License-Identifier: MIT */
/** @file The dashboard's data: what the sink brings, and who is told of it. */
#include "report/live/dashboard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
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

void psp_dashboard_take_in(psprobe_dashboard *d) {
  pthread_mutex_lock(&d->inbox_lock);
  psprobe_finished *came = d->inbox;
  size_t count = d->inbox_count;
  d->inbox = NULL;
  d->inbox_count = d->inbox_capacity = 0;
  pthread_mutex_unlock(&d->inbox_lock);
  for (size_t i = 0; i < count; i++)
    take(d, &came[i]);
  free(came);
}

/** Copies into the inbox alone, so that nobody who makes a page keeps a result waiting. */
void psprobe_dashboard_sink(void *arg, const psprobe_finished *finished, size_t count) {
  psprobe_dashboard *d = arg;
  pthread_mutex_lock(&d->inbox_lock);
  if (d->inbox_count + count > d->inbox_capacity) {
    size_t capacity = (d->inbox_count + count) * 2;
    psprobe_finished *grown = realloc(d->inbox, capacity * sizeof *grown);
    if (grown == NULL) capacity = d->inbox_capacity;
    if (grown != NULL) d->inbox = grown;
    d->inbox_capacity = capacity;
  }
  for (size_t i = 0; i < count && d->inbox_count < d->inbox_capacity; i++)
    d->inbox[d->inbox_count++] = finished[i];
  d->changed = true;
  pthread_cond_signal(&d->news);
  pthread_mutex_unlock(&d->inbox_lock);
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

/** The inbox's lock is held. */
static void wait_until(psprobe_dashboard *d, int64_t until_ns, bool for_news) {
  while (!d->end && !(for_news && d->changed) &&
         psp_cond_wait_until(&d->news, &d->inbox_lock, until_ns)) {
  }
}

/** Waits for news, a while at most, then for the time that must pass from one to the next.
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

/* ---- who may ask ------------------------------------------------------------------------- */

static bool is_address(const char *host) {
  struct in_addr four;
  struct in6_addr six;
  return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1;
}

static bool is_here(const char *host) {
  return strcmp(host, "::1") == 0 || strcasecmp(host, "localhost") == 0 ||
         (is_address(host) && strncmp(host, "127.", 4) == 0);
}

bool psp_dashboard_host_ok(const psprobe_dashboard *d, const char *host) {
  psp_listen_address at = {.port = 0};
  char text[PSP_LISTEN_HOST + 8];
  const char *why;
  /* Only what is older than HTTP/1.1, and no browser, does without. */
  if (host == NULL) return true;
  bool port = strrchr(host, ':') != NULL && strrchr(host, ':') > strchr(host, ']');
  if ((size_t)snprintf(text, sizeof text, port ? "%s" : "%s:80", host) >= sizeof text) return false;
  if (!psp_listen_parse(text, &at, &why)) return false;
  bool any = d->host[0] == '\0' || strcmp(d->host, "0.0.0.0") == 0 || strcmp(d->host, "::") == 0;
  if (is_here(at.host) || strcasecmp(at.host, d->host) == 0) return true;
  /* An address leads nowhere else, so nobody else's page can be behind it. */
  if (any && is_address(at.host)) return true;
  for (size_t i = 0; d->hosts[i] != NULL; i++)
    if (strcasecmp(d->hosts[i], at.host) == 0) return true;
  return false;
}

/* ---- life ---------------------------------------------------------------------------------- */

/** Whom we answer as; `hosts` is NULL without any. */
static bool set_hosts(psprobe_dashboard *d, const psprobe_dashboard_options *options) {
  psp_listen_address at;
  const char *why;
  bool ok = true;
  if (psp_listen_parse(options->listen != NULL ? options->listen : DEFAULT_LISTEN, &at, &why))
    memcpy(d->host, at.host, sizeof d->host);
  for (size_t i = 0; i < options->host_count && i < PSP_DASHBOARD_HOSTS; i++)
    ok &= (d->hosts[i] = psp_strdup(options->hosts[i])) != NULL;
  return ok;
}

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

static void free_parts(psprobe_dashboard *d) {
  psp_columns_free(&d->columns);
  psp_buf_free(&d->summary.text);
  psp_buf_free(&d->page.text);
  for (size_t i = 0; d->hosts[i] != NULL; i++)
    free(d->hosts[i]);
  free(d->inbox);
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
  psprobe_code code = !set_hosts(d, options) || d->columns.failed
                          ? psp_fail_memory(error, "dashboard")
                          : PSPROBE_OK;
  if (code == PSPROBE_OK && pthread_create(&d->teller, NULL, teller, d) != 0)
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
