/* SPDX-License-Identifier: MIT */
#include "auth/sources/oauth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/timestamp.h"

bool psp_oauth_token_is_clean(const char *token, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (token[i] < 0x21 || token[i] > 0x7e) return false;
  return len > 0;
}

/* The time by the server's clock, or by ours where it did not say. */
static int64_t now_by_server(const psp_answer *answer, int64_t wall_s) {
  return answer->date_s > 0 ? answer->date_s : wall_s;
}

/* Seconds until `exp` of a JWT, which is not verified. False: it is none. */
static bool jwt_life(const char *jwt, size_t len, int64_t now_s, int64_t *life_s) {
  const char *dot = memchr(jwt, '.', len);
  const char *second = dot != NULL ? memchr(dot + 1, '.', (size_t)(jwt + len - dot) - 1) : NULL;
  if (second == NULL) return false;
  psp_secret payload = {0};
  psp_view claims;
  const char *why;
  double expires;
  bool good = psp_base64url_secret(dot + 1, (size_t)(second - dot) - 1, &payload) &&
              psp_view_object(payload.data, payload.len, &claims, &why) &&
              psp_view_number(psp_view_get(claims, "exp"), &expires) && fabs(expires) < 1e15;
  if (good) *life_s = (int64_t)expires - now_s;
  psp_secret_free(&payload);
  return good;
}

static psprobe_code fail_answer(const psp_answer *answer, const char *what, const char *why,
                                psprobe_error *error) {
  psp_fail(error, PSPROBE_UNKNOWN, "%s: the answer (HTTP %d) %s", what, answer->status, why);
  if (error != NULL) error->http_status = answer->status;
  return PSPROBE_UNKNOWN;
}

/* The object of a 200 answer. */
static psprobe_code open_answer(const psp_answer *answer, int64_t wall_s, const char *what,
                                psp_view *object, psprobe_error *error) {
  const char *why;
  if (answer->status != 200) return psp_oauth_fail(answer, wall_s, what, error);
  if (answer->body.len == 0) return fail_answer(answer, what, "is empty", error);
  if (psp_view_object(answer->body.data, answer->body.len, object, &why)) return PSPROBE_OK;
  return fail_answer(answer, what,
                     answer->html || answer->body.data[0] == '<'
                         ? "is an HTML page, not a token: something else answers in its place"
                         : "is no JSON object",
                     error);
}

static psprobe_code take_token(const psp_answer *answer, psp_view object, const char *field,
                               const char *what, psp_secret *token, psprobe_error *error) {
  psp_view value = psp_view_get(object, field);
  size_t before = token->len;
  char why[64];
  if (value.type != PSP_VIEW_STRING || psp_view_length(value) == 0) {
    snprintf(why, sizeof why, "has no %s in it", field);
    return fail_answer(answer, what, why, error);
  }
  psp_view_secret(value, token);
  if (token->failed) return psp_fail_memory(error, what);
  if (!psp_oauth_token_is_clean(token->data + before, token->len - before))
    return fail_answer(answer, what, "has a token in it that cannot stand in a header", error);
  return PSPROBE_OK;
}

static psprobe_code take_life(const psp_answer *answer, psp_view object, const char *what,
                              int64_t *life_s, psprobe_error *error) {
  psp_view value = psp_view_get(object, "expires_in");
  double seconds;
  int64_t digits;
  if (value.type == PSP_VIEW_NONE || value.type == PSP_VIEW_NULL) {
    *life_s = PSP_TOKEN_LIFE_DEFAULT_S;
    return PSPROBE_OK;
  }
  if (value.type == PSP_VIEW_STRING && psp_view_int64(value, &digits))
    seconds = (double)digits;
  else if (!psp_view_number(value, &seconds))
    return fail_answer(answer, what, "has an expires_in that is no number", error);
  if (seconds < 1) return fail_answer(answer, what, "has a token in it that has expired", error);
  *life_s = seconds < (double)PSP_TOKEN_LIFE_MAX_S ? (int64_t)seconds : PSP_TOKEN_LIFE_MAX_S;
  return PSPROBE_OK;
}

psprobe_code psp_oauth_access_token(const psp_answer *answer, int64_t wall_s, const char *what,
                                    psp_secret *token, int64_t *life_s, psprobe_error *error) {
  psp_view object = {0};
  psprobe_code code = open_answer(answer, wall_s, what, &object, error);
  if (code != PSPROBE_OK) return code;
  psp_view type = psp_view_get(object, "token_type");
  char name[16];
  if (type.type != PSP_VIEW_NONE &&
      (!psp_view_string(type, name, sizeof name) || strcasecmp(name, "Bearer") != 0))
    return fail_answer(answer, what, "has a token_type other than Bearer", error);
  code = take_life(answer, object, what, life_s, error);
  if (code == PSPROBE_OK) code = take_token(answer, object, "access_token", what, token, error);
  return code;
}

/* A life that is told as a moment: by the server's clock, where it showed it. */
static psprobe_code check_life(const psp_answer *answer, const char *what, int64_t *life_s,
                               psprobe_error *error) {
  if (*life_s < 1)
    return fail_answer(answer, what,
                       "has a token in it that has expired, by this machine's clock: is it right?",
                       error);
  if (*life_s > PSP_TOKEN_LIFE_MAX_S) *life_s = PSP_TOKEN_LIFE_MAX_S;
  return PSPROBE_OK;
}

/* The ID token that was added to `token` from `before` on. */
static psprobe_code check_id_token(const psp_answer *answer, int64_t wall_s, const char *what,
                                   const psp_secret *token, size_t before, int64_t *life_s,
                                   psprobe_error *error) {
  const char *jwt = token->data + before;
  size_t len = token->len - before;
  if (!psp_oauth_token_is_clean(jwt, len) ||
      !jwt_life(jwt, len, now_by_server(answer, wall_s), life_s))
    return fail_answer(answer, what, "has an ID token in it that is no JWT with an exp", error);
  return check_life(answer, what, life_s, error);
}

psprobe_code psp_oauth_id_token(const psp_answer *answer, int64_t wall_s, const char *field,
                                const char *what, psp_secret *token, int64_t *life_s,
                                psprobe_error *error) {
  psp_view object = {0};
  size_t before = token->len;
  psprobe_code code = open_answer(answer, wall_s, what, &object, error);
  if (code == PSPROBE_OK) code = take_token(answer, object, field, what, token, error);
  if (code != PSPROBE_OK) return code;
  return check_id_token(answer, wall_s, what, token, before, life_s, error);
}

psprobe_code psp_oauth_bare_id_token(const psp_answer *answer, int64_t wall_s, const char *what,
                                     psp_secret *token, int64_t *life_s, psprobe_error *error) {
  if (answer->status != 200) return psp_oauth_fail(answer, wall_s, what, error);
  size_t before = token->len, len = answer->body.len;
  while (len > 0 && strchr(" \t\r\n", answer->body.data[len - 1]) != NULL)
    len--;
  psp_secret_add(token, len > 0 ? answer->body.data : "", len);
  if (token->failed) return psp_fail_memory(error, what);
  return check_id_token(answer, wall_s, what, token, before, life_s, error);
}

psprobe_code psp_oauth_impersonated(const psp_answer *answer, int64_t wall_s, const char *what,
                                    psp_secret *token, int64_t *life_s, psprobe_error *error) {
  psp_view object = {0};
  psprobe_code code = open_answer(answer, wall_s, what, &object, error);
  if (code != PSPROBE_OK) return code;
  char text[PSP_TIMESTAMP_SIZE];
  int64_t expires_s;
  int32_t nanos;
  if (!psp_view_string(psp_view_get(object, "expireTime"), text, sizeof text) ||
      !psp_timestamp_parse(text, strlen(text), &expires_s, &nanos))
    return fail_answer(answer, what, "has no expireTime in it", error);
  *life_s = expires_s - now_by_server(answer, wall_s);
  code = check_life(answer, what, life_s, error);
  if (code == PSPROBE_OK) code = take_token(answer, object, "accessToken", what, token, error);
  return code;
}
