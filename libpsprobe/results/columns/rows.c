/* SPDX-License-Identifier: MIT */
/** @file Columns read as rows, in the order sent. */
#include <stdio.h>
#include <string.h>

#include "results/columns/columns.h"

static void read_told(const psp_columns *c, const psp_told_row *row, psprobe_answer *answer) {
  psprobe_facts *f = &answer->facts;
  answer->received_wall_ns = row->received_ns;
  snprintf(f->instance, sizeof f->instance, "%s", psp_interned_at(&c->instances, row->instance));
  f->invocation = row->invocation;
  f->delivery_attempt = row->attempt;
  f->age_ns = row->age_ns;
  f->ready_ns = row->ready_ns;
  f->published_wall_ns = row->published_ns;
  f->arrived_wall_ns = row->arrived_ns;
  f->sent_wall_ns = row->sent_ns;
  memcpy(f->exchange_wall_ns, row->exchange_ns, sizeof f->exchange_wall_ns);
}

static void read_row(const psp_columns *c, size_t i, psprobe_result *result) {
  result->sent_wall_ns = c->sent_wall_ns[i];
  result->lateness_ns = c->lateness_ns[i];
  result->publish_ns = c->publish_ns[i];
  result->source_count = c->source_count;
  for (size_t k = 0; k < c->source_count; k++) {
    const psp_source_columns *s = &c->sources[k];
    result->answers[k] = (psprobe_answer){.status = (psprobe_status)s->status[i],
                                          .elapsed_ns = s->elapsed_ns[i],
                                          .handled_ns = s->handled_ns[i],
                                          .cold = s->cold[i],
                                          .duplicates = s->duplicates[i]};
    if (s->told != NULL) read_told(c, &s->told[i], &result->answers[k]);
  }
}

psprobe_run psp_columns_run(const psp_columns *c, uint32_t index) {
  psprobe_run run = c->runs[index].run;
  run.source_count = c->source_count;
  for (size_t k = 0; k < c->source_count; k++)
    run.sources[k] = c->sources[k].name;
  return run;
}

bool psp_columns_each(const psp_columns *c, psp_row_take *take, void *arg) {
  const psp_columns *apart = c->apart;
  psprobe_result result = {.source_count = 0};
  bool on = true;
  for (size_t i = 0, k = 0; on && (i < c->count || (apart != NULL && k < apart->count));) {
    bool rare = apart != NULL && k < apart->count &&
                (i == c->count || apart->sent_wall_ns[k] < c->sent_wall_ns[i]);
    const psp_columns *of = rare ? apart : c;
    size_t at = rare ? k++ : i++;
    read_row(of, at, &result);
    result.cadence = rare ? PSPROBE_CADENCE_COLD : PSPROBE_CADENCE_STEADY;
    const psprobe_run run = psp_columns_run(c, of->run[at]);
    on = take(arg, &(psp_row){.run = &run,
                              .id = of->id[at],
                              .result = &result,
                              .saved_wall_ns = of->saved_wall_ns[at]});
  }
  return on;
}
