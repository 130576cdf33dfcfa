/* SPDX-License-Identifier: MIT */
/** @file The histogram drawn in text: a strip of bars a source, over one logarithmic scale. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/table.h"
#include "stats/bins.h"

#define BARS_MOST  60
#define BARS_LEAST 8

static const char *const blocks[] = {" ",
                                     "\xE2\x96\x81",
                                     "\xE2\x96\x82",
                                     "\xE2\x96\x83",
                                     "\xE2\x96\x84",
                                     "\xE2\x96\x85",
                                     "\xE2\x96\x86",
                                     "\xE2\x96\x87",
                                     "\xE2\x96\x88"};
static const char *const letters[] = {" ", ".", ".", ":", "-", "=", "+", "#", "@"};

typedef struct scale {
  int64_t low, high;
  int bars;
} scale;

static bool answered(const psp_source_columns *s, size_t i) {
  return psprobe_answer_came(s->status[i]);
}

static int bar_of(const scale *s, int64_t ns) {
  if (ns <= s->low) return 0;
  double share = log((double)ns / (double)s->low) / log(((double)s->high + 1) / (double)s->low);
  int bar = (int)(share * s->bars);
  return bar < s->bars ? bar : s->bars - 1;
}

/* Between the fastest and the slowest of all; at least a factor of 1.1, or all would be one bar.
 */
static scale scale_of(const psprobe_report *report, int bars) {
  const psp_columns *c = &report->columns;
  scale s = {.low = INT64_MAX, .high = 0, .bars = bars};
  for (size_t k = 0; k < c->source_count && report->sums != NULL; k++) {
    const psp_spread *answers = &report->sums->answers[k];
    if (answers->n > 0 && answers->min_ns < s.low) s.low = answers->min_ns;
    if (answers->n > 0 && answers->max_ns > s.high) s.high = answers->max_ns;
  }
  for (size_t k = 0; k < c->source_count; k++)
    for (size_t i = 0; i < c->count && report->sums == NULL; i++) {
      if (!answered(&c->sources[k], i)) continue;
      int64_t ns = c->sources[k].elapsed_ns[i];
      s.low = ns < s.low ? ns : s.low;
      s.high = ns > s.high ? ns : s.high;
    }
  if (s.low < 1) s.low = 1;
  if (s.high < s.low + s.low / 10) s.high = s.low + s.low / 10;
  return s;
}

static void count_bars(const psprobe_report *report, size_t k, const scale *s,
                       uint64_t counts[BARS_MOST]) {
  const psp_columns *c = &report->columns;
  if (report->sums != NULL) {
    const psp_spread *answers = &report->sums->answers[k];
    for (size_t i = 0; i < answers->width; i++)
      counts[bar_of(s, psp_bin_least(answers->low + (int32_t)i))] += psp_spread_in(answers, i);
    return;
  }
  for (size_t i = 0; i < c->count; i++)
    if (answered(&c->sources[k], i)) counts[bar_of(s, c->sources[k].elapsed_ns[i])]++;
}

static void put_strip(const psp_sink *out, const psprobe_report *report, size_t k, const scale *s,
                      const psp_text_style *style) {
  uint64_t counts[BARS_MOST] = {0}, most = 1;
  count_bars(report, k, s, counts);
  for (int b = 0; b < s->bars; b++)
    most = counts[b] > most ? counts[b] : most;
  psp_text_color(out, style, k);
  for (int b = 0; b < s->bars; b++) {
    /* The root shows the few slow ones beside the many fast ones; one answer is never nothing. */
    int level = (int)ceil(sqrt((double)counts[b] / (double)most) * 8);
    psp_sink_text(out, style->ascii ? letters[level] : blocks[level]);
  }
  psp_text_plain(out, style);
}

void psp_bars_put(const psp_sink *out, const psprobe_report *report, const psp_text_style *style) {
  const psp_columns *c = &report->columns;
  int name = 0;
  bool any = false;
  for (size_t k = 0; k < c->source_count; k++) {
    const psprobe_source_summary *source = psprobe_comparison_source(report->comparison, k);
    int width = psp_text_width(source->name);
    name = width > name ? width : name;
    any |= source->answered + source->late > 0;
  }
  int bars = style->width - name - 2;
  if (!any || bars < BARS_LEAST) return;
  psp_sink_raw(out, "\n");
  scale s = scale_of(report, bars < BARS_MOST ? bars : BARS_MOST);
  for (size_t k = 0; k < c->source_count; k++) {
    const char *shown = psprobe_comparison_source(report->comparison, k)->name;
    psp_sink_text(out, shown);
    psp_sink_spaces(out, name + 2 - psp_text_width(shown));
    put_strip(out, report, k, &s, style);
    psp_sink_raw(out, "\n");
  }
  char low[PSP_DURATION_SIZE], high[PSP_DURATION_SIZE];
  int gap = s.bars - psp_text_width(psp_format_duration(low, s.low)) -
            psp_text_width(psp_format_duration(high, s.high));
  psp_sink_spaces(out, name + 2);
  psp_sink_text(out, low);
  psp_sink_spaces(out, gap > 0 ? gap : 1);
  psp_sink_text(out, high);
  psp_sink_raw(out, "\n");
}
