/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_FUNCTION_H
#define PSPROBE_FUNCTION_H
/**
 * @file
 * A function of one's own, in C, as Cloud Run and Cloud Run functions call it: listens where PORT
 * says, is named by FUNCTION_TARGET, takes events in every form (psprobe/event.h), several at once,
 * and finishes what is under way when it is told to end. examples/function.c is one to copy.
 * Source: https://github.com/GoogleCloudPlatform/functions-framework (the contract);
 * https://cloud.google.com/run/docs/container-contract
 *
 * Ownership: what is given is borrowed for the call, and targets' names and arguments for as long
 * as the function is served; what a call gives is the call's.
 * Threading: any thread.
 * Blocks: no.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/auth.h>
#include <psprobe/error.h>
#include <psprobe/event.h>
#include <psprobe/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a call of a function ---- */

/** One request to a function of HTTP's, or one event. */
typedef struct psprobe_call psprobe_call;

/** Of which instance of the function a call is, and which of its calls. */
typedef struct psprobe_invocation {
  const char *target;   /**< its name in the table */
  const char *instance; /**< a name of this process, made up when it started */
  uint64_t number;      /**< of this process's calls, from 1 */
  bool cold;            /**< it is the first */
  int64_t age_ns;       /**< from the process's start to the call's arrival */
  int64_t ready_ns;     /**< from the process's start until it listened; the kernel tells a
                             start to 10 ms, its CPU time narrows that down */
  int64_t received_ns;  /**< monotonic, when its request came */
  int64_t arrived_ns;   /**< wall clock, when its request came */
} psprobe_invocation;

/** @return who is called; valid until the function returns (or psprobe_call_end) */
PSPROBE_API psprobe_invocation psprobe_call_invocation(const psprobe_call *call);
/** @return the event; NULL for targets of HTTP and typed ones */
PSPROBE_API const psprobe_event *psprobe_call_event(const psprobe_call *call);
/** @return the older event, for PSPROBE_TARGET_EVENT; else NULL */
PSPROBE_API const psprobe_legacy_event *psprobe_call_legacy(const psprobe_call *call);
/** @return the message, where there is one: always for PSPROBE_TARGET_MESSAGE; else NULL */
PSPROBE_API const psprobe_message *psprobe_call_message(const psprobe_call *call);

/** @return its request's method, "POST" */
PSPROBE_API const char *psprobe_call_method(const psprobe_call *call);
/** @return its request's path, raw, without the query */
PSPROBE_API const char *psprobe_call_path(const psprobe_call *call);
/** @return its request's query, raw; "" for none */
PSPROBE_API const char *psprobe_call_query(const psprobe_call *call);
/**
 * A header of its request.
 * @param name in any case
 * @return its value, or NULL
 */
PSPROBE_API const char *psprobe_call_header(const psprobe_call *call, const char *name);
/**
 * The body of its request.
 * @param len receives its length
 * @return the bytes, never NULL
 */
PSPROBE_API const char *psprobe_call_body(const psprobe_call *call, size_t *len);

/**
 * Sets the answer to a request of HTTP's, or of a typed target; events are answered without one.
 * The last one holds; it is sent when the function has returned.
 * @param status of HTTP
 * @param type a content type; NULL: none
 * @param body, len copied
 */
PSPROBE_API void psprobe_call_reply(psprobe_call *call, int status, const char *type,
                                    const char *body, size_t len);

/** From within the function: the call goes on after the function returns, until psprobe_call_end.
 * What the function returns counts for nothing. */
PSPROBE_API void psprobe_call_later(psprobe_call *call);
/**
 * Ends a call that goes on, maybe before its function has returned; nothing may be asked of it
 * then.
 * @param code as a function returns it
 * @param error why, where it is not PSPROBE_OK; may be NULL
 */
PSPROBE_API void psprobe_call_end(psprobe_call *call, psprobe_code code,
                                  const psprobe_error *error);

/* ---- targets ---- */

/** What a target is called with. */
typedef enum psprobe_target_kind {
  PSPROBE_TARGET_HTTP,       /**< any request; psprobe_call_reply answers */
  PSPROBE_TARGET_TYPED,      /**< JSON (checked), answered with JSON */
  PSPROBE_TARGET_CLOUDEVENT, /**< an event in any form, as a CloudEvent */
  PSPROBE_TARGET_EVENT,      /**< an event in any form, as one of the first generation */
  PSPROBE_TARGET_MESSAGE     /**< a message of Pub/Sub's, however it came */
} psprobe_target_kind;

/**
 * A function: on a thread of its own, several at once.
 * @param error filled in where it fails; its words go to the log, not into the answer
 * @return PSPROBE_OK: 2xx; UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, CANCELLED:
 *         503; others: 500. What is not 2xx, Google's triggers deliver again
 */
typedef psprobe_code psprobe_target_function(void *arg, psprobe_call *call, psprobe_error *error);

typedef struct psprobe_target {
  const char *name;
  psprobe_target_kind kind;
  psprobe_target_function *function;
  void *arg;
  /** It never waits, and its work is short (or psprobe_call_later): it is called where its request
   * comes in, without a thread of its own. */
  bool at_once;
  /** Of PSPROBE_TARGET_MESSAGE: a body of no known form is the data of a message (noWrapper without
   * metadata). */
  bool plain;
} psprobe_target;

/* ---- serving ---- */

/** Valid when zeroed. Texts are copied. */
typedef struct psprobe_function_options {
  const char *listen; /**< "host:port", port 0 picks one; NULL: every address, IPv4 and IPv6, at
                           PORT or 8080 */
  const char *target; /**< NULL: FUNCTION_TARGET, or the only one there is */
  const char *signature_type; /**< "http", "typed", "cloudevent", "event"; NULL:
                                   FUNCTION_SIGNATURE_TYPE, or whatever the target's is */
  unsigned concurrency;       /**< calls at once, further ones wait; 0: 80 */
  int64_t grace_ns;           /**< from SIGTERM for what is under way; 0: 9 s (Cloud Run has 10) */
  const char *health;         /**< the path of GET that is 200 without a call; NULL: "/health" */
  const psprobe_verifier_options *verify; /**< who may call, beside what the platform asks; NULL:
                                               everybody */
  const psprobe_logger *logger;
} psprobe_function_options;

/**
 * Serves one target of a table until SIGTERM or SIGINT, then lets what is under way end. Takes
 * those signals from the process, for good. Requests to events' targets are POSTs to any path: 204
 * when the function returned PSPROBE_OK, and for an event that no such target can be given (which
 * is logged); 400 or 415 with the reason for what is no event; 500 or 503 when the function failed.
 *
 * @param targets, count the table
 * @param options may be NULL
 * @return PSPROBE_OK after a signal; NOT_FOUND: no such target, and the error lists those there
 *         are; INVALID_ARGUMENT: which target is meant is open, or PORT is no port; UNAVAILABLE:
 *         the address is in use; DEADLINE_EXCEEDED: calls went on beyond the grace period, and
 *         still do: end the program; RESOURCE_EXHAUSTED without memory or threads
 *
 * Threading: before there are other threads, which would take its signals.
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_function_serve(const psprobe_target *targets, size_t count,
                                                const psprobe_function_options *options,
                                                psprobe_error *error);

/** A target that is served, for programs that have signals and a life of their own. */
typedef struct psprobe_function psprobe_function;
/**
 * Begins to serve a target. Looks at no environment.
 * @param options `target` and `signature_type` count for nothing; may be NULL
 * @param function receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT, UNAVAILABLE: the address, which is named;
 *         RESOURCE_EXHAUSTED without memory or threads
 * Ownership: free it with psprobe_function_free.
 */
PSPROBE_API psprobe_code psprobe_function_new(const psprobe_target *target,
                                              const psprobe_function_options *options,
                                              psprobe_function **function, psprobe_error *error);
/** @return the port that it listens on */
PSPROBE_API int psprobe_function_port(const psprobe_function *function);
/**
 * Takes no more connections and waits for the calls that are under way.
 * @param timeout_ns for how long
 * @return whether they have ended
 * Blocks: until then.
 */
PSPROBE_API bool psprobe_function_stop(psprobe_function *function, int64_t timeout_ns);
/** Stops it, however long its calls take, and frees. NULL is fine.
 * Blocks: until the last call has ended. */
PSPROBE_API void psprobe_function_free(psprobe_function *function);

#ifdef __cplusplus
}
#endif
#endif
