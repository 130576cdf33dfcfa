/* SPDX-License-Identifier: MIT */
/** @file Whose loss it is that no answer came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/server/parts.h"
#include "lab.h"
#include "prober/parts.h"

#define MS   INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

/* What was in flight as the prober turned somebody away is lost by nobody for sure. */
static void test_lost_in_doubt(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR, .timeout_ns = 2000 * MS});
  const char *id = lab_published(l, 0);
  assert_int_equal(lab_stats(l).connections.untaken, 0);
  psp_server_miss(l->prober->server); /* while it is in flight */
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
  assert_int_equal(lab_finished(l, 0)->result.answers[0].status, PSPROBE_LOST);
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.connections.untaken, 1);
  assert_int_equal(s.lost[0], 1);
  assert_int_equal(s.in_doubt[0], 1);
  assert_int_equal(s.in_doubt[1], 0);
  assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200);
  lab_finished(l, 1);
  s = lab_stats(l);
  assert_int_equal(s.lost[0], 0);
  assert_int_equal(s.in_doubt[0], 0); /* it came after all */
}

/* A loss while everything could be taken is the responder's. */
static void test_lost_for_certain(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR, .timeout_ns = 20 * MS});
  lab_published(l, 0);
  lab_finished(l, 0);
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.lost[0], 1);
  assert_int_equal(s.in_doubt[0], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_lost_in_doubt),
      TEST(test_lost_for_certain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
