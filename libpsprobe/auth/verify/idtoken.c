/* SPDX-License-Identifier: MIT */
#include "auth/verify/idtoken.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/json_view.h"

static const char *const reasons[PSP_IDTOKEN_VERDICTS] = {
    [PSP_IDTOKEN_GOOD] = "good",
    [PSP_IDTOKEN_NONE] = "no bearer token, or more than one",
    [PSP_IDTOKEN_TOO_LONG] = "longer than 16384 bytes",
    [PSP_IDTOKEN_ALPHABET] = "a byte in it that no token has",
    [PSP_IDTOKEN_SEGMENTS] = "not three segments with something in each",
    [PSP_IDTOKEN_BASE64] = "a segment that is not strict base64url",
    [PSP_IDTOKEN_HEADER_JSON] = "its header is no proper JSON object",
    [PSP_IDTOKEN_ALGORITHM] = "its algorithm is not RS256",
    [PSP_IDTOKEN_CRITICAL] = "it has crit in its header",
    [PSP_IDTOKEN_B64] = "it has b64 in its header",
    [PSP_IDTOKEN_TYPE] = "its typ is not JWT",
    [PSP_IDTOKEN_KID] = "it names no key",
    [PSP_IDTOKEN_REMOVED] =
        "Cloud Run, which checked it, removed the signature (platform_verified takes that)",
    [PSP_IDTOKEN_NO_KEYS] = "the public keys could not be had",
    [PSP_IDTOKEN_UNKNOWN_KID] = "it names a key that is not Google's",
    [PSP_IDTOKEN_SIGNATURE_LENGTH] = "its signature is not as long as the key",
    [PSP_IDTOKEN_NOT_LOOKED_AT] = "too many others are waiting to have their signature looked at",
    [PSP_IDTOKEN_SIGNATURE] = "its signature does not fit",
    [PSP_IDTOKEN_PAYLOAD_JSON] = "its payload is no proper JSON object",
    [PSP_IDTOKEN_ISSUER] = "it is not issued by Google",
    [PSP_IDTOKEN_AUDIENCE] = "it is for another audience",
    [PSP_IDTOKEN_EXP] = "its exp is missing or no time",
    [PSP_IDTOKEN_EXPIRED] = "it has expired",
    [PSP_IDTOKEN_EXP_FAR] = "it expires more than a day ahead",
    [PSP_IDTOKEN_IAT] = "its iat is missing, no time, or ahead",
    [PSP_IDTOKEN_NBF] = "its nbf is no time, or ahead",
    [PSP_IDTOKEN_SUBJECT] = "it has no sub",
    [PSP_IDTOKEN_EMAIL] = "it is of another account",
    [PSP_IDTOKEN_EMAIL_UNVERIFIED] = "its e-mail is not verified",
};

const char *psp_idtoken_reason(psp_idtoken_verdict verdict) {
  return reasons[verdict];
}

/* The three segments as they stand in the token. */
typedef struct segments {
  const char *at[3];
  size_t len[3];
} segments;

static bool is_letter(char c) {
  return psp_base64url_values[(unsigned char)c] >= 0;
}

static psp_idtoken_verdict split(const char *token, size_t len, segments *s) {
  if (len > PSP_IDTOKEN_MAX_LEN) return PSP_IDTOKEN_TOO_LONG;
  int count = 0;
  *s = (segments){.at[0] = token};
  for (size_t i = 0; i < len; i++) {
    if (is_letter(token[i])) {
      s->len[count]++;
    } else if (token[i] != '.') {
      return PSP_IDTOKEN_ALPHABET;
    } else if (++count == 3) {
      return PSP_IDTOKEN_SEGMENTS;
    } else {
      s->at[count] = token + i + 1;
    }
  }
  bool full = count == 2 && s->len[0] > 0 && s->len[1] > 0 && s->len[2] > 0;
  return full ? PSP_IDTOKEN_GOOD : PSP_IDTOKEN_SEGMENTS;
}

/* The allowed algorithm is a constant: it is never taken from the token or from the key. */
static psp_idtoken_verdict check_header(const char *text, size_t len, char *kid, size_t kid_size) {
  psp_view header;
  const char *why;
  char type[8];
  if (!psp_view_object(text, len, &header, &why)) return PSP_IDTOKEN_HEADER_JSON;
  if (!psp_view_equals(psp_view_get(header, "alg"), "RS256")) return PSP_IDTOKEN_ALGORITHM;
  if (psp_view_get(header, "crit").type != PSP_VIEW_NONE) return PSP_IDTOKEN_CRITICAL;
  psp_view b64 = psp_view_get(header, "b64");
  if (b64.type != PSP_VIEW_NONE && b64.type != PSP_VIEW_TRUE) return PSP_IDTOKEN_B64;
  psp_view typ = psp_view_get(header, "typ");
  if (typ.type != PSP_VIEW_NONE &&
      (!psp_view_string(typ, type, sizeof type) || strcasecmp(type, "JWT") != 0))
    return PSP_IDTOKEN_TYPE;
  /* jku, jwk, x5u and x5c are not looked at: a key comes from our set or not at all. */
  bool named = psp_view_string(psp_view_get(header, "kid"), kid, kid_size) && kid[0] != 0;
  return named ? PSP_IDTOKEN_GOOD : PSP_IDTOKEN_KID;
}

static psp_idtoken_verdict check_signature(const segments *s, size_t signature_len, const char *kid,
                                           psp_jwks *keys, const psp_idtoken_rules *rules) {
  static const char removed[] = "SIGNATURE_REMOVED_BY_GOOGLE";
  if (s->len[2] == strlen(removed) && memcmp(s->at[2], removed, s->len[2]) == 0)
    return rules->platform_verified ? PSP_IDTOKEN_GOOD : PSP_IDTOKEN_REMOVED;
  if (keys == NULL) return PSP_IDTOKEN_NO_KEYS;
  /* Over the bytes as received, which lie beside each other from the first segment on. */
  size_t len = s->len[0] + 1 + s->len[1] + 1 + s->len[2];
  switch (psp_jwks_verify(keys, kid, s->at[0], len, signature_len, !rules->known_only)) {
    case PSP_SIGNATURE_GOOD:
      return PSP_IDTOKEN_GOOD;
    case PSP_SIGNATURE_LENGTH:
      return PSP_IDTOKEN_SIGNATURE_LENGTH;
    case PSP_SIGNATURE_NEW:
      return PSP_IDTOKEN_NOT_LOOKED_AT;
    case PSP_SIGNATURE_NO_KEY:
      return PSP_IDTOKEN_UNKNOWN_KID;
    default:
      return PSP_IDTOKEN_SIGNATURE;
  }
}

static bool audience_fits(psp_view aud, const char *ours) {
  if (aud.type != PSP_VIEW_ARRAY) return psp_view_equals(aud, ours);
  psp_view item, other;
  psp_view_cursor cursor = {0};
  return psp_view_next(aud, &cursor, &item) && psp_view_equals(item, ours) &&
         !psp_view_next(aud, &cursor, &other);
}

static psp_idtoken_verdict check_times(psp_view payload, double now, double leeway) {
  double exp, iat, nbf;
  if (!psp_view_number(psp_view_get(payload, "exp"), &exp) || exp <= 0) return PSP_IDTOKEN_EXP;
  if (now >= exp + leeway) return PSP_IDTOKEN_EXPIRED;
  if (exp > now + PSP_IDTOKEN_MAX_AHEAD) return PSP_IDTOKEN_EXP_FAR;
  if (!psp_view_number(psp_view_get(payload, "iat"), &iat) || iat > now + leeway)
    return PSP_IDTOKEN_IAT;
  psp_view before = psp_view_get(payload, "nbf");
  if (before.type != PSP_VIEW_NONE && (!psp_view_number(before, &nbf) || nbf > now + leeway))
    return PSP_IDTOKEN_NBF;
  return PSP_IDTOKEN_GOOD;
}

static psp_idtoken_verdict check_email(psp_view payload, const psp_idtoken_rules *rules) {
  if (rules->email_count == 0) return PSP_IDTOKEN_GOOD;
  psp_view email = psp_view_get(payload, "email");
  bool listed = false;
  for (size_t i = 0; i < rules->email_count; i++)
    listed = listed || psp_view_equals(email, rules->emails[i]);
  if (!listed) return PSP_IDTOKEN_EMAIL;
  /* The JSON value true: not 1, and not a text. */
  return psp_view_get(payload, "email_verified").type == PSP_VIEW_TRUE
             ? PSP_IDTOKEN_GOOD
             : PSP_IDTOKEN_EMAIL_UNVERIFIED;
}

static void take_claim(psp_view payload, const char *name, char *out, size_t size) {
  if (!psp_view_string(psp_view_get(payload, name), out, size)) out[0] = 0;
}

static psp_idtoken_verdict check_payload(psp_view payload, const psp_idtoken_rules *rules,
                                         int64_t now_s) {
  psp_view issuer = psp_view_get(payload, "iss");
  if (!psp_view_equals(issuer, "https://accounts.google.com") &&
      !psp_view_equals(issuer, "accounts.google.com"))
    return PSP_IDTOKEN_ISSUER;
  if (rules->audience == NULL || rules->audience[0] == 0 ||
      !audience_fits(psp_view_get(payload, "aud"), rules->audience))
    return PSP_IDTOKEN_AUDIENCE;
  psp_idtoken_verdict verdict = check_times(payload, (double)now_s, rules->leeway_s);
  if (verdict != PSP_IDTOKEN_GOOD) return verdict;
  if (psp_view_length(psp_view_get(payload, "sub")) == 0) return PSP_IDTOKEN_SUBJECT;
  return check_email(payload, rules);
}

psp_idtoken_verdict psp_idtoken_check(const char *token, size_t len, psp_jwks *keys,
                                      const psp_idtoken_rules *rules, int64_t now_s,
                                      psp_idtoken_claims *claims) {
  segments s;
  psp_idtoken_claims unused;
  if (claims == NULL) claims = &unused;
  memset(claims, 0, sizeof *claims);
  psp_idtoken_verdict verdict = split(token, len, &s);
  if (verdict != PSP_IDTOKEN_GOOD) return verdict;
  unsigned char room[PSP_IDTOKEN_MAX_LEN * 3 / 4];
  unsigned char *at[3] = {room, NULL, NULL};
  long got[3];
  for (int i = 0; i < 3; i++) {
    got[i] = psp_base64url_decode(s.at[i], s.len[i], at[i], (size_t)(room + sizeof room - at[i]));
    if (got[i] < 0) return PSP_IDTOKEN_BASE64;
    if (i < 2) at[i + 1] = at[i] + got[i];
  }
  char kid[256];
  verdict = check_header((const char *)at[0], (size_t)got[0], kid, sizeof kid);
  if (verdict == PSP_IDTOKEN_GOOD) verdict = check_signature(&s, (size_t)got[2], kid, keys, rules);
  if (verdict != PSP_IDTOKEN_GOOD) return verdict;
  psp_view payload;
  const char *why;
  if (!psp_view_object((const char *)at[1], (size_t)got[1], &payload, &why))
    return PSP_IDTOKEN_PAYLOAD_JSON;
  memcpy(claims->kid, kid, sizeof kid);
  take_claim(payload, "iss", claims->issuer, sizeof claims->issuer);
  take_claim(payload, "aud", claims->audience, sizeof claims->audience);
  take_claim(payload, "sub", claims->subject, sizeof claims->subject);
  take_claim(payload, "email", claims->email, sizeof claims->email);
  claims->email_verified = psp_view_get(payload, "email_verified").type == PSP_VIEW_TRUE;
  verdict = check_payload(payload, rules, now_s);
  double expires;
  if (verdict == PSP_IDTOKEN_GOOD && psp_view_number(psp_view_get(payload, "exp"), &expires))
    claims->expires_s = (int64_t)expires;
  return verdict;
}

const char *psp_idtoken_bearer(const char *value, size_t *len) {
  static const char scheme[] = "Bearer";
  if (value == NULL) return NULL;
  value += strspn(value, " \t");
  if (strncasecmp(value, scheme, strlen(scheme)) != 0) return NULL;
  value += strlen(scheme);
  size_t spaces = strspn(value, " ");
  if (spaces == 0) return NULL;
  value += spaces;
  size_t n = 0;
  while (is_letter(value[n]) || (value[n] != 0 && strchr(".~+/", value[n]) != NULL))
    n++;
  n += strspn(value + n, "=");
  if (n == 0 || value[n + strspn(value + n, " \t")] != 0) return NULL;
  *len = n;
  return value;
}
