/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PROBER_H
#define PSPROBE_PROBER_H
/**
 * @file
 * The prober: it sends probes on a grid, takes their answers and times them. Unless a
 * function says otherwise:
 *
 * Ownership: what goes in is copied; what comes out is the object's, until it is freed.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/auth.h>
#include <psprobe/client.h>
#include <psprobe/pubsub.h>
#include <psprobe/registry.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_prober psprobe_prober;

/**
 * Receives finished probes, in batches, on the prober's collector thread (never
 * on the timing path: it may block, on a disk say). Borrowed until it returns.
 */
typedef void psprobe_prober_sink(void *arg, const psprobe_finished *finished, size_t count);

/** A probe that is to be sent. */
typedef struct psprobe_planned {
  char id[PSPROBE_ID_SIZE];
  psprobe_cadence cadence;
  int64_t intended_wall_ns; /**< when, about: a slot that cannot be used passes it on */
} psprobe_planned;

/** One that was. */
typedef struct psprobe_sent {
  char id[PSPROBE_ID_SIZE];
  psprobe_cadence cadence;
  int64_t sent_wall_ns, lateness_ns; /**< as in psprobe_result */
} psprobe_sent;

/** An answer, whatever its probe waits for still. */
typedef struct psprobe_arrival {
  psprobe_sent sent; /**< its probe */
  size_t source;
  uint32_t delivery; /**< 1: the answer that counts; from 2 on: duplicates, with their own facts */
  psprobe_answer answer;
  psprobe_answer first; /**< of a duplicate: the answer that counts, without its facts, since it may
                             not be kept: it could not be, and has not come again */
} psprobe_arrival;

/** What is to be kept at once: all of it, or nothing. */
typedef struct psprobe_news {
  const psprobe_planned *planned;
  const psprobe_sent *sent;
  const psprobe_arrival *arrivals;
  const psprobe_finished *finished;
  size_t planned_count, sent_count, arrival_count, finished_count;
} psprobe_news;

/**
 * Keeps what a prober tells of its probes, so that it is still there after a crash when this
 * returns PSPROBE_OK: only then are planned probes sent, and arrivals answered 200. Else their
 * responders are told to come again, and the rest but what is finished is told again. On the
 * collector thread; the first time, on the thread of psprobe_prober_run. It may block.
 */
typedef psprobe_code psprobe_prober_keep(void *arg, const psprobe_news *news, psprobe_error *error);

/** Valid when zeroed but for the topic. Texts are copied. */
typedef struct psprobe_prober_options {
  const char *topic;
  const char *const *sources; /**< NULL: cloud_function and regular_service */
  size_t source_count;
  int64_t interval_ns;       /**< 0: 5 s */
  uint64_t count;            /**< probes to send, slots without one not counted; 0: until stopped */
  int64_t timeout_ns;        /**< 0: 30 s */
  const char *listen;        /**< "host:port", port 0 picks one; NULL: 127.0.0.1:8080 */
  size_t capacity;           /**< of the registry; 0: its default */
  psprobe_prober_sink *sink; /**< after `keep`, where there is one */
  void *sink_arg;
  psprobe_prober_keep *keep; /**< NULL: nothing is kept of a probe before it is finished */
  void *keep_arg;
  const psprobe_logger *logger;
  /** Whose answers are taken: those with an ID token as this says. Copied. NULL: everybody's who
   * knows a probe's id. A token costs no time that is measured: an answer's time is when it came.
   */
  const psprobe_verifier_options *verify;
  /** Makes the topic whenever a publish call finds that it is not there: a broker can be lost and
   * come back without it. */
  bool create_topic;
  /** A topic of its own for rare probes, that find a function which has gone to sleep. Whoever
   * answers them does so as the source that he is; nobody else is missed there. NULL: none. */
  const char *cold_topic;
  int64_t cold_every_ns; /**< from one of these to the next, the first at once; 0: 20 min */
  int64_t filler_ns;     /**< from one message without a probe to the next, to `topic`, whose rate
                              they raise; 0: none */
  psprobe_publish_by publish_by; /**< 0: gRPC */
} psprobe_prober_options;

/** A prober's options that have a default, with it filled in. */
typedef struct psprobe_prober_settings {
  uint64_t count; /**< probes to send; 0: until stopped */
  int64_t interval_ns;
  int64_t timeout_ns;
  int64_t cold_every_ns;         /**< 0: no rare probes */
  int64_t filler_ns;             /**< 0: no fillers */
  psprobe_publish_by publish_by; /**< as it is done: REST once nobody there speaks gRPC */
} psprobe_prober_settings;

/**
 * What became of the connections that answers come over. `untaken` counts those turned away with
 * something to ask, or that may have had: answers may have been among them, which is this prober's
 * failure and no responder's.
 */
typedef struct psprobe_connections {
  uint64_t open;
  uint64_t refused;   /**< all places were busy */
  uint64_t made_room; /**< closed for another: idle the longest, or half asked */
  uint64_t overdue;   /**< closed because they took too long */
  uint64_t starved;   /**< times that no file descriptor or memory was left for one */
  uint64_t untaken;
} psprobe_connections;

/** A probe that was sent so long after its time shows a machine too busy to measure well. */
#define PSPROBE_SENT_LATE_NS INT64_C(100000000)

/** Counters and last values, all since new. */
typedef struct psprobe_prober_stats {
  uint64_t sent;           /**< publish calls begun */
  uint64_t publish_failed; /**< of them, failed */
  uint64_t completed;      /**< handed to the sink */
  uint64_t refused;    /**< answers with an unknown or finished id or an unknown source, or without
                          a token that `verify` takes */
  uint64_t overflowed; /**< slots not sent because the registry was full, or for want of memory */
  uint64_t withheld;   /**< slots not sent because their probes were not kept in time */
  uint64_t cold_sent;  /**< publish calls of rare probes begun; in no other figure but completed */
  uint64_t filler_sent, filler_failed; /**< messages without a probe; of them, not published */
  uint64_t malformed;     /**< facts of answers (psprobe_facts) that were not of their form */
  uint64_t facts_dropped; /**< answers whose facts had no room; they are answers all the same */
  size_t in_flight;
  int64_t max_lateness_ns; /**< of the pacer */
  uint64_t answered[PSPROBE_MAX_SOURCES], late[PSPROBE_MAX_SOURCES], lost[PSPROBE_MAX_SOURCES],
      duplicates[PSPROBE_MAX_SOURCES];
  int64_t last_ns[PSPROBE_MAX_SOURCES]; /**< elapsed of the newest answer; 0: none yet */
  psprobe_connections connections;
  uint64_t in_doubt[PSPROBE_MAX_SOURCES]; /**< of `lost`: in flight as something was untaken */
  uint64_t sent_late; /**< of `sent`: more than PSPROBE_SENT_LATE_NS after their time */
} psprobe_prober_stats;

/**
 * Listens for answers (from now on, until psprobe_prober_free; nothing is sent
 * yet): POST /{source}/{probe_id} is 200 when it was the first, a further or a
 * late answer (with `keep`: and that is kept; 503 and Retry-After when it could
 * not be), 404 when no such probe or source is known; with `verify` 401, 403
 * and 503 as psprobe_verifier_check says. `client` is borrowed
 * until psprobe_prober_free, and until it has called back for every publish.
 *
 * @param options copied
 * @param prober  receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT; UNAVAILABLE when the address is in use (it is named);
 *         FAILED_PRECONDITION: no project; RESOURCE_EXHAUSTED: no memory
 * Ownership: free it with psprobe_prober_free.
 * Blocks: while the project is found, if the topic's name needs it, and credentials that nobody
 * named.
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
 * Id, request and memory of a probe are made ahead of its slot. When the slot
 * has come, the wall clock is read, then the monotonic one (sent_ns), and then
 * come psprobe_registry_begin (well below a microsecond) and the publish call
 * (header fields, and the writing to the connection): elapsed_ns counts all
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

#ifdef __cplusplus
}
#endif
#endif
