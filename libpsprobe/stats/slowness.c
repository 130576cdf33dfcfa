/* SPDX-License-Identifier: MIT */
#include "stats/slowness.h"

#include "stats/probes.h"
#include "stats/proportions.h"

static bool above(const psprobe_series *series, size_t index, int64_t bound) {
  return psprobe_answer_came(psp_series_status(series, index)) &&
         psp_series_elapsed(series, index) > bound;
}

psprobe_slowness psp_slowness(const psprobe_probes *probes, size_t source, int64_t source_p99,
                              size_t other, int64_t other_p99) {
  const psprobe_series *own = &probes->sources[source], *theirs = &probes->sources[other];
  uint64_t slow = 0, common = 0;
  for (size_t i = 0; i < probes->count; i++) {
    if (!above(own, i, source_p99)) continue;
    slow++;
    const psprobe_status status = psp_series_status(theirs, i);
    common += status == PSPROBE_LATE || status == PSPROBE_LOST || above(theirs, i, other_p99);
  }
  return (psprobe_slowness){.above_ns = source_p99, .common = psp_share(common, slow, 1)};
}
