/* SPDX-License-Identifier: MIT */
/** @file What is pure: words of the shell, permissions, findings as text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "doctor/parts.h"

static void words_are_quoted_where_a_shell_would_read_more(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"probes", "probes"},
      {"serviceAccount:a-b@p.iam.gserviceaccount.com",
       "serviceAccount:a-b@p.iam.gserviceaccount.com"},
      {"/home/a b/key.json", "'/home/a b/key.json'"},
      {"it's", "'it'\\''s'"},
      {"$(reboot)", "'$(reboot)'"},
      {"a;b", "'a;b'"},
      {"~/key", "'~/key'"},
      {"(default)", "'(default)'"},
      {"", "''"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_word word;
    assert_string_equal(psp_word_of(&word, cases[i][0]), cases[i][1]);
  }
  char longer[1000];
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  psp_word word;
  assert_string_equal(psp_word_of(&word, longer), ""); /* half a word would be another file */
}

static void permissions_are_asked_and_read(void **state) {
  (void)state;
  psp_permissions may = {.names = {"pubsub.topics.publish", "pubsub.topics.get"}, .count = 2};
  psp_buf body = {0};
  psp_permissions_body(&may, &body);
  assert_string_equal(body.data,
                      "{\"permissions\":[\"pubsub.topics.publish\",\"pubsub.topics.get\"]}");
  psp_buf_free(&body);
  static const char some[] = "{\"permissions\":[\"pubsub.topics.publish\",\"other\",7]}";
  assert_int_equal(psp_permissions_read(&may, some, strlen(some), NULL), PSPROBE_OK);
  assert_true(psp_permissions_has(&may, "pubsub.topics.publish"));
  assert_false(psp_permissions_has(&may, "pubsub.topics.get"));
  assert_false(psp_permissions_has(&may, "other")); /* was not asked for */
  /* None is an empty object, and what was read before does not stay. */
  assert_int_equal(psp_permissions_read(&may, "{}", 2, NULL), PSPROBE_OK);
  assert_false(psp_permissions_has(&may, "pubsub.topics.publish"));
  static const char *const bad[] = {"", "[]", "null", "{\"permissions\":\"all\"}", "<html>"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_not_equal(psp_permissions_read(&may, bad[i], strlen(bad[i]), NULL), PSPROBE_OK);
}

static void a_finding_is_a_line_and_what_mends_it(void **state) {
  (void)state;
  static const char *const mend[] = {"chmod 600 key.json", "true"};
  psprobe_finding finding = {.check = "credentials.key",
                             .state = PSPROBE_DOCTOR_FAILED,
                             .text = "key.json is open",
                             .mend = mend,
                             .mend_count = 2};
  char *text = psprobe_finding_text(&finding, false);
  assert_string_equal(text,
                      "failed   credentials.key       key.json is open\n"
                      "         mend: chmod 600 key.json\n"
                      "               true\n");
  free(text);
  finding.mend_count = 0;
  finding.state = PSPROBE_DOCTOR_OK;
  text = psprobe_finding_text(&finding, true);
  assert_string_equal(text, "\033[32mok     \033[0m  credentials.key       key.json is open\n");
  free(text);
}

static void count_each(void *arg, const psprobe_finding *finding) {
  ++*(int *)arg;
  assert_non_null(finding->text);
}

static void findings_are_kept_and_shown_as_json(void **state) {
  (void)state;
  int heard = 0;
  psprobe_diagnosis *found = calloc(1, sizeof *found);
  psp_doctor d = {.found = found, .each = count_each, .arg = &heard};
  psp_mend(&d, "gcloud %s", "one");
  psp_mend(&d, "two");
  psp_found(&d, PSPROBE_DOCTOR_FAILED, "topic", "projects/p/topics/t", "bad\nnews \x01 %s", "here");
  for (int i = 0; i < 100; i++)
    psp_found(&d, PSPROBE_DOCTOR_OK, "topic.publish", NULL, "%d", i);
  assert_false(d.failed);
  assert_int_equal(heard, 101);
  assert_int_equal(psprobe_diagnosis_count(found, PSPROBE_DOCTOR_OK), 100);
  assert_int_equal(psprobe_diagnosis_count(found, PSPROBE_DOCTOR_WARNING), 0);
  char *text = psprobe_diagnosis_json(found);
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text, strlen(text), "it", &json, NULL), PSPROBE_OK);
  int64_t number;
  assert_true(psp_json_int64(psp_json_get(json, "schema"), &number));
  assert_int_equal(number, 1);
  assert_true(psp_json_is_null(psp_json_get(json, "project")));
  assert_true(psp_json_int64(psp_json_get(psp_json_get(json, "counts"), "failed"), &number));
  assert_int_equal(number, 1);
  const psp_json *first = psp_json_first(psp_json_get(json, "findings"));
  assert_string_equal(psp_json_string(psp_json_get(first, "check")), "topic");
  assert_string_equal(psp_json_string(psp_json_get(first, "state")), "failed");
  assert_string_equal(psp_json_string(psp_json_get(first, "resource")), "projects/p/topics/t");
  assert_string_equal(psp_json_string(psp_json_get(first, "text")), "bad?news ? here");
  const psp_json *mend = psp_json_get(first, "mend");
  assert_int_equal(psp_json_count(mend), 2);
  assert_string_equal(psp_json_string(psp_json_first(mend)), "gcloud one");
  /* They are of that finding alone. */
  assert_int_equal(psp_json_count(psp_json_get(psp_json_next(first), "mend")), 0);
  psp_json_free(json);
  free(text);
  psprobe_diagnosis_free(found);
}

/* Google's own reasons (google.rpc.ErrorInfo), and what each asks for. */
static void refusals_are_advised_by_their_reason(void **state) {
  (void)state;
  static const struct {
    const char *reason, *mend, *quota, *kind;
  } cases[] = {
      {"SERVICE_DISABLED", "gcloud services enable pubsub.googleapis.com --project=p", NULL, ""},
      {"SERVICE_DISABLED", "gcloud services enable pubsub.googleapis.com --project=q", "q", ""},
      {"SERVICE_DISABLED", "gcloud auth application-default set-quota-project p", NULL,
       "authorized_user"},
      {"SERVICE_DISABLED", "gcloud services enable pubsub.googleapis.com --project=q", "q",
       "authorized_user"},
      {"USER_PROJECT_DENIED", "gcloud auth application-default set-quota-project p", "q", ""},
      {"CONSUMER_INVALID", "gcloud projects list", NULL, ""},
      {"BILLING_DISABLED", "gcloud billing accounts list", NULL, ""},
      {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "gcloud auth application-default login", NULL, ""},
      {"ACCESS_TOKEN_SCOPE_INSUFFICIENT",
       "gcloud compute instances set-service-account \"$(hostname)\" --scopes=cloud-platform", NULL,
       "metadata server"},
      {"IAM_PERMISSION_DENIED", NULL, NULL, ""},
      {"", NULL, NULL, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_doctor d = {.project = "p",
                    .member = (char[]){"user:a@b"},
                    .who = {.quota_project = cases[i].quota, .kind = cases[i].kind}};
    psprobe_error error = {.code = PSPROBE_PERMISSION_DENIED};
    strcpy(error.reason, cases[i].reason);
    bool known = psp_advise_reason(&d, "pubsub.googleapis.com", &error);
    assert_int_equal(known, cases[i].mend != NULL);
    assert_int_equal(known, d.mend_count > 0);
    if (known) assert_string_equal(d.mend[0], cases[i].mend);
    for (size_t m = 0; m < d.mend_count; m++)
      free(d.mend[m]);
  }
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
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_quoted_where_a_shell_would_read_more),
      cmocka_unit_test(permissions_are_asked_and_read),
      cmocka_unit_test(a_finding_is_a_line_and_what_mends_it),
      cmocka_unit_test(findings_are_kept_and_shown_as_json),
      cmocka_unit_test(refusals_are_advised_by_their_reason),
      cmocka_unit_test(options_that_cannot_be_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
