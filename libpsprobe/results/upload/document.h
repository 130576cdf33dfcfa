/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_UPLOAD_DOCUMENT_H
#define PSP_RESULTS_UPLOAD_DOCUMENT_H
/** @file The Firestore document of a row. Pure. */
#include <psprobe/results.h>

/** The fields that a late or duplicate answer changes: the mask of a second upload. */
#define PSP_DOCUMENT_MASK 4
extern const char *const psp_document_mask[PSP_DOCUMENT_MASK];

/** "answered", "late" or "lost". */
const char *psp_status_name(psprobe_status status);
/** The status of that name. @return false: there is none */
bool psp_status_named(const char *text, psprobe_status *status);
/** NULL: not known. */
const char *psp_ending_name(psprobe_ending ending);

#endif
