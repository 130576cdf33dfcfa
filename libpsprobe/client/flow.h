/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLIENT_FLOW_H
#define PSP_CLIENT_FLOW_H
/** @file A call whose answer is taken as it comes, on the caller's thread and in bounded memory. */
#include "client/call.h"

/** Takes the next bytes of a 2xx answer, on the thread that made the call. @return false: enough */
typedef bool psp_flow_take(void *arg, const char *data, size_t len);

/**
 * psp_call_run whose answer goes to `take` as it comes. What comes faster than it is taken stays
 * with the server, but for some 100 KiB.
 * @return PSPROBE_OK, also when `take` had enough; else the error, after what was taken
 */
psprobe_code psp_call_flow(psprobe_client *client, const psp_call *call, psp_flow_take *take,
                           void *arg, psprobe_error *error);

#endif
