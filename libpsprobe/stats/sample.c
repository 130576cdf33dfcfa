/* SPDX-License-Identifier: MIT */
#include "stats/sample.h"

#include <stdlib.h>
#include <string.h>

#include "stats/quantile_ci.h"
#include "stats/sort.h"

bool psp_work_init(psp_work *work, size_t room, size_t resamples) {
  *work = (psp_work){.room = room, .resamples = resamples};
  const size_t some = room > 0 ? room : 1;
  work->sample.values = malloc(some * sizeof(int64_t));
  work->sample.sorted = malloc(some * sizeof(int64_t));
  work->sample.order = malloc(some * sizeof(uint32_t));
  work->part[0].values = malloc(some * sizeof(int64_t));
  work->part[0].sorted = malloc(some * sizeof(int64_t));
  work->marks = malloc(some);
  work->scores = malloc(some * sizeof(float));
  work->scratch = malloc(2 * some * sizeof(uint64_t));
  work->estimates = malloc(resamples * sizeof(int64_t));
  return work->sample.values != NULL && work->sample.sorted != NULL && work->sample.order != NULL &&
         work->part[0].values != NULL && work->part[0].sorted != NULL && work->marks != NULL &&
         work->scores != NULL && work->scratch != NULL && work->estimates != NULL;
}

void psp_work_clear(psp_work *work) {
  free(work->sample.values);
  free(work->sample.sorted);
  free(work->sample.order);
  free(work->part[0].values);
  free(work->part[0].sorted);
  free(work->marks);
  free(work->scores);
  free(work->scratch);
  free(work->estimates);
  *work = (psp_work){0};
}

void psp_sample_sort(psp_work *work) {
  psp_sample *sample = &work->sample;
  psp_sort_indexed(sample->values, sample->n, sample->sorted, sample->order, work->scratch);
}

bool psp_sample_marked(const psp_work *work) {
  return work->sample.n > 0 && memchr(work->marks, 1, work->sample.n) != NULL;
}

void psp_sample_split(psp_work *work) {
  const psp_sample *whole = &work->sample;
  psp_sample *first = &work->part[0], *second = &work->part[1];
  first->n = 0;
  for (size_t i = 0; i < whole->n; i++)
    first->n += work->marks[i] == 0;
  second->n = whole->n - first->n;
  second->values = first->values + first->n;
  second->sorted = first->sorted + first->n;
  size_t values[2] = {0, 0}, sorted[2] = {0, 0};
  for (size_t i = 0; i < whole->n; i++) {
    const int part = work->marks[i] != 0;
    work->part[part].values[values[part]++] = whole->values[i];
  }
  /* A stable partition of what is sorted is sorted. */
  for (size_t k = 0; k < whole->n; k++) {
    const int part = work->marks[whole->order[k]] != 0;
    work->part[part].sorted[sorted[part]++] = whole->sorted[k];
  }
}

void psp_sample_signs(const psp_sample *sample, float *scores) {
  const int64_t median = psp_median_sorted(sample->sorted, sample->n);
  for (size_t i = 0; i < sample->n; i++) {
    scores[i] = (float)((sample->values[i] > median) - (sample->values[i] < median));
  }
}

psp_estimate psp_sample_median_given(const psp_sample *sample, const psp_serial *serial) {
  const int64_t *sorted = sample->sorted;
  return (psp_estimate){
      .n = sample->n,
      .median_ns = psp_median_sorted(sorted, sample->n),
      .ci = psp_quantile_interval(sorted, sample->n, 0.5, 0.95, serial->inflation),
      .near = psp_median_interval_interpolated(sorted, sample->n, 0.95, serial->inflation),
      .inner = psp_median_interval_interpolated(sorted, sample->n, PSP_INNER_CONFIDENCE,
                                                serial->inflation),
      .serial = *serial};
}

psp_estimate psp_sample_median(const psp_sample *sample, float *scores) {
  psp_sample_signs(sample, scores);
  const psp_serial serial = psp_serial_look(scores, sample->n, PSP_SIGNS);
  return psp_sample_median_given(sample, &serial);
}
