/* SPDX-License-Identifier: MIT */
/** @file Against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/bootstrap.h"
#include "stats/serial.h"

#define ROOM 1024

static void check_serial(golden *g) {
  if (strcmp(g->key, "serial") != 0) return;
  float scores[ROOM], again[ROOM];
  const size_t n = (size_t)golden_int(g);
  const double lag1 = golden_double(g);
  const bool matters = golden_int(g) != 0;
  const double effect = golden_double(g), inflation = golden_double(g);
  const int64_t block = golden_int(g);
  assert_true(n <= ROOM);
  for (size_t i = 0; i < n; i++)
    again[i] = scores[i] = (float)golden_int(g);
  const psp_serial serial = psp_serial_look(scores, n, PSP_SIGNS);
  golden_near(g, serial.lag1, lag1, 1e-5, 1e-6);
  golden_equal(g, serial.matters, matters);
  golden_near(g, serial.design_effect, effect, 1e-4, 0);
  golden_near(g, serial.inflation, inflation, 1e-4, 0);
  golden_equal(g, (int64_t)psp_block_length(again, n), block);
}

static void test_golden(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/serial.txt", check_serial), 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
