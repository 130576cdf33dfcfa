/* SPDX-License-Identifier: MIT */
/**
 * @file Pictures as files, drawn by gnuplot when it is installed: the script and its data go into
 * its standard input. Sized for a README or a paper.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "report/page/thin.h"
#include "report/report.h"

#define POINTS 4000
#define BINS   60
#define DAY_NS INT64_C(86400000000000)

static const char *const colors[] = {"#c04c00", "#0067a6", "#00785a",
                                     "#a8447f", "#6b5b00", "#4b3fb3"};

/** Names within gnuplot's double quotes, where it would take _, ^ and { for its own. */
static void put_name(psp_buf *out, const char *name) {
  for (; *name != '\0'; name++) {
    if (strchr("_^{}@&~\\\"", *name) != NULL) psp_buf_text(out, "\\\\");
    if ((unsigned char)*name >= ' ') psp_buf_char(out, *name == '"' ? '\'' : *name);
  }
}

/** For an axis with a logarithmic scale, which has no 0. */
static double positive_ms(int64_t ns) {
  return (double)(ns < 1 ? 1 : ns) / 1e6;
}

static bool answered(const psprobe_report *r, size_t k, size_t i) {
  return r->columns.sources[k].status[i] != PSPROBE_LOST;
}

/** A data block a source: seconds since 1970, or another first column, and ms. */
static void put_series(psp_buf *out, const psprobe_report *r) {
  const psp_columns *c = &r->columns;
  bool *keep = malloc(c->count + 1);
  if (keep == NULL) {
    out->failed = true;
    return;
  }
  psp_thin(&r->probes, POINTS / 2, POINTS / 4, keep);
  for (size_t k = 0; k < c->source_count; k++) {
    psp_buf_printf(out, "$series%zu << EOD\n", k);
    for (size_t i = 0; i < c->count; i++)
      if (keep[i] && answered(r, k, i))
        psp_buf_printf(out, "%.3f %.6f\n", (double)c->sent_wall_ns[i] / 1e9,
                       positive_ms(c->sources[k].elapsed_ns[i]));
    psp_buf_text(out, "EOD\n");
  }
  free(keep);
}

/** The ECDF: for every 1/1000 of the answers, and the tail whole, the time they took. */
static void put_ecdf(psp_buf *out, const psprobe_report *r) {
  for (size_t k = 0; k < r->columns.source_count; k++) {
    psprobe_histogram *h = psprobe_histogram_new();
    if (h == NULL) {
      out->failed = true;
      return;
    }
    for (size_t i = 0; i < r->columns.count; i++)
      if (answered(r, k, i)) psprobe_histogram_record(h, r->columns.sources[k].elapsed_ns[i]);
    psp_buf_printf(out, "$ecdf%zu << EOD\n", k);
    for (int p = 0; p <= 1000 && psprobe_histogram_count(h) > 0; p++)
      psp_buf_printf(out, "%.6f %.4f\n", positive_ms(psprobe_histogram_quantile(h, p / 1000.0)),
                     p / 10.0);
    psp_buf_text(out, "EOD\n");
    psprobe_histogram_free(h);
  }
}

/** Times outside of what the summaries hold (a damaged file) are at the edge. */
static size_t bin_of(double took, double low, double ratio) {
  double bin = took <= low ? 0 : log(took / low) / ratio;
  return bin < BINS ? (size_t)bin : BINS;
}

/** Counts of answers in bins that grow in proportion: each bin's lower edge in ms, and how many. */
static void put_histogram(psp_buf *out, const psprobe_report *r) {
  int64_t least = INT64_MAX, most = 1;
  for (size_t k = 0; k < r->columns.source_count; k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(r->comparison, k);
    if (s->answered + s->late == 0) continue;
    if (s->min_ns < least) least = s->min_ns;
    if (s->max_ns > most) most = s->max_ns;
  }
  double low = least < 1 ? 1 : (double)least;
  double ratio = log((double)most / low * 1.001) / BINS;
  for (size_t k = 0; k < r->columns.source_count; k++) {
    unsigned long counts[BINS + 1] = {0};
    for (size_t i = 0; i < r->columns.count; i++) {
      double took = (double)r->columns.sources[k].elapsed_ns[i];
      if (answered(r, k, i)) counts[bin_of(took, low, ratio)]++;
    }
    psp_buf_printf(out, "$histogram%zu << EOD\n", k);
    for (int bin = 0; bin <= BINS; bin++)
      psp_buf_printf(out, "%.6f %lu\n", low * exp(bin * ratio) / 1e6, counts[bin]);
    psp_buf_text(out, "EOD\n");
  }
}

static void put_differences(psp_buf *out, const psprobe_report *r) {
  const psp_columns *c = &r->columns;
  size_t step = c->count / POINTS + 1;
  psp_buf_text(out, "$differences << EOD\n");
  for (size_t i = 0; i < c->count && c->source_count >= 2; i += step)
    if (answered(r, 0, i) && answered(r, 1, i))
      psp_buf_printf(out, "%.3f %.6f\n", (double)c->sent_wall_ns[i] / 1e9,
                     (double)(c->sources[0].elapsed_ns[i] - c->sources[1].elapsed_ns[i]) / 1e6);
  psp_buf_text(out, "EOD\n");
}

static void put_plot(psp_buf *out, const psprobe_report *r, const char *block, const char *with) {
  const char *between = "plot ";
  for (size_t k = 0; k < r->columns.source_count; k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(r->comparison, k);
    if (s->answered + s->late == 0) continue; /* gnuplot fails where there is no point */
    psp_buf_printf(out, "%s$%s%zu using 1:2 %s lc rgb \"%s\" dt %zu title \"", between, block, k,
                   with, colors[k % 6], k % 6 + 1);
    between = ", ";
    put_name(out, r->columns.sources[k].name);
    psp_buf_text(out, "\"");
  }
  psp_buf_char(out, '\n');
}

static void put_head(psp_buf *out, const char *format) {
  if (strcmp(format, "svg") == 0)
    psp_buf_text(out, "set terminal svg size 960,420 font 'sans-serif,13' background '#ffffff'\n");
  else
    psp_buf_text(out, "set terminal pngcairo size 1440,630 font 'sans-serif,14' fontscale 1.1\n");
  psp_buf_text(out,
               "set grid lc rgb '#d9dce1' lt 1\nset key top right\nset border 3\n"
               "set tics nomirror out\nset rmargin 5\n");
}

/** Times of day, and the date once, under the axis; dates and times for what takes days. */
static void put_time_axis(psp_buf *out, const psprobe_report *r) {
  const psp_columns *c = &r->columns;
  int64_t first = c->sent_wall_ns[0], last = c->sent_wall_ns[c->count - 1];
  char day[PSP_TIMESTAMP_SIZE];
  psp_timestamp_format_ns(day, first);
  bool days = last - first > DAY_NS;
  psp_buf_printf(out, "set xdata time\nset timefmt '%%s'\nset format x \"%s\"\n",
                 days ? "%m-%d\\n%H:%M" : "%H:%M:%S");
  psp_buf_printf(out, "set xlabel 'sent, %s %.10s (UTC)'\n", days ? "from" : "on", day);
}

/** The whole script; files are `stem`-NAME.FORMAT. */
static void put_script(psp_buf *out, const psprobe_report *r, const char *stem,
                       const char *format) {
  put_head(out, format);
  put_series(out, r);
  put_ecdf(out, r);
  put_histogram(out, r);
  put_differences(out, r);
  psp_buf_printf(out, "set output '%s-series.%s'\n", stem, format);
  put_time_axis(out, r);
  psp_buf_text(out, "set logscale y\nset ylabel 'answered after (ms)'\n");
  put_plot(out, r, "series", "with lines lw 1.2");
  if (r->columns.source_count >= 2 && psprobe_comparison_pair(r->comparison, 0)->all.n > 0) {
    psp_buf_printf(out, "set output '%s-differences.%s'\nunset logscale y\nset ylabel '", stem,
                   format);
    psp_buf_text(out,
                 "difference (ms)'\nset zeroaxis lw 1.5\nplot $differences using 1:2 with "
                 "points pt 7 ps 0.3 lc rgb '#55595f' title \"");
    put_name(out, r->columns.sources[0].name);
    psp_buf_text(out, " - ");
    put_name(out, r->columns.sources[1].name);
    psp_buf_text(out, "\"\n");
  }
  psp_buf_printf(out,
                 "set output '%s-ecdf.%s'\nset xdata\nset format x '%%g'\nset logscale x\n"
                 "unset logscale y\nset xlabel 'answered within (ms)'\n"
                 "set ylabel 'share of answers (%%)'\nset yrange [0:100]\nset key bottom right\n",
                 stem, format);
  put_plot(out, r, "ecdf", "with steps lw 2");
  psp_buf_printf(out,
                 "set output '%s-histogram.%s'\nset xlabel 'answered after (ms)'\n"
                 "set ylabel 'answers'\nset yrange [0:*]\nset key top right\n",
                 stem, format);
  put_plot(out, r, "histogram", "with steps lw 2");
}

/** Runs gnuplot on the script. SIGPIPE is the caller's to ignore. */
static psprobe_code run(const psp_buf *script, psprobe_error *error) {
  /* NOLINTNEXTLINE(cert-env33-c): a constant command, nothing of ours in it */
  FILE *pipe = popen("command -v gnuplot >/dev/null || exit 127; exec gnuplot -", "we");
  if (pipe == NULL)
    return psp_fail(error, PSPROBE_UNAVAILABLE, "start gnuplot: %s", strerror(errno));
  size_t wrote = fwrite(script->data, 1, script->len, pipe);
  int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return psp_fail(error, PSPROBE_NOT_FOUND,
                    "gnuplot is not installed; it draws these (Debian: apt-get install "
                    "gnuplot-nox). --html needs nothing");
  if (status != 0 || wrote != script->len)
    return psp_fail(error, PSPROBE_INTERNAL, "gnuplot could not draw; what it said stands above");
  return PSPROBE_OK;
}

/** Whether files can be made there: gnuplot would say it in its own way and draw on the terminal.
 */
static psprobe_code check_folder(const char *stem, psprobe_error *error) {
  const char *slash = strrchr(stem, '/');
  char *folder = psp_strdup(slash == NULL ? "." : stem);
  if (folder == NULL) return psp_fail_memory(error, stem);
  if (slash != NULL) folder[slash - stem + 1] = '\0';
  int why = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
  free(folder);
  if (why == 0) return PSPROBE_OK;
  return psp_fail(error,
                  why == EACCES || why == EROFS ? PSPROBE_PERMISSION_DENIED : PSPROBE_NOT_FOUND,
                  "write %s-*: %s", stem, strerror(why));
}

psprobe_code psprobe_report_draw(const psprobe_report *report, const char *stem, const char *format,
                                 psprobe_error *error) {
  psp_buf script = {0};
  if (strpbrk(stem, "'\"\\\n`$") != NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s': no quotes in the pictures' name", stem);
  if (report->columns.count == 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "there are no probes to draw");
  bool any = false;
  for (size_t k = 0; k < report->columns.source_count; k++)
    any |= psprobe_comparison_source(report->comparison, k)->answered > 0;
  if (!any) return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "no probe was answered");
  psprobe_code code = check_folder(stem, error);
  if (code != PSPROBE_OK) return code;
  put_script(&script, report, stem, format);
  code = script.failed ? psp_fail_memory(error, stem) : run(&script, error);
  psp_buf_free(&script);
  return code;
}
