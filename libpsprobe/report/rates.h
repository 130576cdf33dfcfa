/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_RATES_H
#define PSP_REPORT_RATES_H
/** @file Runs of different rates, each source at each: how often its topic had a message is a
 * factor of how fast it answers. Pure. */
#include "results/columns/columns.h"

/** What a run's settings say of its sending. */
typedef struct psp_cadences {
  int64_t cold_ns, filler_ns; /**< 0: it had none */
  char publish_by[8];         /**< "grpc", "rest"; "": not told */
} psp_cadences;
psp_cadences psp_cadences_of(const psprobe_run *run);

/** A source in the runs of one rate. */
typedef struct psp_rate {
  double per_s; /**< messages of the topic; 0: not told */
  size_t source;
  psprobe_source_summary figures; /**< without a name */
} psp_rate;

/** Lists them by rate, then source; none unless the runs have two rates or more.
 * @param rates receives an array to free() @return false: no memory */
bool psp_rates_list(const psp_columns *columns, psp_rate **rates, size_t *count);

#endif
