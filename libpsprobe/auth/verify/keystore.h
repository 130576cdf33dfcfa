/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_KEYSTORE_H
#define PSP_AUTH_VERIFY_KEYSTORE_H
/**
 * @file
 * When a set of public keys is fetched, kept and let go of. Pure: time is an argument, ns of a
 * clock that counts time asleep.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auth/verify/jwks.h"

/** Keys serve for a day after their own fetch, however often later ones failed. */
#define PSP_KEYSTORE_LIFE_NS INT64_C(86400000000000)
/** A key id that we do not know is worth a fetch, but only one a minute for the whole process:
 * else anyone could make us hammer Google. */
#define PSP_KEYSTORE_UNKNOWN_NS INT64_C(60000000000)

/** Valid when zeroed; the set is counted. */
typedef struct psp_keystore {
  psp_jwks *keys;
  int64_t fetched_ns, fresh_until_ns;
  int64_t retry_ns; /* after failures: not before */
  unsigned failures;
  int64_t unknown_ns; /* the last fetch for an unknown id; valid if asked */
  bool asked;
} psp_keystore;

/** The keys, or NULL: none, or too old. Still the keystore's. */
psp_jwks *psp_keystore_keys(const psp_keystore *store, int64_t now_ns);
/** When the next fetch is due by itself: in the last tenth of their freshness, after a failure when
 * the pause is over. */
int64_t psp_keystore_due_ns(const psp_keystore *store);
/** An unknown key id: true if that may be a reason for a fetch now, which it then counts as. */
bool psp_keystore_may_ask(psp_keystore *store, int64_t now_ns);
/** A fetch that was begun at `asked_ns` brought `keys` (taken), fresh for `fresh_s`. */
void psp_keystore_put(psp_keystore *store, psp_jwks *keys, int64_t asked_ns, int64_t fresh_s);
/** A fetch failed. */
void psp_keystore_fail(psp_keystore *store, int64_t now_ns, uint64_t random);
void psp_keystore_clear(psp_keystore *store);

#endif
