/* SPDX-License-Identifier: MIT */
#include "report/plots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/thin.h"
#include "stats/sort.h"

/* A pause is this many times as long as the usual way from probe to probe, and could be seen on a
 * screen. */
#define GAP_TIMES  10
#define GAP_SHARES 1000

static bool answered(const psprobe_series *s, size_t i) {
  return s->status == NULL || psprobe_answer_came(s->status[i]);
}

/* Room that the steps below share. */
typedef struct room {
  uint32_t *order;   /* probes by the time sent */
  uint32_t *rank;    /* of a sort whose order nobody asks for */
  int64_t *values;   /* as many as there are probes */
  uint64_t *scratch; /* of sorting */
  bool *keep;
} room;

static bool take_room(room *r, size_t n) {
  n++;
  *r = (room){.order = malloc(n * sizeof *r->order),
              .rank = malloc(n * sizeof *r->rank),
              .values = malloc(n * sizeof *r->values),
              .scratch = malloc(2 * n * sizeof *r->scratch),
              .keep = malloc(n)};
  return r->order != NULL && r->rank != NULL && r->values != NULL && r->scratch != NULL &&
         r->keep != NULL;
}

static void free_room(room *r) {
  free(r->order);
  free(r->rank);
  free(r->values);
  free(r->scratch);
  free(r->keep);
}

static void sort(room *r, size_t n) {
  psp_sort_indexed(r->values, n, r->values, r->rank, r->scratch);
}

static bool set_gaps(psp_plots *plots, room *r) {
  const int64_t *sent = plots->probes->sent_ns;
  size_t n = plots->probes->count;
  for (size_t i = 1; i < n; i++)
    r->values[i - 1] = sent[r->order[i]] - sent[r->order[i - 1]];
  if (n < 3) return true;
  sort(r, n - 1);
  int64_t span = plots->last_ns - plots->first_ns, usual = r->values[(n - 1) / 2];
  /* More than half within one tick of a coarse clock: what they are on average. */
  if (usual == 0) usual = span / (int64_t)n;
  int64_t least = span / GAP_SHARES;
  if (usual < INT64_MAX / GAP_TIMES && usual * GAP_TIMES > least) least = usual * GAP_TIMES;
  plots->gaps = malloc((GAP_SHARES + 1) * sizeof *plots->gaps);
  if (plots->gaps == NULL) return false;
  for (size_t i = 1; i < n && plots->gap_count <= GAP_SHARES; i++) {
    psp_gap gap = {sent[r->order[i - 1]], sent[r->order[i]]};
    if (gap.to_ns - gap.from_ns > least) plots->gaps[plots->gap_count++] = gap;
  }
  return true;
}

bool psp_plots_after_gap(const psp_plots *plots, uint32_t index) {
  int64_t at = plots->probes->sent_ns[index];
  size_t low = 0, high = plots->gap_count;
  while (low < high) { /* the first gap that ends at or after it */
    size_t middle = (low + high) / 2;
    if (plots->gaps[middle].to_ns < at)
      low = middle + 1;
    else
      high = middle;
  }
  return low < plots->gap_count && plots->gaps[low].to_ns == at;
}

static void stretch(psp_plots *plots, int64_t least, int64_t most) {
  if (least < plots->low_ns) plots->low_ns = least;
  if (most > plots->high_ns) plots->high_ns = most;
}

static bool set_answers(psp_plots *plots, room *r) {
  plots->low_ns = INT64_MAX;
  for (size_t k = 0; plots->sums != NULL && k < plots->probes->source_count; k++) {
    const psp_spread *answers = &plots->sums->answers[k];
    plots->answer_count[k] = (size_t)answers->n;
    if (answers->n > 0) stretch(plots, answers->min_ns, answers->max_ns);
  }
  for (size_t k = 0; plots->sums == NULL && k < plots->probes->source_count; k++) {
    const psprobe_series *source = &plots->probes->sources[k];
    size_t n = 0;
    for (size_t i = 0; i < plots->probes->count; i++)
      if (answered(source, i)) r->values[n++] = source->elapsed_ns[i];
    sort(r, n);
    plots->answers[k] = malloc((n + 1) * sizeof *plots->answers[k]);
    if (plots->answers[k] == NULL) return false;
    memcpy(plots->answers[k], r->values, n * sizeof *r->values);
    plots->answer_count[k] = n;
    if (n > 0) stretch(plots, r->values[0], r->values[n - 1]);
  }
  if (plots->high_ns < 1) plots->high_ns = 1;
  if (plots->low_ns > plots->high_ns) plots->low_ns = plots->high_ns;
  if (plots->low_ns < 1) plots->low_ns = 1;
  return true;
}

/* What is kept, as a list. */
static bool take_kept(psp_points *points, const room *r, size_t n) {
  points->index = malloc((n + 1) * sizeof *points->index);
  if (points->index == NULL) return false;
  for (size_t i = 0; i < n; i++)
    if (r->keep[i]) points->index[points->count++] = r->order[i];
  return true;
}

static bool set_series(psp_plots *plots, room *r) {
  size_t n = plots->probes->count;
  psp_thin(plots->probes, r->order, r->keep);
  for (size_t i = 1; i < n; i++)
    if (psp_plots_after_gap(plots, r->order[i])) r->keep[i - 1] = r->keep[i] = true;
  plots->series.of = plots->sums != NULL ? (size_t)plots->sums->probes : n;
  return take_kept(&plots->series, r, n);
}

/* Of all differences, though a few alone are drawn: those that were not chosen for being far out.
 */
#define BEND_SHARES 1000
static bool set_summed_differences(psp_plots *plots, room *r) {
  const psp_plots_sums *sums = plots->sums;
  int64_t sorted[BEND_SHARES + 1];
  for (size_t i = 0; i <= BEND_SHARES; i++)
    sorted[i] = psp_spread_quantile(sums->differences, (double)i / BEND_SHARES);
  if (sums->differences->n > 0) plots->bend = psp_bend_of(sorted, BEND_SHARES + 1);
  psp_thin_differences(plots->probes, r->order, r->keep);
  for (size_t i = 0; i < plots->probes->count; i++)
    r->keep[i] = r->keep[i] && sums->even[r->order[i]];
  plots->differences.of = (size_t)sums->differences->n;
  return take_kept(&plots->differences, r, plots->probes->count);
}

static bool set_differences(psp_plots *plots, room *r) {
  const psprobe_probes *probes = plots->probes;
  if (probes->source_count < 2) return true;
  if (plots->sums != NULL) return set_summed_differences(plots, r);
  const psprobe_series *a = &probes->sources[0], *b = &probes->sources[1];
  size_t n = 0;
  plots->differences.of = psp_thin_differences(probes, r->order, r->keep);
  if (!take_kept(&plots->differences, r, probes->count)) return false;
  for (size_t i = 0; i < probes->count; i++)
    if (answered(a, i) && answered(b, i)) r->values[n++] = a->elapsed_ns[i] - b->elapsed_ns[i];
  sort(r, n);
  plots->bend = psp_bend_of(r->values, n);
  return true;
}

bool psp_plots_make(psp_plots *plots, const psprobe_probes *probes, const psp_plots_sums *sums) {
  room r;
  size_t n = probes->count;
  *plots = (psp_plots){.probes = probes, .sums = sums};
  bool ok = take_room(&r, n);
  if (ok && n > 0) {
    psp_sort_indexed(probes->sent_ns, n, r.values, r.order, r.scratch);
    plots->first_ns = r.values[0];
    plots->last_ns = r.values[n - 1];
  }
  ok = ok && set_answers(plots, &r) && set_gaps(plots, &r) && set_series(plots, &r) &&
       set_differences(plots, &r);
  free_room(&r);
  return ok;
}

void psp_plots_free(psp_plots *plots) {
  for (size_t k = 0; k < PSP_PLOTS_SOURCES; k++)
    free(plots->answers[k]);
  free(plots->series.index);
  free(plots->differences.index);
  free(plots->gaps);
}

int64_t psp_plots_quantile(const psp_plots *plots, size_t k, double p) {
  size_t n = plots->answer_count[k];
  if (n == 0) return 0;
  double rank = ceil(p * (double)n - 1e-9);
  if (plots->sums != NULL) return psp_spread_at(&plots->sums->answers[k], rank);
  size_t at = rank < 1 ? 0 : (size_t)rank - 1;
  return plots->answers[k][at < n ? at : n - 1];
}

/* Answers of source `k` that took `ns` or less. */
static size_t at_most(const psp_plots *plots, size_t k, int64_t ns) {
  size_t low = 0, high = plots->answer_count[k];
  if (plots->sums != NULL) return (size_t)psp_spread_at_most(&plots->sums->answers[k], ns);
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (plots->answers[k][middle] <= ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int64_t psp_plots_edge(const psp_plots *plots, int i, int bins) {
  if (i == 0) return plots->low_ns;
  if (i == bins) return plots->high_ns + (plots->high_ns < INT64_MAX);
  double ratio = ((double)plots->high_ns + 1) / (double)plots->low_ns;
  int64_t edge = (int64_t)((double)plots->low_ns * pow(ratio, (double)i / bins));
  return edge < plots->high_ns ? edge : plots->high_ns;
}

size_t psp_plots_in_bin(const psp_plots *plots, size_t k, int i, int bins) {
  /* What lies under the first edge (a clock that stood still) counts in the first bin. */
  size_t below = i == 0 ? 0 : at_most(plots, k, psp_plots_edge(plots, i, bins) - 1);
  size_t upto = i == bins - 1 ? plots->answer_count[k]
                              : at_most(plots, k, psp_plots_edge(plots, i + 1, bins) - 1);
  return upto - below;
}
