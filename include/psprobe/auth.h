/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_AUTH_H
#define PSPROBE_AUTH_H
/**
 * @file
 * Who the program is: Google credentials and the tokens they give; and whom it believes.
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
 * Finds Application Default Credentials (AIP-4110): docs/keys.md says where.
 * @param options     may be NULL: all defaults
 * @param credentials receives them; untouched on failure
 * @return PSPROBE_OK; UNAUTHENTICATED: there are none (the message lists each place looked at);
 *         NOT_FOUND or PERMISSION_DENIED: the file that is named is not there, or cannot be read;
 *         INVALID_ARGUMENT: a broken file or setting (named, its value never shown);
 *         UNIMPLEMENTED: a kind of credentials that is refused by name; FAILED_PRECONDITION: a key
 *         that could leak, or another universe than GOOGLE_CLOUD_UNIVERSE_DOMAIN names;
 *         UNAVAILABLE or DEADLINE_EXCEEDED: the metadata server does not answer;
 *         RESOURCE_EXHAUSTED: memory
 *
 * Ownership: the caller's, to give to psprobe_credentials_free.
 * Blocks: for a second at most off Google; for the metadata server some 10 s where it is named or
 * the machine is Google's; for git at most 5 s.
 */
PSPROBE_API psprobe_code psprobe_credentials_new(const psprobe_credentials_options *options,
                                                 psprobe_credentials **credentials,
                                                 psprobe_error *error);

/**
 * Wipes and frees; NULL is fine. Whoever waits for a token hears CANCELLED.
 * Blocks: until a request under way is called off.
 */
PSPROBE_API void psprobe_credentials_free(psprobe_credentials *credentials);

/**
 * The project that the credentials name.
 * @return it, or NULL: none, or not known without asking
 */
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

/* ---- tokens that we show to others ---- */

/**
 * An OAuth access token with the scope cloud-platform, from the cache or fetched.
 * @param token receives the text; untouched on failure
 * @return PSPROBE_OK; UNAUTHENTICATED or PERMISSION_DENIED: Google refuses; UNAVAILABLE or
 *         DEADLINE_EXCEEDED: who gives tokens does not answer; FAILED_PRECONDITION: the credentials
 *         cannot; UNKNOWN: an answer that is none; NOT_FOUND: the machine has no service account;
 *         INVALID_ARGUMENT: what a federation's file or program says is broken; CANCELLED: the
 *         credentials are being freed; RESOURCE_EXHAUSTED: memory, threads
 * Ownership: `token` is the caller's, to give to psprobe_token_free.
 * Blocks: until there is one, at most about a minute.
 */
PSPROBE_API psprobe_code psprobe_credentials_access_token(psprobe_credentials *credentials,
                                                          char **token, psprobe_error *error);

/**
 * An ID token that says who we are to a service of ours (Cloud Run checks it): from the cache, or
 * fetched. Service accounts, impersonation and the metadata server can give one.
 * @param audience the service's URL, exactly as it expects it
 * @param token    receives the text; untouched on failure
 * @return as psprobe_credentials_access_token; FAILED_PRECONDITION also for a person's login, with
 *         advice; INVALID_ARGUMENT: no audience; RESOURCE_EXHAUSTED: more than 256 audiences
 * Ownership: `token` is the caller's, to give to psprobe_token_free.
 * Blocks: until there is one, at most about a minute.
 */
PSPROBE_API psprobe_code psprobe_credentials_id_token(psprobe_credentials *credentials,
                                                      const char *audience, char **token,
                                                      psprobe_error *error);

/**
 * Wipes and frees.
 * @param token of one of the two above; NULL is fine
 */
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

/**
 * Tells what is known of them; nothing is asked over the network.
 * @param info receives it; its texts are valid until the credentials are freed
 */
PSPROBE_API void psprobe_credentials_describe(psprobe_credentials *credentials,
                                              psprobe_credentials_info *info);

/* ---- tokens that others show to us ---- */

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
 * @param options  the audience is a must
 * @param verifier receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT: an option that cannot be (named); RESOURCE_EXHAUSTED:
 *         memory, threads
 *
 * Ownership: the caller's, to give to psprobe_verifier_free.
 */
PSPROBE_API psprobe_code psprobe_verifier_new(const psprobe_verifier_options *options,
                                              psprobe_verifier **verifier, psprobe_error *error);
/**
 * Frees; NULL is fine. Whoever waits is told UNAVAILABLE.
 * Blocks: until a request under way is called off.
 */
PSPROBE_API void psprobe_verifier_free(psprobe_verifier *verifier);

/**
 * Checks the value of a request's one Authorization header, in the order that docs/keys.md gives.
 * @param authorization "Bearer …"; NULL: there was none, or more than one
 * @param identity      receives who it is; may be NULL; untouched on failure
 * @return PSPROBE_OK; UNAUTHENTICATED (answer 401 with `WWW-Authenticate: Bearer`);
 *         PERMISSION_DENIED (a good token of another account: 403); UNAVAILABLE (the keys could not
 *         be had, or too many others are being checked, so nobody is let in: 503). The message may
 * be shown to the sender; why in particular is in the log alone. Blocks: while its signature is
 * computed; while there are no keys yet, at most 10 s.
 */
PSPROBE_API psprobe_code psprobe_verifier_check(psprobe_verifier *verifier,
                                                const char *authorization,
                                                psprobe_identity *identity, psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
