/* SPDX-License-Identifier: MIT */
#include "results/columns/members.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/name.h"
#include "base/printable.h"
#include "base/text.h"

psp_members_of psp_members_kind(const psp_json *object) {
  const char *kind = psp_json_string(psp_json_get(object, PSP_LINE_KIND));
  if (psp_text_equal(kind, PSP_LINE_RUN)) return PSP_MEMBERS_RUN;
  if (psp_text_equal(kind, PSP_LINE_PROBE) &&
      psp_json_is_object(psp_json_get(object, PSP_LINE_SOURCES)))
    return PSP_MEMBERS_PROBE;
  return PSP_MEMBERS_FLAT;
}

bool psp_members_text(const psp_json *value, psp_buf *out) {
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

/* The same of what is more than one value: a run's settings, the stamps of an exchange. */
static bool text_of(const psp_json *value, psp_buf *out) {
  psp_buf item = {0};
  bool good = true;
  psp_buf_reset(out);
  psp_buf_text(out, "");
  if (psp_json_is_object(value)) {
    psp_json_writer w = {.buf = out};
    psp_json_put_json(&w, value);
    return !out->failed;
  }
  if (!psp_json_is_array(value)) return psp_members_text(value, out);
  for (const psp_json *m = psp_json_first(value); good && m != NULL; m = psp_json_next(m)) {
    good = psp_members_text(m, &item);
    psp_buf_text(out, out->len > 0 ? " " : "");
    psp_buf_text(out, good ? item.data : "");
  }
  psp_buf_free(&item);
  return good;
}

/* What is said of a member that is not as it must be. */
static psprobe_code refuse(const char *where, const char *of, const psp_json *member,
                           const psp_buf *text, const char *why, psprobe_error *error) {
  char shown[PSP_IMPORT_SHOWN];
  psp_printable_text(shown, sizeof shown, text->data != NULL ? text->data : "");
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s, %.80s%s%.80s: '%s' is %s", where, of,
                  of[0] != '\0' ? "." : "", psp_json_key(member), shown, why);
}

/* ---- a run ---- */

static psprobe_code read_id(const psp_json *object, const char *where, psprobe_run *run,
                            psprobe_error *error) {
  const char *id = psp_json_string(psp_json_get(object, "run_id"));
  if (id == NULL || id[0] == '\0') return PSPROBE_OK; /* of no run */
  if (strlen(id) < sizeof run->id && psp_name_check("run", id, strlen(id), NULL) == PSPROBE_OK) {
    memcpy(run->id, id, strlen(id) + 1);
    return PSPROBE_OK;
  }
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "%s, run_id: no run's id: 1 to 32 bytes that can be printed", where);
}

/* The names of an array's items, or of an object's members. */
static psprobe_code read_sources(const psp_json *names, const char *where, psprobe_run *run,
                                 psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  bool array = psp_json_is_array(names);
  for (const psp_json *m = psp_json_first(names); code == PSPROBE_OK && m != NULL;
       m = psp_json_next(m)) {
    const char *name = array ? psp_json_string(m) : psp_json_key(m);
    if (run->source_count == PSPROBE_MAX_SOURCES)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: more than %d sources", where,
                      PSPROBE_MAX_SOURCES);
    if (name == NULL)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: a source without a name", where);
    code = psp_name_check_source(name, run->sources, run->source_count, error);
    if (code != PSPROBE_OK) return error != NULL ? psp_fail_in(error, "%s", where) : code;
    run->sources[run->source_count] = psp_strdup(name);
    if (run->sources[run->source_count++] == NULL) return psp_fail_memory(error, where);
  }
  return code;
}

psprobe_code psp_members_run_of_probe(const psp_json *object, const char *where, psp_run_copy *run,
                                      psprobe_error *error) {
  psprobe_code code = read_id(object, where, &run->run, error);
  if (code != PSPROBE_OK) return code;
  return read_sources(psp_json_get(object, PSP_LINE_SOURCES), where, &run->run, error);
}

static psprobe_code read_facts(const psp_json *object, const char *where, psp_run_copy *run,
                               psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_buf text = {0};
  for (size_t i = 0; code == PSPROBE_OK && i < PSP_RUN_COLUMNS; i++) {
    const psp_json *member = psp_json_get(object, psp_run_columns[i].name);
    const char *why = "not what it must be";
    if (member == NULL || psp_json_is_null(member)) continue;
    if (!text_of(member, &text) || (text.len > 0 && !psp_run_set_cell(run, i, text.data, &why)))
      code = refuse(where, "", member, &text, why, error);
  }
  psp_buf_free(&text);
  return code;
}

psprobe_code psp_members_run(const psp_json *object, const char *where, psp_run_copy *run,
                             psprobe_error *error) {
  const psp_json *sources = psp_json_get(object, PSP_LINE_RUN_SOURCES);
  psprobe_code code = read_id(object, where, &run->run, error);
  if (code == PSPROBE_OK && !psp_json_is_array(sources))
    code =
        psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: a run without " PSP_LINE_RUN_SOURCES, where);
  if (code == PSPROBE_OK) code = read_sources(sources, where, &run->run, error);
  return code == PSPROBE_OK ? read_facts(object, where, run, error) : code;
}

/* ---- a probe ---- */

/* The members of an answer, for a source of the row. */
static psprobe_code read_answer(const psp_json *object, const char *where, const char *of,
                                psp_import_row *row, size_t source, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_buf text = {0};
  for (const psp_json *m = psp_json_first(object); code == PSPROBE_OK && m != NULL;
       m = psp_json_next(m)) {
    psp_role role = psp_import_answer_role(psp_json_key(m));
    const char *why = "neither text nor a whole number";
    if (role == PSP_ROLE_NONE) continue;
    if (!text_of(m, &text) || !psp_import_set(row, role, source, text.data, &why))
      code = refuse(where, of, m, &text, why, error);
  }
  psp_buf_free(&text);
  return code;
}

static psprobe_code read_further(psp_import *import, const psp_json *further, const char *where,
                                 const char *of, size_t source, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (further != NULL && !psp_json_is_array(further) && !psp_json_is_null(further))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s, %.80s.further: no array", where, of);
  for (const psp_json *m = psp_json_first(further); code == PSPROBE_OK && m != NULL;
       m = psp_json_next(m)) {
    psp_import_row one;
    int64_t number = 0;
    psp_import_begin(&one, 1);
    if (psp_json_is_object(m)) code = read_answer(m, where, of, &one, 0, error);
    if (code != PSPROBE_OK) return code;
    if (!psp_json_int64(psp_json_get(m, "delivery"), &number) || number < 2 ||
        number > UINT32_MAX || !one.told[0] ||
        psprobe_answer_came(one.result.answers[0].status) != one.timed[0])
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "%s, %.80s.further: a delivery from 2 on, a status, and the time that it has",
                      where, of);
    if (!psp_further_add(&import->further,
                         &(psp_further){source, (uint32_t)number, one.result.answers[0]}))
      return psp_fail_memory(error, where);
  }
  return code;
}

static psprobe_code read_row(psp_import *import, const psp_json *object, const char *where,
                             psp_import_row *row, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_buf text = {0};
  for (const psp_json *m = psp_json_first(object); code == PSPROBE_OK && m != NULL;
       m = psp_json_next(m)) {
    size_t source = 0;
    psp_role role = psp_import_role(import, psp_json_key(m), &source);
    const char *why = "neither text nor a whole number";
    if (role == PSP_ROLE_NONE || role >= PSP_ROLE_OF_RUN) continue;
    if (!psp_members_text(m, &text) || !psp_import_set(row, role, source, text.data, &why))
      code = refuse(where, "", m, &text, why, error);
  }
  psp_buf_free(&text);
  return code;
}

static bool has_sources(const psp_json *sources, const psprobe_run *run) {
  bool all = psp_json_count(sources) == run->source_count;
  for (size_t k = 0; all && k < run->source_count; k++)
    all = psp_json_is_object(psp_json_get(sources, run->sources[k]));
  return all;
}

psprobe_code psp_members_probe(psp_import *import, const psp_json *object, const char *where,
                               psp_import_row *row, psprobe_error *error) {
  const psp_json *sources = psp_json_get(object, PSP_LINE_SOURCES);
  if (!has_sources(sources, row->listed))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s: an earlier line has other sources for this run", where);
  psprobe_code code = read_row(import, object, where, row, error);
  for (size_t k = 0; code == PSPROBE_OK && k < row->listed->source_count; k++) {
    const char *name = row->listed->sources[k];
    const psp_json *answer = psp_json_get(sources, name);
    code = read_answer(answer, where, name, row, k, error);
    if (code == PSPROBE_OK)
      code = read_further(import, psp_json_get(answer, PSP_LINE_FURTHER), where, name, k, error);
  }
  return code;
}
