/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_PROBES_H
#define PSP_STATS_PROBES_H
/** @file The probes of a comparison, in the order of sending. */
#include <stdbool.h>

#include "stats/sample.h"

typedef struct psp_ordered {
  const psprobe_probes *probes;
  uint32_t *by_time; /**< NULL: they are in order as they stand */
} psp_ordered;

/** False without memory. */
bool psp_ordered_init(psp_ordered *ordered, const psprobe_probes *probes);
void psp_ordered_clear(psp_ordered *ordered);

static inline size_t psp_ordered_index(const psp_ordered *ordered, size_t i) {
  return ordered->by_time == NULL ? i : ordered->by_time[i];
}

static inline bool psp_probe_unsent(const psprobe_probes *probes, size_t index) {
  return probes->unsent != NULL && probes->unsent[index];
}

/** Counts publish calls by how long they took. */
psprobe_hedging psp_probes_hedging(const psprobe_probes *probes);

static inline psprobe_status psp_series_status(const psprobe_series *series, size_t index) {
  return series->status == NULL ? PSPROBE_ANSWERED : (psprobe_status)series->status[index];
}

static inline bool psp_series_cold(const psprobe_series *series, size_t index) {
  return series->cold != NULL && series->cold[index];
}

/** The elapsed time, within PSP_MOST_NS. */
int64_t psp_series_elapsed(const psprobe_series *series, size_t index);

/** work->sample: what source answered, sorted; work->marks: which of it was cold. */
void psp_ordered_take_source(const psp_ordered *ordered, size_t source, psp_work *work);

/** work->sample: a minus b of what both answered, sorted; work->marks: where either was cold. */
void psp_ordered_take_pair(const psp_ordered *ordered, size_t a, size_t b, psp_work *work);

#endif
