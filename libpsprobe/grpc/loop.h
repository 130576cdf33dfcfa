/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_LOOP_H
#define PSP_GRPC_LOOP_H
/**
 * @file
 * The thread that drives connections, and what other threads tell it of their calls: words in a
 * queue whose lock is held for some instructions. Under grpc/channel.h and grpc/server.h.
 */
#include <poll.h>
#include <psprobe/log.h>

#include "grpc/calls.h"

typedef struct psp_loop psp_loop;

/** Whose loop it is; on its thread but for what says otherwise. */
typedef struct psp_loop_owner {
  const char *name; /**< the thread's */
  size_t max_unsent;
  /** Before it waits: begins and ends what it has to. @return when to be asked again, at the
   * latest. NULL: never */
  int64_t (*turn)(void *arg, int64_t now_ns);
  /** Waits as poll(2) does. NULL: with psp_loop_poll. */
  void (*wait)(void *arg, struct pollfd *sockets, size_t count, int timeout_ms);
  /** As psp_calls has it. May be NULL. */
  psp_rpc_connection *(*greet)(void *arg, psp_link *link, int64_t now_ns);
  void (*lost)(void *arg,
               psp_rpc_connection *connection); /**< it is over; its calls live. May be NULL */
  void *arg;
} psp_loop_owner;

/** Not yet running. NULL: no memory or file descriptors. */
psp_loop *psp_loop_new(const psp_loop_owner *owner);
/** False: there is no thread to be had. */
bool psp_loop_start(psp_loop *loop);
/** Stops it, ends every call as CANCELLED, frees. NULL is fine. Not from a callback. */
void psp_loop_free(psp_loop *loop);

/** What any thread tells it by. */
psp_words *psp_loop_words(psp_loop *loop);

/**
 * Takes the loop's place while its thread waits and nobody has told it anything: whoever gets in
 * may begin calls and write, but nothing that would tell of a call. False: it is at work.
 */
bool psp_loop_enter(psp_loop *loop);
/** Out again. @param due_ns when its thread has to look, at the latest; 0: now */
void psp_loop_leave(psp_loop *loop, int64_t due_ns);

/* ---- its own thread ---- */

/** poll(2), meanwhile others may enter. */
void psp_loop_poll(psp_loop *loop, struct pollfd *sockets, size_t count, int timeout_ms);

psp_calls *psp_loop_calls(psp_loop *loop);

#endif
