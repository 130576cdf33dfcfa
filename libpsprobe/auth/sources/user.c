/* SPDX-License-Identifier: MIT */
/** @file People: authorized_user, and external_account_authorized_user (AIP-4113). */
#include <string.h>

#include "auth/sources/source.h"
#include "base/error.h"

/* A new refresh token is for the next call, in memory: gcloud's file is gcloud's. */
static void keep_refresh_token(psp_key_file *file, const psp_answer *answer) {
  psp_view object;
  const char *why;
  psp_secret token = {0};
  if (psp_view_object(answer->body.data, answer->body.len, &object, &why) &&
      psp_view_secret(psp_view_get(object, "refresh_token"), &token) && token.len > 0 &&
      !token.failed)
    psp_secret_swap(&token, &file->refresh_token);
  psp_secret_free(&token);
}

static void add_field(psp_secret *form, const char *name, const char *value, size_t len) {
  psp_secret_text(form, name);
  psp_secret_percent(form, value, len);
}

psprobe_code psp_user_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                          psp_got *got, psprobe_error *error) {
  psp_key_file *f = source->file;
  if (want->kind == PSP_WANT_ID)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "an ID token for %.100s cannot be had with a person's login: impersonate a "
                    "service account (gcloud auth application-default login "
                    "--impersonate-service-account=ACCOUNT)",
                    want->audience);
  bool external = f->type == PSP_KEY_EXTERNAL_USER;
  const char *url = external ? f->token_url : PSP_OAUTH_TOKEN_URL;
  char what[PSP_WHAT_SIZE];
  psp_source_what(source, "an access token for a person's login", url, what);
  psp_secret form = {0}, basic = {0};
  psp_answer answer = {0};
  if (external) {
    psp_basic_authorization(&basic, f);
    psp_secret_text(&form, "grant_type=refresh_token");
    add_field(&form, "&refresh_token=", f->refresh_token.data, f->refresh_token.len);
  } else {
    add_field(&form, "refresh_token=", f->refresh_token.data, f->refresh_token.len);
    add_field(&form, "&client_id=", f->client_id, strlen(f->client_id));
    add_field(&form, "&client_secret=", f->client_secret.data, f->client_secret.len);
    psp_secret_text(&form, "&grant_type=refresh_token");
  }
  if (basic.failed) form.failed = true;
  psprobe_code code = psp_post_form(fetcher, url, external ? basic.data : NULL, PSP_API_CLIENT,
                                    &form, &answer, error);
  if (code != PSPROBE_OK) psp_fail_in(error, "%s", what);
  if (code == PSPROBE_OK)
    code = psp_oauth_access_token(&answer, psp_clock_wall_s(&fetcher->clock), what, &got->token,
                                  &got->life_s, error);
  if (code == PSPROBE_OK) keep_refresh_token(f, &answer);
  psp_answer_free(&answer);
  psp_secret_free(&basic);
  psp_secret_free(&form);
  return code;
}
