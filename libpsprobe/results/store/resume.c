/* SPDX-License-Identifier: MIT */
/** @file Going on with a run that has ended: what it measures must be the same. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
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
  return refuse(was, what, then != 0 ? before : NULL, now != 0 ? after : NULL, error);
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

static psprobe_code read_settings(const psprobe_run *run, psp_json **settings,
                                  psprobe_error *error) {
  *settings = NULL;
  if (run->settings == NULL) return PSPROBE_OK;
  return psp_json_parse(run->settings, strlen(run->settings), "settings of the run", settings,
                        error);
}

/* 0: not set. */
static int64_t time_in(const psp_json *settings, const char *key) {
  int64_t ns = 0;
  return psp_json_int64(psp_json_get(settings, key), &ns) ? ns : 0;
}

/* The cadences beside the steady probes', which stand in the settings. */
static psprobe_code compare_cadences(const psprobe_run *was, const psp_json *then,
                                     const psp_json *now, psprobe_error *error) {
  static const struct {
    const char *key, *what;
  } times[] = {{"cold_every_ns", "time between rare probes"},
               {"filler_ns", "time between fillers"}};
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    int64_t before = time_in(then, times[i].key), after = time_in(now, times[i].key);
    if (before != after) return refuse_time(was, times[i].what, before, after, error);
  }
  const char *before = psp_json_string(psp_json_get(then, "cold_topic"));
  const char *after = psp_json_string(psp_json_get(now, "cold_topic"));
  if (!psp_text_equal(before, after)) return refuse(was, "cold topic", before, after, error);
  return PSPROBE_OK;
}

static psprobe_code check_cadences(const psprobe_run *was, const psprobe_run *run,
                                   psprobe_error *error) {
  psp_json *then = NULL, *now = NULL;
  psprobe_code code = read_settings(was, &then, error);
  if (code == PSPROBE_OK) code = read_settings(run, &now, error);
  if (code == PSPROBE_OK) code = compare_cadences(was, then, now, error);
  psp_json_free(then);
  psp_json_free(now);
  return code;
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
  psprobe_code code = check_sources(was, run, error);
  return code == PSPROBE_OK ? check_cadences(was, run, error) : code;
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
