/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_JWT_SIGN_H
#define PSP_AUTH_JWT_SIGN_H
/** @file JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518 3.3). */
#include <stdint.h>

#include <psprobe/error.h>

#include "auth/secret.h"

/**
 * A private key that can sign. At rest it is in secret memory alone. OpenSSL's own form of it,
 * which spreads over the heap, exists from the first signature until psp_signer_rest. One thread at
 * a time.
 */
typedef struct psp_signer psp_signer;

/** @param key_id for the header's kid; NULL: none. `what` for messages. Both are copied. */
psprobe_code psp_signer_new(const char *pem, const char *key_id, const char *what,
                            psp_signer **signer, psprobe_error *error);
void psp_signer_free(psp_signer *signer);
/** Lets go of OpenSSL's form of the key, wiped. */
void psp_signer_rest(psp_signer *signer);

/** Signs header {alg, typ, kid} and `claims` (JSON); adds the token to `jwt`. */
psprobe_code psp_signer_jwt(psp_signer *signer, const char *claims, size_t len, psp_secret *jwt,
                            psprobe_error *error);

#endif
