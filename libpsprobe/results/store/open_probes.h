/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_STORE_OPEN_PROBES_H
#define PSP_RESULTS_STORE_OPEN_PROBES_H
/** @file What runs without an end have not closed: probes in flight, or what a dead prober left
 * behind. No other reader sees these. */
#include <psprobe/results.h>

#include "results/store/lock.h"

/** Of a run without an end. Valid when zeroed: not looked at. */
typedef struct psp_open_probes {
  psp_writer prober;
  uint64_t sent;    /**< known to be, and not closed */
  uint64_t perhaps; /**< may have been sent, which nobody noted; of a prober that runs: 0 */
} psp_open_probes;

typedef void psp_open_probes_each(void *arg, const char *run_id, const psp_open_probes *open);

/** Tells of each run that the filter names and that has no end; its times hold for the probes.
 * @return PSPROBE_OK; as psprobe_store_each_run */
psprobe_code psp_store_each_open(psprobe_store *store, const psprobe_filter *filter,
                                 psp_open_probes_each *each, void *arg, psprobe_error *error);

#endif
