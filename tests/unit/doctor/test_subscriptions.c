/* SPDX-License-Identifier: MIT */
/** @file Subscriptions of the wrong kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psprobe/doctor.h>

#include "patient.h"

/* Prober and service need not be one account, and each needs its own permission alone. */
static void who_only_publishes_need_not_pull(void **state) {
  patient *p = *state;
  fake_cloud_set(p->google, "/subscriptions/probes-regular-service:testIamPermissions", 200, "{}");
  p->options.no_consume = true;
  patient_examine(p);
  patient_finds(p, 0, 0);
  patient_says(p, "ok       topic.publish ", "");
  patient_says(p, "ok       subscription ", "to be pulled");
  patient_says(p, "skipped  subscription.consume ", "--no-consume");
  p->options.no_consume = false;
  patient_examine(p);
  patient_finds(p, 1, 0);
  fake_cloud_set(p->google, "/topics/probes:testIamPermissions", 200, "{}");
  p->options.no_consume = p->options.no_publish = p->options.no_firestore = true;
  patient_examine(p);
  patient_finds(p, 0, 0);
  patient_says(p, "skipped  topic.publish ", "--no-publish");
  patient_says(p, "skipped  firestore.database ", "--no-firestore");
}

static void subscriptions_of_another_kind_are_told(void **state) {
  patient *p = *state;
  static const char *const swapped[] = {"probes-cloud-function"};
  static const char *const push[] = {"probes-regular-service"};
  p->options.subscriptions = swapped;
  p->options.push_subscriptions = push;
  p->options.subscription_count = p->options.push_subscription_count = 1;
  patient_examine(p);
  patient_says(p, "failed   subscription ",
               "pushes to https://function.example/: who pulls it gets nothing");
  patient_says(
      p, "failed   subscription ",
      "modify-push-config probes-cloud-function --project=demo-project --push-endpoint=\n");
  patient_says(p, "failed   subscription ", "is a pull subscription: nothing calls the function");
  p->options.topic = "other-topic";
  fake_cloud_set(p->google, "/topics/other-topic ", 200, "{\"name\":\"x\"}");
  patient_examine(p);
  patient_says(p, "failed   subscription ", "is subscribed to projects/demo-project/topics/probes");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, patient_setup, patient_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(who_only_publishes_need_not_pull),
      TEST(subscriptions_of_another_kind_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
