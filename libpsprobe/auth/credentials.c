/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "auth/auth.h"
#include "base/error.h"

/* A beginning, so that all that stands on it links: no credentials are found yet. */
struct psprobe_credentials {
  int unused;
};

static psprobe_code none(psprobe_error *error) {
  return psp_fail(error, PSPROBE_UNAUTHENTICATED, "no credentials were found");
}

psprobe_code psprobe_credentials_default(const psprobe_credentials_options *options,
                                         psprobe_credentials **credentials, psprobe_error *error) {
  (void)options;
  (void)credentials;
  return none(error);
}

psprobe_code psp_credentials_new_lazy(const psprobe_credentials_options *options,
                                      psprobe_credentials **credentials, psprobe_error *error) {
  (void)options;
  psprobe_credentials *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "credentials");
  *credentials = made;
  return PSPROBE_OK;
}

void psprobe_credentials_free(psprobe_credentials *credentials) {
  free(credentials);
}

const char *psprobe_credentials_project(const psprobe_credentials *credentials) {
  (void)credentials;
  return NULL;
}

size_t psp_credentials_authorization(psprobe_credentials *credentials, psp_api api, char *out,
                                     size_t size, uint64_t *generation) {
  (void)credentials, (void)api, (void)out, (void)size, (void)generation;
  return 0;
}

psprobe_code psp_credentials_wait(psprobe_credentials *credentials, psp_api api,
                                  psp_token_waiter *waiter, psprobe_error *error) {
  (void)credentials, (void)api, (void)waiter;
  return none(error);
}

bool psp_credentials_unwait(psprobe_credentials *credentials, psp_token_waiter *waiter) {
  (void)credentials, (void)waiter;
  return false;
}

void psp_credentials_reject(psprobe_credentials *credentials, psp_api api, uint64_t generation) {
  (void)credentials, (void)api, (void)generation;
}

const char *psp_credentials_quota_project(psprobe_credentials *credentials) {
  (void)credentials;
  return NULL;
}

psprobe_code psp_credentials_find_project(psprobe_credentials *credentials, const char **project,
                                          psprobe_error *error) {
  (void)credentials, (void)error;
  *project = NULL;
  return PSPROBE_OK;
}
