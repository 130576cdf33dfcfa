/* SPDX-License-Identifier: MIT */
/** @file What was not measured is null, never 0: a 0 would be a very good time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/table.h"

/* Two sources that take turns in answering: no probe has both. */
static char *json_without_pairs(void) {
  const char *names[] = {"a", "b"};
  const psprobe_run run = {.host = "h"};
  psp_columns c = {0};
  psprobe_report *report = NULL;
  psp_columns_set_sources(&c, names, 2);
  psp_columns_add_run(&c, &run);
  for (size_t i = 0; i < 20; i++) {
    psprobe_result r = {.sent_wall_ns = 1555377773000000000 + (int64_t)i, .source_count = 2};
    snprintf(r.id, sizeof r.id, "%032zx", i);
    r.answers[i % 2] = (psprobe_answer){.status = PSPROBE_ANSWERED, .elapsed_ns = 50000000};
    psp_columns_add(&c, 0, &r, r.sent_wall_ns);
  }
  assert_int_equal(psp_report_new(&c, &report, NULL), PSPROBE_OK);
  psp_columns_free(&c);
  char *json = psprobe_report_json(report);
  psprobe_report_free(report);
  return json;
}

static void expect(const char *json, const char *key, const char *value) {
  char member[96];
  snprintf(member, sizeof member, "\"%s\": %s", key, value);
  if (strstr(json, member) == NULL) fail_msg("no %s in %s", member, json);
}

static void test_figures_of_no_pair_are_null(void **state) {
  (void)state;
  static const char *const figures[] = {
      "median_ns",      "hodges_lehmann_ns",   "wilcoxon_p",          "sign_p", "holm_p",
      "a_first_share",  "a_slow_common_share", "b_slow_common_share", "lag1",   "effective_n",
      "warm_median_ns", "cold_median_ns",      "more_probes"};
  static const char *const intervals[] = {"median_ci_ns", "unpaired_ci_ns", "hodges_lehmann_ci_ns",
                                          "bootstrap_ci_ns", "a_first_ci"};
  char *json = json_without_pairs();
  const char *pairs = strstr(json, "\"pairs\"");
  assert_non_null(pairs);
  expect(pairs, "n", "0");
  for (size_t k = 0; k < sizeof figures / sizeof *figures; k++)
    expect(pairs, figures[k], "null");
  for (size_t k = 0; k < sizeof intervals / sizeof *intervals; k++)
    expect(pairs, intervals[k], "[null, null]");
  expect(pairs, "only_a_lost", "10");
  free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_figures_of_no_pair_are_null)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
