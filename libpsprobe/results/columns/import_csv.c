/* SPDX-License-Identifier: MIT */
/** @file CSV (RFC 4180, also with LF or CR, a BOM, blank lines, semicolons or tabs), line by line
 * without a copy of the whole. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "results/columns/import.h"

#define COLUMNS_MOST 320

typedef struct reader {
  const char *at, *end, *what;
  size_t line; /* of the field under way, from 1 */
  char comma;  /* what parts the fields */
  psp_buf field;
  bool last; /* the field ended its record */
} reader;

static bool at_end(const reader *r) {
  return r->at == r->end;
}

static bool is_break(char c) {
  return c == '\n' || c == '\r';
}

/* A quoted field; `at` stands behind the opening quote. False: it never ends. */
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

static void read_plain(reader *r) {
  const char *from = r->at, *at = from, *end = r->end;
  const char comma = r->comma;
  while (at < end && *at != comma && !is_break(*at))
    at++;
  psp_buf_add(&r->field, from, (size_t)(at - from));
  r->at = at;
}

/* What stands behind a field: a comma, or the end of its row (LF, CR LF, CR CR LF, CR). */
static void read_end(reader *r) {
  r->last = at_end(r) || *r->at != r->comma;
  if (!r->last) {
    r->at++;
    return;
  }
  const char *from = r->at;
  while (!at_end(r) && *r->at == '\r')
    r->at++;
  if (!at_end(r) && *r->at == '\n')
    r->at++;
  else if (r->at > from)
    r->at = from + 1; /* each CR ends a row of its own */
}

/* One field. False: broken, and `why` says how. */
static bool read_field(reader *r, const char **why) {
  psp_buf_reset(&r->field);
  psp_buf_text(&r->field, "");
  if (at_end(r) || *r->at != '"') {
    read_plain(r);
  } else {
    r->at++;
    *why = "a quote is opened and never closed";
    if (!read_quoted(r)) return false;
    *why = "text behind a closing quote";
    if (!at_end(r) && *r->at != r->comma && !is_break(*r->at)) return false;
  }
  read_end(r);
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

/* A name without the blanks around it. */
static char *take_name(psp_buf *field) {
  char *name = psp_buf_take(field, NULL);
  if (name == NULL) return NULL;
  size_t blank = strspn(name, " \t"), len = strlen(name + blank);
  while (len > 0 && (name[blank + len - 1] == ' ' || name[blank + len - 1] == '\t'))
    len--;
  memmove(name, name + blank, len);
  name[len] = '\0';
  return name;
}

static psprobe_code read_names(reader *r, head *h, psprobe_error *error) {
  const char *why = "";
  do {
    if (!read_field(r, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line 1: %s", r->what, why);
    if (h->count == COLUMNS_MOST)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: more than %d columns", r->what,
                      COLUMNS_MOST);
    h->names[h->count] = take_name(&r->field);
    if (h->names[h->count++] == NULL) return psp_fail_memory(error, r->what);
  } while (!r->last);
  return PSPROBE_OK;
}

/* Two columns that mean the same say two things of it. */
static psprobe_code check_twice(const head *h, const reader *r, psprobe_error *error) {
  for (size_t i = 0; i < h->count; i++)
    for (size_t k = 0; k < i; k++)
      if (h->roles[i] != PSP_ROLE_NONE && h->roles[i] == h->roles[k] &&
          (h->roles[i] < PSP_ROLE_ELAPSED || h->sources[i] == h->sources[k]))
        return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                        "%s: line 1: columns %zu and %zu, %.80s and %.80s, mean the same", r->what,
                        k + 1, i + 1, h->names[k], h->names[i]);
  return PSPROBE_OK;
}

static psprobe_code read_head(reader *r, head *h, psp_import *import, psprobe_error *error) {
  psprobe_code code = read_names(r, h, error);
  if (code != PSPROBE_OK) return code;
  r->line++;
  for (size_t i = 0; i < h->count; i++)
    psp_old_names_note(&import->old_names, h->names[i]);
  for (size_t i = 0; code == PSPROBE_OK && i < h->count; i++)
    code = psp_import_source(import, h->names[i], error);
  for (size_t i = 0; i < h->count; i++)
    h->roles[i] = psp_import_role(import, h->names[i], &h->sources[i]);
  if (code == PSPROBE_OK) code = need(h, PSP_ROLE_ID, "arbitrary_message_id", r, error);
  if (code == PSPROBE_OK) code = need(h, PSP_ROLE_SENT, "probe_sent", r, error);
  if (code == PSPROBE_OK) code = need(h, PSP_ROLE_ELAPSED, "NAME_response_time", r, error);
  return code == PSPROBE_OK ? check_twice(h, r, error) : code;
}

static psprobe_code read_record(reader *r, const head *h, psp_import *import,
                                psprobe_error *error) {
  psp_import_row row;
  const char *why = "";
  size_t line = r->line, column = 0, bytes = 0;
  psp_import_begin(&row, import->columns->source_count);
  do {
    if (!read_field(r, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", r->what, line, why);
    if (column >= h->count)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: more fields than columns",
                      r->what, line);
    if (!psp_import_set(&row, h->roles[column], h->sources[column], r->field.data, &why)) {
      char shown[PSP_IMPORT_SHOWN];
      psp_printable_text(shown, sizeof shown, r->field.data);
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu, column %s: '%s' is %s",
                      r->what, line, h->names[column], shown, why);
    }
    bytes += r->field.len;
    column++;
  } while (!r->last);
  r->line++;
  if (bytes == 0) return PSPROBE_OK; /* ",,,,": a row that a spreadsheet left */
  if (column < h->count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %zu fields for %zu columns",
                    r->what, line, column, h->count);
  if (!psp_import_end(import, &row))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", r->what, line, row.wrong);
  return import->columns->failed ? psp_fail_memory(error, r->what) : PSPROBE_OK;
}

/* What parts the fields: the first line says so ("sep=;", as spreadsheets have it), or shows it. */
static void find_comma(reader *r) {
  size_t left = (size_t)(r->end - r->at), len = 0;
  while (len < left && !is_break(r->at[len]))
    len++;
  r->comma = ',';
  if (len == 5 && memcmp(r->at, "sep=", 4) == 0) {
    r->comma = r->at[4];
    r->at += 5;
    read_end(r);
    r->line++;
  } else if (memchr(r->at, ',', len) == NULL) {
    r->comma = memchr(r->at, ';', len) != NULL    ? ';'
               : memchr(r->at, '\t', len) != NULL ? '\t'
                                                  : ',';
  }
}

psprobe_code psp_import_csv(psp_import *import, const char *text, size_t len,
                            psprobe_error *error) {
  reader r = {.at = text, .end = text + len, .what = import->what, .line = 1};
  head *h = calloc(1, sizeof *h);
  if (h == NULL) return psp_fail_memory(error, import->what);
  find_comma(&r);
  psprobe_code code = read_head(&r, h, import, error);
  while (code == PSPROBE_OK && !at_end(&r))
    code = read_record(&r, h, import, error);
  head_free(h);
  free(h);
  psp_buf_free(&r.field);
  return code == PSPROBE_OK ? psp_import_finish(import, error) : code;
}
