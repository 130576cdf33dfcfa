/* SPDX-License-Identifier: MIT */
/** @file Reports on results that no prober can have measured: every form is there all the same. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "scratch.h"

/* A results file may come from anybody. */
static void test_times_beyond_measure(void **state) {
  static const int64_t times[] = {1000000, INT64_MAX, INT64_MIN, 0, INT64_C(1) << 59};
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    psprobe_finished finished = scratch_finished(i);
    finished.result.answers[0].elapsed_ns = times[i];
    finished.result.answers[1].handled_ns = times[i];
    finished.result.lateness_ns = times[i];
    finished.result.publish_ns = times[i];
    assert_int_equal(psprobe_store_add(store, run.id, &finished, 1, NULL), PSPROBE_OK);
  }
  psprobe_report *report = NULL;
  assert_int_equal(psprobe_report_load(store, NULL, &report, NULL), PSPROBE_OK);
  psprobe_text_options plain = {.width = 100};
  char *const texts[] = {psprobe_report_table(report), psprobe_report_text(report, &plain),
                         psprobe_report_json(report),  psprobe_report_html(report),
                         psprobe_report_csv(report),   psprobe_report_markdown(report)};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_non_null(texts[i]);
    free(texts[i]);
  }
  /* Nothing to be had without gnuplot, but the script has been written by then. */
  psprobe_code code = psprobe_report_draw(report, scratch_file(state, "x"), "svg", NULL);
  assert_true(code == PSPROBE_OK || code == PSPROBE_NOT_FOUND);
  psprobe_report_free(report);
  psprobe_store_free(store);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_times_beyond_measure, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
