/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_INTAKE_H
#define PSP_HTTP_SERVER_INTAKE_H
/** @file How a request comes in: its head looked at, its body held or refused. */
#include "http/server/parts.h"

/** The head is there. `x->refused` afterwards: an error is sent, and no body will be held. */
void psp_intake_begin(psp_exchange *exchange, const char *version);
/** The body is there. False: what was gzip'd does not end as gzip does. */
bool psp_intake_end(const psp_exchange *exchange);
/** A piece of the body; *len becomes 0. MHD_NO: the connection is to be closed. */
enum MHD_Result psp_intake_take(psp_exchange *exchange, const char *data, size_t *len);

#endif
