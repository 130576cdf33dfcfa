/* SPDX-License-Identifier: MIT */
#include "stats/drift.h"

#include <string.h>

#include "stats/difference.h"

psprobe_change psp_drift(psp_work *work) {
  const size_t n = work->sample.n, half = n / 2;
  memset(work->marks, 0, half);
  memset(work->marks + half, 1, n - half);
  psp_sample_split(work);
  psp_sample_signs(&work->part[0], work->scores);
  psp_sample_signs(&work->part[1], work->scores + half);
  const psp_serial serial = psp_serial_look(work->scores, n, PSP_SIGNS);
  const psp_estimate first = psp_sample_median_given(&work->part[0], &serial);
  const psp_estimate second = psp_sample_median_given(&work->part[1], &serial);
  return psp_change(&first, &second);
}
