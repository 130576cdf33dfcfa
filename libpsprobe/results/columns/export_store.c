/* SPDX-License-Identifier: MIT */
/** @file The rows of a results file, written out as they are read. */
#include <string.h>

#include "base/error.h"
#include "results/columns/export.h"
#include "results/store/store.h"

typedef struct reading {
  psp_export *out;
  psp_run_list runs; /* that the filter lets through */
  psp_row_take *take;
  void *arg;
  const psp_run_copy *last; /* of the row before: rows of a run mostly follow each other */
  bool failed;
} reading;

static bool note_run(void *arg, const psprobe_run *run) {
  reading *r = arg;
  r->failed |= psp_run_list_add(&r->runs, run) == NULL;
  return !r->failed;
}

/* A table has the sources of the newest run, and so have lines where some are asked for. */
static bool is_left_out(const reading *r, const psprobe_run *run) {
  const psprobe_run *newest = &r->runs.items[r->runs.count - 1].run;
  return (r->out->form == PSPROBE_REPORT_CSV || r->out->chosen.count > 0) &&
         !psp_run_same_sources(run, newest);
}

static bool take_row(void *arg, const psprobe_row *row, psp_further_list *further) {
  reading *r = arg;
  if (r->last == NULL || strcmp(r->last->run.id, row->run->id) != 0)
    r->last = psp_run_list_find(&r->runs, row->run->id);
  if (r->last == NULL || is_left_out(r, &r->last->run)) return true;
  psprobe_result result = row->result;
  psp_result_bound(&result);
  for (size_t i = 0; i < further->count; i++)
    psp_answer_bound(&further->items[i].answer);
  return r->take(r->arg, &(psp_row){.run = &r->last->run,
                                    .id = row->result.id,
                                    .result = &result,
                                    .saved_wall_ns = psp_time_bound(row->saved_wall_ns),
                                    .further = further});
}

static psprobe_code read_rows(reading *r, psprobe_store *store, const psprobe_filter *filter,
                              psp_row_take *take, void *arg, psprobe_error *error) {
  r->take = take;
  r->arg = arg;
  return psp_store_each_further(store, filter, take_row, r, error);
}

psprobe_code psp_export_store(psprobe_store *store, const psprobe_filter *filter, psp_export *out,
                              psprobe_error *error) {
  reading r = {.out = out};
  psprobe_code code = psprobe_store_each_run(store, filter, note_run, &r, error);
  if (code == PSPROBE_OK && r.failed) code = psp_fail_memory(error, "runs");
  if (code == PSPROBE_OK && out->form == PSPROBE_REPORT_CSV)
    code = read_rows(&r, store, filter, psp_export_note, &out->shape, error);
  if (code == PSPROBE_OK) code = psp_export_runs(out, &r.runs, error);
  if (code == PSPROBE_OK) code = read_rows(&r, store, filter, psp_export_row, out, error);
  psp_run_list_free(&r.runs);
  return code;
}
