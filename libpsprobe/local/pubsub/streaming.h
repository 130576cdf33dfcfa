/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_STREAMING_H
#define PSP_LOCAL_PUBSUB_STREAMING_H
/**
 * @file
 * StreamingPull: one pull after another, whose answers go out on the stream, as many as its limit
 * of messages lets be out at once. Acks and deadlines may come on it; an empty request is answered
 * by an answer without messages.
 */
#include "grpc/rpc.h"
#include "local/pubsub/host.h"

/** A call of it has come. On the gRPC server's thread. */
void psp_broker_streaming_accept(psp_broker_host *host, psp_rpc *rpc);

#endif
