/* SPDX-License-Identifier: MIT */
/** @file The figures behind the page's plots, as JSON. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "report/page/page.h"
#include "report/page/table.h"
#include "report/plots.h"

#define MS_NS        1000000
#define HOUR_NS      INT64_C(3600000000000)
#define ECDF_POINTS  160
#define HEAT_BINS    24
#define HEAT_COLUMNS 168
/* Runs shorter than this have no use for hours. */
#define HEAT_LEAST_NS (3 * HOUR_NS)

static bool answered(const psprobe_series *s, size_t i) {
  return s->status == NULL || psprobe_answer_came(s->status[i]);
}

static void put_edges(psp_json_writer *w, const psp_plots *plots, int bins) {
  psp_json_begin_array_member(w, "edges_ns");
  for (int i = 0; i <= bins; i++)
    psp_json_put_int64(w, psp_plots_edge(plots, i, bins));
  psp_json_end_array(w);
}

/* ECDF on a scale of nines: dense where the tail is. */
static void put_ecdf(psp_json_writer *w, const psprobe_probes *probes, const psp_plots *plots) {
  double most = 1;
  for (size_t k = 0; k < probes->source_count; k++)
    most = fmax(most, (double)plots->answer_count[k]);
  double reach = fmax(log10(most), 0.5);
  psp_json_begin_object_member(w, "ecdf");
  psp_json_begin_array_member(w, "p");
  for (int i = 0; i < ECDF_POINTS; i++)
    psp_json_put_double(w, 1 - pow(10, -reach * i / ECDF_POINTS));
  psp_json_end_array(w);
  psp_json_begin_array_member(w, "sources");
  for (size_t k = 0; k < probes->source_count; k++) {
    psp_json_begin_array(w);
    for (int i = 0; i < ECDF_POINTS; i++) {
      if (plots->answer_count[k] == 0)
        psp_json_put_null(w);
      else
        psp_json_put_int64(w, psp_plots_quantile(plots, k, 1 - pow(10, -reach * i / ECDF_POINTS)));
    }
    psp_json_end_array(w);
  }
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_histogram(psp_json_writer *w, const psprobe_probes *probes,
                          const psp_plots *plots) {
  psp_json_begin_object_member(w, "histogram");
  put_edges(w, plots, PSP_PLOTS_BINS);
  psp_json_begin_array_member(w, "sources");
  for (size_t k = 0; k < probes->source_count; k++) {
    psp_json_begin_array(w);
    for (int i = 0; i < PSP_PLOTS_BINS; i++)
      psp_json_put_int64(w, (int64_t)psp_plots_in_bin(plots, k, i, PSP_PLOTS_BINS));
    psp_json_end_array(w);
  }
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_pairs(psp_json_writer *w, const psp_page *page) {
  psp_json_begin_array_member(w, "pairs");
  for (size_t i = 0; i < psprobe_comparison_pair_count(page->comparison); i++) {
    const psprobe_pair *pair = psprobe_comparison_pair(page->comparison, i);
    const psprobe_interval *ci = &pair->all.median_ci;
    psp_json_begin_object(w);
    psp_json_put_member(w, "a", page->probes->sources[pair->a].name);
    psp_json_put_member(w, "b", page->probes->sources[pair->b].name);
    psp_json_put_int64_member(w, "n", (int64_t)pair->all.n);
    psp_json_put_int64_member(w, "median_ns", pair->all.median_ns);
    psp_json_begin_array_member(w, "median_ci_ns");
    psp_json_put_known(w, ci->has_low, ci->low_ns);
    psp_json_put_known(w, ci->has_high, ci->high_ns);
    psp_json_end_array(w);
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
}

/* Where the time went: means over the probes up to the source's p99, so that they add up and one
 * stall does not stand for all. Of none where they are not all there are. */
static void put_stages(psp_json_writer *w, const psp_page *page, const psp_plots *plots) {
  psp_json_begin_array_member(w, "stages");
  for (size_t k = 0; k < page->probes->source_count; k++) {
    const psprobe_series *source = &page->probes->sources[k];
    int64_t bound = psp_plots_quantile(plots, k, 0.99);
    double publish = 0, broker = 0, answer = 0;
    int64_t n = 0;
    for (size_t i = 0; i < page->probes->count && page->sums == NULL; i++) {
      int64_t whole = source->elapsed_ns[i], sent = page->publish_ns[i];
      int64_t held = page->handled_ns[k][i];
      if (!answered(source, i) || whole > bound || sent < 0 || held < 0) continue;
      /* A message can be delivered before the publish call has returned. */
      if (held > whole) held = whole;
      if (sent > whole - held) sent = whole - held;
      publish += (double)sent;
      answer += (double)held;
      broker += (double)(whole - held - sent);
      n++;
    }
    psp_json_begin_object(w);
    psp_json_put_int64_member(w, "n", n);
    psp_json_put_key(w, "publish_ns");
    psp_json_put_double(w, n > 0 ? publish / (double)n : 0);
    psp_json_put_key(w, "broker_ns");
    psp_json_put_double(w, n > 0 ? broker / (double)n : 0);
    psp_json_put_key(w, "answer_ns");
    psp_json_put_double(w, n > 0 ? answer / (double)n : 0);
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
}

/* Which of the heat map's bins holds `ns`. */
static int heat_bin(const psp_plots *plots, int64_t ns) {
  if (ns <= plots->low_ns) return 0;
  double ratio = log(((double)plots->high_ns + 1) / (double)plots->low_ns);
  int bin = (int)(log((double)ns / (double)plots->low_ns) / ratio * HEAT_BINS);
  return bin < HEAT_BINS ? bin : HEAT_BINS - 1;
}

static void put_heat_cells(psp_json_writer *w, const uint32_t *cells, int columns) {
  psp_json_begin_array(w);
  for (int x = 0; x < columns; x++) {
    psp_json_begin_array(w);
    for (int y = 0; y < HEAT_BINS; y++)
      psp_json_put_int64(w, cells[x * HEAT_BINS + y]);
    psp_json_end_array(w);
  }
  psp_json_end_array(w);
}

/* Hours across, or as many together as it takes to fit; null for a short run, and where probes are
 * not all there are. */
static void put_heat(psp_json_writer *w, const psprobe_probes *probes, const psp_plots *plots) {
  psp_json_put_key(w, "heat");
  int64_t first = plots->first_ns, last = plots->last_ns;
  uint32_t *cells = calloc((size_t)HEAT_COLUMNS * HEAT_BINS, sizeof *cells);
  if (probes->count == 0 || plots->sums != NULL || last - first < HEAT_LEAST_NS || cells == NULL) {
    psp_json_put_null(w);
    free(cells);
    return;
  }
  int64_t start = first - ((first % HOUR_NS) + HOUR_NS) % HOUR_NS;
  int64_t hours = (last - start) / HOUR_NS + 1;
  int64_t step = HOUR_NS * ((hours + HEAT_COLUMNS - 1) / HEAT_COLUMNS);
  int columns = (int)((last - start) / step) + 1;
  psp_json_begin_object(w);
  psp_json_begin_array_member(w, "hours_ms");
  for (int x = 0; x < columns; x++)
    psp_json_put_int64(w, (start + x * step) / 1000000);
  psp_json_end_array(w);
  put_edges(w, plots, HEAT_BINS);
  psp_json_begin_array_member(w, "sources");
  for (size_t k = 0; k < probes->source_count; k++) {
    const psprobe_series *source = &probes->sources[k];
    for (int c = 0; c < columns * HEAT_BINS; c++)
      cells[c] = 0;
    for (size_t i = 0; i < probes->count; i++)
      if (answered(source, i))
        cells[(probes->sent_ns[i] - start) / step * HEAT_BINS +
              heat_bin(plots, source->elapsed_ns[i])]++;
    put_heat_cells(w, cells, columns);
  }
  psp_json_end_array(w);
  psp_json_end_object(w);
  free(cells);
}

static void put_facts(psp_json_writer *w, const psp_page *page) {
  psp_json_begin_array_member(w, "facts");
  for (size_t i = 0; i < page->fact_count; i++) {
    psp_json_begin_array(w);
    psp_json_put_string(w, page->facts[i].name);
    psp_json_put_string(w, page->facts[i].value);
    psp_json_end_array(w);
  }
  psp_json_end_array(w);
}

/* Which of a source's columns is written. */
typedef enum column { ELAPSED, STATUS, COLD } column;

static void put_column(psp_json_writer *w, const char *key, column which, const psprobe_series *s,
                       const uint32_t *indices, size_t count) {
  psp_json_begin_array_member(w, key);
  for (size_t n = 0; n < count; n++) {
    size_t i = indices[n];
    if (which == STATUS)
      psp_json_put_int64(w, s->status == NULL ? PSPROBE_ANSWERED : s->status[i]);
    else if (which == COLD)
      psp_json_put_int64(w, s->cold != NULL && s->cold[i]);
    else
      psp_json_put_known(w, answered(s, i), s->elapsed_ns[i]);
  }
  psp_json_end_array(w);
}

static void put_probes(psp_json_writer *w, const psp_page *page, const uint32_t *indices,
                       size_t count) {
  const psprobe_probes *probes = page->probes;
  psp_json_put_int64_member(w, "total",
                            (int64_t)(page->sums != NULL ? page->sums->probes : probes->count));
  if (page->run != NULL) {
    psp_json_put_key(w, "run");
    psp_json_put_string(w, page->run);
    psp_json_put_int64_member(w, "next", (int64_t)page->next);
    psp_json_put_bool_member(w, "reset", page->reset);
    psp_json_put_bool_member(w, "more", page->more);
  }
  psp_json_begin_array_member(w, "id");
  for (size_t n = 0; n < count; n++)
    psp_json_put_string(w, page->id(page->id_arg, indices[n]));
  psp_json_end_array(w);
  psp_json_begin_array_member(w, "sent_ms");
  for (size_t n = 0; n < count; n++)
    psp_json_put_int64(w, probes->sent_ns[indices[n]] / MS_NS);
  psp_json_end_array(w);
  psp_json_begin_array_member(w, "sources");
  for (size_t k = 0; k < probes->source_count; k++) {
    const psprobe_series *s = &probes->sources[k];
    psp_json_begin_object(w);
    psp_json_put_member(w, "name", s->name);
    put_column(w, "elapsed_ns", ELAPSED, s, indices, count);
    put_column(w, "status", STATUS, s, indices, count);
    put_column(w, "cold", COLD, s, indices, count);
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
}

void psp_page_probes(psp_buf *out, const psp_page *page, const uint32_t *indices, size_t count) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  put_probes(&w, page, indices, count);
  psp_json_end_object(&w);
}

/* The differences of the first two sources that are drawn, and their scale. */
static void put_differences(psp_json_writer *w, const psp_page *page, const psp_plots *plots) {
  const psp_points *points = &plots->differences;
  const psprobe_series *a = &page->probes->sources[0], *b = &page->probes->sources[1];
  psp_json_begin_array_member(w, "id");
  for (size_t n = 0; n < points->count; n++)
    psp_json_put_string(w, page->id(page->id_arg, points->index[n]));
  psp_json_end_array(w);
  psp_json_begin_array_member(w, "sent_ms");
  for (size_t n = 0; n < points->count; n++)
    psp_json_put_int64(w, page->probes->sent_ns[points->index[n]] / MS_NS);
  psp_json_end_array(w);
  psp_json_begin_array_member(w, "ns");
  for (size_t n = 0; n < points->count; n++)
    psp_json_put_int64(w, a->elapsed_ns[points->index[n]] - b->elapsed_ns[points->index[n]]);
  psp_json_end_array(w);
}

static void put_bend(psp_json_writer *w, const psp_plots *plots) {
  psp_json_put_int64_member(w, "center_ns", plots->bend.center_ns);
  psp_json_put_key(w, "unit_ns");
  psp_json_put_double(w, plots->bend.unit_ns);
  psp_json_begin_array_member(w, "ticks_ns");
  for (size_t i = 0; i < plots->bend.tick_count; i++)
    psp_json_put_int64(w, plots->bend.ticks_ns[i]);
  psp_json_end_array(w);
}

static void put_gaps(psp_json_writer *w, const psp_plots *plots) {
  psp_json_begin_array_member(w, "gaps_ms");
  for (size_t i = 0; i < plots->gap_count; i++) {
    psp_json_begin_array(w);
    psp_json_put_int64(w, plots->gaps[i].from_ns / MS_NS);
    psp_json_put_int64(w, plots->gaps[i].to_ns / MS_NS);
    psp_json_end_array(w);
  }
  psp_json_end_array(w);
}

/* What changes little by little and is drawn point by point. */
static void put_points(psp_json_writer *w, const psp_page *page, const psp_plots *plots) {
  psp_json_begin_object_member(w, "probes");
  put_probes(w, page, plots->series.index, plots->series.count);
  psp_json_end_object(w);
  psp_json_begin_object_member(w, "differences");
  psp_json_put_int64_member(w, "of", (int64_t)plots->differences.of);
  put_differences(w, page, plots);
  psp_json_end_object(w);
}

void psp_page_data(psp_buf *out, const psp_page *page, bool with_probes) {
  psp_json_writer w = {.buf = out};
  const psprobe_probes *probes = page->probes;
  psp_plots plots;
  psp_json_begin_object(&w);
  psp_json_put_int64_member(&w, "schema", 1);
  psp_json_put_key(&w, "sentence");
  psp_json_put_string(&w, page->sentence);
  psp_json_put_key(&w, "notes");
  psp_json_put_string(&w, page->notes);
  if (!psp_plots_make(&plots, probes, page->sums)) {
    out->failed = true;
  } else {
    if (with_probes) put_points(&w, page, &plots);
    psp_json_begin_object_member(&w, "bend");
    put_bend(&w, &plots);
    psp_json_end_object(&w);
    put_gaps(&w, &plots);
    put_ecdf(&w, probes, &plots);
    put_histogram(&w, probes, &plots);
    put_pairs(&w, page);
    put_stages(&w, page, &plots);
    put_heat(&w, probes, &plots);
    put_facts(&w, page);
    psp_json_put_key(&w, "table");
    psp_page_table_json(&w, page->comparison);
    if (page->grids != NULL) {
      psp_json_put_key(&w, "grids");
      psp_grids_put_json(&w, page->grids);
    }
  }
  psp_json_end_object(&w);
  psp_plots_free(&plots);
}
