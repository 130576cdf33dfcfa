/* SPDX-License-Identifier: MIT */
/**
 * @file One row a probe (RFC 4180, but LF). The first columns are the five fields of the first
 * experiment, and a NAME_response_time for each further source, so that what is written here can be
 * read here; ours follow.
 */
#include <string.h>

#include "base/buf.h"
#include "base/timestamp.h"
#include "results/columns/columns.h"
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

static void put_head(psp_buf *out, const psp_columns *c, bool publish) {
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
  psp_buf_text(
      out, publish ? ",saved_at,run_id,lateness_ns,publish_ns" : ",saved_at,run_id,lateness_ns");
  for (size_t k = 0; k < c->source_count; k++) {
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
      psp_buf_printf(&cell, "%s_%s", names[k], parts[p]);
      put_head_cell(out, &cell);
    }
  }
  psp_buf_char(out, '\n');
  psp_buf_free(&cell);
}

static void put_publish(psp_buf *out, int64_t ns) {
  psp_buf_char(out, ',');
  if (ns >= 0) psp_buf_printf(out, "%lld", (long long)ns);
  if (ns == PSP_PUBLISH_UNKNOWN) psp_buf_text(out, PSP_PUBLISH_UNKNOWN_TEXT);
}

static void put_row(psp_buf *out, const psp_columns *c, size_t i, bool publish) {
  put_text(out, c->id[i]);
  psp_buf_char(out, ',');
  put_time(out, c->sent_wall_ns[i]);
  for (size_t k = 0; k < c->source_count; k++) {
    psp_buf_char(out, ',');
    if (c->sources[k].status[i] != PSPROBE_LOST)
      psp_buf_printf(out, "%lld", (long long)c->sources[k].elapsed_ns[i]);
  }
  psp_buf_char(out, ',');
  if (c->saved_wall_ns[i] != 0) put_time(out, c->saved_wall_ns[i]); /* else it was not told */
  psp_buf_char(out, ',');
  put_text(out, c->runs[c->run[i]].run.id);
  psp_buf_printf(out, ",%lld", (long long)c->lateness_ns[i]);
  if (publish) put_publish(out, c->publish_ns[i]);
  for (size_t k = 0; k < c->source_count; k++) {
    const psp_source_columns *s = &c->sources[k];
    psp_buf_printf(out, ",%s,%d,%u,", psp_status_name((psprobe_status)s->status[i]),
                   s->cold[i] ? 1 : 0, (unsigned)s->duplicates[i]);
    if (s->handled_ns[i] >= 0) psp_buf_printf(out, "%lld", (long long)s->handled_ns[i]);
  }
  psp_buf_char(out, '\n');
}

char *psp_columns_csv(const psp_columns *columns) {
  psp_buf out = {0};
  bool publish = tells_publish(columns);
  put_head(&out, columns, publish);
  for (size_t i = 0; i < columns->count; i++)
    put_row(&out, columns, i, publish);
  return psp_buf_take(&out, NULL);
}
