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

#include "http/server/server.h"
#include "local/broker/broker.h"

typedef struct psp_broker_host psp_broker_host;

/** Starts it. `handler` answers its requests, with the host as `arg`. `listen` as
 * psp_server_options.listen. @return UNAVAILABLE: address in use */
psprobe_code psp_broker_host_new(const char *listen, psp_handler *handler,
                                 const psprobe_logger *logger, psp_broker_host **host,
                                 psprobe_error *error);
/** Answers what waits, ends what runs. NULL is fine. */
void psp_broker_host_free(psp_broker_host *host);
int psp_broker_host_port(const psp_broker_host *host);

/** The broker, locked: for short calls. */
psp_broker *psp_broker_host_lock(psp_broker_host *host);
/** Unlocks, then sends what lies in the outbox. */
void psp_broker_host_unlock(psp_broker_host *host);
psp_instant psp_broker_host_now(void);

#endif
