/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_RUN_DOCUMENT_H
#define PSP_RESULTS_UPLOAD_RUN_DOCUMENT_H
/** @file The Firestore document of a run: what it was set to, how it ended, and what came of it. */
#include "client/call.h"
#include "results/store/store.h"
#include "results/upload/fields.h"

/**
 * Reads a run's probes once and counts them, in constant memory: {"probes", "sources": {NAME:
 * {"lost", "answered", "late", "interrupted", "uncertain", "duplicates", "cold", "min_ns",
 * "p50_ns", "p99_ns", "max_ns"}}}.
 *
 * @param stopper ends it, then and for a file that cannot be read it is NULL
 * @return a map; NULL also without memory
 * Blocks: while the file is read, about a second a million probes.
 */
psprobe_value *psp_run_summary(psprobe_store *store, const psprobe_run *run, psp_stopper *stopper);

/** @param summary taken; NULL: null, as of one that has not ended. @return a map; NULL without
 * memory. Pure */
psprobe_value *psp_run_document(const psprobe_run *run, psprobe_value *summary);
/** Reads it back. The run's texts are the document's, and live as long. @return false: it is none
 * of ours (no id, a name that is none). Pure */
bool psp_run_document_read(const psprobe_value *fields, psprobe_run *run);

#endif
