/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_CALLS_H
#define PSP_GRPC_CALLS_H
/** @file The calls of a loop, with its connections, and what words make of them. On its thread. */
#include "grpc/connection.h"
#include "grpc/parts.h"
#include "grpc/words.h"

typedef struct psp_calls {
  psp_rpc_list waiting; /**< for a connection */
  psp_rpc_connection *connections;
  /** The session of a socket that psp_words_add brought. NULL: it is closed. */
  psp_rpc_connection *(*greet)(void *arg, psp_link *link, int64_t now_ns);
  void *arg;
} psp_calls;

void psp_calls_keep(psp_calls *calls, psp_rpc_connection *connection);
/** Does all that was told. @return whether it goes on */
bool psp_calls_obey(psp_calls *calls, psp_words *words);

/** The first call that waits for a connection, taken out; or NULL. */
psp_rpc *psp_calls_next_waiting(psp_calls *calls);
bool psp_calls_has_waiting(const psp_calls *calls);
/** Ends those that wait: all, or those whose deadline has passed. @return the next deadline */
int64_t psp_calls_end_waiting(psp_calls *calls, bool all, int64_t now_ns, psprobe_code code,
                              const char *why);

#endif
