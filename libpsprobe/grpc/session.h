/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_SESSION_H
#define PSP_GRPC_SESSION_H
/**
 * @file
 * One HTTP/2 connection with its calls, as client or server, without I/O: bytes in, bytes out, time
 * as an argument. One thread at a time. What is told to callbacks comes from within
 * psp_session_take, psp_session_tick and psp_session_end (and psp_rpc_abort); they may use calls
 * and begin others, but give bytes in or out.
 */
#include "grpc/rpc.h"

typedef struct psp_session_options {
  bool server;
  bool tls;                /**< client: ":scheme" is https */
  const char *authority;   /**< client: "host:port"; stays as long as the session */
  size_t max_message;      /**< that is received, in bytes; 0: 20 MiB */
  size_t max_held;         /**< server: of messages not yet whole, by the meter; 0: 256 MiB */
  size_t max_fields;       /**< of a head or trailers, in bytes; 0: 64 KiB */
  uint32_t window;         /**< of a stream, once its line is fast; 0: 1 MiB */
  uint32_t session_window; /**< of them all; 0: 16 MiB */
  unsigned max_calls;      /**< server: at once; 0: 1000 */
  /** Server: a call has come, whose events are to be set, or which is to be finished, here. */
  void (*accept)(void *arg, psp_rpc *rpc, const char *path);
  /** A ping was answered. May be NULL. */
  void (*pong)(void *arg);
  void *arg;
} psp_session_options;

/** Copies the options. NULL: no memory. */
psp_session *psp_session_new(const psp_session_options *options);
/** Ends what lives still as psp_session_end does. NULL is fine. Not from a callback. */
void psp_session_free(psp_session *session);

/** Bytes that came. False: the connection is of no more use (psp_session_why), or over. */
bool psp_session_take(psp_session *session, const void *data, size_t len, int64_t now_ns);
/** Adds what is to be sent to `out`, up to about `most` bytes in it. False: as psp_session_take. */
bool psp_session_give(psp_session *session, psp_buf *out, size_t most);
/** Ends calls whose deadline has passed. @return when to call it again, at the latest */
int64_t psp_session_tick(psp_session *session, int64_t now_ns);
/** The connection is gone: ends every call (those that the peer cannot have seen as untouched). */
void psp_session_end(psp_session *session, psprobe_code code, const char *why);

/** Client: whether a call can begin now: no GOAWAY, and the peer has room. */
bool psp_session_has_room(const psp_session *session);
/** Nothing is to be written. */
bool psp_session_is_quiet(const psp_session *session);
/** Takes the call, if it can begin. False: it is the caller's still, and nobody was told. */
bool psp_session_try(psp_session *session, psp_rpc *rpc, int64_t now_ns);
int64_t psp_session_due(const psp_session *session); /**< when psp_session_tick is, at the latest */
/** Takes the call. False: it could not begin, and has ended. */
bool psp_session_begin(psp_session *session, psp_rpc *rpc, int64_t now_ns);
psp_rpc *psp_session_find(const psp_session *session, uint64_t id); /**< or NULL */
unsigned psp_session_calls(const psp_session *session);             /**< that live */
/** Somebody waits for something: client, for a call's end; server, for a status. */
bool psp_session_is_busy(const psp_session *session);

void psp_session_ping(psp_session *session);
/** The peer has said something about calls since the last ping. */
bool psp_session_is_answered(const psp_session *session);
/** No more calls are taken; those that live go on. */
void psp_session_go_away(psp_session *session);
/** Either side has said so. */
bool psp_session_is_leaving(const psp_session *session);
/** The peer has shown that it speaks HTTP/2. */
bool psp_session_is_greeted(const psp_session *session);
/** Why it is of no more use: "HTTP/2: …"; "": it is. */
const char *psp_session_why(const psp_session *session);

#endif
