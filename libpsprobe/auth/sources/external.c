/* SPDX-License-Identifier: MIT */
/** @file Workload and workforce identity federation (AIP-4117): the token exchange (RFC 8693). */
#include <stdio.h>
#include <string.h>

#include "auth/sources/claims.h"
#include "auth/sources/source.h"
#include "base/error.h"
#include "base/json.h"

static void add_field(psp_secret *form, const char *name, const char *value) {
  psp_secret_text(form, name);
  psp_secret_percent(form, value, strlen(value));
}

static void write_form(const psp_key_file *f, const psp_secret *subject, psp_secret *form) {
  psp_secret_text(form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange");
  add_field(form, "&audience=", f->audience);
  add_field(form, "&scope=", PSP_SCOPE_CLOUD);
  add_field(form, "&requested_token_type=", "urn:ietf:params:oauth:token-type:access_token");
  psp_secret_text(form, "&subject_token=");
  psp_secret_percent(form, subject->data, subject->len);
  add_field(form, "&subject_token_type=", f->subject_token_type);
  /* Who is billed for a workforce user; a client id says that already. */
  if (f->workforce_user_project == NULL || f->client_id != NULL) return;
  psp_buf options = {0};
  psp_json_writer w = {.buf = &options};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "userProject", f->workforce_user_project);
  psp_json_end_object(&w);
  if (options.failed)
    form->failed = true;
  else
    add_field(form, "&options=", options.data);
  psp_buf_free(&options);
}

static void write_api_client(const psp_key_file *f, char *out, size_t size) {
  static const char *const kinds[] = {"file", "url", "executable"};
  snprintf(out, size,
           PSP_API_CLIENT " google-byoid-sdk source/%s sa-impersonation/%s config-lifetime/%s",
           kinds[f->subject.kind], f->impersonation_url != NULL ? "true" : "false",
           f->lifetime_given ? "true" : "false");
}

static psprobe_code exchange(psp_source *source, psp_fetcher *fetcher, psp_got *got,
                             psprobe_error *error) {
  const psp_key_file *f = source->file;
  psp_secret subject = {0}, form = {0}, basic = {0};
  psp_answer answer = {0};
  char what[PSP_WHAT_SIZE], api_client[160];
  psp_source_what(source, "a federated token", f->token_url, what);
  psprobe_code code = psp_subject_get(source, fetcher, &subject, error);
  if (code == PSPROBE_OK) {
    write_form(f, &subject, &form);
    if (f->client_id != NULL) psp_basic_authorization(&basic, f);
    if (basic.failed) form.failed = true;
    write_api_client(f, api_client, sizeof api_client);
    code = psp_post_form(fetcher, f->token_url, basic.data, api_client, &form, &answer, error);
    if (code != PSPROBE_OK) psp_fail_in(error, "%s", what);
  }
  if (code == PSPROBE_OK)
    code = psp_oauth_access_token(&answer, psp_clock_wall_s(&fetcher->clock), what, &got->token,
                                  &got->life_s, error);
  psp_answer_free(&answer);
  psp_secret_free(&basic);
  psp_secret_free(&form);
  psp_secret_free(&subject);
  return code;
}

/* With the federated token in hand, as the service account. Here the file's url is called as it
 * is. */
static psprobe_code impersonate(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                                psp_got *got, psprobe_error *error) {
  const psp_key_file *f = source->file;
  psp_buf url = {0};
  psp_buf_add(&url, f->impersonation_url,
              (size_t)(strrchr(f->impersonation_url, ':') - f->impersonation_url) + 1);
  psp_iam_call call = {.account = f->impersonated_email};
  return psp_iam_get_by_base(source, fetcher, &call, &url, want, got, error);
}

psprobe_code psp_external_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                              psp_got *got, psprobe_error *error) {
  const psp_key_file *f = source->file;
  if (f->impersonation_url == NULL && want->kind == PSP_WANT_ID)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "an ID token for %.100s needs a service account: add "
                    "service_account_impersonation_url to the credentials file",
                    want->audience);
  if (f->impersonation_url == NULL) return exchange(source, fetcher, got, error);
  int64_t now_ns = psp_clock_boot_ns(&fetcher->clock);
  if (now_ns >= source->base_until_ns) {
    psp_secret_reset(&source->base.token);
    psprobe_code code = exchange(source, fetcher, &source->base, error);
    if (code != PSPROBE_OK) return code;
    source->base_until_ns = psp_source_base_end(now_ns, source->base.life_s);
  }
  return impersonate(source, fetcher, want, got, error);
}
