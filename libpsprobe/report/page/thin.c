/* SPDX-License-Identifier: MIT */
#include "report/page/thin.h"

#include <string.h>

static bool lost(const psprobe_series *s, size_t i) {
  return s->status != NULL && s->status[i] == PSPROBE_LOST;
}

bool psp_notable(const psprobe_series *s, size_t i) {
  return (s->status != NULL && s->status[i] != PSPROBE_ANSWERED) || (s->cold != NULL && s->cold[i]);
}

/** The fastest and the slowest answer of one source among probes [from, to). */
static void keep_extremes(const psprobe_series *s, size_t from, size_t to, bool *keep) {
  size_t least = to, most = to;
  for (size_t i = from; i < to; i++) {
    if (lost(s, i)) continue;
    if (least == to || s->elapsed_ns[i] < s->elapsed_ns[least]) least = i;
    if (most == to || s->elapsed_ns[i] > s->elapsed_ns[most]) most = i;
  }
  if (least < to) keep[least] = true;
  if (most < to) keep[most] = true;
}

/** Every k-th notable probe of a source, with k so that `max` are enough. */
static void keep_notable(const psprobe_series *s, size_t count, size_t max, bool *keep) {
  size_t all = 0, seen = 0;
  for (size_t i = 0; i < count; i++)
    all += psp_notable(s, i);
  if (all == 0 || max == 0) return;
  size_t step = (all + max - 1) / max;
  for (size_t i = 0; i < count; i++)
    if (psp_notable(s, i) && seen++ % step == 0) keep[i] = true;
}

size_t psp_thin(const psprobe_probes *probes, size_t buckets, size_t notable_max, bool *keep) {
  size_t n = probes->count, kept = 0;
  bool all = n <= 2 * buckets;
  memset(keep, all, n);
  if (all) return n;
  keep[0] = keep[n - 1] = true;
  for (size_t k = 0; k < probes->source_count; k++) {
    for (size_t b = 0; b < buckets; b++)
      keep_extremes(&probes->sources[k], b * n / buckets, (b + 1) * n / buckets, keep);
    keep_notable(&probes->sources[k], n, notable_max / probes->source_count, keep);
  }
  for (size_t i = 0; i < n; i++)
    kept += keep[i];
  return kept;
}
