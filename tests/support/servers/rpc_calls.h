/* SPDX-License-Identifier: MIT */
#ifndef TEST_RPC_CALLS_H
#define TEST_RPC_CALLS_H
/** @file Calls over a channel, recorded, and waited for by another thread. */
#include <pthread.h>

#include "grpc/channel.h"
#include "os/latch.h"

typedef struct rpc_wait {
  psp_channel *channel;
  uint64_t id;
  psp_latch ended;
  pthread_mutex_t lock; /**< over what follows, until it has ended */
  pthread_cond_t changed;
  unsigned count; /**< of messages */
  size_t bytes;
  psp_buf last; /**< message */
  psprobe_code code;
  char message[256];
  psp_buf detail; /**< grpc-status-details-bin */
  bool from_peer, untouched;
} rpc_wait;

/** Begins one; of `message` NULL none is sent yet. @return psp_channel_begin's */
psprobe_code rpc_wait_begin(rpc_wait *call, psp_channel *channel, const char *path,
                            const char *message, int64_t deadline_ns);
/** Until it has so many messages; fails the test after a minute. */
void rpc_wait_messages(rpc_wait *call, unsigned count);
/** Until its end; fails after a minute. @return its code */
psprobe_code rpc_wait_end(rpc_wait *call);
/** After its end. */
void rpc_wait_free(rpc_wait *call);
/** One message each way. @return the code; "" or the answer in `answer` */
psprobe_code rpc_unary(psp_channel *channel, const char *path, const char *message,
                       char answer[256]);

#endif
