/* SPDX-License-Identifier: MIT */
/** @file Who the credentials are, and whether they give a token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/doctor.h>

#include "patient.h"

/* The exchange that the Resource Manager's token needs says no: the key is of no use any more. */
static void a_key_that_is_refused_at_the_token_endpoint(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, "POST /token", 400,
                 "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}");
  patient_examine(p);
  patient_finds(p, 1, 0);
  patient_says(p, "failed   firestore.create ", "Invalid JWT Signature");
  patient_says(p, "failed   firestore.create ", "keys list --iam-account=" PATIENT_ACCOUNT);
}

static void the_metadata_server_gives_everything(void **state) {
  patient *p = *state;
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", fake_cloud_url(p->google) + strlen("http://"), 1);
  p->options.client.project = NULL;
  fake_cloud_set(p->google, "POST /v1/projects/demo-project:test", 200, "{}");
  patient_examine(p);
  patient_finds(p, 1, 0);
  patient_says(p, "skipped  credentials.lookup ", "GOOGLE_APPLICATION_CREDENTIALS: not set");
  patient_says(p, "skipped  credentials.lookup ",
               "application_default_credentials.json: not there");
  patient_says(p, "ok       credentials.lookup ", "metadata server 127.0.0.1");
  patient_says(p, "ok       project ", "demo-project, which the credentials name");
  patient_says(p, "ok       credentials.identity ", FAKE_CLOUD_ACCOUNT);
  patient_says(p, "failed   firestore.create ", "--member=serviceAccount:" FAKE_CLOUD_ACCOUNT);
}

static void without_credentials_and_project_it_says_how_to_begin(void **state) {
  patient *p = *state;
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  p->options.client.project = NULL;
  patient_examine(p);
  patient_finds(p, 2, 0);
  patient_says(p, "failed   credentials.lookup ", "gcloud auth application-default login\n");
  patient_says(p, "failed   project ", "export GOOGLE_CLOUD_PROJECT=");
  patient_says(p, "skipped  topic ", "there are no credentials");
  assert_int_equal(fake_cloud_count(p->google, " /v1/"), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, patient_setup, patient_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_key_that_is_refused_at_the_token_endpoint),
      TEST(the_metadata_server_gives_everything),
      TEST(without_credentials_and_project_it_says_how_to_begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
