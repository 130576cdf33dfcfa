/* SPDX-License-Identifier: MIT */
/** @file The account that is attached to a machine of Google's: its metadata server. */
#include <stdio.h>

#include "auth/sources/claims.h"
#include "auth/sources/source.h"
#include "base/error.h"
#include "base/text.h"

static psprobe_code fail_missing(const psp_answer *answer, const char *host, psprobe_error *error) {
  if (answer->status == 404)
    return psp_fail(
        error, PSPROBE_NOT_FOUND,
        "metadata server %s: HTTP 404: this machine has no service account: give it one "
        "(gcloud compute instances set-service-account)",
        host);
  return psp_fail(error, PSPROBE_PERMISSION_DENIED,
                  "metadata server %s: HTTP 403: this machine's service account may not have such "
                  "a token: look at its access scopes",
                  host);
}

psprobe_code psp_metadata_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                              psp_got *got, psprobe_error *error) {
  const char *host = source->metadata.host;
  bool id = want->kind == PSP_WANT_ID;
  psp_buf path = {0};
  psp_buf_text(&path, "/instance/service-accounts/default/");
  /* format=full: without it the e-mail may be missing from the token. */
  psp_buf_text(&path, id ? "identity?audience=" : "token?scopes=");
  psp_percent_encode(&path, id ? want->audience : PSP_SCOPE_CLOUD);
  if (id) psp_buf_text(&path, "&format=full");
  if (path.failed) return psp_fail_memory(error, "metadata");
  psp_answer answer = {0};
  int64_t wall_s = psp_clock_wall_s(&fetcher->clock);
  char what[PSP_WHAT_SIZE];
  snprintf(what, sizeof what, "get a token from metadata server %.160s", host);
  psprobe_code code = psp_metadata_ask(fetcher, host, path.data, NULL, &answer, error);
  if (code == PSPROBE_OK && (answer.status == 404 || answer.status == 403))
    code = fail_missing(&answer, host, error);
  else if (code == PSPROBE_OK && id)
    code = psp_oauth_bare_id_token(&answer, wall_s, what, &got->token, &got->life_s, error);
  else if (code == PSPROBE_OK)
    code = psp_oauth_access_token(&answer, wall_s, what, &got->token, &got->life_s, error);
  psp_answer_free(&answer);
  psp_buf_free(&path);
  return code;
}
