/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_REGISTRY_H
#define PSPROBE_REGISTRY_H
/**
 * @file
 * The registry of probes in flight. Unless a function says otherwise:
 *
 * Ownership: what goes in is copied; what comes out is the object's, until it is freed.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/answer.h>
#include <psprobe/timing.h>

#ifdef __cplusplus
extern "C" {
#endif

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
  uint32_t facts;         /**< of how many answers facts are kept until they are collected; beyond
                               that facts are dropped, never answers. 0: none */
  int64_t wall_offset_ns; /**< what is added to a monotonic time to tell received_wall_ns; 0: it
                               is not told */
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
 * @param cadence     which of the prober's it is of
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED at the bound; ALREADY_EXISTS; INVALID_ARGUMENT for what
 *         psprobe_id_make does not make
 */
PSPROBE_API psprobe_code psprobe_registry_begin(psprobe_registry *registry, const char *id,
                                                int64_t sent_ns, int64_t intended_ns,
                                                int64_t wall_ns, psprobe_cadence cadence);

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
  PSPROBE_ANSWER_AGAIN,     /**< of the delivery whose answer counts, or of the newest duplicate,
                                 told by its instance and invocation: its responder did not learn
                                 that we have it */
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
 * @param facts  what else the responder told, copied; NULL: nothing
 * @return what it was: of one probe and source one answer is the first
 */
PSPROBE_API psprobe_answer_outcome psprobe_registry_answer(psprobe_registry *registry,
                                                           const char *id, size_t source,
                                                           int64_t now_ns, bool cold,
                                                           int64_t handled_ns,
                                                           const psprobe_facts *facts);
/** @return answers so far whose facts had no room */
PSPROBE_API uint64_t psprobe_registry_facts_dropped(const psprobe_registry *registry);

/** What psprobe_registry_collect finds. */
typedef struct psprobe_finished {
  bool update;    /**< false: the probe completed or timed out. true: it was handed out before, and
                       a late or duplicate answer has come since: `result` is its new state */
  uint32_t fresh; /**< bit i: the answer of source i was not in what was handed out before; only
                       then are its facts there */
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

#ifdef __cplusplus
}
#endif
#endif
