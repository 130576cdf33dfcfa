/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_JWT_SIGN_H
#define PSP_AUTH_SOURCES_JWT_SIGN_H
/** @file JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518 3.3), by libjwt. */
#include <psprobe/error.h>

#include "os/secret.h"

#define PSP_RSA_MIN_BITS 2048
#define PSP_RSA_MAX_BITS 16384

/**
 * A private key that can sign. It rests as PEM text in secret memory; libjwt has OpenSSL read it
 * anew for every token, and what those two leave behind in freed memory is wiped when
 * psprobe_wipe_freed_memory was called. One thread at a time.
 */
typedef struct psp_signer psp_signer;

/**
 * Looks whether the key can sign: unencrypted, RSA, from 2048 to 16384 bits.
 * @param key_id for the header's kid; NULL: none. `what` for messages. All are copied.
 */
psprobe_code psp_signer_new(const char *pem, const char *key_id, const char *what,
                            psp_signer **signer, psprobe_error *error);
void psp_signer_free(psp_signer *signer);

/** Signs header {alg, kid, typ} and `claims`, a JSON object; adds the token to `jwt`. */
psprobe_code psp_signer_jwt(psp_signer *signer, const char *claims, psp_secret *jwt,
                            psprobe_error *error);

#endif
