/* SPDX-License-Identifier: MIT */
/** @file JSON: an object a row, its members the columns; one a line, or all in an array. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "results/columns/import.h"

/* A member's value as text: "" for null. False: neither text, whole number nor null. */
static bool text_of(const psp_json *value, psp_buf *out) {
  int64_t whole;
  double number;
  bool flag;
  psp_buf_reset(out);
  psp_buf_text(out, "");
  if (psp_json_is_null(value)) return true;
  if (psp_json_is_string(value)) return psp_json_text(value, out) && strlen(out->data) == out->len;
  if (psp_json_bool(value, &flag)) {
    psp_buf_text(out, flag ? "1" : "0");
  } else if (psp_json_int64(value, &whole)) {
    psp_buf_printf(out, "%lld", (long long)whole);
  } else { /* 45000000.0 */
    if (!psp_json_double(value, &number) || number != floor(number) || fabs(number) > 9e15)
      return false;
    psp_buf_printf(out, "%.0f", number);
  }
  return true;
}

/* What is done with each object: in turn, since a name can turn up first in a later one. */
typedef enum step { TAKE_NAMES, TAKE_SOURCES, TAKE_ROWS, STEPS } step;

typedef struct pass {
  psp_import *import;
  step step;
  psp_buf text;
} pass;

static psprobe_code take_row(pass *p, const psp_json *object, const char *where,
                             psprobe_error *error) {
  psp_import_row row;
  const char *why = "";
  psp_import_begin(&row, p->import->columns->source_count);
  for (const psp_json *m = psp_json_first(object); m != NULL; m = psp_json_next(m)) {
    size_t source = 0;
    psp_role role = psp_import_role(p->import, psp_json_key(m), &source);
    if (role == PSP_ROLE_NONE) continue;
    why = "neither text nor a whole number";
    if (!text_of(m, &p->text) || !psp_import_set(&row, role, source, p->text.data, &why)) {
      char shown[PSP_IMPORT_SHOWN];
      psp_printable_text(shown, sizeof shown, p->text.data);
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s, %s: '%s' is %s", where, psp_json_key(m),
                      shown, why);
    }
  }
  if (!psp_import_end(p->import, &row))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: %s", where, row.wrong);
  return p->import->columns->failed ? psp_fail_memory(error, p->import->what) : PSPROBE_OK;
}

static psprobe_code take(pass *p, const psp_json *object, const char *where, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (!psp_json_is_object(object))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: not an object", where);
  if (p->step == TAKE_ROWS) return take_row(p, object, where, error);
  for (const psp_json *m = psp_json_first(object); code == PSPROBE_OK && m != NULL;
       m = psp_json_next(m)) {
    if (p->step == TAKE_NAMES)
      psp_old_names_note(&p->import->old_names, psp_json_key(m));
    else
      code = psp_import_source(p->import, psp_json_key(m), error);
  }
  return code;
}

/* One pass over the lines. */
static psprobe_code take_lines(pass *p, const char *text, size_t len, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  size_t line = 0;
  for (size_t from = 0; from < len && code == PSPROBE_OK;) {
    const char *newline = memchr(text + from, '\n', len - from);
    size_t to = newline != NULL ? (size_t)(newline - text) : len;
    psp_json *object = NULL;
    char where[80];
    line++;
    if (strspn(text + from, " \t\r") < to - from) {
      snprintf(where, sizeof where, "%.40s: line %zu", p->import->what, line);
      code = psp_json_parse(text + from, to - from, where, &object, error);
      if (code == PSPROBE_OK) code = take(p, object, where, error);
    }
    psp_json_free(object);
    from = to + 1;
  }
  return code;
}

static psprobe_code take_items(pass *p, const psp_json *array, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  size_t number = 0;
  for (const psp_json *item = psp_json_first(array); code == PSPROBE_OK && item != NULL;
       item = psp_json_next(item)) {
    char where[80];
    snprintf(where, sizeof where, "%.40s: item %zu", p->import->what, ++number);
    code = take(p, item, where, error);
  }
  return code;
}

psprobe_code psp_import_json(psp_import *import, const char *text, size_t len,
                             psprobe_error *error) {
  pass p = {.import = import};
  psp_json *array = NULL;
  psprobe_code code = PSPROBE_OK;
  if (len > 0 && text[strspn(text, " \t\r\n")] == '[')
    code = psp_json_parse(text, len, import->what, &array, error);
  for (; code == PSPROBE_OK && p.step < STEPS; p.step++) {
    code = array != NULL ? take_items(&p, array, error) : take_lines(&p, text, len, error);
    if (code == PSPROBE_OK && p.step == TAKE_SOURCES && import->columns->source_count == 0)
      code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: no %s has a NAME_response_time",
                      import->what, array != NULL ? "item" : "line");
  }
  psp_json_free(array);
  psp_buf_free(&p.text);
  return code == PSPROBE_OK ? psp_import_finish(import, error) : code;
}
