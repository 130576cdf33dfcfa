/* SPDX-License-Identifier: MIT */
/** @file Results read back from Firestore, as they would be read from the file of their prober. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "firestore/value/value.h"
#include "results/columns/documents.h"
#include "results/upload/collections.h"
#include "results/upload/run_document.h"

/* A run's document; its texts are the document's copy. */
typedef struct found_run {
  psprobe_value *fields;
  psprobe_run run;
} found_run;

typedef struct fetch {
  const psp_columns_cloud *from;
  psp_collections collections;
  found_run *runs;
  size_t run_count;
  psp_import import;
  psprobe_code code; /* what ended the reading */
  psprobe_error *error;
  uint64_t rows;
} fetch;

static bool take_run(void *arg, const psprobe_document *document) {
  fetch *f = arg;
  found_run *grown = realloc(f->runs, (f->run_count + 1) * sizeof *grown);
  if (grown != NULL) f->runs = grown;
  found_run found = {.fields = psp_value_copy(psprobe_document_fields(document))};
  if (grown == NULL || found.fields == NULL) {
    psprobe_value_free(found.fields);
    f->code = psp_fail_memory(f->error, "runs");
    return false;
  }
  if (psp_run_document_read(found.fields, &found.run))
    f->runs[f->run_count++] = found;
  else
    psprobe_value_free(found.fields); /* somebody else's document */
  return true;
}

static int by_start(const void *a, const void *b) {
  const psprobe_run *x = &((const found_run *)a)->run, *y = &((const found_run *)b)->run;
  if (x->started_wall_ns != y->started_wall_ns)
    return x->started_wall_ns < y->started_wall_ns ? -1 : 1;
  return strcmp(x->id, y->id);
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

/* Keeps the runs that the filter names, oldest first; none where they have no documents. */
static psprobe_code choose_runs(fetch *f, const char *wanted, psprobe_error *error) {
  size_t kept = 0;
  if (f->run_count > 0) qsort(f->runs, f->run_count, sizeof *f->runs, by_start);
  for (size_t i = 0; i < f->run_count; i++) {
    if (!is_meant(&f->runs[i].run, &f->from->filter, i + 1 == f->run_count)) continue;
    found_run found = f->runs[i];
    f->runs[i] = f->runs[kept];
    f->runs[kept++] = found;
  }
  for (size_t i = kept; i < f->run_count; i++)
    psprobe_value_free(f->runs[i].fields);
  f->run_count = kept;
  if (kept <= 1 || wanted == NULL) return PSPROBE_OK;
  char shown[PSP_SHOWN_SIZE];
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "the ids of %zu runs in %s begin with \"%s\": give more of it", kept,
                  f->collections.runs, psp_setting_shown(shown, sizeof shown, wanted));
}

static bool same_sources(const psprobe_run *a, const psprobe_run *b) {
  bool same = a->source_count == b->source_count;
  for (size_t k = 0; same && k < a->source_count; k++)
    same = psp_text_equal(a->sources[k], b->sources[k]);
  return same;
}

/* The newest run's sources are looked at, as with a file, and the runs that have them. */
static psprobe_code add_runs(fetch *f, psprobe_error *error) {
  psp_columns *c = f->import.columns;
  if (f->run_count == 0) return PSPROBE_OK;
  const psprobe_run *newest = &f->runs[f->run_count - 1].run;
  psp_columns_set_sources(c, newest->sources, newest->source_count);
  for (size_t i = 0; i < f->run_count; i++)
    if (same_sources(&f->runs[i].run, newest)) psp_columns_add_run(c, &f->runs[i].run);
  return c->failed ? psp_fail_memory(error, "runs") : PSPROBE_OK;
}

/* Of a run that is known, and had other sources. */
static bool is_left_out(const fetch *f, const char *run) {
  for (size_t i = 0; i < f->run_count; i++)
    if (strcmp(f->runs[i].run.id, run) == 0)
      return !same_sources(&f->runs[i].run, &f->runs[f->run_count - 1].run);
  return false;
}

static bool take_row(void *arg, const psprobe_document *document) {
  fetch *f = arg;
  const psprobe_value *fields = psprobe_document_fields(document);
  const char *run = psp_document_run(fields), *wanted = f->from->filter.run;
  if (wanted != NULL && f->run_count == 0 && !psp_text_starts(run, wanted)) return false;
  if (is_left_out(f, run))
    f->import.columns->left_out++;
  else
    f->code = psp_import_document(&f->import, fields, f->error);
  if (f->from->progress != NULL) f->from->progress(f->from->progress_arg, ++f->rows);
  return f->code == PSPROBE_OK;
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
    value = psprobe_value_string(f->run_count > 0 ? f->runs[0].run.id : filter->run);
    query.where.op = f->run_count > 0 ? PSPROBE_EQUAL : PSPROBE_GREATER_OR_EQUAL;
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
  if (code == PSPROBE_OK) code = choose_runs(f, wanted, error);
  if (code == PSPROBE_OK && f->run_count == 0 && psp_text_equal(wanted, "last"))
    return psp_fail(error, PSPROBE_NOT_FOUND,
                    "there is no run in %s yet: give the beginning of a run's id",
                    f->collections.runs);
  if (code == PSPROBE_OK) code = add_runs(f, error);
  if (code == PSPROBE_OK) code = query_rows(f, error);
  return code;
}

psprobe_code psp_columns_fetch(psp_columns *columns, const psp_columns_cloud *from,
                               psprobe_error *error) {
  psprobe_error own = {0};
  if (error == NULL) error = &own;
  fetch f = {.from = from, .error = error};
  psprobe_code code = psp_collections_name(&f.collections, from->collection, from->runs, error);
  if (code != PSPROBE_OK) return code;
  /* The run was chosen by its document. */
  psprobe_filter filter = from->filter;
  f.import = (psp_import){.columns = columns, .what = f.collections.results, .filter = &filter};
  code = read_all(&f, error);
  if (f.run_count > 0) filter.run = NULL;
  if (code == PSPROBE_OK) code = psp_import_finish(&f.import, error);
  if (code == PSPROBE_OK) code = psp_columns_sort(columns, error);
  for (size_t i = 0; i < f.run_count; i++)
    psprobe_value_free(f.runs[i].fields);
  free(f.runs);
  psp_collections_free(&f.collections);
  return code;
}
