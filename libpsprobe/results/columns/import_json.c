/* SPDX-License-Identifier: MIT */
/** @file JSON: an object a row, its members the columns, or objects as we write them, a run and a
 * probe; one a line, or all in an array. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json_items.h"
#include "base/printable.h"
#include "base/shown.h"
#include "base/text.h"
#include "results/columns/members.h"

/* One pass over the objects: first sources and runs, then rows, since a name can turn up first in a
 * later object. */
typedef struct pass {
  psp_import *import;
  psprobe_code (*take)(struct pass *p, const psp_json *object, const char *where,
                       psprobe_error *error);
  psp_interned columns; /* with times: what sources there are, where no run tells */
  psp_buf known;        /* the member of a probe by which it is of the run that was met last */
  psp_buf text;
} pass;

/* ---- sources and runs ---- */

static psprobe_code note_columns(pass *p, const psp_json *object, psprobe_error *error) {
  uint32_t number = 0;
  for (const psp_json *m = psp_json_first(object); m != NULL; m = psp_json_next(m)) {
    const char *name = psp_json_key(m);
    psp_old_names_note(&p->import->old_names, name);
    if (psp_text_ends(name, PSP_RESPONSE_SUFFIX) &&
        !psp_interned_number(&p->columns, name, &number))
      return psp_fail_memory(error, p->import->what);
  }
  return PSPROBE_OK;
}

/* Adds what is told of a run to what is known of it. */
static psprobe_code note_run(psp_run_list *runs, const psp_run_copy *told, const char *where,
                             psprobe_error *error) {
  size_t column = 0;
  psp_run_copy *known = psp_run_list_find(runs, told->run.id);
  if (known == NULL) {
    known = psp_run_list_add(runs, &told->run);
    return known != NULL ? PSPROBE_OK : psp_fail_memory(error, where);
  }
  if (!psp_run_same_sources(&known->run, &told->run))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%s: an earlier line has other sources for this run", where);
  if (psp_run_merge(known, &told->run, &column)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "%s, %s: an earlier line tells something else of this run", where,
                  psp_run_columns[column].name);
}

/* An id that has to be escaped is looked for in no line. */
static void note_known(pass *p, const char *id) {
  static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
  psp_buf_reset(&p->known);
  if (id[0] != '\0' && id[strspn(id, plain)] == '\0')
    psp_buf_printf(&p->known, ",\"run_id\":\"%s\",", id);
}

/* A probe as we write it, of the run that was met last: it tells nothing new of sources and runs,
 * and what is wrong with it is found with its row. (A quote within a text has a backslash before
 * it, so what is found is a member.) */
static bool tells_nothing(const pass *p, const char *line) {
  return p->known.len > 0 &&
         psp_text_starts(line, "{\"" PSP_LINE_KIND "\":\"" PSP_LINE_PROBE "\",") &&
         strstr(line, p->known.data) != NULL;
}

static psprobe_code scan(pass *p, const psp_json *object, const char *where, psprobe_error *error) {
  psp_members_of kind = psp_members_kind(object);
  if (kind == PSP_MEMBERS_FLAT) return note_columns(p, object, error);
  psp_run_copy told = {.run = {.project = NULL}};
  psprobe_code code = kind == PSP_MEMBERS_RUN
                          ? psp_members_run(object, where, &told, error)
                          : psp_members_run_of_probe(object, where, &told, error);
  if (code == PSPROBE_OK) code = note_run(&p->import->runs, &told, where, error);
  if (code == PSPROBE_OK) note_known(p, told.run.id);
  psp_run_copy_free(&told);
  return code;
}

/* ---- rows ---- */

static psprobe_code read_flat(pass *p, const psp_json *object, const char *where,
                              psp_import_row *row, psprobe_error *error) {
  const char *why = "";
  for (const psp_json *m = psp_json_first(object); m != NULL; m = psp_json_next(m)) {
    size_t source = 0;
    psp_role role = psp_import_role(p->import, psp_json_key(m), &source);
    if (role == PSP_ROLE_NONE) continue;
    why = "neither text nor a whole number";
    if (psp_members_text(m, &p->text) && psp_import_set(row, role, source, p->text.data, &why))
      continue;
    char shown[PSP_IMPORT_SHOWN];
    psp_printable_text(shown, sizeof shown, p->text.data);
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s, %s: '%s' is %s", where, psp_json_key(m),
                    shown, why);
  }
  return PSPROBE_OK;
}

/* The run of a probe that tells its sources; NULL: it is not asked for. */
static const psprobe_run *listed_run(psp_import *import, const psp_json *object) {
  const char *id = psp_json_string(psp_json_get(object, "run_id"));
  const psp_run_copy *run = psp_run_list_find(&import->runs, id != NULL ? id : "");
  if (run == NULL || import->whole || !psp_run_list_leaves_out(&import->runs, run->run.id))
    return run != NULL ? &run->run : NULL;
  import->columns->left_out++;
  return NULL;
}

static psprobe_code take_row(pass *p, const psp_json *object, const char *where,
                             psprobe_error *error) {
  psp_members_of kind = psp_members_kind(object);
  psp_import *import = p->import;
  const psprobe_run *listed = NULL;
  psp_import_row row;
  psprobe_code code;
  if (kind == PSP_MEMBERS_RUN) return PSPROBE_OK;
  if (kind == PSP_MEMBERS_PROBE && (listed = listed_run(import, object)) == NULL) return PSPROBE_OK;
  if (listed != NULL) {
    psp_import_begin(&row, listed->source_count);
    row.listed = listed;
    code = psp_members_probe(import, object, where, &row, error);
  } else {
    psp_import_begin(&row, import->columns->source_count);
    code = read_flat(p, object, where, &row, error);
  }
  if (code != PSPROBE_OK)
    psp_import_drop(&row);
  else if (!psp_import_end(import, &row))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: %s", where, row.wrong);
  if (code == PSPROBE_OK && import->columns->failed) code = psp_fail_memory(error, import->what);
  return code;
}

/* ---- objects ---- */

static psprobe_code take(pass *p, const psp_json *object, const char *where, psprobe_error *error) {
  if (!psp_json_is_object(object))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: not an object", where);
  return p->take(p, object, where, error);
}

static psprobe_code take_lines(pass *p, psp_text *text, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_buf line = {0};
  for (size_t number = 1; code == PSPROBE_OK && !p->import->ended && psp_text_line(text, &line);
       number++) {
    psp_json *object = NULL;
    char where[80];
    if (line.data[strspn(line.data, " \t\r")] == '\0' && strlen(line.data) == line.len) continue;
    if (tells_nothing(p, line.data)) continue;
    snprintf(where, sizeof where, "%.40s: line %zu", p->import->what, number);
    code = psp_json_parse(line.data, line.len, where, &object, error);
    if (code == PSPROBE_OK) code = take(p, object, where, error);
    psp_json_free(object);
  }
  psp_buf_free(&line);
  return code;
}

static psprobe_code take_item(pass *p, const psp_buf *item, size_t number, psprobe_error *error) {
  psp_json *object = NULL;
  char where[80];
  snprintf(where, sizeof where, "%.40s: item %zu", p->import->what, number);
  psprobe_code code = psp_json_parse(item->data, item->len, where, &object, error);
  if (code == PSPROBE_OK) code = take(p, object, where, error);
  psp_json_free(object);
  return code;
}

static psprobe_code broken(const pass *p, size_t number, const char *why, psprobe_error *error) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%.40s: item %zu: %s", p->import->what, number,
                  why);
}

/* The items that a piece of the array ends; `number` counts them. */
static psprobe_code take_piece(pass *p, psp_json_items *items, psp_text *text, size_t *number,
                               psprobe_error *error) {
  const char *data = text->data + text->at;
  size_t len = text->end - text->at;
  psprobe_code code = PSPROBE_OK;
  text->at = text->end;
  while (code == PSPROBE_OK && !p->import->ended) {
    switch (psp_json_items_take(items, &data, &len)) {
      case PSP_JSON_ITEMS_MORE:
        return PSPROBE_OK;
      case PSP_JSON_ITEMS_ONE:
        code = take_item(p, &items->item, ++*number, error);
        break;
      case PSP_JSON_ITEMS_LARGE:
        return broken(p, *number + 1, "it has more than 16 MiB", error);
      case PSP_JSON_ITEMS_BROKEN:
        return broken(p, *number + 1, "what stands before it, or behind the last, is no JSON",
                      error);
    }
  }
  return code;
}

static psprobe_code take_items(pass *p, psp_text *text, psprobe_error *error) {
  psp_json_items items = {.most = PSP_TEXT_MOST};
  psprobe_code code = PSPROBE_OK;
  size_t number = 0;
  while (code == PSPROBE_OK && !p->import->ended && (text->at < text->end || psp_text_more(text)))
    code = take_piece(p, &items, text, &number, error);
  if (code == PSPROBE_OK && !p->import->ended && !psp_json_items_whole(&items))
    code = broken(p, number + 1, "the array ends in its middle", error);
  psp_json_items_free(&items);
  return code;
}

static psprobe_code take_all(pass *p, psp_text *text, psprobe_error *error) {
  psprobe_code code =
      psp_text_first(text) == '[' ? take_items(p, text, error) : take_lines(p, text, error);
  psp_buf_free(&p->text);
  psp_buf_free(&p->known);
  /* What made the text end early says more than what that made of a line. */
  return text->error.code != PSPROBE_OK ? psp_text_failed(text, error) : code;
}

static bool take_sources(psp_columns *c, const psprobe_run *newest) {
  psp_columns_free(c);
  psp_columns_set_sources(c, newest->sources, newest->source_count);
  return !c->failed;
}

/* The runs that are asked for, and of these the newest run's sources and those that have them. */
static psprobe_code choose(psp_import *import, psprobe_error *error) {
  static const psprobe_filter all;
  const psprobe_filter *filter = import->filter != NULL ? import->filter : &all;
  psp_run_list *runs = &import->runs;
  psp_columns *c = import->columns;
  if (runs->count == 0) return PSPROBE_OK;
  if (!take_sources(c, &runs->items[runs->count - 1].run))
    return psp_fail_memory(error, import->what);
  psprobe_code code = psp_run_list_choose(runs, filter, import->what, error);
  if (code != PSPROBE_OK || runs->count == 0) return code;
  const psprobe_run *newest = &runs->items[runs->count - 1].run;
  import->chosen = filter->run != NULL;
  bool good = take_sources(c, newest);
  for (size_t i = 0; good && i < runs->count; i++)
    if (psp_run_same_sources(&runs->items[i].run, newest))
      psp_columns_add_run(c, &runs->items[i].run);
  return good && !c->failed ? PSPROBE_OK : psp_fail_memory(error, import->what);
}

psprobe_code psp_import_json_scan(psp_import *import, psp_text *text, psprobe_error *error) {
  pass p = {.import = import, .take = scan};
  bool array = psp_text_first(text) == '[';
  psprobe_code code = take_all(&p, text, error);
  if (code == PSPROBE_OK) code = choose(import, error);
  bool told = import->columns->source_count > 0; /* by runs */
  for (size_t i = 0; code == PSPROBE_OK && !told && i < p.columns.count; i++)
    code = psp_import_source(import, p.columns.items[i], error);
  psp_interned_free(&p.columns);
  if (code == PSPROBE_OK && import->columns->source_count == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: no %s has a NAME_response_time",
                    import->what, array ? "item" : "line");
  return code == PSPROBE_OK ? psp_text_rewind(text, error) : code;
}

psprobe_code psp_import_json(psp_import *import, psp_text *text, psprobe_error *error) {
  pass p = {.import = import, .take = take_row};
  return take_all(&p, text, error);
}
