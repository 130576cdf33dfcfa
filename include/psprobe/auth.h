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

/**
 * Has OpenSSL wipe what it frees, which it does not do with every copy that its decoders make of a
 * private key. For a program to call first in main: it changes OpenSSL's memory functions for the
 * whole process (CRYPTO_set_mem_functions). Our own programs do, in psprobe_cli_parse.
 *
 * @return false: too late, OpenSSL is in use; its copies stay in freed memory
 * Threading: before there are other threads.
 */
PSPROBE_API bool psprobe_wipe_freed_memory(void);

/* ---- tokens that we show to others -------------------------------------- */

/**
 * An OAuth access token with the scope cloud-platform, from the cache or fetched.
 *
 * @param token receives the text; free it with psprobe_token_free
 * @return PSPROBE_OK, or why there is none
 * Threading: any thread. Blocks: until there is one, at most about a minute.
 */
PSPROBE_API psprobe_code psprobe_credentials_access_token(psprobe_credentials *credentials,
                                                          char **token, psprobe_error *error);

/**
 * An ID token that says who we are to a service of ours (Cloud Run checks it): from the cache, or
 * fetched. Service accounts, impersonation and the metadata server can give one; a person's login
 * cannot (FAILED_PRECONDITION, with advice).
 *
 * @param audience the service's URL, exactly as it expects it
 * Otherwise as psprobe_credentials_access_token.
 */
PSPROBE_API psprobe_code psprobe_credentials_id_token(psprobe_credentials *credentials,
                                                      const char *audience, char **token,
                                                      psprobe_error *error);

/** Wipes and frees. `token` may be NULL. */
PSPROBE_API void psprobe_token_free(char *token);

/** What is known of credentials; every text is theirs, NULL where there is none. */
typedef struct psprobe_credentials_info {
  const char *kind;    /**< "service_account", …, "metadata server" */
  const char *file;    /**< where they were found; NULL: no file */
  const char *account; /**< who they are, where that is known without asking */
  const char *project; /**< as psprobe_credentials_project */
  const char *quota_project;
  const char *universe; /**< "googleapis.com" */
  const char *key_id;   /**< of a service account's key; no secret */
} psprobe_credentials_info;

/** Fills in `info`; valid until the credentials are freed. Nothing is asked over the network. */
PSPROBE_API void psprobe_credentials_describe(psprobe_credentials *credentials,
                                              psprobe_credentials_info *info);

/* ---- tokens that others show to us --------------------------------------- */

/** Checks ID tokens that Google signed: of Pub/Sub's push requests, and of our responders. */
typedef struct psprobe_verifier psprobe_verifier;

/** Options; valid when zeroed but for the audience. Every text is copied. */
typedef struct psprobe_verifier_options {
  /** Whom the tokens must be for, byte for byte. For Pub/Sub without a configured audience: the
   * push endpoint's URL. Never empty: a token for another service of the sender's would do. */
  const char *audience;
  /** Which accounts may come (their e-mails, byte for byte). None: any that Google vouches for. */
  const char *const *emails;
  size_t email_count;
  /** How far clocks may differ, in seconds, 1 to 300. 0: 60. */
  int leeway_s;
  /** Where the public keys are. NULL: Google's. Others must be https, or on loopback. */
  const char *jwks_url;
  const char *ca_file; /**< PEM file of certificate authorities. NULL: the system's */
  /**
   * Takes tokens whose signature Cloud Run checked and removed. Only for a service that can be
   * reached through Cloud Run's own check and in no other way: such a token proves nothing.
   */
  bool platform_verified;
  const psprobe_logger *logger; /**< copied. NULL: silent */
} psprobe_verifier_options;

/** Who showed a token. "" for what it does not say. */
typedef struct psprobe_identity {
  char subject[128]; /**< the account's numeric id */
  char email[256];   /**< "" too where Google has not verified it */
  int64_t expires_s; /**< Unix time */
} psprobe_identity;

/**
 * Makes a verifier and begins to fetch the keys, in the background.
 *
 * @return PSPROBE_OK; INVALID_ARGUMENT (named); RESOURCE_EXHAUSTED
 * Ownership: free with psprobe_verifier_free. Threading: any thread may use it.
 */
PSPROBE_API psprobe_code psprobe_verifier_new(const psprobe_verifier_options *options,
                                              psprobe_verifier **verifier, psprobe_error *error);
PSPROBE_API void psprobe_verifier_free(psprobe_verifier *verifier);

/**
 * Checks the value of a request's one Authorization header.
 *
 * @param authorization "Bearer …"; NULL: there was none, or more than one
 * @param identity      receives who it is; may be NULL; untouched on failure
 * @return PSPROBE_OK; UNAUTHENTICATED (answer 401 with `WWW-Authenticate: Bearer`);
 *         PERMISSION_DENIED (a good token of another account: 403); UNAVAILABLE (the keys could
 *         not be had, so nobody is let in: 503). The message may be shown to the sender; why in
 *         particular is in the log alone.
 * Blocks: while there are no keys yet, at most 10 s.
 */
PSPROBE_API psprobe_code psprobe_verifier_check(psprobe_verifier *verifier,
                                                const char *authorization,
                                                psprobe_identity *identity, psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
