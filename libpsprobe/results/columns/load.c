/* SPDX-License-Identifier: MIT */
/** @file A results file read into columns. */
#include <string.h>

#include "results/columns/columns.h"

/* What the two passes over the store share. */
typedef struct loader {
  psp_columns columns;
  char last_run[PSPROBE_ID_SIZE]; /* of the row before; rows of a run mostly follow each other */
  uint32_t last_index;
} loader;

static bool same_sources(const psp_columns *c, const psprobe_run *run) {
  bool same = c->source_count == run->source_count;
  for (size_t k = 0; same && k < run->source_count; k++)
    same = strcmp(c->sources[k].name, run->sources[k]) == 0;
  return same;
}

/* The newest run decides which sources are looked at: the last to come wins. */
static bool take_sources(void *arg, const psprobe_run *run) {
  loader *l = arg;
  if (!same_sources(&l->columns, run)) {
    psp_columns_free(&l->columns);
    psp_columns_set_sources(&l->columns, run->sources, run->source_count);
  }
  return !l->columns.failed;
}

static bool take_run(void *arg, const psprobe_run *run) {
  loader *l = arg;
  if (same_sources(&l->columns, run)) psp_columns_add_run(&l->columns, run);
  return !l->columns.failed;
}

static bool find_run(loader *l, const char *id) {
  if (strcmp(l->last_run, id) == 0) return true;
  for (size_t i = 0; i < l->columns.run_count; i++) {
    if (strcmp(l->columns.runs[i].run.id, id) != 0) continue;
    memcpy(l->last_run, l->columns.runs[i].run.id, sizeof l->last_run);
    l->last_index = (uint32_t)i;
    return true;
  }
  return false;
}

static bool take_row(void *arg, const psprobe_row *row) {
  loader *l = arg;
  if (find_run(l, row->run->id))
    psp_columns_add(&l->columns, l->last_index, &row->result, row->saved_wall_ns);
  else
    l->columns.left_out++;
  return !l->columns.failed;
}

static psprobe_code take_runs(loader *l, psprobe_store *store, const psprobe_filter *filter,
                              psprobe_error *error) {
  psprobe_code code = psprobe_store_each_run(store, filter, take_sources, l, error);
  return code == PSPROBE_OK ? psprobe_store_each_run(store, filter, take_run, l, error) : code;
}

static void take_open(void *arg, const char *id, const psp_open_probes *open) {
  psp_columns *c = arg;
  for (size_t i = 0; i < c->run_count; i++)
    if (strcmp(c->runs[i].run.id, id) == 0) c->runs[i].open = *open;
}

psprobe_code psp_columns_look_for_open(psp_columns *columns, psprobe_store *store,
                                       const psprobe_filter *filter, psprobe_error *error) {
  bool any = false;
  for (size_t i = 0; i < columns->run_count; i++)
    any = any || columns->runs[i].run.ended_wall_ns == 0;
  return any ? psp_store_each_open(store, filter, take_open, columns, error) : PSPROBE_OK;
}

psprobe_code psp_columns_load(psp_columns *columns, psprobe_store *store,
                              const psprobe_filter *filter, psprobe_error *error) {
  loader l = {0};
  psprobe_code code = take_runs(&l, store, filter, error);
  if (code == PSPROBE_OK) code = psprobe_store_each(store, filter, take_row, &l, error);
  if (code == PSPROBE_OK) code = psp_columns_look_for_open(&l.columns, store, filter, error);
  if (code == PSPROBE_OK)
    *columns = l.columns;
  else
    psp_columns_free(&l.columns);
  return code;
}
