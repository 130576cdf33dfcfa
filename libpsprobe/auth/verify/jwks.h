/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_JWKS_H
#define PSP_AUTH_VERIFY_JWKS_H
/** @file Sets of public keys (RFC 7517), of which only RSA keys for RS256 are taken. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

/** Its keys never change once it is made; counted. */
typedef struct psp_jwks psp_jwks;

/**
 * Reads {"keys":[…]}. Entries that cannot be used (another type or use, fewer than 2048 bits, no
 * kid, nonsense) are as if they were not there.
 * @return PSPROBE_OK; UNKNOWN: no such text, or no usable key in it
 */
psprobe_code psp_jwks_parse(const char *text, size_t len, psp_jwks **set, psprobe_error *error);
psp_jwks *psp_jwks_ref(psp_jwks *set);
void psp_jwks_unref(psp_jwks *set);
size_t psp_jwks_count(const psp_jwks *set);

/** What a signature came to. */
typedef enum psp_signature {
  PSP_SIGNATURE_GOOD,
  PSP_SIGNATURE_BAD,
  PSP_SIGNATURE_NEW,    /**< not known, and not computed */
  PSP_SIGNATURE_LENGTH, /**< not that of the key's modulus */
  PSP_SIGNATURE_NO_KEY  /**< the set has no key of that id */
} psp_signature;
/**
 * Verifies a token's RS256 signature with the key `kid`, by libjwt. The caller has checked the
 * rest of its form: three strict segments, none empty, and that its algorithm is RS256.
 *
 * @param token as it was received, of at most PSP_JWKS_TOKEN_MAX bytes
 * @param signature_len of its decoded third segment
 * @param compute       false: only what is known is told, which takes no time
 * A token that was found good is known again by its SHA-256 as long as this set lives, since a
 * sender shows the same one for up to an hour. Any thread.
 */
psp_signature psp_jwks_verify(psp_jwks *set, const char *kid, const char *token, size_t len,
                              size_t signature_len, bool compute);
#define PSP_JWKS_TOKEN_MAX 16384

/** How long an answer's keys are fresh: max-age less Age, from 60 to 86400 s; 300 s when nothing is
 * said (idtoken rules: RFC 9111). Pure. */
int64_t psp_jwks_fresh_s(const char *cache_control, const char *age);

#endif
