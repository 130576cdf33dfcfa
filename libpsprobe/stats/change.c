/* SPDX-License-Identifier: MIT */
/** @file Two samples that share no probes: before and after. */
#include <string.h>

#include "base/error.h"
#include "stats/difference.h"

psprobe_code psprobe_change_of(const int64_t *before_ns, size_t before_count,
                               const int64_t *after_ns, size_t after_count, psprobe_change *change,
                               psprobe_error *error) {
  psp_work work;
  size_t n = before_count + after_count;
  if (!psp_work_init(&work, n, 1)) {
    psp_work_clear(&work);
    return psp_fail_memory(error, "comparison of two runs");
  }
  work.sample.n = n;
  if (before_count > 0) memcpy(work.sample.values, before_ns, before_count * sizeof *before_ns);
  if (after_count > 0)
    memcpy(work.sample.values + before_count, after_ns, after_count * sizeof *after_ns);
  psp_sample_sort(&work);
  if (n > 0) memset(work.marks, 0, before_count);
  if (n > 0) memset(work.marks + before_count, 1, after_count);
  psp_sample_split(&work);
  const psp_estimate before = psp_sample_median(&work.part[0], work.scores);
  const psp_estimate after = psp_sample_median(&work.part[1], work.scores);
  *change = psp_change(&before, &after);
  psp_work_clear(&work);
  return PSPROBE_OK;
}
