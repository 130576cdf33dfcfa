/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "results/upload/collections.h"

static void test_names(void **state) {
  static const struct {
    const char *given, *runs_given, *results, *runs;
  } cases[] = {
      {NULL, NULL, "pubsub_results", "pubsub_runs"},
      {"probes", NULL, "probes", "probes_runs"},
      {"a/b/my_results", NULL, "a/b/my_results", "a/b/my_runs"},
      {"_results", NULL, "_results", "_results_runs"},
      {"probes", "others", "probes", "others"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_collections c;
    assert_int_equal(psp_collections_name(&c, cases[i].given, cases[i].runs_given, NULL),
                     PSPROBE_OK);
    assert_string_equal(c.results, cases[i].results);
    assert_string_equal(c.runs, cases[i].runs);
    psp_collections_free(&c);
  }
  assert_int_equal(psp_collections_name(NULL, "a/b", NULL, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_collections_name(NULL, NULL, "", NULL), PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
