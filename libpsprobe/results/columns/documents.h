/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_DOCUMENTS_H
#define PSP_RESULTS_COLUMNS_DOCUMENTS_H
/** @file Rows out of Firestore's documents, today's and those of the first experiment. Pure. */
#include "results/columns/import.h"

/** The run that a document says it is of; "": it says none. */
const char *psp_document_run(const psprobe_value *fields);
/**
 * Adds the row of a document. The first one tells which sources there are, where no run has: those
 * of its map, by name; the two of the first experiment.
 *
 * @return PSPROBE_OK; INVALID_ARGUMENT says which document is not as it must be; RESOURCE_EXHAUSTED
 */
psprobe_code psp_import_document(psp_import *import, const psprobe_value *fields,
                                 psprobe_error *error);

#endif
