/* SPDX-License-Identifier: MIT */
/** @file CSV (RFC 4180, also with LF, a BOM, blank lines), line by line without a copy of the
 * whole. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "results/columns/import.h"

#define COLUMNS_MOST 200

typedef struct reader {
  const char *at, *end, *what;
  size_t line; /**< of the field under way, from 1 */
  psp_buf field;
  bool last; /**< the field ended its record */
} reader;

static bool at_end(const reader *r) {
  return r->at == r->end;
}

/** A quoted field; `at` stands behind the opening quote. False: it never ends. */
static bool read_quoted(reader *r) {
  while (!at_end(r)) {
    char c = *r->at++;
    if (c == '"' && (at_end(r) || *r->at != '"')) return true;
    if (c == '"') r->at++;
    if (c == '\n') r->line++;
    psp_buf_char(&r->field, c);
  }
  return false;
}

/** One field. False: broken, and `why` says how. */
static bool read_field(reader *r, const char **why) {
  psp_buf_reset(&r->field);
  psp_buf_text(&r->field, "");
  if (!at_end(r) && *r->at == '"') {
    r->at++;
    *why = "a quote is opened and never closed";
    if (!read_quoted(r)) return false;
    *why = "text behind a closing quote";
    if (!at_end(r) && *r->at != ',' && *r->at != '\n' && *r->at != '\r') return false;
  } else {
    size_t len = 0, left = (size_t)(r->end - r->at);
    while (len < left && r->at[len] != ',' && r->at[len] != '\n' && r->at[len] != '\r')
      len++;
    psp_buf_add(&r->field, r->at, len);
    r->at += len;
  }
  if (!at_end(r) && *r->at == '\r') r->at++;
  r->last = at_end(r) || *r->at == '\n';
  if (!at_end(r)) r->at++;
  *why = "a zero byte";
  return !r->field.failed && strlen(r->field.data) == r->field.len;
}

typedef struct head {
  char *names[COLUMNS_MOST];
  psp_role roles[COLUMNS_MOST];
  size_t sources[COLUMNS_MOST];
  size_t count;
} head;

static void head_free(head *h) {
  for (size_t i = 0; i < h->count; i++)
    free(h->names[i]);
}

static psprobe_code need(const head *h, psp_role role, const char *name, const reader *r,
                         psprobe_error *error) {
  for (size_t i = 0; i < h->count; i++)
    if (h->roles[i] == role) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line 1: there is no column %s", r->what,
                  name);
}

static psprobe_code read_head(reader *r, head *h, psp_columns *columns, psprobe_error *error) {
  const char *why = "";
  do {
    if (!read_field(r, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line 1: %s", r->what, why);
    if (h->count == COLUMNS_MOST)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: more than %d columns", r->what,
                      COLUMNS_MOST);
    if (!psp_import_source(columns, r->field.data))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: more than %d sources", r->what,
                      PSPROBE_MAX_SOURCES);
    h->names[h->count] = psp_buf_take(&r->field, NULL);
    if (h->names[h->count++] == NULL) return psp_fail_memory(error, r->what);
  } while (!r->last);
  r->line++;
  for (size_t i = 0; i < h->count; i++)
    h->roles[i] = psp_import_role(columns, h->names[i], &h->sources[i]);
  psprobe_code code = need(h, PSP_ROLE_ID, "arbitrary_message_id", r, error);
  if (code == PSPROBE_OK) code = need(h, PSP_ROLE_SENT, "probe_sent", r, error);
  if (code == PSPROBE_OK) code = need(h, PSP_ROLE_ELAPSED, "NAME_response_time", r, error);
  return code;
}

static psprobe_code read_record(reader *r, const head *h, const psprobe_filter *filter,
                                psp_columns *columns, psprobe_error *error) {
  psp_import_row row;
  const char *why = "";
  size_t line = r->line, column = 0;
  psp_import_begin(&row, columns->source_count);
  do {
    if (!read_field(r, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", r->what, line, why);
    if (column == 0 && r->last && r->field.len == 0) { /* a blank line */
      r->line++;
      return PSPROBE_OK;
    }
    if (column >= h->count)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: more fields than columns",
                      r->what, line);
    if (!psp_import_set(&row, h->roles[column], h->sources[column], r->field.data, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu, column %s: '%.40s' is %s",
                      r->what, line, h->names[column], r->field.data, why);
    column++;
  } while (!r->last);
  r->line++;
  if (column < h->count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %zu fields for %zu columns",
                    r->what, line, column, h->count);
  if (!psp_import_end(&row, columns, filter, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", r->what, line, why);
  return columns->failed ? psp_fail_memory(error, r->what) : PSPROBE_OK;
}

psprobe_code psp_import_csv(const char *text, size_t len, const char *what,
                            const psprobe_filter *filter, psp_columns *columns,
                            psprobe_error *error) {
  static const char bom[] = "\xEF\xBB\xBF";
  reader r = {.at = text, .end = text + len, .what = what, .line = 1};
  head *h = calloc(1, sizeof *h);
  if (h == NULL) return psp_fail_memory(error, what);
  if (len >= 3 && memcmp(text, bom, 3) == 0) r.at += 3;
  psprobe_code code = read_head(&r, h, columns, error);
  while (code == PSPROBE_OK && !at_end(&r))
    code = read_record(&r, h, filter, columns, error);
  head_free(h);
  free(h);
  psp_buf_free(&r.field);
  return code;
}
