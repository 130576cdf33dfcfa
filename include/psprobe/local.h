/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_LOCAL_H
#define PSPROBE_LOCAL_H
/**
 * @file
 * A stand-in for Google on one machine: a Pub/Sub broker, Firestore documents
 * and a function host, in the process, over the same REST. For tests and for
 * trying things out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/log.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_local psprobe_local;

/** Valid when zeroed. Texts are copied. */
typedef struct psprobe_local_options {
  const char *pubsub_listen;    /**< "host:port", port 0 picks one; NULL: 127.0.0.1:0 */
  const char *firestore_listen; /**< likewise */
  const char *documents;        /**< SQLite file of the documents; NULL: in memory */
  const psprobe_logger *logger;
} psprobe_local_options;

/** Starts broker and documents. @return PSPROBE_OK; UNAVAILABLE (address in use, named); … */
PSPROBE_API psprobe_code psprobe_local_new(const psprobe_local_options *options,
                                           psprobe_local **local, psprobe_error *error);
/** Stops everything, functions and their processes included, and waits for it. NULL is fine. */
PSPROBE_API void psprobe_local_free(psprobe_local *local);
/** "127.0.0.1:41234", for PUBSUB_EMULATOR_HOST. The local's. */
PSPROBE_API const char *psprobe_local_pubsub_host(const psprobe_local *local);
PSPROBE_API const char *psprobe_local_firestore_host(const psprobe_local *local);

/**
 * How many messages a subscription ("projects/p/subscriptions/s") holds: neither acknowledged nor
 * dropped, those that are leased among them. For tests that must leave nothing behind.
 * @return false, with the rest untouched, when there is no such subscription
 */
PSPROBE_API bool psprobe_local_held(psprobe_local *local, const char *subscription, size_t *held,
                                    size_t *leased);

/** A function: a program that the host starts at the first event. Texts are copied. */
typedef struct psprobe_function_options {
  /** NULL-terminated; the program must listen on a port that it picks (`--port 0`) and print a
   * line with its "http://host:port" to standard output when it is ready. */
  const char *const *argv;
  int64_t idle_ns;   /**< an instance without an event this long is stopped; 0: 15 s */
  int max_instances; /**< 0: 8. One event at a time each */
  int64_t start_ns;  /**< how long it may take to be ready; 0: 10 s */
} psprobe_function_options;

/**
 * Adds a function to the host.
 * @param url receives where events are POSTed (a push endpoint); the local's
 */
PSPROBE_API psprobe_code psprobe_local_add_function(psprobe_local *local,
                                                    const psprobe_function_options *options,
                                                    const char **url, psprobe_error *error);
/** Instances now running, and started since new, over all functions. */
PSPROBE_API void psprobe_local_instances(const psprobe_local *local, int *running,
                                         uint64_t *started);

#ifdef __cplusplus
}
#endif
#endif
