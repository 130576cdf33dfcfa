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
  const char *functions_listen; /**< likewise, from the first function on */
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
 * Blocks: until all has ended; a function's program has its grace from SIGTERM to SIGKILL.
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

/* ---- functions ---- */

/**
 * A function: any program that serves HTTP, run as Cloud Run runs a container
 * (https://cloud.google.com/run/docs/container-contract), by process. Its instances are started
 * when requests come, from none, each gets up to `concurrency` requests at once, and they are
 * stopped when none come. Valid when zeroed but for argv.
 *
 * An instance finds PORT, K_SERVICE, K_REVISION and K_CONFIGURATION in its environment, and its own
 * name as HOSTNAME, beside ours (FUNCTION_TARGET is passed through so). It is ready once it, or a
 * process that it has started, listens on PORT; or where it has printed that it does, as
 * "http://host:port" anywhere in a line (so a program may pick its port itself). Only addresses of
 * this machine are followed. What it prints is logged, with the instance's name.
 *
 * An instance that dies or gives no answer is replaced; who sent the request is told 503 and may
 * send it again, as Pub/Sub does. An instance that is to end gets SIGTERM, may finish what it has,
 * and gets SIGKILL after `grace_ns`.
 */
typedef struct psprobe_local_function_options {
  const char *const *argv; /**< NULL-terminated; argv[0]: a path, or a name to look for in PATH */
  const char *const *env;  /**< "NAME=value", NULL-terminated, beside our environment; NULL: none */
  const char *name;        /**< K_SERVICE; begins its instances' names; NULL: "function" */
  int concurrency;         /**< requests that an instance gets at once; 0: 1 */
  int max_instances;       /**< 0: 8 */
  int min_instances;       /**< that run though none is needed */
  int64_t idle_ns;         /**< an instance without a request this long is stopped; 0: 15 s */
  int64_t start_ns;        /**< how long it may take to be ready; 0: 10 s */
  int64_t grace_ns;        /**< from SIGTERM to SIGKILL; 0: 10 s */
  int64_t timeout_ns;      /**< how long a request may take, then 504; 0: 300 s */
  int64_t wait_ns; /**< how long one waits while all are busy, then 429; 0: 10 s, or start_ns
                        if that is longer */
} psprobe_local_function_options;

/**
 * Adds a function to the host.
 * @param options its program is looked at when the first request comes, or when instances are to be
 *        kept; not here
 * @param url receives where it is reached, and what is below: a push endpoint; the local's
 * @return PSPROBE_OK; INVALID_ARGUMENT: no program, a negative number, more instances to keep than
 *         there may be, no name, no environment; UNAVAILABLE: there is no port to listen on;
 *         RESOURCE_EXHAUSTED: memory, threads or descriptors
 */
PSPROBE_API psprobe_code psprobe_local_function_add(psprobe_local *local,
                                                    const psprobe_local_function_options *options,
                                                    const char **url, psprobe_error *error);

/** What became of a function's instances and requests, since it was added. */
typedef struct psprobe_local_function_stats {
  int running;       /**< programs that run now */
  uint64_t started;  /**< programs that were started */
  uint64_t ready;    /**< of those: cold starts, which ended with an instance that takes requests */
  uint64_t failed;   /**< starts that came to nothing */
  uint64_t answered; /**< requests with an answer, whatever its status */
  uint64_t lost;     /**< requests whose instance died, did not start or did not answer: 503, 504 */
  uint64_t refused;  /**< requests that found no instance in time: 429 */
} psprobe_local_function_stats;

/**
 * Counts.
 * @param url as psprobe_local_function_add gave it; NULL: all functions together
 * @param stats receives them
 * @return false, with zeroes, when there is no such function
 */
PSPROBE_API bool psprobe_local_function_get_stats(psprobe_local *local, const char *url,
                                                  psprobe_local_function_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
