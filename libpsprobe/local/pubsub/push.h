/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_PUSH_H
#define PSP_LOCAL_PUBSUB_PUSH_H
/** @file Sends pushes, each by an HTTP request. */
#include <psprobe/log.h>

#include "local/broker/broker.h"

/** A push is over: `ok` acknowledges. The push is whose this is, to free. From any thread. */
typedef void psp_broker_push_over(void *arg, psp_broker_push *push, bool ok);

typedef struct psp_broker_pusher psp_broker_pusher;
/** NULL: no memory. */
psp_broker_pusher *psp_broker_pusher_new(psp_broker_push_over *over, void *arg,
                                         const psprobe_logger *logger);
/** Ends the requests in flight; none may be sent from now on. NULL is fine. */
void psp_broker_pusher_free(psp_broker_pusher *pusher);
/** Takes the push until it is over, now or later. */
void psp_broker_pusher_send(psp_broker_pusher *pusher, psp_broker_push *push);

#endif
