/* SPDX-License-Identifier: MIT */
/** @file Two runs, before and after a change: each source against itself. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/table.h"
#include "report/words.h"
#include "stats/comparison.h"
#include "stats/difference.h"

static void put_change(psp_buf *out, const char *name, const psprobe_change *change) {
  psp_buf_printf(out, "%s: ", name);
  if (change->first_n == 0 || change->second_n == 0) {
    psp_buf_text(out, "it answered in one of the two alone.");
    return;
  }
  psp_words_duration(out, psp_scale_of(change->first_ns), change->first_ns);
  psp_buf_text(out, " at the median before (");
  psp_words_count(out, change->first_n);
  psp_buf_text(out, " answers), ");
  psp_words_duration(out, psp_scale_of(change->second_ns), change->second_ns);
  psp_buf_text(out, " after (");
  psp_words_count(out, change->second_n);
  psp_buf_text(out, "): ");
  psp_scale scale = psp_scale_of_interval(change->change_ns, &change->ci);
  if (change->beyond_chance) {
    psp_words_duration(out, scale, llabs(change->change_ns));
    psp_buf_text(out, change->change_ns < 0 ? " faster" : " slower");
  } else {
    psp_buf_text(out, "no change that these runs can tell");
  }
  psp_buf_text(out, " (change, ");
  if (!psp_words_interval(out, scale, &change->ci)) psp_buf_text(out, "too few for an interval");
  psp_buf_text(out, ").");
}

static size_t find_source(const psp_columns *columns, const char *name) {
  size_t i = 0;
  while (i < columns->source_count && strcmp(columns->sources[i].name, name) != 0)
    i++;
  return i;
}

static void put_source(const psp_sink *out, int width, const psprobe_report *before, size_t b,
                       const psprobe_report *after, size_t a) {
  psp_buf line = {0};
  const psprobe_change change =
      psp_change(&before->comparison->medians[b], &after->comparison->medians[a]);
  put_change(&line, after->columns.sources[a].shown, &change);
  if (!line.failed) psp_text_wrap(out, line.data, width);
  out->to->failed |= line.failed;
  psp_buf_free(&line);
}

psprobe_code psprobe_report_before_after(const psprobe_report *before, const psprobe_report *after,
                                         const psprobe_text_options *options, char **text,
                                         psprobe_error *error) {
  const psp_columns *b = &before->columns, *a = &after->columns;
  int width = options != NULL && options->width > 0 ? options->width : 80;
  psp_buf out = {0};
  psp_sink terminal = psp_sink_terminal(&out);
  for (size_t k = 0; k < a->source_count; k++) {
    size_t j = find_source(b, a->sources[k].name);
    if (j < b->source_count) put_source(&terminal, width, before, j, after, k);
  }
  if (!out.failed && out.len == 0) psp_buf_text(&out, "The two runs have no source in common.\n");
  char *made = psp_buf_take(&out, NULL);
  if (made == NULL) return psp_fail_memory(error, "comparison of two runs");
  *text = made;
  return PSPROBE_OK;
}
