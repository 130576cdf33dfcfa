/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_SERVER_H
#define PSP_GRPC_SERVER_H
/**
 * @file
 * The server's side of gRPC: connections that somebody else has accepted (http/server, which tells
 * HTTP/2 by its preface), on one thread ("psp-grpc-serve"). Calls are answered from any thread.
 */
#include "grpc/link.h"
#include "grpc/rpc.h"

typedef struct psp_rpc_server psp_rpc_server;

typedef struct psp_rpc_server_options {
  /** A call has come, with psp_rpc_id: sets its events, or finishes it. On the server's thread. */
  void (*accept)(void *arg, psp_rpc *rpc, const char *path);
  void *arg;
  size_t max_message; /**< 0: 20 MiB */
  unsigned max_calls; /**< at once on one connection; 0: 1000 */
  size_t max_unsent;  /**< bytes of messages, of them all; 0: 256 MiB */
} psp_rpc_server_options;

/** @return OK, RESOURCE_EXHAUSTED */
psprobe_code psp_rpc_server_new(const psp_rpc_server_options *options, psp_rpc_server **server,
                                psprobe_error *error);
/** Ends every call and closes every connection. NULL is fine. Not from a callback. */
void psp_rpc_server_free(psp_rpc_server *server);

/** Takes a connection, in any case; `host` may be NULL. Any thread. */
void psp_rpc_server_take(psp_rpc_server *server, int fd, const psp_link_host *host);
/** A message of the answer. Any thread, unknown ids are fine.
 * @return OK; RESOURCE_EXHAUSTED: the clients take too little */
psprobe_code psp_rpc_server_send(psp_rpc_server *server, uint64_t id, const void *message,
                                 size_t len);
/** What goes with the status, before its end: a google.rpc.Status (grpc-status-details-bin). One
 * that is too long for a header is left out. Any thread, unknown ids are fine. */
void psp_rpc_server_detail(psp_rpc_server *server, uint64_t id, const void *status, size_t len);
/** The end of the answer. Any thread, unknown ids are fine. */
void psp_rpc_server_finish(psp_rpc_server *server, uint64_t id, psprobe_code code,
                           const char *message);

#endif
