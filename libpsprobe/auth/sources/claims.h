/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_CLAIMS_H
#define PSP_AUTH_SOURCES_CLAIMS_H
/** @file The claims of the tokens that a service account signs. Pure. */
#include <stdint.h>

#include "base/buf.h"

#define PSP_SCOPE_CLOUD "https://www.googleapis.com/auth/cloud-platform"
#define PSP_SCOPE_IAM   "https://www.googleapis.com/auth/iam"
/** How long they say they live: exactly this, AIP-4111 allows no more. */
#define PSP_JWT_LIFE_S INT64_C(3600)

/** Used as an access token by itself (AIP-4111): `audience` or `scope`, the other one NULL. */
void psp_claims_self_signed(psp_buf *json, const char *email, const char *audience,
                            const char *scope, int64_t now_s);
/** To be exchanged at `audience` for an access token with `scope` (AIP-4112), or, when
 * `target_audience` is not NULL, for an ID token (AIP-4116). */
void psp_claims_exchange(psp_buf *json, const char *email, const char *audience, const char *scope,
                         const char *target_audience, int64_t now_s);

#endif
