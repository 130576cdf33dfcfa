/* SPDX-License-Identifier: MIT */
#include "results/columns/runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "results/columns/row.h"
#include "results/upload/document.h"

#define COLUMN(kind, name, member) \
  { "run_" name, kind, offsetof(psprobe_run, member) }
const psp_run_column psp_run_columns[PSP_RUN_COLUMNS] = {
    COLUMN(PSP_RUN_TIME, "started", started_wall_ns),
    COLUMN(PSP_RUN_TIME, "ended", ended_wall_ns),
    COLUMN(PSP_RUN_ENDING, "ending", ending),
    COLUMN(PSP_RUN_COUNT, "resumed", resumed),
    COLUMN(PSP_RUN_NS, "interval_ns", interval_ns),
    COLUMN(PSP_RUN_NS, "timeout_ns", timeout_ns),
    COLUMN(PSP_RUN_TEXT, "project", project),
    COLUMN(PSP_RUN_TEXT, "topic", topic),
    COLUMN(PSP_RUN_TEXT, "host", host),
    COLUMN(PSP_RUN_TEXT, "version", version),
    COLUMN(PSP_RUN_TEXT, "region", region),
    COLUMN(PSP_RUN_TEXT, "clock", clock),
    COLUMN(PSP_RUN_SETTINGS, "settings", settings)};
#undef COLUMN

/* ---- one run ---- */

static bool is_text(size_t column) {
  return psp_run_columns[column].kind >= PSP_RUN_TEXT;
}

static const void *place(const psprobe_run *run, size_t column) {
  return (const char *)run + psp_run_columns[column].at;
}

static const char *text_at(const psprobe_run *run, size_t column) {
  return *(const char *const *)place(run, column);
}

/* Puts a text of its own into a copy, in place of the one that is there; an empty one tells
 * nothing.
 */
static bool own_text(psp_run_copy *copy, size_t column, const char *text) {
  const char **to = (const char **)(uintptr_t)place(&copy->run, column);
  if (text != NULL && text[0] == '\0') text = NULL;
  char *made = psp_strdup(text);
  free((char *)(uintptr_t)*to);
  *to = made;
  return made != NULL || text == NULL;
}

void psp_run_copy_free(psp_run_copy *copy) {
  for (size_t i = 0; i < PSP_RUN_COLUMNS; i++)
    if (is_text(i)) free((char *)(uintptr_t)text_at(&copy->run, i));
  for (size_t k = 0; k < copy->run.source_count; k++)
    free((char *)(uintptr_t)copy->run.sources[k]);
  *copy = (psp_run_copy){.run = {.project = NULL}};
}

bool psp_run_copy_make(psp_run_copy *copy, const psprobe_run *run) {
  bool good = true;
  *copy = (psp_run_copy){.run = *run};
  for (size_t i = 0; i < PSP_RUN_COLUMNS; i++)
    if (is_text(i)) *(const char **)(uintptr_t)place(&copy->run, i) = NULL;
  for (size_t i = 0; i < PSP_RUN_COLUMNS; i++)
    if (is_text(i)) good = own_text(copy, i, text_at(run, i)) && good;
  for (size_t k = 0; k < run->source_count; k++) {
    copy->run.sources[k] = psp_strdup(run->sources[k]);
    good = good && (copy->run.sources[k] != NULL || run->sources[k] == NULL);
  }
  copy->run.started_wall_ns = psp_time_bound(run->started_wall_ns);
  copy->run.ended_wall_ns = psp_time_bound(run->ended_wall_ns);
  copy->run.interval_ns = psp_duration_bound(run->interval_ns);
  copy->run.timeout_ns = psp_duration_bound(run->timeout_ns);
  if (!good) psp_run_copy_free(copy);
  return good;
}

/* Whether it is a JSON object, which is put in the one form that each way of writing has; without
 * `out` it is looked at only. */
static bool put_object(psp_buf *out, const char *text) {
  psp_json *json = NULL;
  psprobe_code code = psp_json_parse(text, strlen(text), "settings", &json, NULL);
  bool object = code == PSPROBE_OK && psp_json_is_object(json);
  if (object && out != NULL) {
    psp_json_writer w = {.buf = out};
    psp_json_put_json(&w, json);
  }
  psp_json_free(json);
  return object;
}

void psp_run_put_cell(psp_buf *out, const psprobe_run *run, size_t column) {
  char text[PSP_TIMESTAMP_SIZE];
  const void *at = place(run, column);
  switch (psp_run_columns[column].kind) {
    case PSP_RUN_TIME:
      if (*(const int64_t *)at != 0)
        psp_buf_text(out, psp_timestamp_format_ns(text, *(const int64_t *)at));
      break;
    case PSP_RUN_NS:
      if (*(const int64_t *)at != 0) psp_buf_printf(out, "%lld", (long long)*(const int64_t *)at);
      break;
    case PSP_RUN_COUNT:
      if (*(const uint32_t *)at != 0) psp_buf_printf(out, "%u", (unsigned)*(const uint32_t *)at);
      break;
    case PSP_RUN_ENDING:
      if (run->ending != PSPROBE_ENDING_UNKNOWN) psp_buf_text(out, psp_ending_name(run->ending));
      break;
    default:
      if (text_at(run, column) == NULL) return;
      if (psp_run_columns[column].kind != PSP_RUN_SETTINGS ||
          !put_object(out, text_at(run, column)))
        /* A stranger's file may have control characters in it, and a table is looked at. */
        psp_printable_put(out, text_at(run, column));
  }
}

static bool set_ending(psp_run_copy *copy, const char *text) {
  for (int e = PSPROBE_ENDING_FINISHED; e <= PSPROBE_ENDING_INTERRUPTED; e++) {
    if (strcmp(psp_ending_name((psprobe_ending)e), text) != 0) continue;
    copy->run.ending = (psprobe_ending)e;
    return true;
  }
  return false;
}

bool psp_run_set_cell(psp_run_copy *copy, size_t column, const char *text, const char **why) {
  void *at = (void *)(uintptr_t)place(&copy->run, column);
  int64_t count = 0;
  switch (psp_run_columns[column].kind) {
    case PSP_RUN_TIME:
      return psp_row_parse_time(text, at, why);
    case PSP_RUN_NS:
      return psp_row_parse_duration(text, -PSP_MOST_NS, at, why);
    case PSP_RUN_COUNT:
      *why = "not a whole number from 0 on";
      if (!psp_row_parse_whole(text, &count) || count < 0 || count > UINT32_MAX) return false;
      *(uint32_t *)at = (uint32_t)count;
      return true;
    case PSP_RUN_ENDING:
      *why = "none of finished, stopped, interrupted";
      return set_ending(copy, text);
    case PSP_RUN_SETTINGS:
      *why = "no JSON object";
      if (!put_object(NULL, text)) return false;
      break;
    default:
      break;
  }
  *why = "too much for memory";
  return own_text(copy, column, text);
}

bool psp_run_tells(const psprobe_run *run) {
  psp_buf cell = {0};
  for (size_t i = 0; i < PSP_RUN_COLUMNS && cell.len == 0; i++)
    psp_run_put_cell(&cell, run, i);
  bool any = cell.len > 0 || cell.failed;
  psp_buf_free(&cell);
  return any;
}

bool psp_run_merge(psp_run_copy *to, const psprobe_run *from, size_t *column) {
  psp_buf known = {0}, told = {0};
  const char *why = NULL;
  bool same = true;
  for (*column = 0; same && *column < PSP_RUN_COLUMNS;) {
    psp_buf_reset(&known);
    psp_buf_reset(&told);
    psp_run_put_cell(&known, &to->run, *column);
    psp_run_put_cell(&told, from, *column);
    if (told.len > 0 && known.len > 0) same = strcmp(told.data, known.data) == 0;
    if (told.len > 0 && known.len == 0) same = psp_run_set_cell(to, *column, told.data, &why);
    if (same) ++*column;
  }
  psp_buf_free(&known);
  psp_buf_free(&told);
  return same;
}

/* ---- lists ---- */

void psp_run_list_free(psp_run_list *runs) {
  for (size_t i = 0; i < runs->count; i++)
    psp_run_copy_free(&runs->items[i]);
  free(runs->items);
  *runs = (psp_run_list){0};
}

psp_run_copy *psp_run_list_add(psp_run_list *runs, const psprobe_run *run) {
  psp_run_copy *grown = realloc(runs->items, (runs->count + 1) * sizeof *grown);
  if (grown == NULL) return NULL;
  runs->items = grown;
  if (!psp_run_copy_make(&runs->items[runs->count], run)) return NULL;
  return &runs->items[runs->count++];
}

psp_run_copy *psp_run_list_find(const psp_run_list *runs, const char *id) {
  for (size_t i = runs->count; i > 0; i--) /* the last that came is asked for most */
    if (strcmp(runs->items[i - 1].run.id, id) == 0) return &runs->items[i - 1];
  return NULL;
}

static int by_start(const void *a, const void *b) {
  const psprobe_run *x = &((const psp_run_copy *)a)->run, *y = &((const psp_run_copy *)b)->run;
  if (x->started_wall_ns != y->started_wall_ns)
    return x->started_wall_ns < y->started_wall_ns ? -1 : 1;
  return strcmp(x->id, y->id);
}

void psp_run_list_sort(psp_run_list *runs) {
  if (runs->count > 0) qsort(runs->items, runs->count, sizeof *runs->items, by_start);
}

/* As psprobe_store_each_run has it. */
static bool is_meant(const psprobe_run *run, const psprobe_filter *filter, bool newest) {
  const char *wanted = filter->run;
  if (filter->until_wall_ns != 0 && run->started_wall_ns >= filter->until_wall_ns) return false;
  if (filter->since_wall_ns != 0 && run->ended_wall_ns != 0 &&
      run->ended_wall_ns < filter->since_wall_ns)
    return false;
  if (wanted == NULL) return true;
  return strcmp(wanted, "last") == 0 ? newest : psp_text_starts(run->id, wanted);
}

psprobe_code psp_run_list_choose(psp_run_list *runs, const psprobe_filter *filter,
                                 const char *where, psprobe_error *error) {
  size_t kept = 0, count = runs->count;
  for (size_t i = 0; i < count; i++) {
    psp_run_copy found = runs->items[i];
    if (is_meant(&found.run, filter, i + 1 == count))
      runs->items[kept++] = found;
    else
      psp_run_copy_free(&found);
  }
  runs->count = kept;
  if (kept <= 1 || filter->run == NULL) return PSPROBE_OK;
  char shown[PSP_SHOWN_SIZE];
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "the ids of %zu runs in %s begin with \"%s\": give more of it", kept, where,
                  psp_setting_shown(shown, sizeof shown, filter->run));
}

bool psp_run_same_sources(const psprobe_run *a, const psprobe_run *b) {
  bool same = a->source_count == b->source_count;
  for (size_t k = 0; same && k < a->source_count; k++)
    same = psp_text_equal(a->sources[k], b->sources[k]);
  return same;
}

bool psp_run_list_leaves_out(const psp_run_list *runs, const char *id) {
  const psp_run_copy *run = psp_run_list_find(runs, id);
  return run != NULL && !psp_run_same_sources(&run->run, &runs->items[runs->count - 1].run);
}
