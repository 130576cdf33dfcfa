/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_CLIENT_H
#define PSPROBE_CLIENT_H
/**
 * @file
 * What all calls to Google share: the project, the endpoints, the credentials,
 * the connections and the one thread that drives them. Unless a function says
 * otherwise:
 *
 * Ownership: what goes in is copied.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/auth.h>
#include <psprobe/error.h>
#include <psprobe/log.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_client psprobe_client;

/**
 * A moment as Google writes it: seconds since 1970-01-01T00:00:00Z (negative
 * before) and nanoseconds, 0 to 999,999,999, that count forward from there.
 */
typedef struct psprobe_timestamp {
  int64_t seconds;
  int32_t nanos;
} psprobe_timestamp;

/** Options of a client; valid when zeroed. Every text is copied. */
typedef struct psprobe_client_options {
  /** The project id. NULL: the one that the credentials name. */
  const char *project;
  /** The Firestore database. NULL: "(default)". */
  const char *database;
  /** "host:port" of a Pub/Sub emulator: plain HTTP, no credentials are sent. NULL: Google. */
  const char *pubsub_emulator;
  /** The same for Firestore (`Authorization: Bearer owner` is sent, as its emulator wants). */
  const char *firestore_emulator;
  /** Other base URLs, as "https://europe-west1-pubsub.googleapis.com". NULL: the global ones. */
  const char *pubsub_endpoint;
  const char *firestore_endpoint;
  /** The same for what changes a project: Service Usage, Resource Manager, IAM, Cloud Run and
   * Eventarc, all at this one URL. */
  const char *admin_endpoint;
  /** Borrowed until psprobe_client_free. NULL: Application Default Credentials, looked up
   * the first time that a call to a real endpoint needs them. */
  psprobe_credentials *credentials;
  /** A PEM file of certificate authorities. NULL: the system's. */
  const char *ca_file;
  /** How long a call may take, all its attempts together. 0: 60 s. */
  int64_t timeout_ns;
  /** Copied. NULL: silent. */
  const psprobe_logger *logger;
  /** Of Application Default Credentials: use a key file that others can read or that git would
   * commit. */
  bool allow_unsafe_key;
} psprobe_client_options;

/**
 * Fills what is NULL in `options` from PUBSUB_EMULATOR_HOST,
 * FIRESTORE_EMULATOR_HOST, GOOGLE_CLOUD_PROJECT (then GCLOUD_PROJECT,
 * CLOUDSDK_CORE_PROJECT), PSPROBE_DATABASE, PSPROBE_PUBSUB_ENDPOINT,
 * PSPROBE_FIRESTORE_ENDPOINT and PSPROBE_ADMIN_ENDPOINT. The texts are the environment's: use them
 * before it changes.
 * @param options in and out
 */
PSPROBE_API void psprobe_client_options_from_environment(psprobe_client_options *options);

/**
 * Makes a client and starts its I/O thread. No network is touched.
 *
 * @param options may be NULL
 * @param client  receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT (a project, database or endpoint that
 *         cannot be, named in `error`); RESOURCE_EXHAUSTED (memory, threads)
 * Ownership: free with psprobe_client_free. Threading: any thread may call
 * anything with it.
 */
PSPROBE_API psprobe_code psprobe_client_new(const psprobe_client_options *options,
                                            psprobe_client **client, psprobe_error *error);

/**
 * Ends what is under way (callbacks come, with CANCELLED), then the thread. NULL is fine.
 * Threading: not from a callback.
 * Blocks: until the callbacks have returned.
 */
PSPROBE_API void psprobe_client_free(psprobe_client *client);

/**
 * The project that resource names are made with. Looks at the options, then
 * at the credentials (which can take a round trip to the metadata server,
 * once).
 *
 * @param project receives the text; valid until psprobe_client_free
 * @return PSPROBE_OK; FAILED_PRECONDITION, which says how to name one; or why the credentials could
 *         not be asked
 * Blocks: while they are asked.
 */
PSPROBE_API psprobe_code psprobe_client_project(psprobe_client *client, const char **project,
                                                psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
