/* SPDX-License-Identifier: MIT */
#include "report/thin.h"

#include <string.h>

/* Stretches of a cloud whose extremes are kept. */
#define CLOUD_STRETCHES 50

static bool none(const psprobe_series *s, size_t i) {
  return s->status != NULL && !psprobe_answer_came(s->status[i]);
}

bool psp_notable(const psprobe_series *s, size_t i) {
  return (s->status != NULL && (s->status[i] == PSPROBE_LOST || s->status[i] == PSPROBE_LATE)) ||
         (s->cold != NULL && s->cold[i]);
}

/* What a plot draws: the times of a source, or (b is not NULL) what they exceed another's by. */
typedef struct drawn {
  const psprobe_series *a, *b;
  const uint32_t *order;
} drawn;

static bool has(const drawn *d, size_t at) {
  return !none(d->a, d->order[at]) && (d->b == NULL || !none(d->b, d->order[at]));
}

static int64_t value(const drawn *d, size_t at) {
  size_t i = d->order[at];
  return d->a->elapsed_ns[i] - (d->b != NULL ? d->b->elapsed_ns[i] : 0);
}

/* The least and the most of [from, to). */
static void keep_extremes(const drawn *d, size_t from, size_t to, bool *keep) {
  size_t least = to, most = to;
  for (size_t at = from; at < to; at++) {
    if (!has(d, at)) continue;
    if (least == to || value(d, at) < value(d, least)) least = at;
    if (most == to || value(d, at) > value(d, most)) most = at;
  }
  if (least < to) keep[least] = true;
  if (most < to) keep[most] = true;
}

static void keep_extremes_of(const drawn *d, size_t n, size_t stretches, bool *keep) {
  for (size_t b = 0; b < stretches; b++)
    keep_extremes(d, b * n / stretches, (b + 1) * n / stretches, keep);
}

/* Every k-th notable probe of a source, with k so that `max` are enough. */
static void keep_notable(const drawn *d, size_t n, size_t max, bool *keep) {
  size_t all = 0, seen = 0;
  for (size_t at = 0; at < n; at++)
    all += psp_notable(d->a, at);
  if (all == 0) return;
  size_t step = (all + max - 1) / max;
  for (size_t at = 0; at < n; at++)
    if (psp_notable(d->a, d->order[at]) && seen++ % step == 0) keep[at] = true;
}

size_t psp_thin(const psprobe_probes *probes, const uint32_t *order, bool *keep) {
  size_t n = probes->count, kept = 0;
  bool all = n <= 2 * PSP_THIN_STRETCHES;
  memset(keep, all, n);
  if (all) return n;
  keep[0] = keep[n - 1] = true;
  for (size_t k = 0; k < probes->source_count; k++) {
    drawn d = {.a = &probes->sources[k], .order = order};
    keep_extremes_of(&d, n, PSP_THIN_STRETCHES, keep);
    keep_notable(&d, n, PSP_THIN_NOTABLE / probes->source_count, keep);
  }
  for (size_t i = 0; i < n; i++)
    kept += keep[i];
  return kept;
}

size_t psp_thin_differences(const psprobe_probes *probes, const uint32_t *order, bool *keep) {
  drawn d = {.a = &probes->sources[0], .b = &probes->sources[1], .order = order};
  size_t n = probes->count, all = 0, seen = 0;
  memset(keep, false, n);
  for (size_t at = 0; at < n; at++)
    all += has(&d, at);
  size_t step = all <= PSP_THIN_POINTS ? 1 : all / (PSP_THIN_POINTS - 2 * CLOUD_STRETCHES) + 1;
  for (size_t at = 0; at < n; at++)
    if (has(&d, at) && seen++ % step == 0) keep[at] = true;
  if (step > 1) keep_extremes_of(&d, n, CLOUD_STRETCHES, keep);
  return all;
}
