/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_HOST_H
#define PSP_LOCAL_BROKER_HOST_H
/**
 * @file
 * The broker with what it needs to live: its lock, its clock (a thread that
 * wakes at the next lease's end), the REST server in front, pushes behind.
 */
#include <psprobe/error.h>
#include <psprobe/log.h>

#include "local/broker/broker.h"

typedef struct psp_broker_host psp_broker_host;

/** Starts it. `listen` as psp_server_options.listen. @return UNAVAILABLE: address in use */
psprobe_code psp_broker_host_new(const char *listen, const psprobe_logger *logger,
                                 psp_broker_host **host, psprobe_error *error);
/** Answers what waits, ends what runs. NULL is fine. */
void psp_broker_host_free(psp_broker_host *host);
int psp_broker_host_port(const psp_broker_host *host);

/** The broker, locked: for short calls. */
psp_broker *psp_broker_host_lock(psp_broker_host *host);
/** Unlocks, then sends what lies in the outbox. */
void psp_broker_host_unlock(psp_broker_host *host);
psp_instant psp_broker_host_now(void);

/* ---- for its parts ---- */

/** broker_rest.c: answers one request. `arg` is the host. */
struct psp_exchange;
void psp_broker_rest_handle(void *host, struct psp_exchange *exchange);
/** broker_rest.c: sends the answer of a pull that is done. */
void psp_broker_rest_answer(psp_broker_waiter *pull);

/** broker_push.c: the sender of pushes. */
typedef struct psp_broker_pusher psp_broker_pusher;
psp_broker_pusher *psp_broker_pusher_new(psp_broker_host *host, const psprobe_logger *logger);
/** Ends the requests in flight; none may be sent from now on. NULL is fine. */
void psp_broker_pusher_free(psp_broker_pusher *pusher);
/** Takes the push; psp_broker_push_done will be called for it, now or later. */
void psp_broker_pusher_send(psp_broker_pusher *pusher, psp_broker_push *push);

#endif
