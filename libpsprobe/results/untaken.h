/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UNTAKEN_H
#define PSP_RESULTS_UNTAKEN_H
/**
 * @file What a prober could not take of what was sent to it, as it stands in its run's settings, so
 * that its own failure is never booked as a responder's. Pure.
 */
#include <stdbool.h>

#include <psprobe/probe.h>

#include "base/json.h"

typedef struct psp_untaken {
  psprobe_connections connections;
  uint64_t in_doubt[PSPROBE_MAX_SOURCES]; /**< losses that may be the prober's own */
} psp_untaken;

/** Of a prober's counters. */
psp_untaken psp_untaken_of(const psprobe_prober_stats *stats);
/** Adds `other`, of the same run. */
void psp_untaken_sum(psp_untaken *sum, const psp_untaken *other);
/** "untaken":{…}, a member of a run's settings; `sources` are the run's. */
void psp_untaken_put(psp_json_writer *w, const psp_untaken *untaken, const char *const *sources,
                     size_t count);
/** Adds what a run's settings tell to `sum`, for the sources that it names. NULL, or settings
 * without it: nothing. False: no memory. */
bool psp_untaken_add(psp_untaken *sum, const char *settings, const char *const *sources,
                     size_t count);

#endif
