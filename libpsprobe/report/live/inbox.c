/* SPDX-License-Identifier: MIT */
/** @file What the sink brings: into the inbox on the prober's thread, and from there to the data.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "report/live/parts.h"

/* The index of a probe that was handed over before; it was not long ago. */
static bool find(const psp_columns *c, const char *id, size_t *index) {
  for (size_t i = c->count; i-- > 0;) {
    if (strcmp(c->id[i], id) != 0) continue;
    *index = i;
    return true;
  }
  return false;
}

static void note_change(psprobe_dashboard *d, size_t index) {
  if (d->change_count == d->change_capacity) {
    size_t capacity = d->change_capacity == 0 ? 1024 : d->change_capacity * 2;
    uint32_t *grown = realloc(d->changes, capacity * sizeof *grown);
    if (grown == NULL) return;
    d->changes = grown;
    d->change_capacity = capacity;
  }
  d->changes[d->change_count++] = (uint32_t)index;
}

/* Forgets the older half when the room is used up: rare, and cheap on the average. */
static void make_room(psprobe_dashboard *d) {
  if (d->columns.count < d->max_probes) return;
  size_t dropped = d->columns.count / 2, kept = 0;
  psp_columns_drop(&d->columns, dropped);
  for (size_t i = 0; i < d->change_count; i++)
    if (d->changes[i] >= dropped) d->changes[kept++] = d->changes[i] - (uint32_t)dropped;
  d->forgotten += d->change_count - kept;
  d->change_count = kept;
}

/* A probe of the cold cadence: among those that are no part of the page's plots. */
static void take_apart(psprobe_dashboard *d, const psprobe_finished *finished) {
  size_t index;
  if (!finished->update)
    psp_columns_add(&d->columns, 0, &finished->result, psprobe_clock_wall());
  else if (d->columns.apart != NULL && find(d->columns.apart, finished->result.id, &index))
    psp_columns_update(d->columns.apart, index, &finished->result);
}

static void take(psprobe_dashboard *d, const psprobe_finished *finished) {
  const psprobe_result *result = &finished->result;
  size_t index;
  if (result->cadence == PSPROBE_CADENCE_COLD) {
    take_apart(d, finished);
    return;
  }
  for (size_t k = 0; k < result->source_count; k++)
    if ((finished->fresh >> k & 1) != 0 && psprobe_answer_came(result->answers[k].status))
      psp_metric_record(&d->histograms[k][result->answers[k].cold], result->answers[k].elapsed_ns);
  if (finished->update) {
    if (!find(&d->columns, result->id, &index)) return;
    psp_columns_update(&d->columns, index, result);
  } else {
    make_room(d);
    index = d->columns.count;
    psp_columns_add(&d->columns, 0, result, psprobe_clock_wall());
    if (d->columns.count == index) return;
  }
  note_change(d, index);
}

/* Of a result so much as is used: answers have facts, and room for many sources. */
static size_t size_of(const psprobe_finished *finished) {
  return offsetof(psprobe_finished, result.answers) +
         finished->result.source_count * sizeof finished->result.answers[0];
}

void psp_dashboard_take_in(psprobe_dashboard *d) {
  pthread_mutex_lock(&d->inbox_lock);
  psp_buf came = d->inbox;
  d->inbox = (psp_buf){0};
  pthread_mutex_unlock(&d->inbox_lock);
  psprobe_finished finished;
  for (size_t at = 0; at < came.len; at += size_of(&finished)) {
    size_t left = came.len - at;
    memcpy(&finished, came.data + at, left < sizeof finished ? left : sizeof finished);
    take(d, &finished);
  }
  psp_buf_free(&came);
}

/* Copies into the inbox alone, so that nobody who makes a page keeps a result waiting. */
void psprobe_dashboard_sink(void *arg, const psprobe_finished *finished, size_t count) {
  psprobe_dashboard *d = arg;
  pthread_mutex_lock(&d->inbox_lock);
  for (size_t i = 0; i < count && psp_buf_reserve(&d->inbox, size_of(&finished[i])); i++)
    psp_buf_add(&d->inbox, &finished[i], size_of(&finished[i]));
  d->inbox.failed = false; /* what has no room is not on the page */
  d->changed = true;
  pthread_cond_signal(&d->news);
  pthread_mutex_unlock(&d->inbox_lock);
}
