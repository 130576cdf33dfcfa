/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_HOST_H
#define PSP_LOCAL_PUBSUB_HOST_H
/**
 * @file
 * The broker with what it needs to live: its lock, its clock (a thread that
 * wakes at the next lease's end), the servers in front, pushes behind.
 */
#include <psprobe/error.h>
#include <psprobe/log.h>

#include "grpc/server.h"
#include "http/server/server.h"
#include "local/broker/broker.h"

typedef struct psp_broker_host psp_broker_host;

/** Who answers, with the host as `arg`: REST, and gRPC on the same port. */
typedef struct psp_broker_faces {
  psp_handler *rest;
  void (*grpc)(void *host, psp_rpc *rpc, const char *path); /**< psp_rpc_server_options.accept */
} psp_broker_faces;

/** Starts it. `listen` as psp_server_options.listen. @return UNAVAILABLE: address in use */
psprobe_code psp_broker_host_new(const char *listen, const psp_broker_faces *faces,
                                 const psprobe_logger *logger, psp_broker_host **host,
                                 psprobe_error *error);
/** Answers what waits, ends what runs. NULL is fine. */
void psp_broker_host_free(psp_broker_host *host);
int psp_broker_host_port(const psp_broker_host *host);

/** By which calls of gRPC are answered. */
psp_rpc_server *psp_broker_host_grpc(psp_broker_host *host);

/** The broker, locked: for short calls. */
psp_broker *psp_broker_host_lock(psp_broker_host *host);
/** Unlocks, then sends what lies in the outbox. */
void psp_broker_host_unlock(psp_broker_host *host);
psp_instant psp_broker_host_now(void);

#endif
