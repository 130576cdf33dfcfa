/* SPDX-License-Identifier: MIT */
/** @file What a prober could not take, to its run's settings and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "results/untaken.h"

static const char *const sources[] = {"a", "b"};

static void test_there_and_back(void **state) {
  (void)state;
  psp_untaken sum = {0},
              one = {.connections =
                         {.refused = 1, .made_room = 2, .overdue = 3, .starved = 4, .untaken = 5},
                     .in_doubt = {6, 7}};
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_json_begin_object(&w);
  psp_untaken_put(&w, &one, sources, 2);
  psp_json_end_object(&w);
  assert_false(out.failed);
  assert_true(psp_untaken_add(&sum, out.data, sources, 2));
  assert_memory_equal(&sum, &one, sizeof one);
  /* Of another run too, whose sources stand in another order. */
  const char *const turned[] = {"b", "a"};
  assert_true(psp_untaken_add(&sum, out.data, turned, 2));
  assert_int_equal(sum.connections.untaken, 10);
  assert_int_equal(sum.in_doubt[0], 6 + 7);
  assert_int_equal(sum.in_doubt[1], 7 + 6);
  psp_buf_free(&out);
}

static void test_what_tells_nothing(void **state) {
  (void)state;
  static const char *const settings[] = {
      NULL,
      "",
      "{",
      "[]",
      "{\"rate\":1}",
      "{\"untaken\":7}",
      "{\"untaken\":{\"requests\":-1,\"refused\":\"x\",\"in_doubt\":[1]}}",
      "{\"untaken\":{\"requests\":1e300,\"in_doubt\":{\"a\":null,\"c\":5}}}"};
  const psp_untaken none = {0};
  psp_untaken sum = {0};
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    assert_true(psp_untaken_add(&sum, settings[i], sources, 2));
    assert_memory_equal(&sum, &none, sizeof none);
  }
  sum.connections.untaken = INT64_MAX - 1; /* nor does it run over */
  assert_true(psp_untaken_add(&sum, "{\"untaken\":{\"requests\":2}}", sources, 2));
  assert_int_equal(sum.connections.untaken, INT64_MAX - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_there_and_back),
      cmocka_unit_test(test_what_tells_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
