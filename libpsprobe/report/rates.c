/* SPDX-License-Identifier: MIT */
#include "report/rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

psp_cadences psp_cadences_of(const psprobe_run *run) {
  psp_cadences cadences = {0};
  psp_json *settings = NULL;
  if (run->settings == NULL || psp_json_parse(run->settings, strlen(run->settings), "settings",
                                              &settings, NULL) != PSPROBE_OK)
    return cadences;
  int64_t ns;
  if (psp_json_int64(psp_json_get(settings, "cold_every_ns"), &ns) && ns > 0) cadences.cold_ns = ns;
  if (psp_json_int64(psp_json_get(settings, "filler_ns"), &ns) && ns > 0) cadences.filler_ns = ns;
  const char *by = psp_json_string(psp_json_get(settings, "publish_by"));
  snprintf(cadences.publish_by, sizeof cadences.publish_by, "%s", by != NULL ? by : "");
  psp_json_free(settings);
  return cadences;
}

/* Messages a second of a run's topic. 0: not told. */
static double rate_of(const psprobe_run *run) {
  if (run->interval_ns <= 0) return 0;
  psp_cadences cadences = psp_cadences_of(run);
  return 1e9 / (double)run->interval_ns +
         (cadences.filler_ns > 0 ? 1e9 / (double)cadences.filler_ns : 0);
}

static int by_size(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* The rates that there are, in order; of each run. @return how many differ */
static size_t find_rates(const psp_columns *c, double *of_run, double *distinct) {
  size_t n = 0;
  for (size_t i = 0; i < c->run_count; i++) {
    size_t k = 0;
    of_run[i] = rate_of(&c->runs[i].run);
    while (k < n && distinct[k] != of_run[i])
      k++;
    if (k == n) distinct[n++] = of_run[i];
  }
  qsort(distinct, n, sizeof *distinct, by_size);
  return n;
}

/* The probes of one rate, side by side: what a comparison is made from. */
typedef struct gathered {
  int64_t *sent_ns, *elapsed_ns;
  uint8_t *status;
  bool *cold, *unsent;
} gathered;

static bool summarise(const psp_columns *c, const double *of_run, gathered *g, psp_rate *rate,
                      size_t k, double per_s) {
  const psp_source_columns *s = &c->sources[k];
  size_t n = 0;
  for (size_t i = 0; i < c->count; i++) {
    if (of_run[c->run[i]] != per_s) continue;
    g->sent_ns[n] = c->sent_wall_ns[i];
    g->elapsed_ns[n] = s->elapsed_ns[i];
    g->status[n] = s->status[i];
    g->unsent[n] = c->unsent[i];
    g->cold[n++] = s->cold[i];
  }
  psprobe_series series = {
      .name = "", .elapsed_ns = g->elapsed_ns, .status = g->status, .cold = g->cold};
  psprobe_probes probes = {.count = n,
                           .sent_ns = g->sent_ns,
                           .source_count = 1,
                           .sources = &series,
                           .unsent = g->unsent};
  psprobe_comparison *comparison = NULL;
  if (psprobe_comparison_new(&probes, NULL, &comparison, NULL) != PSPROBE_OK) return false;
  *rate = (psp_rate){per_s, k, *psprobe_comparison_source(comparison, 0)};
  rate->figures.name = NULL;
  psprobe_comparison_free(comparison);
  return true;
}

/* Every source at every rate. */
static bool fill(const psp_columns *c, const double *of_run, const double *distinct, size_t n,
                 psp_rate *rates) {
  size_t room = c->count + 1;
  gathered g = {.sent_ns = malloc(room * sizeof *g.sent_ns),
                .elapsed_ns = malloc(room * sizeof *g.elapsed_ns),
                .status = malloc(room),
                .cold = malloc(room * sizeof *g.cold),
                .unsent = malloc(room * sizeof *g.unsent)};
  bool good = g.sent_ns != NULL && g.elapsed_ns != NULL && g.status != NULL && g.cold != NULL &&
              g.unsent != NULL;
  for (size_t i = 0; good && i < n * c->source_count; i++)
    good = summarise(c, of_run, &g, &rates[i], i % c->source_count, distinct[i / c->source_count]);
  free(g.sent_ns);
  free(g.elapsed_ns);
  free(g.status);
  free(g.cold);
  free(g.unsent);
  return good;
}

bool psp_rates_list(const psp_columns *c, psp_rate **rates, size_t *count) {
  *rates = NULL;
  *count = 0;
  if (c->run_count < 2 || c->source_count == 0) return true;
  double *of_run = malloc(2 * c->run_count * sizeof *of_run);
  if (of_run == NULL) return false;
  double *distinct = of_run + c->run_count;
  size_t n = find_rates(c, of_run, distinct);
  bool good = true;
  if (n > 1) {
    *rates = calloc(n * c->source_count, sizeof **rates);
    good = *rates != NULL && fill(c, of_run, distinct, n, *rates);
    if (good) *count = n * c->source_count;
  }
  free(of_run);
  return good;
}
