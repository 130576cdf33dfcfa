/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_OAUTH_H
#define PSP_AUTH_SOURCES_OAUTH_H
/** @file What token endpoints answer (RFC 6749, 5; RFC 8693; AIP-4112 to 4117). Pure. */
#include <stdint.h>

#include <psprobe/error.h>

#include "auth/fetch.h"
#include "base/json_view.h"

/** Longest life that an answer is believed to give. */
#define PSP_TOKEN_LIFE_MAX_S INT64_C(86400)
/** Where an answer does not say. */
#define PSP_TOKEN_LIFE_DEFAULT_S INT64_C(3600)

/**
 * {"access_token","expires_in","token_type"}: adds the token to `token`.
 * @param what "get an access token for a@b (oauth2.googleapis.com)"
 * @return UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE, …; UNKNOWN for an answer that is none
 */
psprobe_code psp_oauth_access_token(const psp_answer *answer, int64_t wall_s, const char *what,
                                    psp_secret *token, int64_t *life_s, psprobe_error *error);
/** {"id_token"}: its own exp counts. */
psprobe_code psp_oauth_id_token(const psp_answer *answer, int64_t wall_s, const char *field,
                                const char *what, psp_secret *token, int64_t *life_s,
                                psprobe_error *error);
/** The same where the body is the token itself, as the metadata server's is. */
psprobe_code psp_oauth_bare_id_token(const psp_answer *answer, int64_t wall_s, const char *what,
                                     psp_secret *token, int64_t *life_s, psprobe_error *error);
/** generateAccessToken's {"accessToken","expireTime"}. */
psprobe_code psp_oauth_impersonated(const psp_answer *answer, int64_t wall_s, const char *what,
                                    psp_secret *token, int64_t *life_s, psprobe_error *error);

/** What an answer that is not 200 means: OAuth's error texts, Google's Status, text, HTML. */
psprobe_code psp_oauth_fail(const psp_answer *answer, int64_t wall_s, const char *what,
                            psprobe_error *error);

/** Printable, without spaces, at least one byte: what may stand in a header. */
bool psp_oauth_token_is_clean(const char *token, size_t len);

#endif
