/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLIENT_STREAM_H
#define PSP_CLIENT_STREAM_H
/**
 * @file
 * One gRPC call of a Google API: endpoint, credentials, Google's header fields, and what its end
 * means. One attempt; whoever makes it knows whether it may be made again.
 */
#include "client/call.h"
#include "grpc/rpc.h"

/** All borrowed until the function that takes it returns; of a call with `only`, until its end. */
typedef struct psp_stream_call {
  psp_service service;
  const char *method;  /**< "/google.pubsub.v1.Subscriber/StreamingPull" */
  const char *params;  /**< x-goog-request-params, percent-encoded: "subscription=projects%2F…" */
  const void *message; /**< the first */
  size_t len;
  bool only;          /**< and there is no other */
  bool apart;         /**< over a connection that only such calls share */
  int64_t timeout_ns; /**< 0: none */
  const char *what;   /**< for errors */
  /** A message; borrowed until it returns. NULL: nobody cares. Short, as `end`, and without a lock
   * of ours: it may call anything here. */
  void (*message_came)(void *arg, const void *message, size_t len);
  /** Once, the last; `error` NULL: OK. `status` is NULL where no server was asked. On the channel's
   * thread, or the timers'. */
  void (*end)(void *arg, const psprobe_error *error, const psp_rpc_status *status);
  void *arg;
} psp_stream_call;

/** One under way; valid until `end` returns. */
typedef struct psp_streaming psp_streaming;

/**
 * Begins. `stream` (may be NULL) is set before anything is told.
 * @return PSPROBE_OK: `end` comes exactly once (maybe before this returns); else it does not
 */
psprobe_code psp_stream_start(psprobe_client *client, const psp_stream_call *call,
                              psp_streaming **stream, psprobe_error *error);
/** One more message; what fails ends the call. */
void psp_stream_send(psp_streaming *stream, const void *message, size_t len);
/** No more messages of ours. */
void psp_stream_half_close(psp_streaming *stream);
/** What comes waits, and the server with it, until it goes on. */
void psp_stream_pause(psp_streaming *stream, bool paused);
/** `end` comes soon. Never from within this. */
void psp_stream_cancel(psp_streaming *stream);
/** The same for one that is not answered, unless something comes slowly (PSP_WORD_GIVE_UP). */
void psp_stream_give_up(psp_streaming *stream);

/** What the end of a gRPC call says that is not OK. Pure. */
psprobe_code psp_status_from_grpc(const psp_rpc_status *status, const char *what,
                                  psprobe_error *error);

#endif
