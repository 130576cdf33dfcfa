/* SPDX-License-Identifier: MIT */
/** @file The doctor in front of a Google of our own: all well, and one thing wrong at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <psprobe/doctor.h>

#include "patient.h"

static void all_is_well_with_a_good_key(void **state) {
  patient *p = *state;
  patient_examine(p);
  patient_finds(p, 0, 0);
  patient_says(p, "ok       credentials.lookup ",
               "GOOGLE_APPLICATION_CREDENTIALS: service_account " PATIENT_ACCOUNT);
  patient_says(p, "ok       credentials.key ", "mode 0600");
  patient_says(p, "ok       credentials.token ", "expires in 60 min (20");
  patient_says(p, "ok       credentials.identity ", PATIENT_ACCOUNT);
  patient_says(p, "ok       clock ", "within 2 s");
  patient_says(p, "ok       pubsub.api ", "");
  patient_says(p, "ok       topic ", "projects/demo-project/topics/probes is there");
  patient_says(p, "ok       topic.publish ", "pubsub.topics.publish is granted");
  patient_says(p, "ok       subscription ", "probes-regular-service is there, to be pulled");
  patient_says(p, "ok       subscription.consume ", "is granted");
  patient_says(p, "ok       subscription ",
               "probes-cloud-function is there, pushes to https://function");
  patient_says(p, "ok       firestore.database ", "(default) is there");
  patient_says(p, "ok       firestore.create ", "datastore.entities.create is granted, and get");
  patient_says(p, "skipped  prober ", "--prober");
  /* It looks, and changes nothing. */
  assert_int_equal(fake_cloud_count(p->google, "PUT "), 0);
  assert_int_equal(fake_cloud_count(p->google, "PATCH "), 0);
  assert_int_equal(fake_cloud_count(p->google, "DELETE "), 0);
  assert_int_equal(fake_cloud_count(p->google, "POST "),
                   fake_cloud_count(p->google, ":testIamPermissions ") +
                       fake_cloud_count(p->google, "POST /token "));
}

static const char project_permissions[] = "POST /v1/projects/demo-project:testIamPermissions ";

static void a_prober_need_not_list(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, project_permissions, 200,
                 "{\"permissions\":[\"datastore.entities.create\",\"datastore.entities.get\","
                 "\"datastore.entities.update\"]}");
  patient_examine(p);
  patient_finds(p, 0, 0);
  patient_says(p, "ok       firestore.create ", "which only readers of the results need");
}

static void a_prober_changes_documents_for_late_answers(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, project_permissions, 200,
                 "{\"permissions\":[\"datastore.entities.create\",\"datastore.entities.update\"]}");
  patient_examine(p);
  patient_finds(p, 0, 1);
  patient_says(p, "warning  firestore.create ", "late and repeated answers would not");
  patient_says(p, "warning  firestore.create ", "--role=roles/datastore.user");
}

static void what_is_missing_is_made(void **state) {
  patient *p = *state;
  static const char none[] =
      "{\"error\":{\"code\":404,\"message\":\"Resource not found (resource=x).\","
      "\"status\":\"NOT_FOUND\"}}";
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/topics/", 404, none);
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/subscriptions/", 404, none);
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/databases/", 404,
                 "{\"error\":{\"code\":404,\"message\":\"The database (default) does not exist for "
                 "project demo-project\",\"status\":\"NOT_FOUND\"}}");
  patient_examine(p);
  patient_finds(p, 4, 0);
  patient_says(p, "ok       pubsub.api ", "");
  patient_says(p, "failed   topic ", "gcloud pubsub topics create probes --project=demo-project\n");
  patient_says(p, "skipped  topic.publish ", "");
  patient_says(p, "failed   subscription ",
               "gcloud pubsub subscriptions create probes-regular-service --topic=probes "
               "--project=demo-project\n");
  patient_says(p, "failed   subscription ",
               "gcloud pubsub subscriptions create probes-cloud-function --topic=probes "
               "--project=demo-project --push-endpoint=https://");
  patient_says(p, "failed   firestore.database ",
               "gcloud firestore databases create --location=nam5 --type=firestore-native "
               "--project=demo-project\n");
}

static void permissions_that_are_missing_are_granted(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, ":testIamPermissions", 200, "{}");
  patient_examine(p);
  patient_finds(p, 3, 0);
  patient_says(
      p, "failed   topic.publish ",
      "gcloud pubsub topics add-iam-policy-binding probes --project=demo-project " PATIENT_MEMBER
      " --role=roles/pubsub.publisher\n");
  patient_says(p, "failed   subscription.consume ",
               "gcloud pubsub subscriptions add-iam-policy-binding probes-regular-service "
               "--project=demo-project " PATIENT_MEMBER " --role=roles/pubsub.subscriber\n");
  patient_says(p, "failed   firestore.create ",
               "gcloud projects add-iam-policy-binding demo-project " PATIENT_MEMBER
               " --role=roles/datastore.user --condition=None\n");
}

/* roles/pubsub.publisher and roles/pubsub.subscriber may not look at what they use. */
static void who_may_publish_need_not_be_able_to_look(void **state) {
  patient *p = *state;
  static const char denied[] =
      "{\"error\":{\"code\":403,\"message\":\"User not authorized to perform this action.\","
      "\"status\":\"PERMISSION_DENIED\"}}";
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/topics/", 403, denied);
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/subscriptions/", 403, denied);
  patient_examine(p);
  patient_finds(p, 0, 1); /* the push subscription, which is nobody's business but Pub/Sub's */
  patient_says(p, "ok       topic ", "seen by its permissions");
  patient_says(p, "ok       subscription ", "seen by its permissions");
  patient_says(p, "warning  subscription ", "not known");
  fake_cloud_set(p->google, ":testIamPermissions", 200, "{}");
  patient_examine(p);
  patient_says(p, "warning  topic ", "or we may not look at it");
  patient_says(p, "failed   topic.publish ", "add-iam-policy-binding");
}

static void options_that_cannot_be_are_named(void **state) {
  (void)state;
  static const char *const bad[] = {"1abc"};
  const struct {
    psprobe_doctor_options options;
    const char *says;
  } cases[] = {
      {{.topic = "ab"}, "topic"},
      {{.subscriptions = bad, .subscription_count = 1}, "subscription"},
      {{.push_subscriptions = bad, .push_subscription_count = 1}, "subscription"},
      {{.prober = "127.0.0.1:80"}, "prober"},
      {{.resource_manager = "http://example.com"}, "Resource Manager"},
      {{.resource_manager = "http://me:hush@example.com/?hush"}, "\"http://***@example.com/?***\""},
      {{.topic = "{hush}"}, "(JSON (a key?), not shown)"},
      {{.prober = "ftp://me:hush@h"}, "\"ftp://***@h\""},
      {{.collection = "__x__"}, "collection \"__x__\": the name is reserved"},
      {{.collection = "a\xE2\x80\xAE"}, "cannot be seen"},
      {{.client = {.project = "a b"}}, "project"},
      {{.client = {.pubsub_endpoint = "http://example.com"}}, "Pub/Sub endpoint"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_diagnosis *none = NULL;
    assert_int_equal(psprobe_doctor_run(&cases[i].options, NULL, NULL, &none, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, cases[i].says));
    assert_null(strstr(error.message, "hush"));
    assert_null(none);
  }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, patient_setup, patient_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(all_is_well_with_a_good_key),
      cmocka_unit_test(options_that_cannot_be_are_named),
      TEST(a_prober_need_not_list),
      TEST(a_prober_changes_documents_for_late_answers),
      TEST(what_is_missing_is_made),
      TEST(permissions_that_are_missing_are_granted),
      TEST(who_may_publish_need_not_be_able_to_look),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
