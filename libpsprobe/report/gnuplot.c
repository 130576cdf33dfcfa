/* SPDX-License-Identifier: MIT */
/**
 * @file Pictures as files, drawn by gnuplot when it is installed: what psp_plots has, as a script
 * with its data. Sized for a README or a paper.
 *
 * Nothing from outside stands where gnuplot would take it for a command: figures are numbers of our
 * own writing, names go into the data as fields in quotes and become titles by columnhead(), and
 * the terminal takes no text for more than text (noenhanced).
 */
#include <string.h>

#include "base/error.h"
#include "base/timestamp.h"
#include "report/pictures.h"
#include "report/plots.h"
#include "report/report.h"
#include "report/sink.h"

#define SHARES 1000
#define DAY_NS INT64_C(86400000000000)

/* For an axis with a logarithmic scale, which has no 0. */
static double positive_ms(int64_t ns) {
  return (double)(ns < 1 ? 1 : ns) / 1e6;
}

static bool any_answers(const psprobe_report *r, size_t k) {
  const psprobe_source_summary *s = psprobe_comparison_source(r->comparison, k);
  return s->answered + s->late > 0;
}

/* ---- the data ---- */

/* A block's beginning: $NAME0, and the title of its second column. */
#define begin_block(out, name, k, title) \
  do {                                   \
    psp_sink_raw(out, "$" name);         \
    psp_sink_count(out, k);              \
    psp_sink_raw(out, " << EOD\nx \"");  \
    psp_sink_text(out, title);           \
    psp_sink_raw(out, "\"\n");           \
  } while (0)

static void put_point(const psp_sink *out, double x, int x_decimals, double y, int y_decimals) {
  psp_sink_number(out, x, x_decimals);
  psp_sink_raw(out, " ");
  psp_sink_number(out, y, y_decimals);
  psp_sink_raw(out, "\n");
}

/* Seconds since 1970 and ms; an empty line where no probe was sent for long parts the curve. */
static void put_series(const psp_sink *out, const psp_plots *plots, size_t k) {
  const psprobe_series *s = &plots->probes->sources[k];
  begin_block(out, "series", k, s->name);
  for (size_t n = 0; n < plots->series.count; n++) {
    uint32_t i = plots->series.index[n];
    if (psp_plots_after_gap(plots, i)) psp_sink_raw(out, "\n");
    if (s->status != NULL && !psprobe_answer_came(s->status[i])) continue;
    put_point(out, (double)plots->probes->sent_ns[i] / 1e9, 3, positive_ms(s->elapsed_ns[i]), 6);
  }
  psp_sink_raw(out, "EOD\n");
}

/* Whether one that is drawn of source `k` was cold. */
static bool is_cold(const psp_plots *plots, size_t k, uint32_t i) {
  const psprobe_series *s = &plots->probes->sources[k];
  return s->cold != NULL && s->cold[i] && (s->status == NULL || psprobe_answer_came(s->status[i]));
}

static bool any_cold(const psp_plots *plots, size_t k) {
  for (size_t n = 0; n < plots->series.count; n++)
    if (is_cold(plots, k, plots->series.index[n])) return true;
  return false;
}

static void put_cold(const psp_sink *out, const psp_plots *plots, size_t k) {
  const psprobe_series *s = &plots->probes->sources[k];
  if (!any_cold(plots, k)) return; /* gnuplot fails where there is no point */
  begin_block(out, "cold", k, s->name);
  for (size_t n = 0; n < plots->series.count; n++) {
    uint32_t i = plots->series.index[n];
    if (is_cold(plots, k, i))
      put_point(out, (double)plots->probes->sent_ns[i] / 1e9, 3, positive_ms(s->elapsed_ns[i]), 6);
  }
  psp_sink_raw(out, "EOD\n");
}

static void put_ecdf(const psp_sink *out, const psp_plots *plots, size_t k) {
  begin_block(out, "ecdf", k, plots->probes->sources[k].name);
  for (int p = 0; p <= SHARES; p++)
    put_point(out, positive_ms(psp_plots_quantile(plots, k, (double)p / SHARES)), 6,
              100.0 * p / SHARES, 4);
  psp_sink_raw(out, "EOD\n");
}

/* Each bin's lower edge in ms and how many; the last edge closes the last bin. */
static void put_histogram(const psp_sink *out, const psp_plots *plots, size_t k) {
  begin_block(out, "histogram", k, plots->probes->sources[k].name);
  for (int i = 0; i <= PSP_PLOTS_BINS; i++)
    put_point(out, positive_ms(psp_plots_edge(plots, i, PSP_PLOTS_BINS)), 6,
              i < PSP_PLOTS_BINS ? (double)psp_plots_in_bin(plots, k, i, PSP_PLOTS_BINS) : 0, 0);
  psp_sink_raw(out, "EOD\n");
}

static void put_differences(const psp_sink *out, const psp_plots *plots) {
  const psprobe_series *a = &plots->probes->sources[0], *b = &plots->probes->sources[1];
  psp_buf title = {0};
  psp_buf_printf(&title, "%s - %s", a->name, b->name);
  if (title.failed)
    out->to->failed = true;
  else
    begin_block(out, "differences", 0, title.data);
  psp_buf_free(&title);
  for (size_t n = 0; n < plots->differences.count; n++) {
    uint32_t i = plots->differences.index[n];
    double at = psp_bend_at(&plots->bend, a->elapsed_ns[i] - b->elapsed_ns[i]);
    put_point(out, (double)plots->probes->sent_ns[i] / 1e9, 3,
              plots->bend.unit_ns > 0 ? at : at / 1e6, 9);
  }
  psp_sink_raw(out, "EOD\n");
}

/* ---- the plots ---- */

#define put_plot(out, r, block, with)                                               \
  do {                                                                              \
    bool first = true;                                                              \
    for (size_t k = 0; k < (r)->columns.source_count; k++) {                        \
      if (!any_answers(r, k)) continue; /* gnuplot fails where there is no point */ \
      put_between(out, first);                                                      \
      psp_sink_raw(out, "$" block);                                                 \
      psp_sink_count(out, k);                                                       \
      psp_sink_raw(out, " using 1:2 " with);                                        \
      put_look(out, k);                                                             \
      first = false;                                                                \
    }                                                                               \
  } while (0)

static void put_between(const psp_sink *out, bool first) {
  psp_sink_text(out, first ? "plot " : ", ");
}

static void put_color(const psp_sink *out, size_t k) {
  static const char *const colors[] = {"#c04c00", "#0067a6", "#00785a",
                                       "#a8447f", "#6b5b00", "#4b3fb3"};
  psp_sink_raw(out, " lc rgb '");
  psp_sink_text(out, colors[k % 6]);
  psp_sink_raw(out, "'");
}

static void put_look(const psp_sink *out, size_t k) {
  put_color(out, k);
  psp_sink_raw(out, " dt ");
  psp_sink_count(out, k % 6 + 1);
  psp_sink_raw(out, " title columnhead(2)");
}

/* The key stands above the plot: in a corner of it, it would lie on what is far out. */
static void put_terminal(const psp_sink *out, bool svg) {
  psp_sink_raw(out, "set encoding utf8\n");
  if (svg)
    psp_sink_raw(out,
                 "set terminal svg noenhanced size 960,420 font 'sans-serif,13' background "
                 "'#ffffff'\n");
  else
    psp_sink_raw(out,
                 "set terminal pngcairo noenhanced size 1440,630 font 'sans-serif,14' fontscale "
                 "1.1\n");
  psp_sink_raw(out,
               "set grid lc rgb '#d9dce1' lt 1\nset key above right\nset border 3\n"
               "set tics nomirror out\nset rmargin 5\n");
}

/* "20 of 100 probes": what a plot leaves out is told at its axis. */
static void put_drawn(const psp_sink *out, const psp_points *points) {
  if (points->count >= points->of) return;
  psp_sink_raw(out, "; ");
  psp_sink_count(out, points->count);
  psp_sink_raw(out, " of ");
  psp_sink_count(out, points->of);
  psp_sink_raw(out, " drawn");
}

/* Times of day, with the days that they are of under the axis; dates too for what takes days. */
static void put_time_axis(const psp_sink *out, const psp_plots *plots, const psp_points *points) {
  char first[PSP_TIMESTAMP_SIZE], last[PSP_TIMESTAMP_SIZE];
  psp_timestamp_format_ns(first, plots->first_ns);
  psp_timestamp_format_ns(last, plots->last_ns);
  first[10] = last[10] = '\0';
  psp_sink_raw(out, "set xdata time\nset timefmt '%s'\nset format x \"");
  if (plots->last_ns - plots->first_ns > DAY_NS)
    psp_sink_raw(out, "%m-%d\\n%H:%M\"\n");
  else
    psp_sink_raw(out, "%H:%M:%S\"\n");
  psp_sink_raw(out, "set xlabel 'sent, ");
  psp_sink_text(out, first);
  if (strcmp(first, last) != 0) {
    psp_sink_raw(out, " to ");
    psp_sink_text(out, last);
  }
  psp_sink_raw(out, " (UTC)");
  put_drawn(out, points);
  psp_sink_raw(out, "'\n");
}

/* Where the scale bends, gnuplot is given its ticks. */
static void put_bend(const psp_sink *out, const psp_bend *bend) {
  if (bend->unit_ns <= 0) {
    psp_sink_raw(out, "set ylabel 'difference (ms)'\n");
    return;
  }
  psp_sink_raw(out, "set ylabel 'difference, logarithmic far out'\nset ytics (");
  for (size_t i = 0; i < bend->tick_count; i++) {
    psp_sink_text(out, i == 0 ? "'" : ", '");
    psp_sink_duration(out, bend->ticks_ns[i]);
    psp_sink_raw(out, "' ");
    psp_sink_number(out, psp_bend_at(bend, bend->ticks_ns[i]), 9);
  }
  psp_sink_raw(out, ")\n");
}

/* Zero as a line, wherever on the scale it stands; autoscaled, gnuplot may leave it out. */
static void put_cloud(const psp_sink *out, const psp_plots *plots) {
  psp_sink_raw(out, "unset logscale y\nset offsets 0, 0, graph 0.05, graph 0.05\n");
  put_bend(out, &plots->bend);
  put_time_axis(out, plots, &plots->differences);
  psp_sink_raw(out, "plot ");
  psp_sink_number(out, psp_bend_at(&plots->bend, 0), 9);
  psp_sink_raw(out,
               " notitle lc rgb '#000000' lw 1.5, $differences0 using 1:2 with points pt 7 ps 0.3 "
               "lc rgb '#55595f' title columnhead(2)\n");
}

static void put_spread(const psp_sink *out, const psprobe_report *r, psp_picture picture) {
  psp_sink_raw(out, "set xdata\nset format x '%g'\nset logscale x\nunset logscale y\n");
  if (picture == PSP_PICTURE_ECDF) {
    psp_sink_raw(out,
                 "set xlabel 'answered within (ms)'\nset ylabel 'share of answers (%)'\n"
                 "set yrange [0:100]\n");
    put_plot(out, r, "ecdf", "with steps lw 2");
  } else {
    psp_sink_raw(out, "set xlabel 'answered after (ms)'\nset ylabel 'answers'\nset yrange [0:*]\n");
    put_plot(out, r, "histogram", "with steps lw 2");
  }
  psp_sink_raw(out, "\n");
}

/* Cold answers are squares, as on the page. */
static void put_over_time(const psp_sink *out, const psprobe_report *r, const psp_plots *plots) {
  bool cold = false;
  for (size_t k = 0; k < r->columns.source_count; k++)
    cold = cold || any_cold(plots, k);
  put_time_axis(out, plots, &plots->series);
  psp_sink_raw(out, "set logscale y\nset ylabel 'answered after (ms)");
  if (cold) psp_sink_raw(out, "; squares: cold");
  psp_sink_raw(out, "'\n");
  put_plot(out, r, "series", "with lines lw 1.2");
  for (size_t k = 0; k < r->columns.source_count; k++) {
    if (!any_cold(plots, k)) continue;
    psp_sink_raw(out, ", $cold");
    psp_sink_count(out, k);
    psp_sink_raw(out, " using 1:2 with points pt 4 ps 0.9");
    put_color(out, k);
    psp_sink_raw(out, " notitle");
  }
  psp_sink_raw(out, "\n");
}

void psp_picture_script(psp_buf *script, const psprobe_report *r, const psp_plots *plots,
                        psp_picture picture, bool svg) {
  const psp_sink sink = psp_sink_gnuplot(script), *out = &sink;
  put_terminal(out, svg);
  for (size_t k = 0; k < r->columns.source_count; k++) {
    if (!any_answers(r, k)) continue;
    if (picture == PSP_PICTURE_SERIES) put_series(out, plots, k);
    if (picture == PSP_PICTURE_SERIES) put_cold(out, plots, k);
    if (picture == PSP_PICTURE_ECDF) put_ecdf(out, plots, k);
    if (picture == PSP_PICTURE_HISTOGRAM) put_histogram(out, plots, k);
  }
  if (picture == PSP_PICTURE_DIFFERENCES) {
    put_differences(out, plots);
    put_cloud(out, plots);
  } else if (picture == PSP_PICTURE_SERIES) {
    put_over_time(out, r, plots);
  } else {
    put_spread(out, r, picture);
  }
}
