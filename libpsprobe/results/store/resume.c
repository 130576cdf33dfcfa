/* SPDX-License-Identifier: MIT */
/** @file Going on with a run that has ended: what it measures must be the same. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "results/store/store.h"

static psprobe_code refuse(const psprobe_run *was, const char *what, const char *then,
                           const char *now, psprobe_error *error) {
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                  "run %s cannot be gone on with: its %s was %s, and is %s now", was->id, what,
                  then == NULL ? "not set" : then, now == NULL ? "not set" : now);
}

static psprobe_code refuse_time(const psprobe_run *was, const char *what, int64_t then, int64_t now,
                                psprobe_error *error) {
  char before[32], after[32];
  snprintf(before, sizeof before, "%" PRId64 " ns", then);
  snprintf(after, sizeof after, "%" PRId64 " ns", now);
  return refuse(was, what, before, after, error);
}

static psprobe_code check_sources(const psprobe_run *was, const psprobe_run *run,
                                  psprobe_error *error) {
  if (was->source_count != run->source_count)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "run %s cannot be gone on with: it had %zu sources, and there are %zu now",
                    was->id, was->source_count, run->source_count);
  for (size_t i = 0; i < run->source_count; i++)
    if (strcmp(was->sources[i], run->sources[i]) != 0)
      return refuse(was, "source", was->sources[i], run->sources[i], error);
  return PSPROBE_OK;
}

static psprobe_code check(const psprobe_run *was, const psprobe_run *run, psprobe_error *error) {
  if (!psp_text_equal(was->project, run->project))
    return refuse(was, "project", was->project, run->project, error);
  if (!psp_text_equal(was->topic, run->topic))
    return refuse(was, "topic", was->topic, run->topic, error);
  if (was->interval_ns != run->interval_ns)
    return refuse_time(was, "interval", was->interval_ns, run->interval_ns, error);
  if (was->timeout_ns != run->timeout_ns)
    return refuse_time(was, "timeout", was->timeout_ns, run->timeout_ns, error);
  return check_sources(was, run, error);
}

psprobe_code psp_store_resume_run(psprobe_store *store, const char *which, psprobe_run *run,
                                  psprobe_error *error) {
  psp_runs runs = {0};
  const psprobe_filter filter = {.run = which};
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(store->db, store->path, &filter, &runs, error);
  if (code == PSPROBE_OK) code = check(&runs.items[0].run, run, error);
  if (code == PSPROBE_OK) {
    memcpy(run->id, runs.items[0].run.id, sizeof run->id);
    run->started_wall_ns = runs.items[0].run.started_wall_ns;
    run->resumed = runs.items[0].run.resumed + 1;
    psp_sql_bind_text(store->statements[PSP_RESUME_RUN], 1, run->id);
    code = psp_store_change(store, PSP_RESUME_RUN, error);
  }
  psp_runs_free(&runs);
  return psp_store_finish(store, code, error);
}
