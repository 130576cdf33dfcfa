/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_GRPC_H
#define PSP_LOCAL_PUBSUB_GRPC_H
/**
 * @file
 * The broker by gRPC. A call with one answer is the REST request that Google's own annotations
 * make of it (google.api.http in pubsub.proto): path, query and JSON body; so both faces are one
 * broker. StreamingPull is streaming.h's.
 */
#include "grpc/rpc.h"

/** psp_rpc_server_options.accept; `host` is a psp_broker_host. */
void psp_broker_grpc_accept(void *host, psp_rpc *rpc, const char *path);

#endif
