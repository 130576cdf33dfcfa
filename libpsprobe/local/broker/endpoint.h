/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_ENDPOINT_H
#define PSP_LOCAL_BROKER_ENDPOINT_H
/** @file What a push endpoint and a message's attributes become in a push's request. Pure. */
#include <stdbool.h>

#include "base/buf.h"

/**
 * The URL that is POSTed to for an endpoint: as Google's emulator does it, without user and
 * fragment; blanks and what is not ASCII are percent-encoded.
 * @return false: the endpoint is none that anybody could push to, or there is no memory
 */
bool psp_endpoint_url(psp_buf *url, const char *endpoint);

/**
 * Whether an attribute goes as a header of its own. Those do not that would break the request: no
 * token as the name, a control character in the value, and what says where the request or its body
 * ends, for whom it is, or what becomes of the connection (the emulator leaves out the same).
 */
bool psp_endpoint_header(const char *name, const char *value);

#endif
