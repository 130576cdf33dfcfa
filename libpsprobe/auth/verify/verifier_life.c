/* SPDX-License-Identifier: MIT */
/** @file A verifier's options, beginning and end. */
#include <stdlib.h>
#include <string.h>

#include "auth/url.h"
#include "auth/verify/parts.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "http/url.h"
#include "os/thread.h"
#include "os/wait.h"

#define GOOGLE_JWKS    "https://www.googleapis.com/oauth2/v3/certs"
#define DEFAULT_LEEWAY 60

static psprobe_code check_options(const psprobe_verifier_options *o, psprobe_error *error) {
  const char *why = NULL;
  if (o == NULL || o->audience == NULL || o->audience[0] == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "verifying tokens needs an audience: without one a token for any other service "
                    "would do");
  if (o->leeway_s < 0 || o->leeway_s > 300)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "leeway must be from 1 to 300 seconds");
  for (size_t i = 0; i < o->email_count; i++)
    if (o->emails[i] == NULL || o->emails[i][0] == 0)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an e-mail that may come is empty");
  if (o->jwks_url != NULL && !psp_http_url_check(o->jwks_url, &why))
    return psp_setting_refuse(error, "key set URL", o->jwks_url, "%s", why);
  if (o->jwks_url != NULL && !psp_url_is_safe(o->jwks_url))
    return psp_setting_refuse(error, "key set URL", o->jwks_url,
                              "it must be https: who can change it lets himself in");
  return PSPROBE_OK;
}

static bool copy_options(psprobe_verifier *v, const psprobe_verifier_options *o) {
  v->audience = psp_strdup(o->audience);
  v->url = psp_strdup(o->jwks_url != NULL ? o->jwks_url : GOOGLE_JWKS);
  v->emails = calloc(o->email_count + 1, sizeof *v->emails);
  bool good = v->audience != NULL && v->url != NULL && v->emails != NULL;
  for (size_t i = 0; good && i < o->email_count; i++) {
    v->emails[i] = psp_strdup(o->emails[i]);
    good = v->emails[i] != NULL;
  }
  v->rules = (psp_idtoken_rules){.audience = v->audience,
                                 .emails = (const char *const *)v->emails,
                                 .email_count = o->email_count,
                                 .leeway_s = o->leeway_s != 0 ? o->leeway_s : DEFAULT_LEEWAY,
                                 .platform_verified = o->platform_verified};
  if (o->logger != NULL) v->logger = *o->logger;
  return good;
}

psprobe_code psp_verifier_new_with(const psprobe_verifier_options *options, const psp_clock *clock,
                                   psp_http *http, psprobe_verifier **verifier,
                                   psprobe_error *error) {
  psprobe_code code = check_options(options, error);
  psprobe_verifier *v = code == PSPROBE_OK ? calloc(1, sizeof *v) : NULL;
  if (v == NULL) {
    psp_http_free(http);
    return code != PSPROBE_OK ? code : psp_fail_memory(error, "verifier");
  }
  psp_cond_init(&v->changed);
  pthread_mutex_init(&v->lock, NULL);
  bool copied = copy_options(v, options);
  code = psp_fetcher_init(&v->fetcher, options->ca_file, &v->logger,
                          clock != NULL ? clock : &psp_clock_system, http, error);
  if (code == PSPROBE_OK && !copied) code = psp_fail_memory(error, "verifier");
  if (code == PSPROBE_OK) {
    v->started = psp_thread_start(&v->thread, "psprobe-keys", psp_verifier_run, v);
    if (!psp_checker_start(&v->checker, psp_verifier_look, v) || !v->started)
      code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "verifier: no thread could be started");
  }
  if (code == PSPROBE_OK)
    *verifier = v;
  else
    psprobe_verifier_free(v);
  return code;
}

psprobe_code psprobe_verifier_new(const psprobe_verifier_options *options,
                                  psprobe_verifier **verifier, psprobe_error *error) {
  return psp_verifier_new_with(options, NULL, NULL, verifier, error);
}

void psp_verifier_stop(psprobe_verifier *v) {
  if (v == NULL) return;
  psp_checker_stop(&v->checker); /* which may find that keys are missing */
  pthread_mutex_lock(&v->lock);
  v->stopping = true;
  pthread_cond_signal(&v->changed);
  pthread_mutex_unlock(&v->lock);
  psp_fetcher_stop(&v->fetcher);
  if (v->started) pthread_join(v->thread, NULL);
  v->started = false;
}

void psprobe_verifier_free(psprobe_verifier *v) {
  if (v == NULL) return;
  psp_verifier_stop(v);
  psp_checker_clear(&v->checker);
  psp_fetcher_clear(&v->fetcher);
  psp_keystore_clear(&v->store);
  for (size_t i = 0; i < v->rules.email_count && v->emails != NULL; i++)
    free(v->emails[i]);
  free(v->emails);
  free(v->audience);
  free(v->url);
  pthread_cond_destroy(&v->changed);
  pthread_mutex_destroy(&v->lock);
  free(v);
}
