/* SPDX-License-Identifier: MIT */
/** @file Where the project comes from: tests/data/auth/project-id.json, case by case. */
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
#include "base/text.h"
#include "keys.h"
#include "lookup.h"

static void expect_project(lookup *f, const char *project) {
  const char *found = "none";
  if (psp_credentials_find_project(f->credentials, &found, &f->error) != PSPROBE_OK)
    fail_msg("%s", f->error.message);
  if (!psp_text_equal(found, project)) fail_msg("project %s, not %s", found, project);
}

static void test_project(void **state) {
  lookup *f = *state;
  char *text = test_service_account(NULL, "");
  lookup_well_known(text);
  free(text);
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  expect_project(f, "file-project");
  assert_string_equal(psprobe_credentials_project(f->credentials), "file-project");

  /* A person's file names none: gcloud's active configuration does. */
  lookup_well_known(
      "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\","
      "\"refresh_token\":\"r\",\"quota_project_id\":\"payer\"}");
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  expect_project(f, NULL); /* the quota project is not one to work in */
  char path[512];
  snprintf(path, sizeof path, "%s/.config/gcloud", getenv("HOME"));
  test_write(path, "active_config", 0600, "mine\n");
  strcat(path, "/configurations");
  assert_int_equal(mkdir(path, 0700), 0);
  test_write(path, "config_default", 0600, "[core]\nproject = default-project\n");
  test_write(path, "config_mine", 0600,
             "[compute]\nproject = wrong\n[core]\naccount = a@b\nproject = gcloud-project\n");
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  expect_project(f, "gcloud-project");
  setenv("CLOUDSDK_ACTIVE_CONFIG_NAME", "default", 1);
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  expect_project(f, "default-project");
  setenv("CLOUDSDK_ACTIVE_CONFIG_NAME", "../../../etc/passwd", 1);
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  expect_project(f, NULL);
  setenv("CLOUDSDK_CORE_PROJECT", "variable-project", 1);
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  expect_project(f, "variable-project");
}

static void test_quota_project(void **state) {
  lookup *f = *state;
  lookup_well_known(
      "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\","
      "\"refresh_token\":\"r\",\"quota_project_id\":\"from-file\"}");
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  assert_string_equal(psp_credentials_quota_project(f->credentials), "from-file");
  setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "", 1);
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  assert_string_equal(psp_credentials_quota_project(f->credentials), "from-file");
  setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "from-env", 1);
  assert_int_equal(lookup_anew(f), PSPROBE_OK);
  assert_string_equal(psp_credentials_quota_project(f->credentials), "from-env");
}

static void test_metadata_project(void **state) {
  lookup *f = *state;
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  lookup_prepare(f);
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "GET", LOOKUP_META "/universe/universe-domain"), 200,
             LOOKUP_FLAVOR, "universe.example\n");
  fake_reply(fake_expect(f->fake, "GET", LOOKUP_META "/project/project-id"), 200, LOOKUP_FLAVOR,
             "meta-project\n");
  expect_project(f, "meta-project");
  expect_project(f, "meta-project"); /* and is not asked again */
  assert_string_equal(psp_credentials_universe(f->credentials), "universe.example");
}

/* Federated credentials name a project's number; the Resource Manager knows its id. */
static void test_federated_project(void **state) {
  lookup *f = *state;
  const char *directory = test_directory();
  char text[1024];
  snprintf(
      text, sizeof text,
      "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/projects/123456789/"
      "locations/global/workloadIdentityPools/p/providers/o\",\"subject_token_type\":\"urn:x\","
      "\"credential_source\":{\"file\":\"%s\"}}",
      test_write(directory, "subject", 0600, "subject"));
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(directory, "adc.json", 0644, text), 1);
  lookup_prepare(f);
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "POST", "https://sts.googleapis.com/v1/token"), 200, NULL,
             "{\"access_token\":\"ya29.sts\",\"token_type\":\"Bearer\",\"expires_in\":3599}");
  fake_call *manager = fake_expect(
      f->fake, "GET", "https://cloudresourcemanager.googleapis.com/v1/projects/123456789");
  fake_reply(manager, 200, NULL,
             "{\"projectNumber\":\"123456789\",\"projectId\":\"pool-project\"}");
  expect_project(f, "pool-project");
  assert_string_equal(fake_request_header(fake_request(manager, 0), "authorization"),
                      "Bearer ya29.sts");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, lookup_setup, lookup_teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_project),
      TEST(test_quota_project),
      TEST(test_metadata_project),
      TEST(test_federated_project),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
