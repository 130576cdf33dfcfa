/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_HOP_H
#define PSP_LOCAL_FUNCTIONS_HOP_H
/** @file Which headers end at an intermediary (RFC 9110, 7.6.1). Pure. */
#include <stdbool.h>

/**
 * Whether a header is not passed on: it is of the connection, or `connection` names it, or it says
 * what the next message says anew (Content-Length; Expect, which was met).
 * @param connection the message's Connection header, its lines joined by commas; may be NULL
 */
bool psp_hop_ends(const char *name, const char *connection);

#endif
