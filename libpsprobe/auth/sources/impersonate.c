/* SPDX-License-Identifier: MIT */
/** @file Service-account impersonation: the IAM credentials API. */
#include <stdio.h>
#include <string.h>

#include "auth/sources/claims.h"
#include "auth/sources/source.h"
#include "base/error.h"
#include "base/json.h"

static void put_texts(psp_json_writer *w, char *const *texts, size_t count) {
  psp_json_begin_array(w);
  for (size_t i = 0; i < count; i++)
    psp_json_put_string(w, texts[i]);
  psp_json_end_array(w);
}

/* {"delegates":[…],"scope":[…],"lifetime":"3600s"}, or
 * {"delegates":[…],"audience":…,"includeEmail":true,"useEmailAzp":true}: without the e-mail in the
 * token a verifier that asks for it refuses. */
static void write_body(const psp_source *source, const psp_iam_call *call, const psp_want *want,
                       psp_buf *json) {
  static char cloud[] = PSP_SCOPE_CLOUD;
  char *const standard[] = {cloud};
  const psp_key_file *f = source->file;
  psp_json_writer w = {.buf = json};
  psp_json_begin_object(&w);
  if (call->delegates) {
    psp_json_put_key(&w, "delegates");
    put_texts(&w, f->delegates, f->delegate_count);
  }
  if (want->kind == PSP_WANT_ID) {
    psp_json_put_member(&w, "audience", want->audience);
    psp_json_put_bool_member(&w, "includeEmail", true);
    psp_json_put_bool_member(&w, "useEmailAzp", true);
  } else {
    char lifetime[32];
    snprintf(lifetime, sizeof lifetime, "%llds", (long long)f->lifetime_s);
    psp_json_put_key(&w, "scope");
    put_texts(&w, f->scope_count > 0 ? f->scopes : standard,
              f->scope_count > 0 ? f->scope_count : 1);
    psp_json_put_member(&w, "lifetime", lifetime);
  }
  psp_json_end_object(&w);
}

static psprobe_code post(psp_fetcher *fetcher, const psp_iam_call *call, const char *url,
                         const char *bearer, const psp_buf *body, psp_answer *answer,
                         psprobe_error *error) {
  psp_secret authorization = {0};
  psp_secret_text(&authorization, "Bearer ");
  psp_secret_text(&authorization, bearer);
  psp_header headers[5] = {{"content-type", "application/json"},
                           {"accept", "application/json"},
                           {"x-goog-api-client", PSP_API_CLIENT},
                           {"authorization", authorization.data},
                           {"x-goog-user-project", call->quota_project}};
  psp_http_request request = {.method = "POST",
                              .url = url,
                              .headers = headers,
                              .header_count = call->quota_project != NULL ? 5 : 4,
                              .body = body->data,
                              .body_len = body->len};
  psprobe_code code = authorization.failed || body->failed
                          ? psp_fail_memory(error, "impersonation")
                          : psp_fetch(fetcher, &request, NULL, answer, error);
  psp_secret_free(&authorization);
  return code;
}

psprobe_code psp_iam_get(psp_source *source, psp_fetcher *fetcher, const psp_iam_call *call,
                         const psp_want *want, const char *bearer, psp_got *got,
                         psprobe_error *error) {
  bool id = want->kind == PSP_WANT_ID;
  psp_buf body = {0}, url = {0};
  psp_answer answer = {0};
  char what[PSP_WHAT_SIZE];
  snprintf(what, sizeof what, "impersonate %.120s (%s)", call->account,
           id ? "generateIdToken" : "generateAccessToken");
  psp_buf_printf(&url, "%s%s", call->url, id ? "generateIdToken" : "generateAccessToken");
  write_body(source, call, want, &body);
  psprobe_code code = url.failed ? psp_fail_memory(error, what)
                                 : post(fetcher, call, url.data, bearer, &body, &answer, error);
  int64_t wall_s = psp_clock_wall_s(&fetcher->clock);
  if (code != PSPROBE_OK)
    psp_fail_in(error, "%s", what);
  else if (id)
    code = psp_oauth_id_token(&answer, wall_s, "token", what, &got->token, &got->life_s, error);
  else
    code = psp_oauth_impersonated(&answer, wall_s, what, &got->token, &got->life_s, error);
  psp_answer_free(&answer);
  psp_buf_free(&body);
  psp_buf_free(&url);
  return code;
}

psprobe_code psp_iam_get_by_base(psp_source *source, psp_fetcher *fetcher, psp_iam_call *call,
                                 psp_buf *url, const psp_want *want, psp_got *got,
                                 psprobe_error *error) {
  call->url = url->data;
  psprobe_code code =
      url->failed ? psp_fail_memory(error, "impersonation")
                  : psp_iam_get(source, fetcher, call, want, source->base.token.data, got, error);
  psp_buf_free(url);
  /* What Google did not take is not tried again. */
  if (code == PSPROBE_UNAUTHENTICATED) psp_source_forget(source);
  return code;
}

psprobe_code psp_impersonated_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                                  psp_got *got, psprobe_error *error) {
  static const psp_want cloud = {.kind = PSP_WANT_CLOUD};
  int64_t now_ns = psp_clock_boot_ns(&fetcher->clock);
  psp_source *inner = source->inner;
  if (now_ns >= source->base_until_ns) {
    psp_secret_reset(&source->base.token);
    psprobe_code code = psp_source_get(inner, fetcher, &cloud, &source->base, error);
    if (code != PSPROBE_OK) return code;
    source->base_until_ns = psp_source_base_end(now_ns, source->base.life_s);
  }
  /* The file's url gives the account; the call goes to Google's host, as with Google's libraries.
   */
  psp_buf url = {0};
  psp_buf_printf(&url, "https://iamcredentials.%s/v1/projects/-/serviceAccounts/%s:",
                 psp_source_universe(source), source->file->impersonated_email);
  psp_iam_call call = {.account = source->file->impersonated_email,
                       .quota_project = inner->file->quota_project_id,
                       .delegates = true};
  return psp_iam_get_by_base(source, fetcher, &call, &url, want, got, error);
}
