/* SPDX-License-Identifier: MIT */
/** @file The prober as it is seen from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <psprobe/doctor.h>

#include "fake_prober.h"
#include "patient.h"

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
  patient_examine(p);
  patient_finds(p, 0, 1); /* it is there, at an address that no function reaches */
  patient_says(p, "warning  prober ", "only this machine can reach that address");
  psprobe_prober_get_stats(prober, &stats);
  assert_int_equal(stats.refused, 0);
  psprobe_prober_free(prober);
  psprobe_client_free(client);
  patient_examine(p);
  patient_finds(p, 1, 0);
  patient_says(p, "failed   prober ", "psprobe-prober --listen 127.0.0.1:");
  p->options.prober = fake_cloud_url(p->google);
  patient_examine(p);
  patient_says(p, "failed   prober ", "answers HTTP 404, which is not a prober's answer");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, patient_setup, patient_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_prober_is_asked_without_being_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
