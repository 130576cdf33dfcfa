/* SPDX-License-Identifier: MIT */
/** @file Whether Google is reached, and by a clock that is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/doctor.h>
#include <psprobe/timing.h>

#include "patient.h"

#define SECOND INT64_C(1000000000)

static void a_clock_that_is_somewhat_wrong_is_a_warning(void **state) {
  patient *p = *state;
  fake_cloud_set_clock(p->google, 45);
  patient_examine(p);
  patient_finds(p, 0, 1);
  patient_says(p, "warning  clock ", " s behind ");
}

static void apis_that_are_not_reached(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, " / ", 0, "");
  patient_examine(p);
  patient_says(p, "failed   pubsub.reach ", "curl -sSv -o /dev/null http://127.0.0.1:");
  patient_says(p, "failed   firestore.reach ", "curl -sSv");
  patient_says(p, "skipped  credentials.token ", "");
  patient_says(p, "skipped  topic ", "");
}

static void who_does_not_answer_is_not_waited_for_long(void **state) {
  patient *p = *state;
  int64_t begin = psprobe_clock_monotonic();
  p->options.client.timeout_ns = SECOND;
  fake_cloud_set(p->google, "GET /v1/projects/demo-project/topics/", -1, "");
  fake_cloud_set(p->google, "GET /computeMetadata/v1/instance/service-accounts/default/token", -1,
                 "");
  patient_examine(p);
  patient_finds(p, 1, 0);
  patient_says(p, "failed   pubsub.api ", "curl -sSv -o /dev/null http://127.0.0.1:");
  patient_says(p, "skipped  subscription ", "Pub/Sub cannot be asked");
  patient_says(p, "ok       firestore.create ", "");
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", fake_cloud_url(p->google) + strlen("http://"), 1);
  patient_examine(p);
  patient_finds(p, 1, 0);
  patient_says(p, "failed   credentials.token ", "no token came in time");
  patient_says(p, "skipped  topic ", "no token could be had");
  assert_true(psprobe_clock_monotonic() - begin < 20 * SECOND); /* not for ever, once each */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, patient_setup, patient_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_clock_that_is_somewhat_wrong_is_a_warning),
      TEST(apis_that_are_not_reached),
      TEST(who_does_not_answer_is_not_waited_for_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
