/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_LOCAL_H
#define PSPROBE_LOCAL_H
/**
 * @file
 * A stand-in for Google on one machine: a Pub/Sub broker, Firestore documents
 * and a function host, in the process, over the same REST. For tests and for
 * trying things out.
 *
 * Unless a function says otherwise:
 * Ownership: what is passed in is copied; what is returned belongs to the object.
 * Threading: any thread, but none may still use an object that is being freed.
 * Blocks: not.
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

/** Valid when zeroed. */
typedef struct psprobe_local_options {
  const char *pubsub_listen;    /**< "host:port", port 0 picks one; NULL: 127.0.0.1:0 */
  const char *firestore_listen; /**< likewise */
  const char *documents;        /**< SQLite file of the documents; NULL: in memory */
  const psprobe_logger *logger; /**< NULL: logs nothing */
} psprobe_local_options;

/**
 * Starts broker and documents.
 * @param options may be NULL: all defaults
 * @param local receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT: no address to listen on; UNAVAILABLE: the address is in use
 *         (named), or the file cannot be opened; FAILED_PRECONDITION: the file is something else's,
 *         or another version's; PERMISSION_DENIED, DATA_LOSS or INTERNAL: what the file's system or
 *         SQLite says of it; RESOURCE_EXHAUSTED: memory, threads or descriptors
 * Ownership: the caller's, to give to psprobe_local_free.
 * Blocks: for the documents' file.
 */
PSPROBE_API psprobe_code psprobe_local_new(const psprobe_local_options *options,
                                           psprobe_local **local, psprobe_error *error);
/**
 * Stops everything, functions and their processes included; NULL is fine.
 * Blocks: until all has ended; a function's program has 5 s from SIGTERM to SIGKILL.
 */
PSPROBE_API void psprobe_local_free(psprobe_local *local);
/**
 * Where Pub/Sub is served, for PUBSUB_EMULATOR_HOST.
 * @return "127.0.0.1:41234"
 */
PSPROBE_API const char *psprobe_local_pubsub_host(const psprobe_local *local);
/**
 * Where Firestore is served, for FIRESTORE_EMULATOR_HOST.
 * @return "127.0.0.1:41235"
 */
PSPROBE_API const char *psprobe_local_firestore_host(const psprobe_local *local);

/**
 * How many messages a subscription holds: neither acknowledged nor dropped. For tests that must
 * leave nothing behind.
 * @param subscription "projects/p/subscriptions/s"
 * @param held receives how many
 * @param leased receives how many of them are out
 * @return false, with the rest untouched, when there is no such subscription
 */
PSPROBE_API bool psprobe_local_held(psprobe_local *local, const char *subscription, size_t *held,
                                    size_t *leased);

/** A function: a program that the host starts at the first event. */
typedef struct psprobe_local_function {
  /** NULL-terminated; argv[0] is a path. The program must listen on a port of this machine that it
   * picks (`--port 0`) and print it to standard output as "http://host:port", anywhere in a line.
   * The address is followed at which the program itself, or one that it has started, listens. */
  const char *const *argv;
  int64_t idle_ns;   /**< an instance without an event this long is stopped; 0: 15 s */
  int max_instances; /**< 0: 8. One event at a time each */
  int64_t start_ns;  /**< how long it may take to be ready; 0: 10 s */
} psprobe_local_function;

/**
 * Adds a function to the host.
 * @param function the program is looked at when the first event comes, not here
 * @param url receives where events are POSTed (a push endpoint); the local's
 * @return PSPROBE_OK; INVALID_ARGUMENT: no program, or a negative number; UNAVAILABLE: there is no
 *         port to listen on; RESOURCE_EXHAUSTED: memory, threads or descriptors
 */
PSPROBE_API psprobe_code psprobe_local_add_function(psprobe_local *local,
                                                    const psprobe_local_function *function,
                                                    const char **url, psprobe_error *error);
/**
 * Instances over all functions.
 * @param running receives how many run now
 * @param started receives how many were started since psprobe_local_new
 */
PSPROBE_API void psprobe_local_instances(const psprobe_local *local, int *running,
                                         uint64_t *started);

#ifdef __cplusplus
}
#endif
#endif
