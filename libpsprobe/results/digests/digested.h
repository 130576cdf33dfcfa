/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_DIGESTS_DIGESTED_H
#define PSP_RESULTS_DIGESTS_DIGESTED_H
/** @file A results file of more probes than are held in memory, as its digests sum it up. */
#include "results/columns/columns.h"
#include "stats/digest/totals.h"

/** More probes than these are summed up: below, every figure is exact. */
#define PSP_DIGESTED_FROM 500000
/** Most probes that are read for pictures. */
#define PSP_DIGESTED_DRAWN 20000

/** What to read. All borrowed. */
typedef struct psp_digesting {
  psprobe_store *store;
  const psprobe_filter *filter;
  const char *const *sources; /**< these alone, in this order; NULL: those of the newest run */
  size_t source_count;
  bool recount; /**< of rows alone, though the file has digests */
} psp_digesting;

/** What was read. Valid when zeroed. */
typedef struct psp_digested {
  psp_columns columns; /**< runs, sources, rare probes, and the few probes that pictures show */
  bool *even;          /**< of these: those that lie evenly */
  uint64_t probes, unsent;
  int64_t first_ns, last_ns;
  psprobe_comparison *comparison;
  psp_spread answers[PSPROBE_MAX_SOURCES];
  psp_spread differences; /**< of the first two sources */
} psp_digested;

/** Whether more than `most` probes match. @return as psprobe_store_each */
psprobe_code psp_digested_wanted(psprobe_store *store, const psprobe_filter *filter, uint64_t most,
                                 bool *wanted, psprobe_error *error);
/** Reads it. @param digested receives it; free it in any case
 * @return PSPROBE_OK; NOT_FOUND a source that there is not; as psprobe_store_each */
psprobe_code psp_digested_read(psp_digested *digested, const psp_digesting *what,
                               psprobe_error *error);
void psp_digested_free(psp_digested *digested);

#endif
