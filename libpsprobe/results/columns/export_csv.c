/* SPDX-License-Identifier: MIT */
/** @file The forms of a table: its head, and a row. */
#include <string.h>

#include "base/timestamp.h"
#include "results/columns/export.h"
#include "results/columns/import.h"
#include "results/columns/old_names.h"
#include "results/upload/document.h"

/* Quoted where it has to be; source names cannot hold these, texts of foreign files can. */
static void put_text(psp_buf *out, const char *text) {
  if (strpbrk(text, ",\"\r\n") == NULL) {
    psp_buf_text(out, text);
    return;
  }
  psp_buf_char(out, '"');
  for (; *text != '\0'; text++) {
    if (*text == '"') psp_buf_char(out, '"');
    psp_buf_char(out, *text);
  }
  psp_buf_char(out, '"');
}

static void put_time(psp_buf *out, int64_t wall_ns) {
  char text[PSP_TIMESTAMP_SIZE];
  psp_buf_text(out, psp_timestamp_format_ns(text, wall_ns));
}

/* A comma and what `cell` holds, quoted where it has to be; emptied. */
static void put_cell(psp_buf *out, psp_buf *cell) {
  psp_buf_char(out, ',');
  if (cell->failed)
    out->failed = true;
  else if (cell->len > 0)
    put_text(out, cell->data);
  psp_buf_reset(cell);
}

static void put_fact_heads(psp_buf *out, psp_buf *cell, const char *name) {
  psp_buf_printf(cell, "%s" PSP_RECEIVED_SUFFIX, name);
  put_cell(out, cell);
  for (size_t i = 0; i < PSP_FACT_COLUMNS; i++) {
    psp_buf_printf(cell, "%s%s", name, psp_fact_columns[i].suffix);
    put_cell(out, cell);
  }
}

void psp_csv_put_head(psp_buf *out, const char *const *sources, size_t count,
                      const psp_csv_shape *shape) {
  static const char *const parts[] = {"status", "cold", "duplicates", "handled_ns"};
  psp_buf cell = {0};
  psp_buf_text(out, "arbitrary_message_id,probe_sent");
  for (size_t k = 0; k < count; k++) {
    psp_put_response_column(&cell, sources, count, k);
    put_cell(out, &cell);
  }
  psp_buf_text(out, ",saved_at,run_id,lateness_ns");
  psp_buf_text(out, shape->publish || !shape->any ? ",publish_ns" : "");
  psp_buf_text(out, shape->cadence ? "," PSP_CADENCE_COLUMN : "");
  for (size_t k = 0; k < count; k++) {
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
      psp_buf_printf(&cell, "%s_%s", sources[k], parts[p]);
      put_cell(out, &cell);
    }
    if (shape->told[k]) put_fact_heads(out, &cell, sources[k]);
  }
  for (size_t i = 0; i < PSP_RUN_COLUMNS && shape->runs; i++)
    psp_buf_printf(out, ",%s", psp_run_columns[i].name);
  psp_buf_char(out, '\n');
  psp_buf_free(&cell);
}

/* An empty cell says that it failed. */
static void put_publish(psp_buf *out, int64_t ns) {
  psp_buf_char(out, ',');
  if (ns >= 0) psp_buf_printf(out, "%lld", (long long)ns);
  if (ns == PSP_PUBLISH_UNKNOWN) psp_buf_text(out, PSP_PUBLISH_UNKNOWN_TEXT);
}

/* A comma, and a number that was told. */
static void put_told(psp_buf *out, int64_t value) {
  psp_buf_char(out, ',');
  if (value > 0) psp_buf_printf(out, "%lld", (long long)value);
}

/* In the order of psp_fact_columns, each as its header had it. */
static void put_facts(psp_buf *out, const psprobe_answer *answer) {
  const psprobe_facts *f = &answer->facts;
  put_told(out, answer->received_wall_ns);
  psp_buf_char(out, ',');
  put_text(out, f->instance);
  put_told(out, f->invocation);
  put_told(out, f->delivery_attempt);
  put_told(out, f->age_ns);
  put_told(out, f->ready_ns);
  psp_buf_char(out, ',');
  if (f->published_wall_ns > 0) put_time(out, f->published_wall_ns);
  put_told(out, f->arrived_wall_ns);
  put_told(out, f->sent_wall_ns);
  psp_buf_char(out, ',');
  for (size_t t = 0; t < PSPROBE_STAMPS && f->exchange_wall_ns[0] > 0; t++)
    psp_buf_printf(out, "%s%lld", t > 0 ? " " : "", (long long)f->exchange_wall_ns[t]);
}

/* What is told of the run: in its first row, and nothing in the others. */
static void put_run(psp_buf *out, const psprobe_run *run, bool first) {
  psp_buf cell = {0};
  for (size_t i = 0; i < PSP_RUN_COLUMNS; i++) {
    if (first) psp_run_put_cell(&cell, run, i);
    put_cell(out, &cell);
  }
  psp_buf_free(&cell);
}

void psp_csv_put_row(psp_buf *out, const psp_row *row, const psp_csv_shape *shape, bool first) {
  const psprobe_result *r = row->result;
  put_text(out, row->id);
  psp_buf_char(out, ',');
  put_time(out, r->sent_wall_ns);
  for (size_t k = 0; k < row->run->source_count; k++) {
    psp_buf_char(out, ',');
    if (psprobe_answer_came(r->answers[k].status))
      psp_buf_printf(out, "%lld", (long long)r->answers[k].elapsed_ns);
  }
  psp_buf_char(out, ',');
  if (row->saved_wall_ns != 0) put_time(out, row->saved_wall_ns); /* else it was not told */
  psp_buf_char(out, ',');
  put_text(out, row->run->id);
  psp_buf_printf(out, ",%lld", (long long)r->lateness_ns);
  if (shape->publish || !shape->any) put_publish(out, r->publish_ns);
  if (shape->cadence) psp_buf_printf(out, ",%s", psp_cadence_names[r->cadence]);
  for (size_t k = 0; k < row->run->source_count; k++) {
    const psprobe_answer *a = &r->answers[k];
    psp_buf_printf(out, ",%s,%d,%u,", psp_status_name(a->status), a->cold ? 1 : 0,
                   (unsigned)a->duplicates);
    if (a->handled_ns >= 0) psp_buf_printf(out, "%lld", (long long)a->handled_ns);
    if (shape->told[k]) put_facts(out, a);
  }
  if (shape->runs) put_run(out, row->run, first);
  psp_buf_char(out, '\n');
}
