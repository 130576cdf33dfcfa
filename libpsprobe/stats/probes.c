/* SPDX-License-Identifier: MIT */
#include "stats/probes.h"

#include <stdlib.h>

#include "stats/sort.h"

static bool in_order(const int64_t *times, size_t n) {
  for (size_t i = 1; i < n; i++) {
    if (times[i] < times[i - 1]) return false;
  }
  return true;
}

bool psp_ordered_init(psp_ordered *ordered, const psprobe_probes *probes) {
  *ordered = (psp_ordered){.probes = probes};
  const size_t n = probes->count;
  if (probes->sent_ns == NULL || in_order(probes->sent_ns, n)) return true;
  int64_t *sorted = malloc(n * sizeof *sorted);
  uint64_t *scratch = malloc(2 * n * sizeof *scratch);
  ordered->by_time = malloc(n * sizeof *ordered->by_time);
  const bool enough = sorted != NULL && scratch != NULL && ordered->by_time != NULL;
  if (enough) psp_sort_indexed(probes->sent_ns, n, sorted, ordered->by_time, scratch);
  free(sorted);
  free(scratch);
  return enough;
}

void psp_ordered_clear(psp_ordered *ordered) {
  free(ordered->by_time);
  *ordered = (psp_ordered){0};
}

psprobe_hedging psp_probes_hedging(const psprobe_probes *probes) {
  psprobe_hedging hedging = {0};
  for (size_t i = 0; probes->publish_ns != NULL && i < probes->count; i++) {
    hedging.timed += probes->publish_ns[i] >= 0;
    hedging.slow += probes->publish_ns[i] > PSPROBE_HEDGE_NS;
  }
  return hedging;
}

int64_t psp_series_elapsed(const psprobe_series *series, size_t index) {
  const int64_t ns = series->elapsed_ns[index];
  return ns > PSP_MOST_NS ? PSP_MOST_NS : ns < -PSP_MOST_NS ? -PSP_MOST_NS : ns;
}

void psp_ordered_take_source(const psp_ordered *ordered, size_t source, psp_work *work) {
  const psprobe_series *series = &ordered->probes->sources[source];
  size_t n = 0;
  for (size_t i = 0; i < ordered->probes->count; i++) {
    const size_t index = psp_ordered_index(ordered, i);
    if (!psprobe_answer_came(psp_series_status(series, index))) continue;
    work->sample.values[n] = psp_series_elapsed(series, index);
    work->marks[n++] = psp_series_cold(series, index);
  }
  work->sample.n = n;
  psp_sample_sort(work);
}

void psp_ordered_take_pair(const psp_ordered *ordered, size_t a, size_t b, psp_work *work) {
  const psprobe_series *first = &ordered->probes->sources[a],
                       *second = &ordered->probes->sources[b];
  size_t n = 0;
  for (size_t i = 0; i < ordered->probes->count; i++) {
    const size_t index = psp_ordered_index(ordered, i);
    if (!psprobe_answer_came(psp_series_status(first, index)) ||
        !psprobe_answer_came(psp_series_status(second, index))) {
      continue;
    }
    work->sample.values[n] = psp_series_elapsed(first, index) - psp_series_elapsed(second, index);
    work->marks[n++] = psp_series_cold(first, index) || psp_series_cold(second, index);
  }
  work->sample.n = n;
  psp_sample_sort(work);
}
