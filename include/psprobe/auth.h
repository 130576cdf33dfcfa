/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_AUTH_H
#define PSPROBE_AUTH_H
/**
 * @file
 * Who the program is: Google credentials and the tokens they give.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/log.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psprobe_credentials psprobe_credentials;

/**
 * One place that the lookup of credentials looked at, and what it found there.
 *
 * @param place   "GOOGLE_APPLICATION_CREDENTIALS", a file's path, "metadata server …"
 * @param used    true: this is the one that counts, for good or ill
 * Ownership: all borrowed until it returns. Threading: the thread that looks.
 */
typedef void psprobe_credentials_step(void *arg, const char *place, const char *outcome, bool used);

/** Options of the lookup; valid when zeroed. Every text is copied. */
typedef struct psprobe_credentials_options {
  const char *file;      /**< a credentials file. NULL: GOOGLE_APPLICATION_CREDENTIALS and on */
  const char *ca_file;   /**< PEM file of certificate authorities. NULL: the system's */
  bool allow_unsafe_key; /**< use a key file that others can read or that git would commit */
  /** Use a file that sends secrets to token endpoints outside its universe's domain
   * (googleapis.com). They must be https all the same. */
  bool allow_other_hosts;
  const psprobe_logger *logger;      /**< copied. NULL: silent */
  psprobe_credentials_step *on_step; /**< hears of each place looked at. NULL: nobody */
  void *step_arg;
} psprobe_credentials_options;

/**
 * Finds Application Default Credentials (AIP-4110).
 *
 * @param options may be NULL
 * @return PSPROBE_OK; UNAUTHENTICATED when there are none (the message lists
 *         each place looked at); INVALID_ARGUMENT for a broken file (the field
 *         is named, never its value); FAILED_PRECONDITION for an unsafe key
 * Ownership: free with psprobe_credentials_free. Threading: any thread may use
 * the result. Blocks: at most a second off Google, for the metadata server.
 */
PSPROBE_API psprobe_code psprobe_credentials_default(const psprobe_credentials_options *options,
                                                     psprobe_credentials **credentials,
                                                     psprobe_error *error);

/** Wipes and frees. `credentials` may be NULL. */
PSPROBE_API void psprobe_credentials_free(psprobe_credentials *credentials);

/** The project that the credentials name, or NULL. Valid until they are freed. */
PSPROBE_API const char *psprobe_credentials_project(const psprobe_credentials *credentials);

#ifdef __cplusplus
}
#endif
#endif
