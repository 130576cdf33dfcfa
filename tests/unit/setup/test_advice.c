/* SPDX-License-Identifier: MIT */
/** @file What is in the way: said with what, where and the command, and nothing lost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup_fixture.h"

#define ERROR(code, status, message, reason)                                                     \
  "{\"error\":{\"code\":" #code ",\"status\":\"" status "\",\"message\":\"" message              \
  "\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"" reason \
  "\"}]}}"
#define DENIED ERROR(403, "PERMISSION_DENIED", "Permission denied", "IAM_PERMISSION_DENIED")
#define MEMBER "--member=serviceAccount:prober@file-project.iam.gserviceaccount.com"

static bool mends(const setup_fixture *f, const char *command) {
  for (size_t i = 0; psprobe_setup_mend(f->setup, i) != NULL; i++)
    if (strcmp(psprobe_setup_mend(f->setup, i), command) == 0) return true;
  return false;
}

/* One refusal of Google's, its words and its command; then apply goes on. */
static void refusals_are_told_with_their_command(void **state) {
  setup_fixture *f = *state;
  static const struct {
    const char *part;
    int status;
    const char *body, *words, *mend;
    psprobe_code code;
  } cases[] = {
      {"PUT /v1/projects/demo-project/topics/probes", 403, DENIED,
       "permission pubsub.topics.create is missing: create topic probes",
       "gcloud projects add-iam-policy-binding demo-project " MEMBER " --role=roles/pubsub.admin",
       PSPROBE_PERMISSION_DENIED},
      {"GET /v1/projects/demo-project/topics/probes", 403, DENIED,
       "permission pubsub.topics.get is missing",
       "gcloud projects add-iam-policy-binding demo-project " MEMBER " --role=roles/pubsub.admin",
       PSPROBE_PERMISSION_DENIED},
      {"POST /v3/projects/demo-project:setIamPolicy", 403, DENIED,
       "permission resourcemanager.projects.setIamPolicy is missing",
       "gcloud projects add-iam-policy-binding demo-project " MEMBER
       " --role=roles/resourcemanager.projectIamAdmin",
       PSPROBE_PERMISSION_DENIED},
      {"POST /v2/projects/demo-project/locations/europe-west1/services?", 403,
       ERROR(403, "PERMISSION_DENIED", "Permission 'iam.serviceaccounts.actAs' denied",
             "IAM_PERMISSION_DENIED"),
       "permission iam.serviceAccounts.actAs is missing",
       "gcloud projects add-iam-policy-binding demo-project " MEMBER
       " --role=roles/iam.serviceAccountUser",
       PSPROBE_PERMISSION_DENIED},
      {"POST /v2/projects/demo-project/locations/europe-west1/workerPools?", 429,
       ERROR(429, "RESOURCE_EXHAUSTED", "Quota exceeded", "RATE_LIMIT_EXCEEDED"),
       "a quota is used up; apply goes on from here later",
       "gcloud beta quotas info list --service=run.googleapis.com --project=demo-project",
       PSPROBE_RESOURCE_EXHAUSTED},
      {"POST /v1/projects/demo-project/databases?", 403,
       ERROR(403, "PERMISSION_DENIED", "This API method requires billing", "BILLING_DISABLED"),
       "billing is off for project demo-project",
       "gcloud billing projects link demo-project --billing-account=ACCOUNT_ID",
       PSPROBE_PERMISSION_DENIED},
      {"POST /v1/projects/demo-project/serviceAccounts", 403,
       ERROR(403, "PERMISSION_DENIED", "IAM API has not been used", "SERVICE_DISABLED"),
       "API iam.googleapis.com is off",
       "gcloud services enable iam.googleapis.com --project=demo-project",
       PSPROBE_PERMISSION_DENIED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    setup_fixture_renew(f);
    fake_admin_fail(f->google, cases[i].part, 1, cases[i].status, cases[i].body, false);
    assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), cases[i].code);
    if (strstr(f->error.message, cases[i].words) == NULL || !mends(f, cases[i].mend))
      fail_msg("%s\n%s\nnot %s\n%s", f->error.message, psprobe_setup_mend(f->setup, 0),
               cases[i].words, cases[i].mend);
    setup_fixture_apply(f);
    assert_int_equal(setup_fixture_apply(f), 0);
  }
}

static void apis_that_are_off_are_named_or_turned_on(void **state) {
  setup_fixture *f = *state;
  fake_admin_turn_off(f->google, "run.googleapis.com");
  fake_admin_turn_off(f->google, "pubsub.googleapis.com");
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), PSPROBE_FAILED_PRECONDITION);
  assert_int_equal(fake_admin_changes(f->google), 0);
  assert_non_null(strstr(f->error.message, "API pubsub.googleapis.com is off"));
  assert_true(mends(f, "gcloud services enable run.googleapis.com --project=demo-project"));
  assert_true(mends(f, "gcloud services enable pubsub.googleapis.com --project=demo-project"));
  f->options.enable_apis = true;
  /* What was turned on just now takes Google a while to know: asked again, not told. */
  fake_admin_fail(f->google, "PUT /v1/projects/demo-project/topics/probes", 3, 403,
                  ERROR(403, "PERMISSION_DENIED", "has not been used before", "SERVICE_DISABLED"),
                  false);
  fake_admin_set_polls(f->google, 2);
  setup_fixture_apply(f);
  assert_int_equal(setup_fixture_apply(f), 0);
  setup_fixture_destroy(f);
  assert_int_equal(fake_admin_requests(f->google, ":disable"), 0);
}

static void accounts_made_just_now_are_waited_for(void **state) {
  setup_fixture *f = *state;
  fake_admin_fail(f->google, "topics/probes:setIamPolicy", 2, 400,
                  ERROR(400, "INVALID_ARGUMENT",
                        "Service account probes-prober@demo-project.iam.gserviceaccount.com does "
                        "not exist.",
                        ""),
                  false);
  setup_fixture_apply(f);
}

static void policies_that_others_change_meanwhile_are_read_again(void **state) {
  setup_fixture *f = *state;
  fake_admin_fail(f->google, "POST /v3/projects/demo-project:setIamPolicy", 3, 409,
                  ERROR(409, "ABORTED", "There were concurrent policy changes", ""), false);
  setup_fixture_apply(f);
  assert_true(fake_admin_requests(f->google, "POST /v3/projects/demo-project:getIamPolicy") >= 5);
}

static void a_project_that_is_not_there(void **state) {
  setup_fixture *f = *state;
  f->options.client.project = "no-such-project";
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_PERMISSION_DENIED);
  assert_non_null(strstr(f->error.message, "project no-such-project is not there"));
  assert_true(mends(f, "gcloud projects list"));
}

static void a_database_in_datastore_mode_is_refused(void **state) {
  setup_fixture *f = *state;
  fake_admin_put(f->google, "projects/demo-project/databases/(default)",
                 "{\"type\":\"DATASTORE_MODE\"}");
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(f->error.message, "Datastore mode"));
}

static void a_strangers_page_in_googles_place(void **state) {
  setup_fixture *f = *state;
  fake_admin_fail(f->google, "GET /v1/projects/demo-project/topics/probes", 1, 200,
                  "<html>log in</html>", false);
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), PSPROBE_UNKNOWN);
  assert_int_equal(fake_admin_changes(f->google), 0);
  fake_admin_fail(f->google, "GET /v1/projects/demo-project/topics/probes", 1, 404,
                  "<html>not here</html>", false);
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, false), PSPROBE_NOT_FOUND);
  assert_int_equal(fake_admin_changes(f->google), 0); /* a proxy's 404 makes nothing anew */
}

static void *stop(void *arg) {
  setup_fixture *f = arg;
  while (fake_admin_requests(f->google, "/operations/") == 0) {
  }
  psprobe_setup_stop(f->setup);
  return NULL;
}

/* Ctrl-C while an operation goes on; then apply goes on from there. */
static void a_stop_ends_it_cleanly(void **state) {
  setup_fixture *f = *state;
  pthread_t thread;
  fake_admin_set_polls(f->google, 1000000);
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_OK);
  pthread_create(&thread, NULL, stop, f);
  assert_int_equal(psprobe_setup_run(f->setup, NULL, NULL, &f->error), PSPROBE_CANCELLED);
  pthread_join(thread, NULL);
  assert_non_null(strstr(f->error.message, "apply goes on from here"));
  fake_admin_set_polls(f->google, 0);
  setup_fixture_apply(f);
  setup_fixture_destroy(f);
}

static void options_that_cannot_be(void **state) {
  setup_fixture *f = *state;
  static const char *const topics[] = {
      "ab",      "Probes", "1probes", "probes-", "projects/p/topics/t", "a-name-too-long",
      "googles", ""};
  for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
    f->options.topic = topics[i];
    assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_INVALID_ARGUMENT);
  }
  f->options.topic = NULL;
  f->options.region = "Europe West";
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_INVALID_ARGUMENT);
  f->options.region = NULL;
  f->options.function_url = "ftp://function.example";
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_INVALID_ARGUMENT);
  f->options.cold_every_ns = INT64_C(1200000000000); /* of a function that is warm */
  f->options.function_url = "https://function.example";
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_INVALID_ARGUMENT);
  f->options.function_url = NULL;
  f->options.image = NULL;
  assert_int_equal(setup_fixture_go(f, PSPROBE_SETUP_APPLY, true), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(f->error.message, "cold-every"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup_fixture_new, setup_fixture_free)
      T(refusals_are_told_with_their_command),
      T(apis_that_are_off_are_named_or_turned_on),
      T(accounts_made_just_now_are_waited_for),
      T(policies_that_others_change_meanwhile_are_read_again),
      T(a_project_that_is_not_there),
      T(a_database_in_datastore_mode_is_refused),
      T(a_strangers_page_in_googles_place),
      T(a_stop_ends_it_cleanly),
      T(options_that_cannot_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
