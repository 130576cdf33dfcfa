/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_COLLECTIONS_H
#define PSP_RESULTS_UPLOAD_COLLECTIONS_H
/** @file Which collections results are in. Pure. */
#include <psprobe/error.h>

typedef struct psp_collections {
  char *results, *runs;
} psp_collections;

/**
 * Checks the names that were given, and fills in the others.
 *
 * @param results NULL: pubsub_results
 * @param runs    NULL: "pubsub_runs" for "pubsub_results", else the name and "_runs"
 * @param c       receives copies; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT; RESOURCE_EXHAUSTED
 */
psprobe_code psp_collections_name(psp_collections *c, const char *results, const char *runs,
                                  psprobe_error *error);
void psp_collections_free(psp_collections *c);

#endif
