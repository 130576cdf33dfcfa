/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
    bool known = psp_doctor_advise_reason(&d, "pubsub.googleapis.com", &error);
    assert_int_equal(known, cases[i].mend != NULL);
    assert_int_equal(known, d.mend_count > 0);
    if (known) assert_string_equal(d.mend[0], cases[i].mend);
    for (size_t m = 0; m < d.mend_count; m++)
      free(d.mend[m]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_quoted_where_a_shell_would_read_more),
      cmocka_unit_test(refusals_are_advised_by_their_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
