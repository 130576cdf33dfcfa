/* SPDX-License-Identifier: MIT */
#include "results/upload/run_document.h"

#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "results/upload/document.h"

/* The texts of a run, each null where it is not known. */
static const struct text {
  const char *key;
  size_t at;
} texts[] = {
    {"project", offsetof(psprobe_run, project)},  {"topic", offsetof(psprobe_run, topic)},
    {"host", offsetof(psprobe_run, host)},        {"version", offsetof(psprobe_run, version)},
    {"region", offsetof(psprobe_run, region)},    {"clock", offsetof(psprobe_run, clock)},
    {"settings", offsetof(psprobe_run, settings)}};
#define TEXTS (sizeof texts / sizeof *texts)

static psprobe_value *time_or_null(int64_t wall_ns) {
  return wall_ns != 0 ? psp_field_time(wall_ns) : psprobe_value_null();
}

psprobe_value *psp_run_document(const psprobe_run *run, psprobe_value *summary) {
  psprobe_value *map = psprobe_value_map(), *sources = psprobe_value_array();
  bool good = map != NULL;
  for (size_t i = 0; i < run->source_count; i++)
    good = psprobe_value_append(sources, psprobe_value_string(run->sources[i])) && good;
  psp_field_put(map, "run_id", psprobe_value_string(run->id), &good);
  psp_field_put(map, "started_at", time_or_null(run->started_wall_ns), &good);
  psp_field_put(map, "ended_at", time_or_null(run->ended_wall_ns), &good);
  psp_field_put(map, "ending", psp_field_text(psp_ending_name(run->ending)), &good);
  psp_field_put(map, "resumed", psprobe_value_integer(run->resumed), &good);
  psp_field_put(map, "sources", sources, &good);
  psp_field_put(map, "interval_ns", psprobe_value_integer(run->interval_ns), &good);
  psp_field_put(map, "timeout_ns", psprobe_value_integer(run->timeout_ns), &good);
  psp_field_put(map, "started_ns", psprobe_value_integer(run->started_wall_ns), &good);
  psp_field_put(map, "ended_ns", psp_field_known(run->ended_wall_ns != 0, run->ended_wall_ns),
                &good);
  for (size_t i = 0; i < TEXTS; i++) {
    const char *text = *(const char *const *)(const void *)((const char *)run + texts[i].at);
    psp_field_put(map, texts[i].key, psp_field_text(text), &good);
  }
  psp_field_put(map, "summary", summary != NULL ? summary : psprobe_value_null(), &good);
  return psp_fields_finish(map, good);
}

static psprobe_ending ending_of(const char *name) {
  for (int e = PSPROBE_ENDING_FINISHED; e <= PSPROBE_ENDING_INTERRUPTED; e++)
    if (psp_text_equal(psp_ending_name((psprobe_ending)e), name)) return (psprobe_ending)e;
  return PSPROBE_ENDING_UNKNOWN;
}

static bool read_sources(const psprobe_value *fields, psprobe_run *run) {
  const psprobe_value *sources = psprobe_value_find(fields, "sources");
  if (psprobe_value_get_type(sources) != PSPROBE_VALUE_ARRAY ||
      psprobe_value_count(sources) > PSPROBE_MAX_SOURCES)
    return false;
  for (size_t i = 0; i < psprobe_value_count(sources); i++) {
    const psprobe_value *item = psprobe_value_at(sources, i, NULL);
    if (psprobe_value_get_type(item) != PSPROBE_VALUE_STRING) return false;
    const char *name = NULL;
    size_t len = 0;
    psprobe_value_get_text(item, &name, &len);
    if (strlen(name) != len ||
        psp_name_check_source(name, run->sources, run->source_count, NULL) != PSPROBE_OK)
      return false;
    run->sources[run->source_count++] = name;
  }
  return true;
}

bool psp_run_document_read(const psprobe_value *fields, psprobe_run *run) {
  const char *id = psp_field_string(fields, "run_id");
  *run = (psprobe_run){.ending = ending_of(psp_field_string(fields, "ending"))};
  if (id == NULL || strlen(id) >= sizeof run->id ||
      psp_name_check("run", id, strlen(id), NULL) != PSPROBE_OK)
    return false;
  memcpy(run->id, id, strlen(id) + 1);
  run->started_wall_ns =
      psp_field_number(fields, "started_ns", psp_field_moment(fields, "started_at"));
  run->ended_wall_ns = psp_field_number(fields, "ended_ns", psp_field_moment(fields, "ended_at"));
  run->interval_ns = psp_field_number(fields, "interval_ns", 0);
  run->timeout_ns = psp_field_number(fields, "timeout_ns", 0);
  int64_t resumed = psp_field_number(fields, "resumed", 0);
  if (resumed > 0 && resumed <= UINT32_MAX) run->resumed = (uint32_t)resumed;
  for (size_t i = 0; i < TEXTS; i++)
    *(const char **)(void *)((char *)run + texts[i].at) = psp_field_string(fields, texts[i].key);
  return read_sources(fields, run);
}
