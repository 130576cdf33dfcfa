/* SPDX-License-Identifier: MIT */
#include "lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "auth/adc.h"
#include "keys.h"

int lookup_setup(void **state) {
  test_auth_environment();
  lookup *f = calloc(1, sizeof *f);
  *state = f;
  return f == NULL;
}

int lookup_teardown(void **state) {
  lookup *f = *state;
  psprobe_credentials_free(f->credentials);
  if (f->fake != NULL) fake_transport_free(f->fake);
  free(f);
  return 0;
}

void lookup_note(void *arg, const char *place, const char *outcome, bool used) {
  lookup *f = arg;
  size_t len = strlen(f->steps);
  snprintf(f->steps + len, sizeof f->steps - len, "%s%s: %s\n", used ? "*" : "", place, outcome);
}

void lookup_prepare(lookup *f) {
  psp_http *http;
  f->fake = fake_transport_new(&http);
  psprobe_credentials_options options = {.on_step = lookup_note, .step_arg = f};
  assert_int_equal(psp_credentials_new_with(&options, NULL, http, &f->credentials, NULL),
                   PSPROBE_OK);
}

psprobe_code lookup_anew(lookup *f) {
  psprobe_credentials_free(f->credentials);
  f->credentials = NULL;
  if (f->fake != NULL) fake_transport_free(f->fake);
  f->steps[0] = 0;
  psprobe_error_clear(&f->error);
  lookup_prepare(f);
  return psp_credentials_resolve(f->credentials, &f->error);
}

void lookup_well_known(const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/.config", getenv("HOME"));
  mkdir(path, 0700);
  strcat(path, "/gcloud");
  mkdir(path, 0700);
  test_write(path, "application_default_credentials.json", 0600, text);
}
