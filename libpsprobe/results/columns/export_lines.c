/* SPDX-License-Identifier: MIT */
/** @file The forms of a line: a run, and a probe. */
#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "results/columns/export.h"
#include "results/columns/import.h"
#include "results/upload/document.h"

/* A run's settings as the object that they are; else as a text. */
static void put_settings(psp_json_writer *w, const char *settings) {
  psp_json *json = NULL;
  if (psp_json_parse(settings, strlen(settings), "settings", &json, NULL) == PSPROBE_OK &&
      psp_json_is_object(json))
    psp_json_put_json(w, json);
  else
    psp_json_put_string(w, settings);
  psp_json_free(json);
}

static void put_run_member(psp_json_writer *w, const psprobe_run *run, size_t column) {
  psp_buf cell = {0};
  psp_run_kind kind = psp_run_columns[column].kind;
  psp_json_put_key(w, psp_run_columns[column].name);
  psp_run_put_cell(&cell, run, column);
  if (cell.len == 0)
    psp_json_put_null(w);
  else if (kind == PSP_RUN_SETTINGS)
    put_settings(w, cell.data);
  else if (kind == PSP_RUN_NS || kind == PSP_RUN_COUNT)
    psp_json_put_raw(w, cell.data, cell.len);
  else
    psp_json_put_string(w, cell.data);
  w->buf->failed |= cell.failed;
  psp_buf_free(&cell);
}

void psp_line_put_run(psp_buf *out, const psprobe_run *run) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, PSP_LINE_KIND, PSP_LINE_RUN);
  psp_json_put_member(&w, "run_id", run->id);
  for (size_t i = 0; i < PSP_RUN_COLUMNS; i++)
    put_run_member(&w, run, i);
  psp_json_begin_array_member(&w, PSP_LINE_RUN_SOURCES);
  for (size_t k = 0; k < run->source_count; k++)
    psp_json_put_string(&w, run->sources[k]);
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  psp_buf_char(out, '\n');
}

static void put_time(psp_json_writer *w, const char *key, int64_t wall_ns) {
  char text[PSP_TIMESTAMP_SIZE];
  psp_json_put_member(w, key, psp_timestamp_format_ns(text, wall_ns));
}

static void put_known(psp_json_writer *w, const char *key, bool known, int64_t value) {
  psp_json_put_key(w, key);
  psp_json_put_known(w, known, value);
}

/* A number that was told; no member where it was not. */
static void put_told(psp_json_writer *w, const char *key, int64_t value) {
  if (value > 0) psp_json_put_int64_member(w, key, value);
}

static void put_facts(psp_json_writer *w, const psprobe_answer *answer) {
  const psprobe_facts *f = &answer->facts;
  put_told(w, "received_ns", answer->received_wall_ns);
  if (f->instance[0] != '\0') psp_json_put_member(w, "instance", f->instance);
  put_told(w, "invocation", f->invocation);
  put_told(w, "attempt", f->delivery_attempt);
  put_told(w, "age_ns", f->age_ns);
  put_told(w, "ready_ns", f->ready_ns);
  if (f->published_wall_ns > 0) put_time(w, "published_at", f->published_wall_ns);
  put_told(w, "arrived_ns", f->arrived_wall_ns);
  put_told(w, "sent_ns", f->sent_wall_ns);
  if (f->exchange_wall_ns[0] <= 0) return;
  psp_json_begin_array_member(w, "exchange");
  for (size_t t = 0; t < PSPROBE_STAMPS; t++)
    psp_json_put_int64(w, f->exchange_wall_ns[t]);
  psp_json_end_array(w);
}

static void put_answer(psp_json_writer *w, const psprobe_answer *a) {
  bool came = psprobe_answer_came(a->status);
  put_known(w, "elapsed_ns", came, a->elapsed_ns);
  psp_json_put_member(w, "status", psp_status_name(a->status));
  psp_json_put_bool_member(w, "cold", a->cold);
  psp_json_put_int64_member(w, "duplicates", a->duplicates);
  put_known(w, "handled_ns", a->handled_ns >= 0, a->handled_ns);
  put_facts(w, a);
}

/* What came of a source's answer again. */
static void put_further(psp_json_writer *w, const psp_row *row, size_t source) {
  bool any = false;
  for (size_t i = 0; row->further != NULL && i < row->further->count; i++) {
    const psp_further *d = &row->further->items[i];
    if (d->source != source) continue;
    if (!any) psp_json_begin_array_member(w, PSP_LINE_FURTHER);
    any = true;
    psp_json_begin_object(w);
    psp_json_put_int64_member(w, "delivery", d->delivery);
    put_answer(w, &d->answer);
    psp_json_end_object(w);
  }
  if (any) psp_json_end_array(w);
}

void psp_line_put_row(psp_buf *out, const psp_row *row) {
  const psprobe_result *r = row->result;
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, PSP_LINE_KIND, PSP_LINE_PROBE);
  psp_json_put_member(&w, "arbitrary_message_id", row->id);
  put_time(&w, "probe_sent", r->sent_wall_ns);
  if (row->saved_wall_ns != 0) put_time(&w, "saved_at", row->saved_wall_ns);
  psp_json_put_member(&w, "run_id", row->run->id);
  psp_json_put_int64_member(&w, "lateness_ns", r->lateness_ns);
  if (r->publish_ns != PSP_PUBLISH_UNKNOWN)
    put_known(&w, "publish_ns", r->publish_ns >= 0, r->publish_ns);
  psp_json_put_member(&w, PSP_CADENCE_COLUMN, psp_cadence_names[r->cadence]);
  psp_json_begin_object_member(&w, PSP_LINE_SOURCES);
  for (size_t k = 0; k < row->run->source_count; k++) {
    psp_json_begin_object_member(&w, row->run->sources[k]);
    put_answer(&w, &r->answers[k]);
    put_further(&w, row, k);
    psp_json_end_object(&w);
  }
  psp_json_end_object(&w);
  psp_json_end_object(&w);
  psp_buf_char(out, '\n');
}
