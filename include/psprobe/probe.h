/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PROBE_H
#define PSPROBE_PROBE_H
/**
 * @file
 * The front door: including this is enough to run an experiment. The registry
 * of probes in flight, the prober that sends and times them, and the responder
 * that answers them. Unless a function says otherwise:
 *
 * Ownership: what goes in is copied; what comes out is the object's, until it is freed.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/client.h>
#include <psprobe/firestore.h>
#include <psprobe/status.h>
#include <psprobe/subscriber.h>
#include <psprobe/timing.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Characters in a probe id: 128 random bits in lower-case hexadecimal. */
#define PSPROBE_ID_LENGTH 32
#define PSPROBE_ID_SIZE   (PSPROBE_ID_LENGTH + 1)
/** The most sources that a prober can have. */
#define PSPROBE_MAX_SOURCES 16
/** The sources that are compared when nobody names others, and where results go in Firestore. */
#define PSPROBE_CLOUD_FUNCTION  "cloud_function"
#define PSPROBE_REGULAR_SERVICE "regular_service"
#define PSPROBE_COLLECTION      "pubsub_results"
/** The message attribute that carries the probe's id. */
#define PSPROBE_ATTRIBUTE_ID "probe_id"
/** What a responder tells of itself with its answer: "1" for the first event of its process… */
#define PSPROBE_HEADER_COLD "X-Psprobe-Cold"
/** … and the ns between its having the message and its sending the answer (its own clock). */
#define PSPROBE_HEADER_HANDLED "X-Psprobe-Handled-Ns"

/**
 * Makes a new probe id from the kernel's random numbers (getrandom(2)).
 * @param id receives it
 * @return PSPROBE_OK; INTERNAL: the kernel gave none
 */
PSPROBE_API psprobe_code psprobe_id_make(char id[PSPROBE_ID_SIZE], psprobe_error *error);

/**
 * Checks a source's name: 1 to 63 of a-z 0-9 _ -, a letter first (it is a path segment and a
 * Firestore map key).
 * @param name may be NULL, which is none
 * @return PSPROBE_OK; INVALID_ARGUMENT with the rule
 */
PSPROBE_API psprobe_code psprobe_source_check(const char *name, psprobe_error *error);

/** What one source made of one probe. */
typedef struct psprobe_answer {
  psprobe_status status;
  bool cold;           /**< the responder said: first event of this process */
  uint32_t duplicates; /**< further answers after the first */
  int64_t elapsed_ns;  /**< from before the publish call to the answer; 0 when lost */
  int64_t handled_ns;  /**< as the responder told; -1: it did not */
} psprobe_answer;

/** A finished probe. A plain value. */
typedef struct psprobe_result {
  char id[PSPROBE_ID_SIZE];
  int64_t sent_wall_ns; /**< wall clock just before the publish call */
  int64_t lateness_ns;  /**< how long after its intended time it was sent, >= 0 */
  int64_t publish_ns;   /**< how long the publish call took; -1: it failed or had not returned */
  size_t source_count;
  psprobe_answer answers[PSPROBE_MAX_SOURCES]; /**< in the order of the prober's sources */
} psprobe_result;

/* ---- registry ---- */

/**
 * Probes in flight. Bounded; memory is taken at new, and all of it. Any thread
 * may call anything, free apart; but with two threads collecting at once, which
 * of them has a probe's first hand-out and which its update is left open.
 *
 * A probe is known from begin until `timeout_ns + late_window_ns` after it was
 * sent. When the room is needed, one that is complete and handed out is
 * forgotten earlier, the oldest first.
 */
typedef struct psprobe_registry psprobe_registry;

typedef struct psprobe_registry_options {
  size_t source_count;    /**< 1 to PSPROBE_MAX_SOURCES */
  size_t capacity;        /**< probes at once, late window included; 0: 65536 */
  int64_t timeout_ns;     /**< 0: 30 s */
  int64_t late_window_ns; /**< how long after its timeout an answer is still told apart from
                               an unknown one; 0: as long as the timeout */
  bool await_published;   /**< a probe that every source has answered is held, as in flight, until
                               psprobe_registry_published was called for it too (or it timed out),
                               so that its result tells how long the publish call took */
} psprobe_registry_options;

/**
 * Makes a registry, and takes all memory that it will ever use.
 * @param options  copied
 * @param registry receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT (named in `error`); RESOURCE_EXHAUSTED without memory
 * Ownership: free it with psprobe_registry_free.
 */
PSPROBE_API psprobe_code psprobe_registry_new(const psprobe_registry_options *options,
                                              psprobe_registry **registry, psprobe_error *error);
/** Frees. NULL is fine. Threading: nobody may be in a call of it. */
PSPROBE_API void psprobe_registry_free(psprobe_registry *registry);

/**
 * Registers a probe that is about to be published. Never allocates.
 *
 * @param id          as psprobe_id_make made it
 * @param sent_ns     monotonic, read just before the publish call
 * @param intended_ns monotonic, the pacer's time for it
 * @param wall_ns     wall clock at sent_ns
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED at the bound; ALREADY_EXISTS; INVALID_ARGUMENT for what
 *         psprobe_id_make does not make
 */
PSPROBE_API psprobe_code psprobe_registry_begin(psprobe_registry *registry, const char *id,
                                                int64_t sent_ns, int64_t intended_ns,
                                                int64_t wall_ns);

/**
 * The publish call returned (`ok`) or failed, at monotonic `now_ns`. Unknown ids
 * are ignored. A failed one leaves the probe in flight: the service may have the
 * message all the same. Of a probe that was handed out before, only a later
 * update tells it.
 *
 * @param id     as it was begun with
 * @param now_ns monotonic, read when the call returned
 * @param ok     whether it succeeded
 */
PSPROBE_API void psprobe_registry_published(psprobe_registry *registry, const char *id,
                                            int64_t now_ns, bool ok);

/** What an answer was to a registry. */
typedef enum psprobe_answer_outcome {
  PSPROBE_ANSWER_FIRST,     /**< it counts */
  PSPROBE_ANSWER_DUPLICATE, /**< counted; the first stands */
  PSPROBE_ANSWER_LATE,      /**< after the timeout: recorded as late */
  PSPROBE_ANSWER_UNKNOWN    /**< no such probe, or finished for good */
} psprobe_answer_outcome;

/**
 * Notes an answer. Never allocates, blocks only on its shard's short lock. It is
 * in time when now_ns is at most timeout_ns after the probe was sent, whether or
 * not the probe has been handed out as lost by then.
 *
 * @param id      as it came, zero-terminated; need not be well-formed
 * @param source  index of the source, < source_count
 * @param now_ns  monotonic, read when the answer came in
 * @param cold, handled_ns  as in psprobe_answer
 * @return what it was: of one probe and source one answer is the first
 */
PSPROBE_API psprobe_answer_outcome psprobe_registry_answer(psprobe_registry *registry,
                                                           const char *id, size_t source,
                                                           int64_t now_ns, bool cold,
                                                           int64_t handled_ns);

/** What psprobe_registry_collect finds. */
typedef struct psprobe_finished {
  bool update;    /**< false: the probe completed or timed out. true: it was handed out before, and
                       a late or duplicate answer has come since: `result` is its new state */
  uint32_t fresh; /**< bit i: the answer of source i was not in what was handed out before */
  psprobe_result result;
} psprobe_finished;

/**
 * Takes up to `max` probes that are complete, have timed out at monotonic
 * `now_ns`, or have changed since they were handed out. Each completed probe is
 * handed out exactly once with `update` false, before any update of it.
 *
 * @param now_ns   monotonic
 * @param finished receives them, oldest first in each shard
 * @param max      how many it has room for
 * @return how many
 */
PSPROBE_API size_t psprobe_registry_collect(psprobe_registry *registry, int64_t now_ns,
                                            psprobe_finished *finished, size_t max);
/**
 * Waits until a probe may be ready to collect (answered, or timed out by CLOCK_MONOTONIC). May
 * return sooner.
 * @param until_ns monotonic; no longer than that
 * Blocks: as it says.
 */
PSPROBE_API void psprobe_registry_wait(psprobe_registry *registry, int64_t until_ns);
/** Ends the psprobe_registry_wait that is going on, or else the next. Async-signal-safe. */
PSPROBE_API void psprobe_registry_wake(psprobe_registry *registry);
/** @return probes begun and neither complete nor timed out */
PSPROBE_API size_t psprobe_registry_in_flight(const psprobe_registry *registry);

/* ---- prober ---- */

typedef struct psprobe_prober psprobe_prober;

/**
 * Receives finished probes, in batches, on the prober's collector thread (never
 * on the timing path: it may block, on a disk say). Borrowed until it returns.
 */
typedef void psprobe_prober_sink(void *arg, const psprobe_finished *finished, size_t count);

/** Valid when zeroed but for the topic. Texts are copied. */
typedef struct psprobe_prober_options {
  const char *topic;
  const char *const *sources; /**< NULL: cloud_function and regular_service */
  size_t source_count;
  int64_t interval_ns; /**< 0: 5 s */
  uint64_t count;      /**< probes to send, slots without one not counted; 0: until stopped */
  int64_t timeout_ns;  /**< 0: 30 s */
  const char *listen;  /**< "host:port", port 0 picks one; NULL: 127.0.0.1:8080 */
  size_t capacity;     /**< of the registry; 0: its default */
  psprobe_prober_sink *sink;
  void *sink_arg;
  const psprobe_logger *logger;
  /** Whose answers are taken: those with an ID token as this says. Copied. NULL: everybody's who
   * knows a probe's id. A token costs no time that is measured: an answer's time is when it came.
   */
  const psprobe_verifier_options *verify;
  /** Makes the topic whenever a publish call finds that it is not there: a broker can be lost and
   * come back without it. */
  bool create_topic;
} psprobe_prober_options;

/** A prober's options that have a default, with it filled in. */
typedef struct psprobe_prober_settings {
  uint64_t count; /**< probes to send; 0: until stopped */
  int64_t interval_ns;
  int64_t timeout_ns;
} psprobe_prober_settings;

/** Counters and last values, all since new. */
typedef struct psprobe_prober_stats {
  uint64_t sent;           /**< publish calls begun */
  uint64_t publish_failed; /**< of them, failed */
  uint64_t completed;      /**< handed to the sink */
  uint64_t refused;    /**< answers with an unknown or finished id or an unknown source, or without
                          a token that `verify` takes */
  uint64_t overflowed; /**< slots not sent because the registry was full, or for want of memory */
  size_t in_flight;
  int64_t max_lateness_ns; /**< of the pacer */
  uint64_t answered[PSPROBE_MAX_SOURCES], late[PSPROBE_MAX_SOURCES], lost[PSPROBE_MAX_SOURCES],
      duplicates[PSPROBE_MAX_SOURCES];
  int64_t last_ns[PSPROBE_MAX_SOURCES]; /**< elapsed of the newest answer; 0: none yet */
} psprobe_prober_stats;

/**
 * Listens for answers (from now on, until psprobe_prober_free; nothing is sent
 * yet): POST /{source}/{probe_id} is 200 when it was the first, a further or a
 * late answer, 404 when no such probe or source is known; with `verify` 401, 403
 * and 503 as psprobe_verifier_check says. `client` is borrowed
 * until psprobe_prober_free, and until it has called back for every publish.
 *
 * @param options copied
 * @param prober  receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT; UNAVAILABLE when the address is in use (it is named);
 *         FAILED_PRECONDITION: no project; RESOURCE_EXHAUSTED: no memory
 * Ownership: free it with psprobe_prober_free.
 * Blocks: while the project is found, if the topic's name needs it.
 */
PSPROBE_API psprobe_code psprobe_prober_new(psprobe_client *client,
                                            const psprobe_prober_options *options,
                                            psprobe_prober **prober, psprobe_error *error);
/** @return the base URL that responders POST to, "http://127.0.0.1:8080" */
PSPROBE_API const char *psprobe_prober_url(const psprobe_prober *prober);
/** @return how many sources it has, at least 1 */
PSPROBE_API size_t psprobe_prober_source_count(const psprobe_prober *prober);
/**
 * A source's name.
 * @param index its place in the options
 * @return the name; NULL: there are not so many
 */
PSPROBE_API const char *psprobe_prober_source(const psprobe_prober *prober, size_t index);

/**
 * Sends on the grid until `count` are sent or psprobe_prober_stop is called,
 * then waits for what is in flight, up to the timeout, and hands the rest to
 * the sink. Failed publishes are counted and do not end it. Runs once.
 *
 * Id, message and memory of a probe are made ahead of its slot. When the slot
 * has come, the wall clock is read, then the monotonic one (sent_ns), and then
 * come psprobe_registry_begin (well below a microsecond) and the publish call
 * (JSON, and the hand-over to the client's I/O thread): elapsed_ns counts all
 * of that as the user's publisher would. A publish call is tried again, where
 * that is safe, until the timeout.
 *
 * @return PSPROBE_OK; FAILED_PRECONDITION: it ran before; RESOURCE_EXHAUSTED: no thread
 * Blocks: until all is sent, and answered or timed out.
 */
PSPROBE_API psprobe_code psprobe_prober_run(psprobe_prober *prober, psprobe_error *error);
/** Ends the sending. Async-signal-safe; any thread. A second call ends the waiting too: what is
 * complete is handed to the sink, what is in flight still is given up and only counted. */
PSPROBE_API void psprobe_prober_stop(psprobe_prober *prober);
/**
 * What it was made with.
 * @param settings receives them
 */
PSPROBE_API void psprobe_prober_get_settings(const psprobe_prober *prober,
                                             psprobe_prober_settings *settings);
/**
 * What has come of it so far. The counters are read one after the other, while it runs.
 * @param stats receives them
 */
PSPROBE_API void psprobe_prober_get_stats(const psprobe_prober *prober,
                                          psprobe_prober_stats *stats);
/** Stops listening and frees. NULL is fine. Threading: not while psprobe_prober_run is called.
 * Blocks: until answers that are being read are done. */
PSPROBE_API void psprobe_prober_free(psprobe_prober *prober);

/* ---- responder ---- */

/**
 * Answers probes: by POST to the prober, or (direct) by a document of its own.
 * The POST carries PSPROBE_HEADER_COLD for the responder's first event, and
 * PSPROBE_HEADER_HANDLED.
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
  /** Whose push requests are taken: those with an ID token as this says. Copied. NULL: all. */
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
 * Serves push requests, POST to any path, at `listen` ("0.0.0.0:8080"; port 0
 * picks one) until psprobe_responder_free: 204 once the prober has the answer,
 * and for a message without a probe; 503 when the prober could not be reached;
 * 400 for a body that is no push request; both with a JSON error; with `verify`
 * 401, 403 and 503 as psprobe_verifier_check says, before the body is looked
 * at. GET /health is 200 (for a start-up probe: Cloud Run keeps paths that end in z to itself).
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
