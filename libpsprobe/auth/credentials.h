/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_CREDENTIALS_H
#define PSP_AUTH_CREDENTIALS_H
/**
 * @file
 * Credentials as the client uses them: a token from the cache without waiting, or word when there
 * is one. All fetching runs on the credentials' own thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/auth.h>

#include "auth/service.h"
#include "http/client/transport.h"
#include "os/clock.h"

/** A kind of token and its place in the cache. The credentials'. */
typedef struct psp_token_slot psp_token_slot;

/** One that waits for a token; zeroed but for ready and arg. The caller's, until ready is called or
 * psp_credentials_unwait was true. */
typedef struct psp_token_waiter psp_token_waiter;
struct psp_token_waiter {
  /** On the credentials' thread, once. `error` NULL: there is one, take it from the cache. */
  void (*ready)(void *arg, const psprobe_error *error);
  void *arg;
  psp_token_waiter *next, *prev;
  psp_token_slot *slot; /* NULL: not waiting */
};

/**
 * Application Default Credentials that are looked up when the first token is asked for, by the
 * thread that fetches it. Options as psprobe_credentials_new's.
 */
psprobe_code psp_credentials_new_lazy(const psprobe_credentials_options *options,
                                      psprobe_credentials **credentials, psprobe_error *error);
/** The same with a clock (NULL: the machine's) and connections (NULL: its own; else taken, also on
 * failure), for tests. */
psprobe_code psp_credentials_new_with(const psprobe_credentials_options *options,
                                      const psp_clock *clock, psp_http *http,
                                      psprobe_credentials **credentials, psprobe_error *error);
/** Looks them up now. Blocks. */
psprobe_code psp_credentials_resolve(psprobe_credentials *credentials, psprobe_error *error);

psp_token_slot *psp_credentials_slot(psprobe_credentials *credentials, psp_service service);
/** ID tokens for `audience`, which is copied. */
psprobe_code psp_credentials_id_slot(psprobe_credentials *credentials, const char *audience,
                                     psp_token_slot **slot, psprobe_error *error);

/** Access tokens with the scope cloud-platform, for whichever API. */
psprobe_code psp_credentials_cloud_slot(psprobe_credentials *credentials, psp_token_slot **slot,
                                        psprobe_error *error);

/**
 * Copies the value of the Authorization header ("Bearer …", zero-terminated) from the cache, and
 * starts a refresh in the background when it is time for one. Never waits and takes no lock. Wipe
 * `out` after use.
 *
 * @param generation receives what psp_token_slot_reject needs
 * @return the length without the zero; 0: no valid token, so psp_token_slot_wait. When it is not
 * less than `size`, nothing was copied: come again with more room
 */
size_t psp_token_slot_authorization(psprobe_credentials *credentials, psp_token_slot *slot,
                                    char *out, size_t size, uint64_t *generation);

/** An Authorization header's value for one request, on its sender's stack as a rule. */
typedef struct psp_bearer {
  char *text; /**< its own `room`, or a block */
  size_t len; /**< 0: there is no valid token */
  uint64_t generation;
  char room[2048]; /**< Google's tokens are shorter as a rule, and may be longer */
} psp_bearer;
/** The same into a bearer, which is not initialized, with what room it takes. Wipe it after use.
 * @return PSPROBE_OK, also where there is no token; RESOURCE_EXHAUSTED: nothing to wipe */
psprobe_code psp_bearer_read(psp_bearer *bearer, psprobe_credentials *credentials,
                             psp_token_slot *slot, psprobe_error *error);
void psp_bearer_wipe(psp_bearer *bearer);
/** Fetches a token unless that is under way; `waiter` hears. On failure it does not. */
psprobe_code psp_token_slot_wait(psprobe_credentials *credentials, psp_token_slot *slot,
                                 psp_token_waiter *waiter, psprobe_error *error);
/** True: `waiter` was waiting and will not hear. False: it has heard, or hears just now. */
bool psp_credentials_unwait(psprobe_credentials *credentials, psp_token_waiter *waiter);
/** The same, waiting for it. @param until_ns CLOCK_MONOTONIC; then DEADLINE_EXCEEDED */
psprobe_code psp_token_slot_get(psprobe_credentials *credentials, psp_token_slot *slot,
                                int64_t until_ns, psprobe_error *error);
/** How long the token in the cache is good for, in seconds; 0: there is none. */
int64_t psp_token_slot_life_s(psprobe_credentials *credentials, const psp_token_slot *slot);
/** An API said 401: drops the token, if `generation` is still the one in the cache. */
void psp_token_slot_reject(psprobe_credentials *credentials, psp_token_slot *slot,
                           uint64_t generation);

/* The same by API. */
psprobe_code psp_credentials_wait(psprobe_credentials *credentials, psp_service service,
                                  psp_token_waiter *waiter, psprobe_error *error);
void psp_credentials_reject(psprobe_credentials *credentials, psp_service service,
                            uint64_t generation);

/** The project to bill (x-goog-user-project), or NULL. Known once there was a token. */
const char *psp_credentials_quota_project(psprobe_credentials *credentials);
/** "googleapis.com", or another universe's domain. Known once there was a token. */
const char *psp_credentials_universe(psprobe_credentials *credentials);

/**
 * The project that the credentials name, looked up where that is needed (file, gcloud's
 * configuration, metadata server, for federated ones the Resource Manager). May wait for the
 * network. NULL with PSPROBE_OK: none is named.
 */
psprobe_code psp_credentials_find_project(psprobe_credentials *credentials, const char **project,
                                          psprobe_error *error);

/**
 * Whom the credentials stand for, asked where the file does not say: of the metadata server, and
 * for a person's login of Google's userinfo, with a token that is in the cache already.
 * @param account receives the e-mail address, to free(); NULL with PSPROBE_OK: nobody knows
 * Blocks: at most 3 s.
 */
psprobe_code psp_credentials_find_account(psprobe_credentials *credentials, char **account,
                                          psprobe_error *error);

#endif
