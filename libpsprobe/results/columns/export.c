/* SPDX-License-Identifier: MIT */
/**
 * @file One row a probe (RFC 4180, but LF). The first columns are the five fields of the first
 * experiment, and a NAME_response_time for each further source, so that what is written here can be
 * read here; ours follow.
 */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/timestamp.h"
#include "results/columns/columns.h"
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

/* A comma and a cell of the head: what `cell` holds, quoted where it has to be; emptied. */
static void put_head_cell(psp_buf *out, psp_buf *cell) {
  psp_buf_char(out, ',');
  if (cell->failed)
    out->failed = true;
  else
    put_text(out, cell->data);
  psp_buf_reset(cell);
}

/* Whether anything is told of publishing: an empty cell says that it failed. */
static bool tells_publish(const psp_columns *c) {
  for (size_t i = 0; i < c->count; i++)
    if (c->publish_ns[i] != PSP_PUBLISH_UNKNOWN) return true;
  return c->count == 0;
}

/* What of a table's head is not always there. */
typedef struct table_shape {
  bool publish, cadence;
  bool told[PSPROBE_MAX_SOURCES];
} table_shape;

static table_shape shape_of(const psp_columns *c) {
  const psp_columns *apart = c->apart;
  table_shape s = {.publish = tells_publish(c) || (apart != NULL && tells_publish(apart)),
                   .cadence = apart != NULL && apart->count > 0};
  for (size_t k = 0; k < c->source_count; k++)
    s.told[k] = c->sources[k].told != NULL || (apart != NULL && apart->sources[k].told != NULL);
  return s;
}

static void put_fact_heads(psp_buf *out, psp_buf *cell, const char *name) {
  psp_buf_printf(cell, "%s" PSP_RECEIVED_SUFFIX, name);
  put_head_cell(out, cell);
  for (size_t i = 0; i < PSP_FACT_COLUMNS; i++) {
    psp_buf_printf(cell, "%s%s", name, psp_fact_columns[i].suffix);
    put_head_cell(out, cell);
  }
}

static void put_head(psp_buf *out, const psp_columns *c, const table_shape *shape) {
  static const char *const parts[] = {"status", "cold", "duplicates", "handled_ns"};
  const char *names[PSPROBE_MAX_SOURCES];
  psp_buf cell = {0};
  for (size_t k = 0; k < c->source_count; k++)
    names[k] = c->sources[k].name;
  psp_buf_text(out, "arbitrary_message_id,probe_sent");
  for (size_t k = 0; k < c->source_count; k++) {
    psp_put_response_column(&cell, names, c->source_count, k);
    put_head_cell(out, &cell);
  }
  psp_buf_text(out, ",saved_at,run_id,lateness_ns");
  psp_buf_text(out, shape->publish ? ",publish_ns" : "");
  psp_buf_text(out, shape->cadence ? "," PSP_CADENCE_COLUMN : "");
  for (size_t k = 0; k < c->source_count; k++) {
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
      psp_buf_printf(&cell, "%s_%s", names[k], parts[p]);
      put_head_cell(out, &cell);
    }
    if (shape->told[k]) put_fact_heads(out, &cell, names[k]);
  }
  psp_buf_char(out, '\n');
  psp_buf_free(&cell);
}

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
static void put_facts(psp_buf *out, const psp_columns *c, const psp_told_row *told) {
  static const psp_told_row nothing = {0};
  if (told == NULL) told = &nothing;
  put_told(out, told->received_ns);
  psp_buf_char(out, ',');
  put_text(out, psp_interned_at(&c->instances, told->instance));
  put_told(out, told->invocation);
  put_told(out, told->attempt);
  put_told(out, told->age_ns);
  put_told(out, told->ready_ns);
  psp_buf_char(out, ',');
  if (told->published_ns > 0) put_time(out, told->published_ns);
  put_told(out, told->arrived_ns);
  put_told(out, told->sent_ns);
  psp_buf_char(out, ',');
  for (size_t t = 0; t < PSPROBE_STAMPS && told->exchange_ns[0] > 0; t++)
    psp_buf_printf(out, "%s%lld", t > 0 ? " " : "", (long long)told->exchange_ns[t]);
}

/* `c` has the row, `all` the runs. */
static void put_row(psp_buf *out, const psp_columns *all, const psp_columns *c, size_t i,
                    const table_shape *shape) {
  put_text(out, c->id[i]);
  psp_buf_char(out, ',');
  put_time(out, c->sent_wall_ns[i]);
  for (size_t k = 0; k < c->source_count; k++) {
    psp_buf_char(out, ',');
    if (psprobe_answer_came(c->sources[k].status[i]))
      psp_buf_printf(out, "%lld", (long long)c->sources[k].elapsed_ns[i]);
  }
  psp_buf_char(out, ',');
  if (c->saved_wall_ns[i] != 0) put_time(out, c->saved_wall_ns[i]); /* else it was not told */
  psp_buf_char(out, ',');
  put_text(out, all->runs[c->run[i]].run.id);
  psp_buf_printf(out, ",%lld", (long long)c->lateness_ns[i]);
  if (shape->publish) put_publish(out, c->publish_ns[i]);
  if (shape->cadence) psp_buf_printf(out, ",%s", psp_cadence_names[c != all]);
  for (size_t k = 0; k < c->source_count; k++) {
    const psp_source_columns *s = &c->sources[k];
    psp_buf_printf(out, ",%s,%d,%u,", psp_status_name((psprobe_status)s->status[i]),
                   s->cold[i] ? 1 : 0, (unsigned)s->duplicates[i]);
    if (s->handled_ns[i] >= 0) psp_buf_printf(out, "%lld", (long long)s->handled_ns[i]);
    if (shape->told[k]) put_facts(out, c, s->told == NULL ? NULL : &s->told[i]);
  }
  psp_buf_char(out, '\n');
}

static void put_rows(psp_buf *out, const psp_columns *all, const psp_columns *c,
                     const table_shape *shape) {
  for (size_t i = 0; c != NULL && i < c->count; i++)
    put_row(out, all, c, i, shape);
}

char *psp_columns_csv(const psp_columns *columns) {
  psp_buf out = {0};
  const table_shape shape = shape_of(columns);
  put_head(&out, columns, &shape);
  put_rows(&out, columns, columns, &shape);
  put_rows(&out, columns, columns->apart, &shape);
  return psp_buf_take(&out, NULL);
}

/* ---- of a store, in constant memory ---- */

typedef struct streaming {
  table_shape shape;
  bool begun; /* the head is out */
  bool cold;  /* the probes apart, which come after the others */
  psp_buf text;
  psp_text_put *put;
  void *arg;
} streaming;

static bool note_shape(void *arg, const psp_columns *c) {
  streaming *s = arg;
  const table_shape shape = shape_of(c);
  s->shape.publish |= shape.publish;
  s->shape.cadence |= shape.cadence;
  for (size_t k = 0; k < c->source_count; k++)
    s->shape.told[k] |= shape.told[k];
  return true;
}

static bool put_part(void *arg, const psp_columns *c) {
  streaming *s = arg;
  psp_buf_reset(&s->text);
  if (!s->begun) put_head(&s->text, c, &s->shape);
  s->begun = true;
  put_rows(&s->text, c, s->cold ? c->apart : c, &s->shape);
  return !s->text.failed && (s->text.len == 0 || s->put(s->arg, s->text.data, s->text.len));
}

psprobe_code psp_store_csv(psprobe_store *store, const psprobe_filter *filter, psp_text_put *put,
                           void *arg, psprobe_error *error) {
  streaming s = {.put = put, .arg = arg};
  psprobe_code code = psp_columns_in_parts(store, filter, note_shape, &s, error);
  if (code == PSPROBE_OK) code = psp_columns_in_parts(store, filter, put_part, &s, error);
  s.cold = true;
  if (code == PSPROBE_OK && s.shape.cadence)
    code = psp_columns_in_parts(store, filter, put_part, &s, error);
  if (code == PSPROBE_OK && s.text.failed) code = psp_fail_memory(error, "rows");
  psp_buf_free(&s.text);
  return code;
}
