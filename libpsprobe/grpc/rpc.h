/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_RPC_H
#define PSP_GRPC_RPC_H
/**
 * @file
 * One remote call, of either side, without I/O: it lives in a session (grpc/session.h), on whose
 * one thread all of this runs. grpc/channel.h and grpc/server.h take calls from any thread.
 */
#include <stdatomic.h>
#include <stdint.h>

#include "grpc/status.h"

typedef struct psp_rpc psp_rpc;
typedef struct psp_session psp_session;

/** What is told of a call; each may be NULL. They are short, and may use the call. */
typedef struct psp_rpc_events {
  /** Client: the answer has begun. Not told where it begins with its end. */
  void (*head)(void *arg, const psp_fields *fields);
  /** A message; borrowed until it returns. */
  void (*message)(void *arg, const void *data, size_t len);
  /** Server: there will be no more messages. */
  void (*half_closed)(void *arg);
  /** So many bytes of messages are HTTP/2's now, each message with the PSP_FRAME_HEAD before it. */
  void (*sent)(void *arg, size_t len);
  /** Exactly once, the last. Server: OK once all was sent, else why not. `status` is borrowed. */
  void (*end)(void *arg, const psp_rpc_status *status);
} psp_rpc_events;

/** What a call begins with; borrowed but for what says otherwise. */
typedef struct psp_rpc_request {
  const char *path;    /**< "/package.Service/Method"; stays until `end` was told */
  psp_fields *fields;  /**< that psp_field_check accepts; moved, they are empty then. NULL: none */
  int64_t deadline_ns; /**< monotonic; INT64_MAX: none. Sent as grpc-timeout, and kept here */
  const void *message; /**< the first; NULL: none yet */
  size_t len;
  bool only; /**< and there will be no more; this one stays until `end` was told */
  const psp_rpc_events *events;
  void *arg;
} psp_rpc_request;

/** A call that has not begun. NULL: no memory; the fields are the caller's still. psp_session_begin
 * or psp_rpc_free takes it. */
psp_rpc *psp_rpc_new(const psp_rpc_request *request);
/** One that is in no session; nothing is told. NULL is fine. */
void psp_rpc_free(psp_rpc *rpc);

/** What calls hold together, for an owner's bounds; zeroed, it outlives them. */
typedef struct psp_rpc_meter {
  _Atomic size_t unsent;  /**< bytes of messages */
  _Atomic size_t held;    /**< bytes of messages that have not come whole, or wait to be told */
  _Atomic unsigned calls; /**< that have not ended */
} psp_rpc_meter;
/** Once, before anything else is done with a call. */
void psp_rpc_set_meter(psp_rpc *rpc, psp_rpc_meter *meter);

/** A number of the owner's, to find it by. */
void psp_rpc_set_id(psp_rpc *rpc, uint64_t id);
uint64_t psp_rpc_id(const psp_rpc *rpc);
/** Server: who is told of it, from `accept` on. */
void psp_rpc_set_events(psp_rpc *rpc, const psp_rpc_events *events, void *arg);
int64_t psp_rpc_deadline(const psp_rpc *rpc);
/** Bytes of messages that wait to be sent. */
size_t psp_rpc_unsent(const psp_rpc *rpc);

/** Queues a message. One after the last, or after the end, goes nowhere; without memory the call
 * ends. */
void psp_rpc_send(psp_rpc *rpc, const void *message, size_t len);
/** Client: there will be no more messages. */
void psp_rpc_half_close(psp_rpc *rpc);
/** Paused, no message is told, and its window closes once it is full; others go on. */
void psp_rpc_pause(psp_rpc *rpc, bool paused);
/** Server: a google.rpc.Status that goes with the status, unless it is too long for a header. */
void psp_rpc_set_detail(psp_rpc *rpc, const void *status, size_t len);
/** Server: the status, after what was sent. */
void psp_rpc_finish(psp_rpc *rpc, psprobe_code code, const char *message);
/** Ends it at once on both sides; `end` is told before this returns. */
void psp_rpc_abort(psp_rpc *rpc, psprobe_code code, const char *message);

#endif
