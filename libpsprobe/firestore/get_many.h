/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_GET_MANY_H
#define PSP_FIRESTORE_GET_MANY_H
/** @file Reading documents by their paths (batchGet), or when they were last changed alone: what a
 * write can be held to. */
#include <psprobe/document.h>

#include "client/call.h"

/**
 * Asks for documents by their paths, in one attempt that is not repeated.
 *
 * @param once_ns how long it may take
 * @param stopper what can end the wait
 * @param times   receives for each path when it was last changed; {0, 0}: there is none
 * @return PSPROBE_OK; else as psprobe_document_get_many
 */
psprobe_code psp_document_times(psprobe_client *client, const char *const *paths, size_t count,
                                int64_t once_ns, psp_stopper *stopper, psprobe_timestamp *times,
                                psprobe_error *error);

#endif
