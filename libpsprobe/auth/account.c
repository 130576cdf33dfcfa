/* SPDX-License-Identifier: MIT */
/** @file Whom credentials stand for, where the file does not say. */
#include <string.h>

#include "auth/parts.h"
#include "base/error.h"
#include "base/json_view.h"
#include "base/text.h"

/* OpenID Connect's userinfo, from https://accounts.google.com/.well-known/openid-configuration. The
 * logins of gcloud have the scope for it. */
#define USERINFO_URL "https://openidconnect.googleapis.com/v1/userinfo"

static const psp_fetch_limits limits = {.attempts = 1, .attempt_ns = 3000000000LL};

static psprobe_code ask_metadata(psprobe_credentials *c, char **account, psprobe_error *error) {
  psp_answer answer = {0};
  psprobe_code code =
      psp_metadata_text(&c->fetcher, c->source->metadata.host,
                        "/instance/service-accounts/default/email", &limits, &answer, error);
  if (code == PSPROBE_OK && answer.body.len > 0) {
    *account = psp_strdup(answer.body.data);
    if (*account == NULL) code = psp_fail_memory(error, "account");
  }
  psp_answer_free(&answer);
  return code == PSPROBE_NOT_FOUND ? PSPROBE_OK : code;
}

/* The cached token's Authorization header; false: none is there. */
static bool authorization(psprobe_credentials *c, psp_secret *out) {
  psp_token_slot *slot = psp_credentials_slot(c, PSP_PUBSUB);
  uint64_t generation;
  for (;;) {
    size_t len = psp_token_slot_authorization(c, slot, out->data, out->cap, &generation);
    if (len == 0) return false;
    if (len < out->cap) return true;
    if (!psp_secret_reserve(out, len)) return false;
  }
}

static psprobe_code ask_userinfo(psprobe_credentials *c, char **account, psprobe_error *error) {
  psp_secret token = {0};
  psp_answer answer = {0};
  psprobe_code code = PSPROBE_OK;
  psp_view object;
  const char *why;
  if (authorization(c, &token)) {
    psp_header headers[] = {{"accept", "application/json"},
                            {"x-goog-api-client", PSP_API_CLIENT},
                            {"authorization", token.data}};
    psp_http_request request = {
        .method = "GET", .url = USERINFO_URL, .headers = headers, .header_count = 3};
    code = psp_fetch(&c->fetcher, &request, &limits, &answer, error);
    if (code == PSPROBE_OK && answer.status == 200 && answer.body.len > 0 &&
        psp_view_object(answer.body.data, answer.body.len, &object, &why))
      *account = psp_view_strdup(psp_view_get(object, "email"));
  }
  psp_secret_free(&token);
  psp_answer_free(&answer);
  return code;
}

psprobe_code psp_credentials_find_account(psprobe_credentials *c, char **account,
                                          psprobe_error *error) {
  *account = NULL;
  pthread_mutex_lock(&c->fetch_lock);
  psprobe_code code = psp_credentials_resolve_locked(c, NULL, error);
  const psp_source *source = c->source;
  if (code == PSPROBE_OK && source->account != NULL) {
    *account = psp_strdup(source->account);
    if (*account == NULL) code = psp_fail_memory(error, "account");
  } else if (code == PSPROBE_OK && source->file == NULL) {
    code = ask_metadata(c, account, error);
  } else if (code == PSPROBE_OK && source->file->type == PSP_KEY_AUTHORIZED_USER &&
             strcmp(psp_source_universe(source), PSP_DEFAULT_UNIVERSE) == 0) {
    code = ask_userinfo(c, account, error);
  }
  pthread_mutex_unlock(&c->fetch_lock);
  return code;
}
