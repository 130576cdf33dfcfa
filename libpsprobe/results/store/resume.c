/* SPDX-License-Identifier: MIT */
/** @file Going on with a run that has ended: what it measures must be the same. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "results/store/store.h"

/* A setting that has to be as it was: what people call it, and the option that says it. */
typedef struct setting {
  const char *what, *option;
} setting;

static psprobe_code refuse(const psprobe_run *was, setting of, const char *then, const char *now,
                           psprobe_error *error) {
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                  "run %s cannot be gone on with: its %s was %s, and is %s now (--%s)", was->id,
                  of.what, then == NULL ? "not set" : then, now == NULL ? "not set" : now,
                  of.option);
}

/* As the option takes it, and exact. */
static const char *time_text(char out[32], int64_t ns) {
  static const struct {
    int64_t ns;
    const char *name;
  } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
  size_t i = 0;
  while (ns % units[i].ns != 0)
    i++;
  snprintf(out, 32, "%" PRId64 "%s", ns / units[i].ns, units[i].name);
  return ns != 0 ? out : NULL;
}

static psprobe_code compare_times(const psprobe_run *was, setting of, int64_t then, int64_t now,
                                  psprobe_error *error) {
  char before[32], after[32];
  if (then == now) return PSPROBE_OK;
  return refuse(was, of, time_text(before, then), time_text(after, now), error);
}

static psprobe_code compare_texts(const psprobe_run *was, setting of, const char *then,
                                  const char *now, psprobe_error *error) {
  return psp_text_equal(then, now) ? PSPROBE_OK : refuse(was, of, then, now, error);
}

static psprobe_code check_sources(const psprobe_run *was, const psprobe_run *run,
                                  psprobe_error *error) {
  if (was->source_count != run->source_count)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "run %s cannot be gone on with: it had %zu sources, and there are %zu now "
                    "(--source)",
                    was->id, was->source_count, run->source_count);
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < run->source_count; i++)
    code =
        compare_texts(was, (setting){"source", "source"}, was->sources[i], run->sources[i], error);
  return code;
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

static const char *text_in(const psp_json *settings, const char *key) {
  return psp_json_string(psp_json_get(settings, key));
}

/* By which way it was to be published, whatever the endpoint spoke; NULL: an older prober's. */
static const char *way_in(const psp_json *settings) {
  const char *asked = text_in(settings, "publish_asked");
  return asked != NULL ? asked : text_in(settings, "publish_by");
}

/* What stands in the settings: the cadences beside the steady probes', and how it is published. */
static psprobe_code compare_settings(const psprobe_run *was, const psp_json *then,
                                     const psp_json *now, psprobe_error *error) {
  static const struct {
    const char *key;
    setting of;
  } times[] = {{"cold_every_ns", {"time between rare probes", "cold-every"}},
               {"filler_ns", {"time between fillers", "filler"}}};
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < sizeof times / sizeof *times; i++)
    code = compare_times(was, times[i].of, time_in(then, times[i].key), time_in(now, times[i].key),
                         error);
  if (code == PSPROBE_OK)
    code = compare_texts(was, (setting){"cold topic", "cold-topic"}, text_in(then, "cold_topic"),
                         text_in(now, "cold_topic"), error);
  if (code != PSPROBE_OK || way_in(then) == NULL) return code;
  return compare_texts(was, (setting){"way of publishing", "publish-by"}, way_in(then), way_in(now),
                       error);
}

static psprobe_code check_settings(const psprobe_run *was, const psprobe_run *run,
                                   psprobe_error *error) {
  psp_json *then = NULL, *now = NULL;
  psprobe_code code = read_settings(was, &then, error);
  if (code == PSPROBE_OK) code = read_settings(run, &now, error);
  if (code == PSPROBE_OK) code = compare_settings(was, then, now, error);
  psp_json_free(then);
  psp_json_free(now);
  return code;
}

static psprobe_code check(const psprobe_run *was, const psprobe_run *run, psprobe_error *error) {
  const struct {
    setting of;
    const char *then, *now;
  } texts[] = {{{"project", "project"}, was->project, run->project},
               {{"topic", "topic"}, was->topic, run->topic},
               {{"region", "region"}, was->region, run->region}};
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < sizeof texts / sizeof *texts; i++)
    code = compare_texts(was, texts[i].of, texts[i].then, texts[i].now, error);
  if (code == PSPROBE_OK)
    code = compare_times(was, (setting){"interval", "interval"}, was->interval_ns, run->interval_ns,
                         error);
  if (code == PSPROBE_OK)
    code = compare_times(was, (setting){"timeout", "timeout"}, was->timeout_ns, run->timeout_ns,
                         error);
  if (code == PSPROBE_OK) code = check_sources(was, run, error);
  return code == PSPROBE_OK ? check_settings(was, run, error) : code;
}

psprobe_code psp_store_resume_run(psprobe_store *store, const char *which, psprobe_run *run,
                                  char **settings, psprobe_error *error) {
  psp_runs runs = {0};
  const psprobe_filter filter = {.run = which};
  psprobe_code code = psp_store_begin(store, error);
  if (code != PSPROBE_OK) return code;
  code = psp_runs_read(store->db, store->path, &filter, &runs, error);
  if (code == PSPROBE_OK) code = check(&runs.items[0].run, run, error);
  if (code == PSPROBE_OK && settings != NULL && runs.items[0].run.settings != NULL &&
      (*settings = psp_strdup(runs.items[0].run.settings)) == NULL)
    code = psp_fail_memory(error, "settings of the run");
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
