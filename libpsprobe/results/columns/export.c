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

static void begin(psp_export *out, const char *const *sources, size_t count) {
  if (out->form == PSPROBE_REPORT_CSV) psp_csv_put_head(&out->text, sources, count, &out->shape);
}

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
  if (out->form == PSPROBE_REPORT_CSV || !is_new(out, run->id)) return;
  psp_line_put_run(&out->text, run);
  hand_on(out, AT_ONCE);
}

bool psp_export_row(void *arg, const psp_row *row) {
  psp_export *out = arg;
  put_run(out, row->run);
  if (out->form == PSPROBE_REPORT_CSV)
    psp_csv_put_row(&out->text, row, &out->shape, is_new(out, row->run->id));
  else
    psp_line_put_row(&out->text, row);
  return hand_on(out, AT_ONCE) && !out->text.failed;
}

void psp_export_runs(psp_export *out, const psp_run_list *runs) {
  static const psprobe_run none;
  const psprobe_run *newest = runs->count > 0 ? &runs->items[runs->count - 1].run : &none;
  begin(out, newest->sources, newest->source_count);
  for (size_t i = 0; i < runs->count; i++)
    put_run(out, &runs->items[i].run);
}

void psp_export_columns(psp_export *out, const psp_columns *c) {
  psprobe_run run = {.source_count = c->source_count};
  for (size_t k = 0; k < c->source_count; k++)
    run.sources[k] = c->sources[k].name;
  begin(out, run.sources, run.source_count);
  for (size_t i = 0; i < c->run_count; i++) {
    psprobe_run one = c->runs[i].run;
    one.source_count = run.source_count;
    memcpy(one.sources, run.sources, sizeof run.sources);
    put_run(out, &one);
  }
}

psprobe_code psp_export_end(psp_export *out, psprobe_error *error) {
  bool failed = out->text.failed;
  if (!failed) hand_on(out, 1);
  psp_interned_free(&out->runs);
  psp_buf_free(&out->text);
  return failed ? psp_fail_memory(error, "rows") : PSPROBE_OK;
}

void psp_export_all(psp_export *out, const psp_columns *columns) {
  psp_columns_each(columns, psp_export_note, &out->shape);
  psp_export_columns(out, columns);
  psp_columns_each(columns, psp_export_row, out);
}

static bool put_text(void *arg, const char *text, size_t len) {
  psp_buf_add(arg, text, len);
  return true;
}

char *psp_columns_export(const psp_columns *columns, psprobe_report_form form) {
  psp_buf all = {0};
  psp_export out = {.form = form, .put = put_text, .arg = &all};
  psp_export_all(&out, columns);
  all.failed |= psp_export_end(&out, NULL) != PSPROBE_OK;
  return psp_buf_take(&all, NULL);
}
