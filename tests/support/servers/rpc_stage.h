/* SPDX-License-Identifier: MIT */
#ifndef TEST_RPC_STAGE_H
#define TEST_RPC_STAGE_H
/**
 * @file
 * Our gRPC server behind a listening socket of loopback, which answers by the path as
 * rpc_pair.h has it: "/echo", "/refuse", "/hold", "/flood"; and "/fail/CODE/TIMES", the first times
 * with that code, then as "/echo"; "/twice", with two messages.
 */
#include "grpc/server.h"

typedef struct rpc_stage rpc_stage;

rpc_stage *rpc_stage_start(void);
void rpc_stage_stop(rpc_stage *stage);
int rpc_stage_port(const rpc_stage *stage);
unsigned rpc_stage_connections(rpc_stage *stage); /**< that were accepted */
unsigned rpc_stage_failed(rpc_stage *stage);      /**< calls of "/fail" that it has answered so */
unsigned rpc_stage_held(rpc_stage *stage);        /**< calls of "/hold" that live */

#endif
