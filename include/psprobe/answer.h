/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_ANSWER_H
#define PSPROBE_ANSWER_H
/**
 * @file
 * A probe and its answers: what it is known by, who answers it, and what became of it.
 *
 * Ownership: plain values.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/wire.h>

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
/** The message attribute of one that carries no probe: it is acknowledged in silence. */
#define PSPROBE_ATTRIBUTE_FILLER "psprobe_filler"
/** What such a message has for data, for who is given no attributes. */
#define PSPROBE_FILLER_DATA "{\"" PSPROBE_ATTRIBUTE_FILLER "\":\"1\"}"

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

/** What became of the answer of one source to one probe. */
typedef enum psprobe_status {
  PSPROBE_LOST = 0,        /**< no answer within the timeout, and none since */
  PSPROBE_ANSWERED = 1,    /**< within the timeout */
  PSPROBE_LATE = 2,        /**< after the timeout */
  PSPROBE_INTERRUPTED = 3, /**< none: the prober was killed, or given up, before the timeout */
  PSPROBE_UNCERTAIN = 4    /**< and it is not even known whether the probe was sent */
} psprobe_status;

/**
 * Tells an answer from none; none is not always a loss.
 * @param status what became of it
 * @return whether there is an answer, and so a time
 */
PSPROBE_API bool psprobe_answer_came(psprobe_status status);

/** What one source made of one probe. */
typedef struct psprobe_answer {
  psprobe_status status;
  bool cold;                /**< the responder said: first event of this process */
  uint32_t duplicates;      /**< further answers after the first */
  int64_t elapsed_ns;       /**< from before the publish call to the answer; 0 when lost */
  int64_t handled_ns;       /**< as the responder told; -1: it did not */
  int64_t received_wall_ns; /**< when it came, by the run's clock: the monotonic one and an offset
                                 that stays the same; 0: lost, or not known */
  psprobe_facts facts;
} psprobe_answer;

/** Which of a prober's cadences sent a probe. */
typedef enum psprobe_cadence {
  PSPROBE_CADENCE_STEADY = 0, /**< each interval: what sources are compared by */
  PSPROBE_CADENCE_COLD = 1 /**< rarely, on a topic of its own, so that a function sleeps between */
} psprobe_cadence;

/** A finished probe. A plain value. */
typedef struct psprobe_result {
  char id[PSPROBE_ID_SIZE];
  psprobe_cadence cadence;
  int64_t sent_wall_ns; /**< wall clock just before the publish call */
  int64_t lateness_ns;  /**< how long after its intended time it was sent, >= 0 */
  int64_t publish_ns;   /**< how long the publish call took; -1: it failed or had not returned */
  size_t source_count;
  psprobe_answer answers[PSPROBE_MAX_SOURCES]; /**< in the order of the prober's sources */
} psprobe_result;

#ifdef __cplusplus
}
#endif
#endif
