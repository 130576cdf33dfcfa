/* SPDX-License-Identifier: MIT */
/** @file Tokens for a service account's key: signed by ourselves, or fetched with a signed
 * assertion. */
#include <stdio.h>
#include <string.h>

#include "auth/sources/claims.h"
#include "auth/sources/source.h"
#include "auth/url.h"
#include "base/error.h"

static psprobe_code sign(psp_source *source, psp_buf *claims, psp_secret *jwt,
                         psprobe_error *error) {
  psprobe_code code = claims->failed ? psp_fail_memory(error, "token")
                                     : psp_signer_jwt(source->signer, claims->data, jwt, error);
  psp_buf_free(claims);
  return code;
}

/* Without a network: the token endpoint cannot be down, and no round trip is lost. */
static psprobe_code self_signed(psp_source *source, int64_t now_s, const char *audience,
                                const char *scope, psp_got *got, psprobe_error *error) {
  psp_buf claims = {0};
  psp_claims_self_signed(&claims, source->file->client_email, audience, scope, now_s);
  got->life_s = PSP_JWT_LIFE_S;
  return sign(source, &claims, &got->token, error);
}

static psprobe_code exchange(psp_source *source, psp_fetcher *fetcher, const char *target_audience,
                             psp_got *got, psprobe_error *error) {
  const char *url = source->file->token_uri;
  int64_t now_s = psp_clock_wall_s(&fetcher->clock);
  /* At Google the audience is this constant, whatever host of Google's is called. */
  const char *audience = psp_url_is_within(url, PSP_DEFAULT_UNIVERSE) ? PSP_OAUTH_TOKEN_URL : url;
  psp_buf claims = {0};
  psp_secret form = {0};
  psp_answer answer = {0};
  char what[PSP_WHAT_SIZE];
  psp_source_what(source, target_audience != NULL ? "an ID token" : "an access token", url, what);
  psp_claims_exchange(&claims, source->file->client_email, audience, PSP_SCOPE_CLOUD,
                      target_audience, now_s);
  psp_secret_text(&form,
                  "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
  psprobe_code code = sign(source, &claims, &form, error);
  if (code == PSPROBE_OK) {
    code = psp_post_form(fetcher, url, NULL, PSP_API_CLIENT, &form, &answer, error);
    if (code != PSPROBE_OK) psp_fail_in(error, "%s", what);
  }
  if (code == PSPROBE_OK)
    code =
        target_audience != NULL
            ? psp_oauth_id_token(&answer, now_s, "id_token", what, &got->token, &got->life_s, error)
            : psp_oauth_access_token(&answer, now_s, what, &got->token, &got->life_s, error);
  psp_answer_free(&answer);
  psp_secret_free(&form);
  return code;
}

/* In another universe there is no token endpoint: the IAM credentials API gives ID tokens. */
static psprobe_code id_token_elsewhere(psp_source *source, psp_fetcher *fetcher,
                                       const psp_want *want, psp_got *got, psprobe_error *error) {
  psp_got own = {0};
  psp_buf url = {0};
  psp_buf_printf(&url, "https://iamcredentials.%s/v1/projects/-/serviceAccounts/%s:",
                 psp_source_universe(source), source->file->client_email);
  psp_iam_call call = {.url = url.data, .account = source->file->client_email};
  psprobe_code code = url.failed ? psp_fail_memory(error, "ID token")
                                 : self_signed(source, psp_clock_wall_s(&fetcher->clock), NULL,
                                               PSP_SCOPE_IAM, &own, error);
  if (code == PSPROBE_OK)
    code = psp_iam_get(source, fetcher, &call, want, own.token.data, got, error);
  psp_secret_free(&own.token);
  psp_buf_free(&url);
  return code;
}

psprobe_code psp_service_account_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                                     psp_got *got, psprobe_error *error) {
  int64_t now_s = psp_clock_wall_s(&fetcher->clock);
  bool elsewhere = strcmp(psp_source_universe(source), PSP_DEFAULT_UNIVERSE) != 0;
  if (want->kind == PSP_WANT_ID && elsewhere)
    return id_token_elsewhere(source, fetcher, want, got, error);
  if (want->kind == PSP_WANT_ID) return exchange(source, fetcher, want->audience, got, error);
  if (elsewhere) return self_signed(source, now_s, NULL, PSP_SCOPE_CLOUD, got, error);
  if (want->kind == PSP_WANT_API)
    return self_signed(source, now_s, psp_services[want->service].audience, NULL, got, error);
  return exchange(source, fetcher, NULL, got, error);
}
