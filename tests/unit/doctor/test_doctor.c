/* SPDX-License-Identifier: MIT */
/** @file The doctor in front of a Google of our own: all well, and one thing wrong at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <psprobe/doctor.h>

#include "base/buf.h"
#include "fake_cloud.h"
#include "fake_prober.h"
#include "keys.h"

#define ACCOUNT "prober@file-project.iam.gserviceaccount.com"
#define MEMBER  "--member=serviceAccount:" ACCOUNT

/* One run: what was found, as the program would print it. */
typedef struct patient {
  fake_cloud *google;
  psprobe_doctor_options options;
  psp_buf text;
  unsigned failed, warnings;
} patient;

static void hear(void *arg, const psprobe_finding *finding) {
  patient *p = arg;
  char *line = psprobe_finding_text(finding, false);
  psp_buf_text(&p->text, line);
  free(line);
}

/* Nothing of a secret may be in what is said. */
static void examine(patient *p) {
  psprobe_diagnosis *diagnosis = NULL;
  psprobe_error error = {0};
  psp_buf_reset(&p->text);
  if (psprobe_doctor_run(&p->options, hear, p, &diagnosis, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  p->failed = (unsigned)psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_FAILED);
  p->warnings = (unsigned)psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_WARNING);
  char *json = psprobe_diagnosis_json(diagnosis);
  assert_null(strstr(json, FAKE_CLOUD_TOKEN));
  assert_null(strstr(json, "PRIVATE KEY"));
  free(json);
  psprobe_diagnosis_free(diagnosis);
}

/* A line that begins so (state and check), with `part` in it or in the commands under it. */
static void says(const patient *p, const char *begin, const char *part) {
  for (const char *line = p->text.data; line != NULL && *line != 0;) {
    const char *end = line;
    do {
      end = strchr(end, '\n') + 1;
    } while (*end == ' ');
    const char *at = strstr(line, part);
    if (strncmp(line, begin, strlen(begin)) == 0 && at != NULL && at < end) return;
    line = end;
  }
  fail_msg("no line \"%s\" with \"%s\" in:\n%s", begin, part, p->text.data);
}

static void finds(const patient *p, unsigned failed, unsigned warnings) {
  if (p->failed != failed || p->warnings != warnings)
    fail_msg("%u failed and %u warnings, not %u and %u:\n%s", p->failed, p->warnings, failed,
             warnings, p->text.data);
}

static int setup(void **state) {
  patient *p = calloc(1, sizeof *p);
  p->google = fake_cloud_start();
  const char *url = fake_cloud_url(p->google);
  test_auth_environment();
  char more[200];
  snprintf(more, sizeof more, ",\"token_uri\":\"%s/token\"", url);
  char *key = test_service_account(NULL, more);
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(test_directory(), "key.json", 0600, key), 1);
  free(key);
  p->options = (psprobe_doctor_options){
      .client = {.project = "demo-project", .pubsub_endpoint = url, .firestore_endpoint = url},
      .resource_manager = url};
  *state = p;
  return 0;
}

static int teardown(void **state) {
  patient *p = *state;
  fake_cloud_stop(p->google);
  psp_buf_free(&p->text);
  free(p);
  return 0;
}

static void all_is_well_with_a_good_key(void **state) {
  patient *p = *state;
  examine(p);
  finds(p, 0, 0);
  says(p, "ok       credentials.lookup ",
       "GOOGLE_APPLICATION_CREDENTIALS: service_account " ACCOUNT);
  says(p, "ok       credentials.key ", "mode 0600");
  says(p, "ok       credentials.token ", "expires in 60 min (20");
  says(p, "ok       credentials.identity ", ACCOUNT);
  says(p, "ok       clock ", "within 2 s");
  says(p, "ok       pubsub.api ", "");
  says(p, "ok       topic ", "projects/demo-project/topics/probes is there");
  says(p, "ok       topic.publish ", "pubsub.topics.publish is granted");
  says(p, "ok       subscription ", "probes-regular-service is there, to be pulled");
  says(p, "ok       subscription.consume ", "is granted");
  says(p, "ok       subscription ", "probes-cloud-function is there, pushes to https://function");
  says(p, "ok       firestore.database ", "(default) is there");
  says(p, "ok       firestore.create ", "datastore.entities.create is granted, and get");
  says(p, "skipped  prober ", "--prober");
  /* It looks, and changes nothing. */
  assert_int_equal(fake_cloud_count(p->google, "PUT "), 0);
  assert_int_equal(fake_cloud_count(p->google, "PATCH "), 0);
  assert_int_equal(fake_cloud_count(p->google, "DELETE "), 0);
  assert_int_equal(fake_cloud_count(p->google, "POST "),
                   fake_cloud_count(p->google, ":testIamPermissions ") +
                       fake_cloud_count(p->google, "POST /token "));
}

/* A proxy, a portal, another server in the place of Google's: its status is not Google's word. */
static void something_else_answers(void **state) {
  patient *p = *state;
  static const int statuses[] = {200, 403, 500, 511};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    fake_cloud_set(p->google, "/topics/probes ", statuses[i], "<html>Access denied</html>");
    fake_cloud_set(p->google, "/documents/", statuses[i], "<html>Access denied</html>");
    examine(p);
    char status[16];
    snprintf(status, sizeof status, "HTTP %d", statuses[i]);
    says(p, "failed   pubsub.api ", "something else than Pub/Sub answers");
    says(p, "failed   pubsub.api ", status);
    says(p, "failed   pubsub.api ", "an HTML or XML page");
    says(p, "failed   firestore.api ", "something else than Firestore answers");
    fake_cloud_stop(p->google);
    p->google = fake_cloud_start();
    p->options.client.pubsub_endpoint = p->options.client.firestore_endpoint =
        p->options.resource_manager = fake_cloud_url(p->google);
  }
}

static const char project_permissions[] = "POST /v1/projects/demo-project:testIamPermissions ";

static void a_prober_need_not_read(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, project_permissions, 200,
                 "{\"permissions\":[\"datastore.entities.create\",\"datastore.entities.update\"]}");
  examine(p);
  finds(p, 0, 0);
  says(p, "ok       firestore.create ", "which only readers of the results need");
}

static void a_prober_changes_documents_for_late_answers(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, project_permissions, 200,
                 "{\"permissions\":[\"datastore.entities.create\"]}");
  examine(p);
  finds(p, 0, 1);
  says(p, "warning  firestore.create ", "late and repeated answers would not");
  says(p, "warning  firestore.create ", "--role=roles/datastore.user");
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
  examine(p);
  finds(p, 4, 0);
  says(p, "ok       pubsub.api ", "");
  says(p, "failed   topic ", "gcloud pubsub topics create probes --project=demo-project\n");
  says(p, "skipped  topic.publish ", "");
  says(p, "failed   subscription ",
       "gcloud pubsub subscriptions create probes-regular-service --topic=probes "
       "--project=demo-project\n");
  says(p, "failed   subscription ",
       "gcloud pubsub subscriptions create probes-cloud-function --topic=probes "
       "--project=demo-project --push-endpoint=https://");
  says(p, "failed   firestore.database ",
       "gcloud firestore databases create --location=nam5 --type=firestore-native "
       "--project=demo-project\n");
}

static void permissions_that_are_missing_are_granted(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, ":testIamPermissions", 200, "{}");
  examine(p);
  finds(p, 3, 0);
  says(p, "failed   topic.publish ",
       "gcloud pubsub topics add-iam-policy-binding probes --project=demo-project " MEMBER
       " --role=roles/pubsub.publisher\n");
  says(p, "failed   subscription.consume ",
       "gcloud pubsub subscriptions add-iam-policy-binding probes-regular-service "
       "--project=demo-project " MEMBER " --role=roles/pubsub.subscriber\n");
  says(p, "failed   firestore.create ",
       "gcloud projects add-iam-policy-binding demo-project " MEMBER
       " --role=roles/datastore.user --condition=None\n");
}

/* Prober and service need not be one account, and each needs its own permission alone. */
static void who_only_publishes_need_not_pull(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, "/subscriptions/probes-regular-service:testIamPermissions", 200, "{}");
  p->options.no_consume = true;
  examine(p);
  finds(p, 0, 0);
  says(p, "ok       topic.publish ", "");
  says(p, "ok       subscription ", "to be pulled");
  says(p, "skipped  subscription.consume ", "--no-consume");
  p->options.no_consume = false;
  examine(p);
  finds(p, 1, 0);
  fake_cloud_set(p->google, "/topics/probes:testIamPermissions", 200, "{}");
  p->options.no_consume = p->options.no_publish = p->options.no_firestore = true;
  examine(p);
  finds(p, 0, 0);
  says(p, "skipped  topic.publish ", "--no-publish");
  says(p, "skipped  firestore.database ", "--no-firestore");
}

/* roles/pubsub.publisher and roles/pubsub.subscriber may not look at what they use. */
static void who_may_publish_need_not_be_able_to_look(void **state) {
  patient *p = *state;
  static const char denied[] =
      "{\"error\":{\"code\":403,\"message\":\"User not authorized to perform this action.\","
      "\"status\":\"PERMISSION_DENIED\"}}";
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/topics/", 403, denied);
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/subscriptions/", 403, denied);
  examine(p);
  finds(p, 0, 1); /* the push subscription, which is nobody's business but Pub/Sub's */
  says(p, "ok       topic ", "seen by its permissions");
  says(p, "ok       subscription ", "seen by its permissions");
  says(p, "warning  subscription ", "not known");
  fake_cloud_set(p->google, ":testIamPermissions", 200, "{}");
  examine(p);
  says(p, "warning  topic ", "or we may not look at it");
  says(p, "failed   topic.publish ", "add-iam-policy-binding");
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
  examine(p);
  finds(p, 1, 1);
  says(p, "failed   pubsub.api ",
       "gcloud services enable pubsub.googleapis.com --project=demo-project\n");
  says(p, "skipped  subscription ", "Pub/Sub cannot be asked");
  says(p, "ok       firestore.database ", "");
  says(p, "warning  firestore.create ",
       "gcloud services enable cloudresourcemanager.googleapis.com --project=demo-project\n");
}

static void a_token_that_is_refused_is_explained(void **state) {
  patient *p = *state;
  static const char refused[] =
      "{\"error\":{\"code\":401,\"message\":\"Request had invalid authentication credentials.\","
      "\"status\":\"UNAUTHENTICATED\"}}";
  fake_cloud_set(p->google, " /v1/", 401, refused);
  examine(p);
  says(p, "failed   pubsub.api ", "gcloud iam service-accounts keys list --iam-account=" ACCOUNT);
  says(p, "failed   pubsub.api ",
       "gcloud auth application-default login --impersonate-service-account=" ACCOUNT "\n");
  says(p, "failed   firestore.api ", "");
  /* The same with a clock that is wrong by an hour: then that is to be mended. */
  fake_cloud_set_clock(p->google, -3600);
  examine(p);
  says(p, "failed   clock ", "sudo timedatectl set-ntp true\n");
  says(p, "failed   clock ", " s ahead of ");
  says(p, "failed   pubsub.api ", "sudo timedatectl set-ntp true\n");
}

static void a_clock_that_is_somewhat_wrong_is_a_warning(void **state) {
  patient *p = *state;
  fake_cloud_set_clock(p->google, 45);
  examine(p);
  finds(p, 0, 1);
  says(p, "warning  clock ", " s behind ");
}

/* The exchange that the Resource Manager's token needs says no: the key is of no use any more. */
static void a_key_that_is_refused_at_the_token_endpoint(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, "POST /token", 400,
                 "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}");
  examine(p);
  finds(p, 1, 0);
  says(p, "failed   firestore.create ", "Invalid JWT Signature");
  says(p, "failed   firestore.create ", "keys list --iam-account=" ACCOUNT);
}

static void subscriptions_of_another_kind_are_told(void **state) {
  patient *p = *state;
  static const char *const swapped[] = {"probes-cloud-function"};
  static const char *const push[] = {"probes-regular-service"};
  p->options.subscriptions = swapped;
  p->options.push_subscriptions = push;
  p->options.subscription_count = p->options.push_subscription_count = 1;
  examine(p);
  says(p, "failed   subscription ",
       "pushes to https://function.example/: who pulls it gets nothing");
  says(p, "failed   subscription ",
       "modify-push-config probes-cloud-function --project=demo-project --push-endpoint=\n");
  says(p, "failed   subscription ", "is a pull subscription: nothing calls the function");
  p->options.topic = "other-topic";
  fake_cloud_set(p->google, "/topics/other-topic ", 200, "{\"name\":\"x\"}");
  examine(p);
  says(p, "failed   subscription ", "is subscribed to projects/demo-project/topics/probes");
}

static void a_project_that_is_not_there(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, " /v1/", 404,
                 "{\"error\":{\"code\":404,\"message\":\"Requested project not found or user does "
                 "not have access to it (project=demo-project).\",\"status\":\"NOT_FOUND\"}}");
  examine(p);
  finds(p, 1, 0);
  says(p, "failed   project ", "gcloud projects list\n");
  says(p, "skipped  firestore.database ", "");
}

static void apis_that_are_not_reached(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, " / ", 0, "");
  examine(p);
  says(p, "failed   pubsub.reach ", "curl -sSv -o /dev/null http://127.0.0.1:");
  says(p, "failed   firestore.reach ", "curl -sSv");
  says(p, "skipped  credentials.token ", "");
  says(p, "skipped  topic ", "");
}

static void the_metadata_server_gives_everything(void **state) {
  patient *p = *state;
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", fake_cloud_url(p->google) + strlen("http://"), 1);
  p->options.client.project = NULL;
  fake_cloud_set(p->google, "POST /v1/projects/demo-project:test", 200, "{}");
  examine(p);
  finds(p, 1, 0);
  says(p, "skipped  credentials.lookup ", "GOOGLE_APPLICATION_CREDENTIALS: not set");
  says(p, "skipped  credentials.lookup ", "application_default_credentials.json: not there");
  says(p, "ok       credentials.lookup ", "metadata server 127.0.0.1");
  says(p, "ok       project ", "demo-project, which the credentials name");
  says(p, "ok       credentials.identity ", FAKE_CLOUD_ACCOUNT);
  says(p, "failed   firestore.create ", "--member=serviceAccount:" FAKE_CLOUD_ACCOUNT);
}

static void who_does_not_answer_is_not_waited_for_long(void **state) {
  patient *p = *state;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/topics/", -1, "");
  fake_cloud_set(p->google, "GET /computeMetadata/v1/instance/service-accounts/default/token", -1,
                 "");
  examine(p);
  finds(p, 1, 0);
  says(p, "failed   pubsub.api ", "curl -sSv -o /dev/null http://127.0.0.1:");
  says(p, "skipped  subscription ", "Pub/Sub cannot be asked");
  says(p, "ok       firestore.create ", "");
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", fake_cloud_url(p->google) + strlen("http://"), 1);
  examine(p);
  finds(p, 1, 0);
  says(p, "failed   credentials.token ", "no token came within");
  says(p, "skipped  topic ", "no token could be had");
  clock_gettime(CLOCK_MONOTONIC, &end);
  assert_true(end.tv_sec - begin.tv_sec < 60);
}

static void without_credentials_and_project_it_says_how_to_begin(void **state) {
  patient *p = *state;
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  p->options.client.project = NULL;
  examine(p);
  finds(p, 2, 0);
  says(p, "failed   credentials.lookup ", "gcloud auth application-default login\n");
  says(p, "failed   project ", "export GOOGLE_CLOUD_PROJECT=");
  says(p, "skipped  topic ", "there are no credentials");
  assert_int_equal(fake_cloud_count(p->google, " /v1/"), 0);
}

static void the_prober_is_asked_without_being_counted(void **state) {
  patient *p = *state;
  psprobe_client *client = fake_prober_client();
  psprobe_prober *prober = NULL;
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  psprobe_prober_stats stats;
  char url[100];
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  snprintf(url, sizeof url, "%s", psprobe_prober_url(prober));
  p->options.no_firestore = true;
  p->options.prober = url;
  examine(p);
  finds(p, 0, 1); /* it is there, at an address that no function reaches */
  says(p, "warning  prober ", "only this machine can reach that address");
  psprobe_prober_get_stats(prober, &stats);
  assert_int_equal(stats.refused, 0);
  psprobe_prober_free(prober);
  psprobe_client_free(client);
  examine(p);
  finds(p, 1, 0);
  says(p, "failed   prober ", "psprobe-prober --listen 127.0.0.1:");
  p->options.prober = fake_cloud_url(p->google);
  examine(p);
  says(p, "failed   prober ", "answers HTTP 404, which is not a prober's answer");
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
      {{.client = {.project = "a b"}}, "project"},
      {{.client = {.pubsub_endpoint = "http://example.com"}}, "Pub/Sub endpoint"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_diagnosis *none = NULL;
    assert_int_equal(psprobe_doctor_run(&cases[i].options, NULL, NULL, &none, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, cases[i].says));
    assert_null(none);
  }
}

int main(void) {
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      WITH(all_is_well_with_a_good_key),
      cmocka_unit_test(options_that_cannot_be_are_named),
      WITH(something_else_answers),
      WITH(a_prober_need_not_read),
      WITH(a_prober_changes_documents_for_late_answers),
      WITH(what_is_missing_is_made),
      WITH(permissions_that_are_missing_are_granted),
      WITH(who_only_publishes_need_not_pull),
      WITH(who_may_publish_need_not_be_able_to_look),
      WITH(an_api_that_is_disabled_is_enabled),
      WITH(a_token_that_is_refused_is_explained),
      WITH(a_clock_that_is_somewhat_wrong_is_a_warning),
      WITH(a_key_that_is_refused_at_the_token_endpoint),
      WITH(subscriptions_of_another_kind_are_told),
      WITH(a_project_that_is_not_there),
      WITH(apis_that_are_not_reached),
      WITH(the_metadata_server_gives_everything),
      WITH(who_does_not_answer_is_not_waited_for_long),
      WITH(without_credentials_and_project_it_says_how_to_begin),
      WITH(the_prober_is_asked_without_being_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
