/* SPDX-License-Identifier: MIT */
/** @file JSON lines: an object a line, its members the columns. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "results/columns/import.h"

/** A member's value as text: "" for null. False: neither text, number nor null. */
static bool text_of(const psp_json *value, psp_buf *out) {
  int64_t number;
  bool flag;
  psp_buf_reset(out);
  psp_buf_text(out, "");
  if (psp_json_is_null(value)) return true;
  if (psp_json_is_string(value)) return psp_json_text(value, out) && strlen(out->data) == out->len;
  if (psp_json_bool(value, &flag)) {
    psp_buf_text(out, flag ? "1" : "0");
    return true;
  }
  if (!psp_json_int64(value, &number)) return false;
  psp_buf_printf(out, "%lld", (long long)number);
  return true;
}

/** Where in the text a line stands, for errors. */
typedef struct place {
  const char *what;
  size_t line;
} place;

static psprobe_code take_object(const psp_json *object, const place *at,
                                const psprobe_filter *filter, psp_columns *columns, psp_buf *text,
                                psprobe_error *error) {
  psp_import_row row;
  const char *why = "";
  psp_import_begin(&row, columns->source_count);
  for (const psp_json *m = psp_json_first(object); m != NULL; m = psp_json_next(m)) {
    size_t source = 0;
    psp_role role = psp_import_role(columns, psp_json_key(m), &source);
    if (role == PSP_ROLE_NONE) continue;
    why = "neither text nor a whole number";
    if (!text_of(m, text) || !psp_import_set(&row, role, source, text->data, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu, %s: '%.40s' is %s", at->what,
                      at->line, psp_json_key(m), text->data, why);
  }
  if (!psp_import_end(&row, columns, filter, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: line %zu: %s", at->what, at->line, why);
  return columns->failed ? psp_fail_memory(error, at->what) : PSPROBE_OK;
}

/** One pass over the lines: `columns` only gets its sources, or its rows. */
static psprobe_code pass(const char *text, size_t len, const char *what, bool sources,
                         const psprobe_filter *filter, psp_columns *columns, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_buf value = {0};
  place at = {.what = what, .line = 0};
  for (size_t from = 0; from < len && code == PSPROBE_OK;) {
    const char *newline = memchr(text + from, '\n', len - from);
    size_t to = newline != NULL ? (size_t)(newline - text) : len;
    psp_json *object = NULL;
    char name[64];
    at.line++;
    if (strspn(text + from, " \t\r") < to - from) {
      snprintf(name, sizeof name, "%.40s: line %zu", what, at.line);
      code = psp_json_parse(text + from, to - from, name, &object, error);
      if (code == PSPROBE_OK && !psp_json_is_object(object))
        code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: not an object", name);
      if (code == PSPROBE_OK && !sources)
        code = take_object(object, &at, filter, columns, &value, error);
      for (const psp_json *m = psp_json_first(object); code == PSPROBE_OK && sources && m != NULL;
           m = psp_json_next(m))
        if (!psp_import_source(columns, psp_json_key(m)))
          code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: more than %d sources", name,
                          PSPROBE_MAX_SOURCES);
    }
    psp_json_free(object);
    from = to + 1;
  }
  psp_buf_free(&value);
  return code;
}

psprobe_code psp_import_json_lines(const char *text, size_t len, const char *what,
                                   const psprobe_filter *filter, psp_columns *columns,
                                   psprobe_error *error) {
  /* A source can turn up first in a later line, and the columns must have them all before. */
  psprobe_code code = pass(text, len, what, true, filter, columns, error);
  if (code == PSPROBE_OK && columns->source_count == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: no line has a NAME_response_time", what);
  if (code == PSPROBE_OK) code = pass(text, len, what, false, filter, columns, error);
  return code;
}
