/* SPDX-License-Identifier: MIT */
/** @file CSV (RFC 4180, also with LF or CR, blank lines, semicolons or tabs), field by field. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "results/columns/import.h"

#define COLUMNS_MOST 320

typedef struct reader {
  psp_text *text;
  const char *what;
  size_t line; /* of the field under way, from 1 */
  char comma;  /* what parts the fields */
  psp_buf field;
  bool last; /* the field ended its record */
} reader;

static bool at_end(const reader *r) {
  return r->text->at == r->text->end && !psp_text_more(r->text);
}

/* The next byte, where there is one. */
static char next(const reader *r) {
  return r->text->data[r->text->at];
}

static bool is_break(char c) {
  return c == '\n' || c == '\r';
}

/* A quoted field, behind its opening quote. False: it never ends. */
static bool read_quoted(reader *r) {
  while (!at_end(r) && r->field.len <= PSP_TEXT_MOST) {
    char c = next(r);
    r->text->at++;
    if (c == '"' && (at_end(r) || next(r) != '"')) return true;
    if (c == '"') r->text->at++;
    if (c == '\n') r->line++;
    psp_buf_char(&r->field, c);
  }
  return false;
}

static void read_plain(reader *r) {
  psp_text *text = r->text;
  while (!at_end(r) && r->field.len <= PSP_TEXT_MOST) {
    const char *from = text->data + text->at, *at = from, *end = text->data + text->end;
    const char comma = r->comma;
    while (at < end && *at != comma && !is_break(*at))
      at++;
    psp_buf_add(&r->field, from, (size_t)(at - from));
    text->at += (size_t)(at - from);
    if (at < end) return;
  }
}

/* What stands behind a field: a comma, or the end of its row (LF, CR LF, CR CR LF, CR). A CR
 * without LF ends a row of its own, and what is empty is no row. */
static void read_end(reader *r) {
  size_t returns = 0;
  r->last = at_end(r) || next(r) != r->comma;
  if (!r->last) {
    r->text->at++;
    return;
  }
  for (; !at_end(r) && next(r) == '\r'; returns++)
    r->text->at++;
  bool feed = !at_end(r) && next(r) == '\n';
  r->text->at += feed;
  r->line += feed ? 1 : returns;
}

/* One field. False: broken, and `why` says how. */
static bool read_field(reader *r, const char **why) {
  psp_buf_reset(&r->field);
  psp_buf_text(&r->field, "");
  if (at_end(r) || next(r) != '"') {
    read_plain(r);
  } else {
    r->text->at++;
    *why = "a quote is opened and never closed";
    if (!read_quoted(r)) return false;
    *why = "text behind a closing quote";
    if (!at_end(r) && next(r) != r->comma && !is_break(next(r))) return false;
  }
  *why = "a cell of more than 16 MiB";
  if (r->field.len > PSP_TEXT_MOST) return false;
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

/* A field into the row under way. */
static psprobe_code take_field(reader *r, const head *h, size_t line, size_t column,
                               psp_import_row *row, psprobe_error *error) {
  const char *why = "";
  if (!read_field(r, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", r->what, line, why);
  if (column >= h->count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: more fields than columns",
                    r->what, line);
  if (psp_import_set(row, h->roles[column], h->sources[column], r->field.data, &why))
    return PSPROBE_OK;
  char shown[PSP_IMPORT_SHOWN];
  psp_printable_text(shown, sizeof shown, r->field.data);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu, column %s: '%s' is %s", r->what,
                  line, h->names[column], shown, why);
}

static psprobe_code read_record(reader *r, const head *h, psp_import *import,
                                psprobe_error *error) {
  psp_import_row row;
  psprobe_code code = PSPROBE_OK;
  size_t line = r->line, column = 0, bytes = 0;
  psp_import_begin(&row, import->columns->source_count);
  do {
    code = take_field(r, h, line, column++, &row, error);
    bytes += r->field.len;
  } while (code == PSPROBE_OK && !r->last);
  if (code == PSPROBE_OK && bytes == 0) return code; /* ",,,,": a row that a spreadsheet left */
  if (code == PSPROBE_OK && column < h->count)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %zu fields for %zu columns",
                    r->what, line, column, h->count);
  if (code != PSPROBE_OK)
    psp_import_drop(&row);
  else if (!psp_import_end(import, &row))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", r->what, line, row.wrong);
  if (code == PSPROBE_OK && import->columns->failed) code = psp_fail_memory(error, r->what);
  return code;
}

/* What parts the fields: the first line says so ("sep=;", as spreadsheets have it), or shows it. */
static void find_comma(reader *r) {
  r->comma = ',';
  if (at_end(r)) return;
  const char *at = r->text->data + r->text->at;
  size_t left = r->text->end - r->text->at, len = 0;
  while (len < left && !is_break(at[len]))
    len++;
  if (len == 5 && memcmp(at, "sep=", 4) == 0) {
    r->comma = at[4];
    r->text->at += 5;
    read_end(r);
  } else if (memchr(at, ',', len) == NULL) {
    r->comma = memchr(at, ';', len) != NULL ? ';' : memchr(at, '\t', len) != NULL ? '\t' : ',';
  }
}

psprobe_code psp_import_csv(psp_import *import, psp_text *text, psprobe_error *error) {
  reader r = {.text = text, .what = import->what, .line = 1};
  head *h = calloc(1, sizeof *h);
  if (h == NULL) return psp_fail_memory(error, import->what);
  find_comma(&r);
  psprobe_code code = read_head(&r, h, import, error);
  while (code == PSPROBE_OK && !import->ended && !at_end(&r))
    code = read_record(&r, h, import, error);
  head_free(h);
  free(h);
  psp_buf_free(&r.field);
  /* What made the text end early says more than what that made of a row. */
  return text->error.code != PSPROBE_OK ? psp_text_failed(text, error) : code;
}
