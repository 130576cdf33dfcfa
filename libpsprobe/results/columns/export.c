/* SPDX-License-Identifier: MIT */
#include "results/columns/export.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* What is handed on at once. */
#define AT_ONCE ((size_t)64 << 10)

bool psp_export_note(void *arg, const psp_row *row) {
  psp_csv_shape *shape = arg;
  shape->any = true;
  shape->publish |= row->result->publish_ns != PSP_PUBLISH_UNKNOWN;
  shape->cadence |= row->result->cadence == PSPROBE_CADENCE_COLD;
  shape->runs = shape->runs || psp_run_tells(row->run);
  for (size_t k = 0; k < row->run->source_count; k++)
    shape->told[k] |= psp_answer_tells(&row->result->answers[k]);
  return true;
}

static bool hand_on(psp_export *out, size_t least) {
  if (out->ended || out->text.failed || out->text.len < least) return !out->ended;
  out->ended = out->text.len > 0 && !out->put(out->arg, out->text.data, out->text.len);
  psp_buf_reset(&out->text);
  return !out->ended;
}

static void put_row(psp_export *out, const psp_row *row, bool first) {
  if (out->form == PSPROBE_REPORT_CSV)
    psp_csv_put_row(&out->text, row, &out->shape, first);
  else
    psp_line_put_row(&out->text, row);
}

/* ---- the sources that are asked for ---- */

static void keep_names(const psp_export *out, psprobe_run *run) {
  const psprobe_run all = *run;
  run->source_count = out->which_count;
  for (size_t n = 0; n < out->which_count; n++)
    run->sources[n] = all.sources[out->which[n]];
}

/* Those whose source stays, by its new number. False: no memory. */
static bool keep_further(const psp_export *out, const psp_further_list *all,
                         psp_further_list *further) {
  for (size_t i = 0; all != NULL && i < all->count; i++) {
    psp_further one = all->items[i];
    size_t n = 0;
    while (n < out->which_count && out->which[n] != one.source)
      n++;
    one.source = n;
    if (n < out->which_count && !psp_further_add(further, &one)) return false;
  }
  return true;
}

static void put_chosen(psp_export *out, const psp_row *row, bool first) {
  psprobe_run run = *row->run;
  psprobe_result result = *row->result;
  psp_further_list further = {0};
  psp_row one = {.run = &run,
                 .id = row->id,
                 .result = &result,
                 .saved_wall_ns = row->saved_wall_ns,
                 .further = &further};
  keep_names(out, &run);
  result.source_count = out->which_count;
  for (size_t n = 0; n < out->which_count; n++)
    result.answers[n] = row->result->answers[out->which[n]];
  out->text.failed |= !keep_further(out, row->further, &further);
  put_row(out, &one, first);
  psp_further_free(&further);
}

/* The sources, and of a table its head. */
static psprobe_code begin(psp_export *out, const psprobe_run *newest, psprobe_error *error) {
  const psprobe_code code = psp_chosen_find(&out->chosen, newest->sources, newest->source_count,
                                            out->which, &out->which_count, error);
  if (code != PSPROBE_OK || out->form != PSPROBE_REPORT_CSV) return code;
  psprobe_run run = *newest;
  psp_csv_shape shape = out->shape;
  keep_names(out, &run);
  for (size_t n = 0; n < out->which_count; n++)
    out->shape.told[n] = shape.told[out->which[n]];
  psp_csv_put_head(&out->text, run.sources, run.source_count, &out->shape);
  return PSPROBE_OK;
}

/* ---- all of it ---- */

/* Whether a run was not there before. */
static bool is_new(psp_export *out, const char *id) {
  uint32_t number = 0;
  size_t before = out->runs.count;
  if (id[0] == '\0') {
    bool first = !out->unnamed;
    out->unnamed = true;
    return first;
  }
  if (strcmp(out->last_run, id) == 0) return false;
  snprintf(out->last_run, sizeof out->last_run, "%s", id);
  out->text.failed |= !psp_interned_number(&out->runs, id, &number);
  return out->runs.count > before;
}

static void put_run(psp_export *out, const psprobe_run *run) {
  psprobe_run one = *run;
  if (out->form == PSPROBE_REPORT_CSV || !is_new(out, run->id)) return;
  if (out->chosen.count > 0) keep_names(out, &one);
  psp_line_put_run(&out->text, &one);
  hand_on(out, AT_ONCE);
}

bool psp_export_row(void *arg, const psp_row *row) {
  psp_export *out = arg;
  put_run(out, row->run);
  const bool first = out->form == PSPROBE_REPORT_CSV && is_new(out, row->run->id);
  if (out->chosen.count > 0)
    put_chosen(out, row, first);
  else
    put_row(out, row, first);
  return hand_on(out, AT_ONCE) && !out->text.failed;
}

psprobe_code psp_export_runs(psp_export *out, const psp_run_list *runs, psprobe_error *error) {
  static const psprobe_run none;
  const psprobe_run *newest = runs->count > 0 ? &runs->items[runs->count - 1].run : &none;
  const psprobe_code code = begin(out, newest, error);
  for (size_t i = 0; code == PSPROBE_OK && i < runs->count; i++)
    if (out->chosen.count == 0 || psp_run_same_sources(&runs->items[i].run, newest))
      put_run(out, &runs->items[i].run);
  return code;
}

psprobe_code psp_export_columns(psp_export *out, const psp_columns *c, psprobe_error *error) {
  psprobe_run run = {.source_count = c->source_count};
  for (size_t k = 0; k < c->source_count; k++)
    run.sources[k] = c->sources[k].name;
  const psprobe_code code = begin(out, &run, error);
  for (size_t i = 0; code == PSPROBE_OK && i < c->run_count; i++) {
    const psprobe_run one = psp_columns_run(c, (uint32_t)i);
    put_run(out, &one);
  }
  return code;
}

psprobe_code psp_export_end(psp_export *out, psprobe_error *error) {
  bool failed = out->text.failed;
  if (!failed) hand_on(out, 1);
  psp_interned_free(&out->runs);
  psp_buf_free(&out->text);
  return failed ? psp_fail_memory(error, "rows") : PSPROBE_OK;
}

static bool put_text(void *arg, const char *text, size_t len) {
  psp_buf_add(arg, text, len);
  return true;
}

char *psp_columns_export(const psp_columns *columns, psprobe_report_form form) {
  psp_buf all = {0};
  psp_export out = {.form = form, .put = put_text, .arg = &all};
  psp_columns_each(columns, psp_export_note, &out.shape);
  psp_export_columns(&out, columns, NULL); /* of all sources: none is missing */
  psp_columns_each(columns, psp_export_row, &out);
  all.failed |= psp_export_end(&out, NULL) != PSPROBE_OK;
  return psp_buf_take(&all, NULL);
}
