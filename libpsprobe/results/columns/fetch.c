/* SPDX-License-Identifier: MIT */
/** @file Results read back from Firestore, as they would be read from the file of their prober. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "results/columns/documents.h"
#include "results/columns/export.h"
#include "results/columns/sorted.h"
#include "results/upload/collections.h"
#include "results/upload/run_document.h"

typedef struct fetch {
  const psp_columns_cloud *from;
  psp_collections collections;
  psp_run_list runs;
  psp_import import;
  psp_export *out;   /* takes lines as they come; NULL: something else takes the rows */
  psprobe_code code; /* what ended the reading */
  psprobe_error *error;
  uint64_t rows;
} fetch;

static bool take_run(void *arg, const psprobe_document *document) {
  fetch *f = arg;
  psprobe_run run;
  if (!psp_run_document_read(psprobe_document_fields(document), &run)) return true; /* not ours */
  if (psp_run_list_add(&f->runs, &run) == NULL) f->code = psp_fail_memory(f->error, "runs");
  return f->code == PSPROBE_OK;
}

/* The newest run's sources are looked at, as with a file, and the runs that have them. */
static psprobe_code add_runs(fetch *f, psprobe_error *error) {
  psp_columns *c = f->import.columns;
  if (f->runs.count == 0) return PSPROBE_OK;
  const psprobe_run *newest = &f->runs.items[f->runs.count - 1].run;
  psp_columns_set_sources(c, newest->sources, newest->source_count);
  for (size_t i = 0; i < f->runs.count; i++)
    if (psp_run_same_sources(&f->runs.items[i].run, newest))
      psp_columns_add_run(c, &f->runs.items[i].run);
  return c->failed ? psp_fail_memory(error, "runs") : PSPROBE_OK;
}

static bool take_row(void *arg, const psprobe_document *document) {
  fetch *f = arg;
  const psprobe_value *fields = psprobe_document_fields(document);
  const char *run = psp_document_run(fields), *wanted = f->from->filter.run;
  if (wanted != NULL && f->runs.count == 0 && !psp_text_starts(run, wanted)) return false;
  if (psp_run_list_leaves_out(&f->runs, run))
    f->import.columns->left_out++;
  else
    f->code = psp_import_document(&f->import, fields, f->error);
  if (f->from->progress != NULL) f->from->progress(f->from->progress_arg, ++f->rows);
  return f->code == PSPROBE_OK && !f->import.ended;
}

static psprobe_value *start_of(const psprobe_filter *filter) {
  psprobe_timestamp since = {.seconds = filter->since_wall_ns / 1000000000,
                             .nanos = (int32_t)(filter->since_wall_ns % 1000000000)};
  return psprobe_value_timestamp(since);
}

/*
 * One run: all of it, by a condition that each collection has an index for. One that has no
 * document (an older prober's): from the first id on that can be meant. All runs: from a time on.
 */
static psprobe_code query_rows(fetch *f, psprobe_error *error) {
  const psprobe_filter *filter = &f->from->filter;
  psprobe_query query = {.collection = f->collections.results};
  psprobe_value *value = NULL;
  if (filter->run != NULL) {
    value = psprobe_value_string(f->runs.count > 0 ? f->runs.items[0].run.id : filter->run);
    query.where.op = f->runs.count > 0 ? PSPROBE_EQUAL : PSPROBE_GREATER_OR_EQUAL;
    query.where.field = "run_id";
  } else if (filter->since_wall_ns > 0) {
    value = start_of(filter);
    query.where.op = PSPROBE_GREATER_OR_EQUAL;
    query.where.field = "probe_sent";
  }
  query.where.value = value;
  if (query.where.op != PSPROBE_FILTER_NONE && value == NULL)
    return psp_fail_memory(error, "query");
  psprobe_code code = psprobe_query_run(f->from->client, &query, take_row, f, error);
  psprobe_value_free(value);
  return code == PSPROBE_OK ? f->code : code;
}

static psprobe_code read_all(fetch *f, psprobe_error *error) {
  const psprobe_query all_runs = {.collection = f->collections.runs};
  const char *wanted = f->from->filter.run;
  psprobe_code code = psprobe_query_run(f->from->client, &all_runs, take_run, f, error);
  if (code == PSPROBE_OK) code = f->code;
  psp_run_list_sort(&f->runs);
  if (code == PSPROBE_OK)
    code = psp_run_list_choose(&f->runs, &f->from->filter, f->collections.runs, error);
  if (code == PSPROBE_OK && f->runs.count == 0 && psp_text_equal(wanted, "last"))
    return psp_fail(error, PSPROBE_NOT_FOUND,
                    "there is no run in %s yet: give the beginning of a run's id",
                    f->collections.runs);
  if (code == PSPROBE_OK) code = add_runs(f, error);
  if (code == PSPROBE_OK && f->out != NULL)
    code = psp_export_columns(f->out, f->import.columns, error);
  if (code == PSPROBE_OK) code = query_rows(f, error);
  return code;
}

/* Of f, `from` and what takes the rows are set. */
static psprobe_code fetch_rows(fetch *f, psprobe_error *error) {
  psprobe_error own = {0};
  f->error = error != NULL ? error : &own;
  psprobe_filter filter = f->from->filter;
  psprobe_code code =
      psp_collections_name(&f->collections, f->from->collection, f->from->runs, error);
  if (code != PSPROBE_OK) return code;
  f->import.what = f->collections.results;
  f->import.filter = &filter;
  code = read_all(f, f->error);
  if (f->runs.count > 0) filter.run = NULL; /* the run was chosen by its document */
  if (code == PSPROBE_OK) code = psp_import_finish(&f->import, error);
  psp_import_free(&f->import);
  psp_run_list_free(&f->runs);
  psp_collections_free(&f->collections);
  return code;
}

psprobe_code psp_columns_fetch(psp_columns *columns, const psp_columns_cloud *from,
                               psprobe_error *error) {
  fetch f = {.from = from, .import = {.columns = columns}};
  return fetch_rows(&f, error);
}

/* ---- written out again ---- */

static psprobe_code export_lines(const psp_columns_cloud *from, psp_columns *columns,
                                 psp_export *out, psprobe_error *error) {
  fetch f = {
      .from = from, .out = out, .import = {.columns = columns, .take = psp_export_row, .arg = out}};
  return fetch_rows(&f, error);
}

/* A table's shape and sources are known after the last row alone: all wait until then, and go out
 * in the order sent. */
typedef struct waiting {
  psp_sorted rows;
  psp_csv_shape *shape;
} waiting;

static bool wait_row(void *arg, const psp_row *row) {
  waiting *w = arg;
  return psp_export_note(w->shape, row) && psp_sorted_take(&w->rows, row);
}

/* The runs of columns, with their sources. */
static bool list_runs(const psp_columns *c, psp_run_list *runs) {
  bool good = true;
  for (size_t i = 0; good && i < c->run_count; i++) {
    const psprobe_run run = psp_columns_run(c, (uint32_t)i);
    good = psp_run_list_add(runs, &run) != NULL;
  }
  return good;
}

static psprobe_code put_waiting(waiting *w, const psp_columns *columns, psp_export *out,
                                psprobe_error *error) {
  psp_run_list runs = {0};
  psprobe_code code = list_runs(columns, &runs) ? PSPROBE_OK : psp_fail_memory(error, "runs");
  if (code == PSPROBE_OK) code = psp_export_columns(out, columns, error);
  if (code == PSPROBE_OK) code = psp_sorted_each(&w->rows, &runs, psp_export_row, out, error);
  psp_run_list_free(&runs);
  return code;
}

static psprobe_code export_sorted(const psp_columns_cloud *from, psp_columns *columns,
                                  psp_export *out, psprobe_error *error) {
  waiting w = {.shape = &out->shape};
  fetch f = {.from = from, .import = {.columns = columns, .take = wait_row, .arg = &w}};
  psprobe_code code = psp_sorted_open(&w.rows, error);
  if (code == PSPROBE_OK) code = fetch_rows(&f, error);
  if (code == PSPROBE_OK) code = w.rows.code;
  if (code == PSPROBE_OK) code = put_waiting(&w, columns, out, error);
  psp_sorted_close(&w.rows);
  return code;
}

psprobe_code psp_export_cloud(const psp_columns_cloud *from, psp_export *out,
                              psprobe_error *error) {
  psp_columns columns = {0};
  bool sorted = out->form == PSPROBE_REPORT_CSV || out->chosen.count > 0;
  psprobe_code code =
      sorted ? export_sorted(from, &columns, out, error) : export_lines(from, &columns, out, error);
  psprobe_code end = psp_export_end(out, code == PSPROBE_OK ? error : NULL);
  psp_columns_free(&columns);
  return code == PSPROBE_OK ? end : code;
}
