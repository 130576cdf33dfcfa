/* SPDX-License-Identifier: MIT */
/** @file What came of a run, counted in one pass over its probes. */
#include <psprobe/timing.h>

#include "results/upload/document.h"
#include "results/upload/run_document.h"

/* How often it is looked whether to stop: each so many probes. */
#define LOOK_EVERY 1024

typedef struct counts {
  int64_t of[PSPROBE_UNCERTAIN + 1]; /* by status */
  int64_t duplicates, cold;
  psprobe_histogram *elapsed;
} counts;

typedef struct summing {
  psp_stopper *stopper;
  int64_t probes;
  bool stopped;
  counts sources[PSPROBE_MAX_SOURCES];
} summing;

static bool is_stopped(psp_stopper *stopper) {
  pthread_mutex_lock(&stopper->lock);
  bool stopped = stopper->stopped;
  pthread_mutex_unlock(&stopper->lock);
  return stopped;
}

static bool add_row(void *arg, const psprobe_row *row) {
  summing *s = arg;
  if (++s->probes % LOOK_EVERY == 0 && is_stopped(s->stopper)) s->stopped = true;
  for (size_t i = 0; i < row->run->source_count; i++) {
    const psprobe_answer *answer = &row->result.answers[i];
    counts *c = &s->sources[i];
    c->of[answer->status]++;
    c->duplicates += answer->duplicates;
    c->cold += answer->cold;
    if (psprobe_answer_came(answer->status))
      psprobe_histogram_record(c->elapsed, answer->elapsed_ns);
  }
  return !s->stopped;
}

static psprobe_value *source_map(const counts *c) {
  psprobe_value *map = psprobe_value_map();
  bool good = map != NULL, any = psprobe_histogram_count(c->elapsed) > 0;
  for (int s = PSPROBE_LOST; s <= PSPROBE_UNCERTAIN; s++)
    psp_field_put(map, psp_status_name((psprobe_status)s), psprobe_value_integer(c->of[s]), &good);
  psp_field_put(map, "duplicates", psprobe_value_integer(c->duplicates), &good);
  psp_field_put(map, "cold", psprobe_value_integer(c->cold), &good);
  psp_field_put(map, "min_ns", psp_field_known(any, psprobe_histogram_min(c->elapsed)), &good);
  psp_field_put(map, "p50_ns", psp_field_known(any, psprobe_histogram_quantile(c->elapsed, .5)),
                &good);
  psp_field_put(map, "p99_ns", psp_field_known(any, psprobe_histogram_quantile(c->elapsed, .99)),
                &good);
  psp_field_put(map, "max_ns", psp_field_known(any, psprobe_histogram_max(c->elapsed)), &good);
  return psp_fields_finish(map, good);
}

static psprobe_value *summary_map(const summing *s, const psprobe_run *run) {
  psprobe_value *map = psprobe_value_map(), *sources = psprobe_value_map();
  bool good = map != NULL;
  for (size_t i = 0; i < run->source_count; i++)
    psp_field_put(sources, run->sources[i], source_map(&s->sources[i]), &good);
  psp_field_put(map, "probes", psprobe_value_integer(s->probes), &good);
  psp_field_put(map, "sources", sources, &good);
  return psp_fields_finish(map, good);
}

psprobe_value *psp_run_summary(psprobe_store *store, const psprobe_run *run, psp_stopper *stopper) {
  summing s = {.stopper = stopper};
  psprobe_filter filter = {.run = run->id};
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < run->source_count; i++)
    code = psprobe_histogram_new(&s.sources[i].elapsed, NULL);
  if (code == PSPROBE_OK) code = psprobe_store_each(store, &filter, add_row, &s, NULL);
  psprobe_value *summary = code == PSPROBE_OK && !s.stopped ? summary_map(&s, run) : NULL;
  for (size_t i = 0; i < run->source_count; i++)
    psprobe_histogram_free(s.sources[i].elapsed);
  return summary;
}
