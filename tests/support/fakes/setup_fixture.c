/* SPDX-License-Identifier: MIT */
#include "setup_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"

static void aim(setup_fixture *f) {
  const char *url = fake_admin_url(f->google);
  f->options.client.pubsub_endpoint = url;
  f->options.client.firestore_endpoint = url;
  f->options.client.admin_endpoint = url;
}

int setup_fixture_new(void **state) {
  setup_fixture *f = calloc(1, sizeof *f);
  test_auth_environment();
  char *key = test_service_account(NULL, "");
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(test_directory(), "key.json", 0600, key), 1);
  free(key);
  f->google = fake_admin_start();
  f->options = (psprobe_setup_options){
      .client = {.project = FAKE_ADMIN_PROJECT}, .image = SETUP_IMAGE, .first_poll_ns = 1000};
  aim(f);
  *state = f;
  return 0;
}

int setup_fixture_free(void **state) {
  setup_fixture *f = *state;
  psprobe_setup_free(f->setup);
  fake_admin_stop(f->google);
  free(f);
  return 0;
}

void setup_fixture_renew(setup_fixture *f) {
  psprobe_setup_free(f->setup);
  f->setup = NULL;
  fake_admin_stop(f->google);
  f->google = fake_admin_start();
  aim(f);
}

psprobe_code setup_fixture_go(setup_fixture *f, psprobe_setup_verb verb, bool plan_only) {
  psprobe_setup_free(f->setup);
  f->setup = NULL;
  psprobe_error_clear(&f->error);
  psprobe_code code = psprobe_setup_new(&f->options, &f->setup, &f->error);
  if (code == PSPROBE_OK) code = psprobe_setup_plan(f->setup, verb, &f->error);
  if (code == PSPROBE_OK && !plan_only) code = psprobe_setup_run(f->setup, NULL, NULL, &f->error);
  return code;
}

static size_t must(setup_fixture *f, psprobe_setup_verb verb) {
  if (setup_fixture_go(f, verb, false) != PSPROBE_OK) fail_msg("%s", f->error.message);
  return psprobe_setup_changes(f->setup);
}

size_t setup_fixture_apply(setup_fixture *f) {
  return must(f, PSPROBE_SETUP_APPLY);
}

size_t setup_fixture_destroy(setup_fixture *f) {
  return must(f, PSPROBE_SETUP_DESTROY);
}

psprobe_setup_step setup_fixture_step(const setup_fixture *f, const char *kind, const char *name) {
  psprobe_setup_step step = {0};
  for (size_t i = 0; psprobe_setup_get(f->setup, i, &step); i++)
    if (strcmp(step.kind, kind) == 0 && strcmp(step.name, name) == 0) return step;
  fail_msg("no step of %s %s", kind, name);
  return step;
}
