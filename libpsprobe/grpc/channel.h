/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_CHANNEL_H
#define PSP_GRPC_CHANNEL_H
/**
 * @file
 * Calls of a gRPC server, from any thread: one connection and one thread ("psp-grpc"), which dials
 * when there is a call. A call that finds both idle is written to the connection by whoever begins
 * it. After a GOAWAY new calls go to a new connection, and those that the old one
 * still answers go on there. Nothing is tried twice here: a call that fails tells whether a server
 * can have seen it (`untouched`). Without a connection calls end with UNAVAILABLE, UNAUTHENTICATED
 * (TLS: it is not whom we trust) or UNIMPLEMENTED (it does not speak HTTP/2). Callbacks run on the
 * channel's thread and are short.
 */
#include <psprobe/log.h>

#include "grpc/rpc.h"
#include "grpc/words.h"

typedef struct psp_channel psp_channel;

/** Copied; zero where it says so. */
typedef struct psp_channel_options {
  const char *target;         /**< "host:port", "[::1]:443" */
  bool tls;                   /**< else HTTP/2 from the first byte (h2c, prior knowledge) */
  const char *ca_file;        /**< PEM; NULL: the system's */
  int64_t connect_timeout_ns; /**< TLS included; 0: 10 s */
  size_t max_message;         /**< 0: 20 MiB */
  uint32_t window;            /**< of a stream, once its line is fast; 0: 1 MiB */
  unsigned max_calls;         /**< at once, waiting ones included; 0: 1000 */
  size_t max_unsent;          /**< bytes of messages; 0: 64 MiB */
  const psprobe_logger *logger;
} psp_channel_options;

/** Connects to nobody yet. @return OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
psprobe_code psp_channel_new(const psp_channel_options *options, psp_channel **channel,
                             psprobe_error *error);
/** Ends every call (CANCELLED) and waits for its callbacks. NULL is fine. Not from a callback. */
void psp_channel_free(psp_channel *channel);

/**
 * Begins a call. `id` (may be NULL) is for what follows, and never 0; it is set before any callback
 * comes. Waits for nothing.
 * @return OK: `end` comes exactly once, maybe before this returns. Else it does not:
 *         RESOURCE_EXHAUSTED (too many calls, or bytes), CANCELLED (it is being freed)
 */
psprobe_code psp_channel_begin(psp_channel *channel, const psp_rpc_request *request, uint64_t *id,
                               psprobe_error *error);
/** One more message. @return OK, also for a call that has ended; RESOURCE_EXHAUSTED: too much is
 * unsent */
psprobe_code psp_channel_send(psp_channel *channel, uint64_t id, const void *message, size_t len,
                              psprobe_error *error);
/**
 * Says one of these; unknown ids are fine:
 * PSP_WORD_HALF_CLOSE: no more messages;
 * PSP_WORD_PAUSE, PSP_WORD_RESUME: messages that have come wait, and the peer with them;
 * PSP_WORD_CANCEL: `end` comes soon, with CANCELLED unless the peer's word was faster;
 * PSP_WORD_GIVE_UP: the same for a call that is not answered, unless a part of a message has come
 * for it within the time that a pong may take. Where nothing at all has come on its connection for
 * so long, that is given up with it, and new calls go to another.
 */
void psp_channel_tell(psp_channel *channel, uint64_t id, psp_rpc_word word);

#endif
