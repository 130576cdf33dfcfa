/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_IDTOKEN_H
#define PSP_AUTH_VERIFY_IDTOKEN_H
/** @file Whether an ID token of Google's is to be believed. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/verify/jwks.h"

#define PSP_IDTOKEN_MAX_LEN   16384
#define PSP_IDTOKEN_MAX_AHEAD 86400.0

/** What is expected of a token; all borrowed. */
typedef struct psp_idtoken_rules {
  const char *audience; /**< never empty */
  const char *const *emails;
  size_t email_count; /**< 0: whoever it is */
  int leeway_s;
  bool platform_verified; /**< a signature that Cloud Run removed is taken for a good one */
  bool known_only;        /**< a signature that is not known is PSP_IDTOKEN_NOT_LOOKED_AT */
} psp_idtoken_rules;

/** Why a token is refused, in the order of the checks. */
typedef enum psp_idtoken_verdict {
  PSP_IDTOKEN_GOOD = 0,
  PSP_IDTOKEN_NONE, /**< psp_idtoken_check never says that: who reads the request does */
  PSP_IDTOKEN_TOO_LONG,
  PSP_IDTOKEN_ALPHABET,
  PSP_IDTOKEN_SEGMENTS,
  PSP_IDTOKEN_BASE64,
  PSP_IDTOKEN_HEADER_JSON,
  PSP_IDTOKEN_ALGORITHM,
  PSP_IDTOKEN_CRITICAL,
  PSP_IDTOKEN_B64,
  PSP_IDTOKEN_TYPE,
  PSP_IDTOKEN_KID,
  PSP_IDTOKEN_REMOVED, /**< Cloud Run took the signature away */
  PSP_IDTOKEN_NO_KEYS, /**< it would be looked at now, had we keys */
  PSP_IDTOKEN_UNKNOWN_KID,
  PSP_IDTOKEN_SIGNATURE_LENGTH,
  PSP_IDTOKEN_NOT_LOOKED_AT, /**< that would take its while, and known_only says not to */
  PSP_IDTOKEN_SIGNATURE,
  PSP_IDTOKEN_PAYLOAD_JSON,
  PSP_IDTOKEN_ISSUER,
  PSP_IDTOKEN_AUDIENCE,
  PSP_IDTOKEN_EXP,
  PSP_IDTOKEN_EXPIRED,
  PSP_IDTOKEN_EXP_FAR,
  PSP_IDTOKEN_IAT,
  PSP_IDTOKEN_NBF,
  PSP_IDTOKEN_SUBJECT,
  PSP_IDTOKEN_EMAIL, /**< a good token of the wrong account: from here on 403 */
  PSP_IDTOKEN_EMAIL_UNVERIFIED,
  PSP_IDTOKEN_VERDICTS
} psp_idtoken_verdict;

/** "expired" and so on: a constant, for the log. */
const char *psp_idtoken_reason(psp_idtoken_verdict verdict);

/** What a token says, once its signature was found good; "" for what it does not say, or at too
 * great a length. */
typedef struct psp_idtoken_claims {
  char kid[256], issuer[64], audience[256], subject[128], email[256];
  bool email_verified;
  int64_t expires_s;
} psp_idtoken_claims;

/**
 * Checks a token in the order that docs/keys.md gives: nothing in it is looked at before its form
 * was found good, and no claim before the signature.
 *
 * @param keys may be NULL: then no token is good, PSP_IDTOKEN_NO_KEYS at best
 * @param claims receives what the token says from the signature on; may be NULL
 */
psp_idtoken_verdict psp_idtoken_check(const char *token, size_t len, psp_jwks *keys,
                                      const psp_idtoken_rules *rules, int64_t now_s,
                                      psp_idtoken_claims *claims);

/**
 * The token of an Authorization header's value: "Bearer", in any case, spaces, and one token68
 * (RFC 9110, 11.4; RFC 6750, 2.1).
 * @return within `value`, `len` bytes; NULL: something else
 */
const char *psp_idtoken_bearer(const char *value, size_t *len);

#endif
