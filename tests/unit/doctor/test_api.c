/* SPDX-License-Identifier: MIT */
/** @file What an API says for itself, or what stands in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <psprobe/doctor.h>

#include "patient.h"

/* A proxy, a portal, another server in the place of Google's: its status is not Google's word. */
static void something_else_answers(void **state) {
  patient *p = *state;
  static const int statuses[] = {200, 403, 500, 511};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    fake_cloud_set(p->google, "/topics/probes ", statuses[i], "<html>Access denied</html>");
    fake_cloud_set(p->google, "/documents/", statuses[i], "<html>Access denied</html>");
    patient_examine(p);
    char status[16];
    snprintf(status, sizeof status, "HTTP %d", statuses[i]);
    patient_says(p, "failed   pubsub.api ", "something else than Pub/Sub answers");
    patient_says(p, "failed   pubsub.api ", status);
    patient_says(p, "failed   pubsub.api ", "an HTML or XML page");
    patient_says(p, "failed   firestore.api ", "something else than Firestore answers");
    fake_cloud_stop(p->google);
    p->google = fake_cloud_start();
    p->options.client.pubsub_endpoint = p->options.client.firestore_endpoint =
        p->options.resource_manager = fake_cloud_url(p->google);
  }
}

static void an_api_that_is_disabled_is_enabled(void **state) {
  patient *p = *state;
  static const char disabled[] =
      "{\"error\":{\"code\":403,\"message\":\"Cloud Pub/Sub API has not been used in project 12345 "
      "before or it is disabled.\",\"status\":\"PERMISSION_DENIED\",\"details\":[{\"@type\":"
      "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"SERVICE_DISABLED\",\"domain\":"
      "\"googleapis.com\",\"metadata\":{\"service\":\"pubsub.googleapis.com\",\"consumer\":"
      "\"projects/12345\"}}]}}";
  fake_cloud_set(p->google, "/topics/", 403, disabled);
  fake_cloud_set(p->google, "POST /v1/projects/demo-project:test", 403, disabled);
  patient_examine(p);
  patient_finds(p, 1, 1);
  patient_says(p, "failed   pubsub.api ",
               "gcloud services enable pubsub.googleapis.com --project=demo-project\n");
  patient_says(p, "skipped  subscription ", "Pub/Sub cannot be asked");
  patient_says(p, "ok       firestore.database ", "");
  patient_says(
      p, "warning  firestore.create ",
      "gcloud services enable cloudresourcemanager.googleapis.com --project=demo-project\n");
}

static void a_token_that_is_refused_is_explained(void **state) {
  patient *p = *state;
  static const char refused[] =
      "{\"error\":{\"code\":401,\"message\":\"Request had invalid authentication credentials.\","
      "\"status\":\"UNAUTHENTICATED\"}}";
  fake_cloud_set(p->google, " /v1/", 401, refused);
  patient_examine(p);
  patient_says(p, "failed   pubsub.api ",
               "gcloud iam service-accounts keys list --iam-account=" PATIENT_ACCOUNT);
  patient_says(
      p, "failed   pubsub.api ",
      "gcloud auth application-default login --impersonate-service-account=" PATIENT_ACCOUNT "\n");
  patient_says(p, "failed   firestore.api ", "");
  /* The same with a clock that is wrong by an hour: then that is to be mended. */
  fake_cloud_set_clock(p->google, -3600);
  patient_examine(p);
  patient_says(p, "failed   clock ", "sudo timedatectl set-ntp true\n");
  patient_says(p, "failed   clock ", " s ahead of ");
  patient_says(p, "failed   pubsub.api ", "sudo timedatectl set-ntp true\n");
}

static void a_project_that_is_not_there(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, " /v1/", 404,
                 "{\"error\":{\"code\":404,\"message\":\"Requested project not found or user does "
                 "not have access to it (project=demo-project).\",\"status\":\"NOT_FOUND\"}}");
  patient_examine(p);
  patient_finds(p, 1, 0);
  patient_says(p, "failed   project ", "gcloud projects list\n");
  patient_says(p, "skipped  firestore.database ", "");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, patient_setup, patient_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(something_else_answers),
      TEST(an_api_that_is_disabled_is_enabled),
      TEST(a_token_that_is_refused_is_explained),
      TEST(a_project_that_is_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
