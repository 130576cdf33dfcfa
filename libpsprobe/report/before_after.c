/* SPDX-License-Identifier: MIT */
/** @file Two runs, before and after a change: each source against itself. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/table.h"
#include "report/words.h"

/* The times of a source's answers, in the order sent. */
static size_t answers_of(const psp_columns *c, size_t k, int64_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < c->count; i++)
    if (psprobe_answer_came(c->sources[k].status[i])) out[n++] = c->sources[k].elapsed_ns[i];
  return n;
}

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

static psprobe_code compare_source(psp_buf *out, const psp_columns *before, size_t b,
                                   const psp_columns *after, size_t a, psprobe_error *error) {
  int64_t *first = malloc((before->count + 1) * sizeof *first);
  int64_t *second = malloc((after->count + 1) * sizeof *second);
  psprobe_change change = {0};
  psprobe_code code = PSPROBE_OK;
  if (first == NULL || second == NULL) {
    code = psp_fail_memory(error, "comparison of two runs");
  } else {
    size_t n = answers_of(before, b, first), m = answers_of(after, a, second);
    code = psprobe_change_of(first, n, second, m, &change, error);
  }
  if (code == PSPROBE_OK) put_change(out, after->sources[a].shown, &change);
  free(first);
  free(second);
  return code;
}

static size_t find_source(const psp_columns *columns, const char *name) {
  size_t i = 0;
  while (i < columns->source_count && strcmp(columns->sources[i].name, name) != 0)
    i++;
  return i;
}

static psprobe_code put_source(const psp_sink *out, int width, const psp_columns *before, size_t b,
                               const psp_columns *after, size_t a, psprobe_error *error) {
  psp_buf line = {0};
  psprobe_code code = compare_source(&line, before, b, after, a, error);
  if (code == PSPROBE_OK && !line.failed) psp_text_wrap(out, line.data, width);
  out->to->failed |= line.failed;
  psp_buf_free(&line);
  return code;
}

psprobe_code psprobe_report_before_after(const psprobe_report *before, const psprobe_report *after,
                                         const psprobe_text_options *options, char **text,
                                         psprobe_error *error) {
  const psp_columns *b = &before->columns, *a = &after->columns;
  int width = options != NULL && options->width > 0 ? options->width : 80;
  psp_buf out = {0};
  psp_sink terminal = psp_sink_terminal(&out);
  psprobe_code code = PSPROBE_OK;
  for (size_t k = 0; k < a->source_count && code == PSPROBE_OK; k++) {
    size_t j = find_source(b, a->sources[k].name);
    if (j < b->source_count) code = put_source(&terminal, width, b, j, a, k, error);
  }
  if (code == PSPROBE_OK && !out.failed && out.len == 0)
    psp_buf_text(&out, "The two runs have no source in common.\n");
  char *made = psp_buf_take(&out, NULL);
  if (code == PSPROBE_OK && made == NULL) code = psp_fail_memory(error, "comparison of two runs");
  if (code == PSPROBE_OK)
    *text = made;
  else
    free(made);
  return code;
}
