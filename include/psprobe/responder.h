/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_RESPONDER_H
#define PSPROBE_RESPONDER_H
/**
 * @file
 * The responder: it answers the probes of a prober. Unless a function says otherwise:
 *
 * Ownership: what goes in is copied; what comes out is the object's, until it is freed.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/answer.h>
#include <psprobe/auth.h>
#include <psprobe/client.h>
#include <psprobe/subscriber.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Answers probes: by POST to the prober, or (direct) by a document of its own.
 * The POST carries the facts and stamps of psprobe/wire.h.
 */
typedef struct psprobe_responder psprobe_responder;

typedef struct psprobe_responder_options {
  const char *prober;     /**< base URL, http or https, maybe with a path; needed unless direct */
  const char *source;     /**< NULL: cloud_function */
  bool direct;            /**< the simple form: write publish_time, source, saved_at, elapsed */
  const char *collection; /**< of the direct form; NULL: pubsub_results */
  int64_t timeout_ns;     /**< of the POST with its retries; 0: 8 s, under the ack deadline of 10 */
  const psprobe_logger *logger;
  /** Show who we are: each answer carries an ID token of the client's credentials, made for the
   * prober's scheme://host[:port]. It needs https, or a prober on loopback. */
  bool prober_oidc;
  /** Whose events are taken, over HTTP: those with an ID token as this says. Copied. NULL: all. */
  const psprobe_verifier_options *verify;
  /** Answers so many messages and no more: who comes beyond, also while the last is under way, is
   * told UNAVAILABLE, so that the message is delivered again. 0: no bound. */
  uint64_t limit;
} psprobe_responder_options;

/**
 * `client` is borrowed until free (its I/O thread does the POST). The direct
 * form finds the project, and `prober_oidc` fetches the first token, so that no
 * answer waits for it and that a failure is told here: both can block, for
 * about a minute at most. Later tokens are fetched in the background before
 * they are needed; a 401 drops the one at hand and is tried once more.
 *
 * @param options   copied
 * @param responder receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT; FAILED_PRECONDITION: no project; RESOURCE_EXHAUSTED: no
 *         memory; or why there is no token
 * Ownership: free it with psprobe_responder_free.
 * Blocks: as it says.
 */
PSPROBE_API psprobe_code psprobe_responder_new(psprobe_client *client,
                                               const psprobe_responder_options *options,
                                               psprobe_responder **responder, psprobe_error *error);
/**
 * Answers one message and waits until the prober has it: connections that fail,
 * 429 and 5xx are tried again within the timeout.
 *
 * @param message     borrowed until it returns
 * @param received_ns monotonic, read when the message came in
 * @return PSPROBE_OK: acknowledge it (the prober has it, now or already, or does not want it, as
 *         for a probe of an earlier run); INVALID_ARGUMENT: it can never succeed (no probe_id, or
 *         in the direct form no publish time): acknowledge and count it; else: let it be delivered
 *         again (UNAVAILABLE, DEADLINE_EXCEEDED: the prober was not reached; others say what it or
 *         Firestore refused)
 * Threading: any but the client's I/O thread.
 * Blocks: up to the options' timeout.
 */
PSPROBE_API psprobe_code psprobe_responder_answer(psprobe_responder *responder,
                                                  const psprobe_message *message,
                                                  int64_t received_ns, psprobe_error *error);
/**
 * Begins to pull a subscription and to answer its messages: what is answered and what can never be
 * is acknowledged, the rest is delivered again. No thread waits for an answer; each begins on the
 * client's I/O thread the moment its message is there, and leases are extended meanwhile.
 *
 * @param options receive, arg, at_once and workers are set here; the rest as for
 *                psprobe_subscriber_new
 * @return as psprobe_subscriber_new; FAILED_PRECONDITION: this responder has pulled before
 * Ownership: psprobe_subscriber_free comes before psprobe_responder_free.
 */
PSPROBE_API psprobe_code psprobe_responder_pull(psprobe_responder *responder,
                                                const psprobe_subscriber_options *options,
                                                psprobe_subscriber **subscriber,
                                                psprobe_error *error);
/**
 * Serves events, POST to any path, at `listen` ("0.0.0.0:8080"; "[::]:8080" and ":8080" for IPv6
 * too; port 0 picks one) until psprobe_responder_free, as a target of psprobe/function.h: a message
 * is taken in every form of psprobe/event.h, its probe named by its attribute, or by its data where
 * a push brings no attributes. 204 once the prober has the answer, and for an event without a
 * probe; 503 when the prober could not be reached; 400 or 415 for a body that is no event; with
 * `verify` 401, 403 and 503 as psprobe_verifier_check says, before the body is looked at. GET
 * /health is 200 (for a start-up probe: Cloud Run keeps paths that end in z to itself).
 *
 * @param listen as above
 * @param port   receives the port; may be NULL
 * @return PSPROBE_OK; FAILED_PRECONDITION: it listens already; INVALID_ARGUMENT and UNAVAILABLE:
 * the address, which is named
 */
PSPROBE_API psprobe_code psprobe_responder_listen(psprobe_responder *responder, const char *listen,
                                                  int *port, psprobe_error *error);
/** @return messages answered so far */
PSPROBE_API uint64_t psprobe_responder_answered(const psprobe_responder *responder);
/** @return messages so far that had no probe_id */
PSPROBE_API uint64_t psprobe_responder_rejected(const psprobe_responder *responder);
/**
 * Waits while messages are answered (by psprobe_responder_listen, or by whoever calls
 * psprobe_responder_answer) until `count` have been since new (0: no bound) or
 * psprobe_responder_stop is called. A message answered OK counts.
 *
 * @param count 0: no bound
 * Blocks: as it says.
 */
PSPROBE_API void psprobe_responder_run(psprobe_responder *responder, uint64_t count);
/** Ends psprobe_responder_run, now or when it is called. */
PSPROBE_API void psprobe_responder_stop(psprobe_responder *responder);
/** Stops listening, finishes what is under way but begins no further attempts (a
 * psprobe_responder_answer that waits for one fails), frees. NULL is fine. Blocks: for what is
 * under way. */
PSPROBE_API void psprobe_responder_free(psprobe_responder *responder);

#ifdef __cplusplus
}
#endif
#endif
