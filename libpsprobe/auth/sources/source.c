/* SPDX-License-Identifier: MIT */
#include "auth/sources/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "http/url.h"

void psp_source_free(psp_source *source) {
  if (source == NULL) return;
  psp_source_free(source->inner);
  psp_signer_free(source->signer);
  psp_key_file_free(source->file);
  psp_secret_free(&source->base.token);
  free(source->metadata.host);
  free(source->metadata.universe);
  free(source->path);
  free(source->account);
  free(source);
}

psprobe_code psp_source_get(psp_source *source, psp_fetcher *fetcher, const psp_want *want,
                            psp_got *got, psprobe_error *error) {
  return source->get(source, fetcher, want, got, error);
}

void psp_source_forget(psp_source *source) {
  source->base_until_ns = 0;
  if (source->inner != NULL) psp_source_forget(source->inner);
}

const char *psp_source_universe(const psp_source *source) {
  const char *universe =
      source->file != NULL ? source->file->universe_domain : source->metadata.universe;
  return universe != NULL ? universe : PSP_DEFAULT_UNIVERSE;
}

bool psp_source_is_per_api(const psp_source *source) {
  return source->signer != NULL && strcmp(psp_source_universe(source), PSP_DEFAULT_UNIVERSE) == 0;
}

int64_t psp_source_base_end(int64_t now_ns, int64_t life_s) {
  return life_s > 60 ? now_ns + (life_s - 60) * PSP_SECOND_NS : 0;
}

psprobe_code psp_post_form(psp_fetcher *fetcher, const char *url, const char *basic,
                           const char *api_client, const psp_secret *form, psp_answer *answer,
                           psprobe_error *error) {
  psp_header headers[4] = {{"content-type", "application/x-www-form-urlencoded"},
                           {"accept", "application/json"},
                           {"x-goog-api-client", api_client},
                           {"authorization", basic}};
  psp_http_request request = {.method = "POST",
                              .url = url,
                              .headers = headers,
                              .header_count = basic != NULL ? 4 : 3,
                              .body = form->data,
                              .body_len = form->len};
  if (form->failed) return psp_fail_memory(error, "token request");
  return psp_fetch(fetcher, &request, NULL, answer, error);
}

void psp_basic_authorization(psp_secret *out, const psp_key_file *file) {
  psp_secret pair = {0};
  psp_secret_text(&pair, file->client_id);
  psp_secret_text(&pair, ":");
  if (file->client_secret.len > 0)
    psp_secret_add(&pair, file->client_secret.data, file->client_secret.len);
  psp_secret_text(out, "Basic ");
  if (pair.failed)
    out->failed = true;
  else
    psp_secret_base64(out, pair.data, pair.len);
  psp_secret_free(&pair);
}

void psp_source_what(const psp_source *source, const char *what, const char *url,
                     char out[PSP_WHAT_SIZE]) {
  size_t len = 0;
  const char *host = psp_http_url_authority(url, &len);
  snprintf(out, PSP_WHAT_SIZE, "get %s%s%.100s from %.*s", what,
           source->account != NULL ? " for " : "", source->account != NULL ? source->account : "",
           (int)(len < 80 ? len : 80), host);
}
