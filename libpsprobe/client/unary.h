/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLIENT_UNARY_H
#define PSP_CLIENT_UNARY_H
/**
 * @file
 * One unary gRPC call of a Google API with all its attempts. It is tried again as by REST
 * (client/call.h): what its policy names after a wait; at once, and once each, what no server has
 * begun with, and what was refused for its token. A connection that is lost under a call is
 * UNKNOWN, since the server may have done what it was asked for.
 */
#include "client/stream.h"
#include "os/timer.h"

/** What its end says of the endpoint. */
typedef enum psp_grpc_here {
  PSP_GRPC_SPOKEN = 0,
  PSP_GRPC_DOUBTED, /**< nobody there has ever answered, and nobody has begun with this call:
                       whoever is there may know REST alone */
  PSP_GRPC_FOREIGN  /**< it does not know gRPC, or not this call of it, with which nobody has begun
                     */
} psp_grpc_here;

/** All but `arg` is borrowed until `done` is called. */
typedef struct psp_unary_call {
  psp_service service;
  const char *method;  /**< "/google.pubsub.v1.Publisher/Publish" */
  const char *params;  /**< x-goog-request-params, percent-encoded */
  const void *message; /**< the request */
  size_t len;
  bool apart;          /**< as psp_stream_call's */
  int64_t deadline_ns; /**< of all attempts; monotonic */
  psp_retry_policy retry;
  const char *what; /**< for errors */
  /** Reads a failure's details, a google.rpc.Status, into its error. */
  void (*explain)(const void *details, size_t len, psprobe_error *error);
  /** Once; `error` NULL: it succeeded. On the channel's thread or the timers'. Short. */
  void (*done)(void *arg, const void *answer, size_t len, const psprobe_error *error,
               psp_grpc_here here);
  void *arg;
} psp_unary_call;

/** One under way: memory of the caller's, zeroed, which stays until `done` is called. */
typedef struct psp_unary {
  psprobe_client *client;
  psp_unary_call call;
  unsigned attempt; /* from 1 */
  unsigned missed;  /* attempts that reached nobody */
  bool resent, reauthorized;
  unsigned answers;
  psp_buf answer;
  psp_timer timer;
  psp_retry_past past;
} psp_unary;

/** @return PSPROBE_OK: `done` is called exactly once, maybe before this returns; else it is not */
psprobe_code psp_unary_start(psp_unary *unary, psprobe_client *client, const psp_unary_call *call,
                             psprobe_error *error);

/** Whether calls to the endpoint go by REST, since it knows no gRPC. */
bool psp_grpc_is_foreign(psprobe_client *client, psp_service service);
/** What PSP_GRPC_FOREIGN said, or REST's success after PSP_GRPC_DOUBTED, which counts the third
 * time. @return true: from now on they do */
bool psp_grpc_set_foreign(psprobe_client *client, psp_service service, psp_grpc_here here);

#endif
