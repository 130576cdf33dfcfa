/* SPDX-License-Identifier: MIT */
#ifndef TEST_RPC_PAIR_H
#define TEST_RPC_PAIR_H
/**
 * @file
 * A client's and a server's session joined in memory. The server answers by the path: "/echo" each
 * message with itself and OK at the end; "/refuse" NOT_FOUND; "/hold" nothing; "/flood" so many
 * messages as the first message's text says.
 */
#include "grpc/session.h"

typedef struct rpc_pair {
  psp_session *client, *server;
  int64_t now_ns;
  size_t piece;        /**< so many bytes at a time; 0: all there are */
  bool mute;           /**< the server's bytes go nowhere */
  size_t max_held;     /**< the server's */
  psp_rpc_meter meter; /**< of the server's calls */
  unsigned accepts, pongs;
  psp_rpc *accepted; /**< the last, while it lives */
} rpc_pair;

/** What a call came to. */
typedef struct rpc_record {
  psp_buf messages; /**< each with a line's end */
  unsigned count, heads, ends;
  size_t longest;
  psprobe_code code;
  char message[200];
  char details[64];
  size_t details_len;
  bool from_peer, untouched;
} rpc_record;

extern const psp_rpc_events rpc_recording;

void rpc_pair_make(rpc_pair *pair, uint32_t window);
void rpc_pair_free(rpc_pair *pair);
/** Carries bytes to and fro until there are none. @return the connection is whole */
bool rpc_pair_run(rpc_pair *pair);
/** Begins one that is recorded. `message` NULL: none yet; else it is the only one. */
psp_rpc *rpc_pair_call(rpc_pair *pair, const char *path, const char *message, rpc_record *record);
void rpc_record_free(rpc_record *record);

#endif
