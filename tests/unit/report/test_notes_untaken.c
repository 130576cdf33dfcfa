/* SPDX-License-Identifier: MIT */
/** @file The prober's own failure is told before a responder's losses are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

/* Ten probes, of which "b" lost three, under these settings. */
static psprobe_report *report_with(const char *settings) {
  const char *names[] = {"a", "b"};
  const psprobe_run run = {.settings = settings};
  psp_columns c = {0};
  psprobe_report *report = NULL;
  psp_columns_set_sources(&c, names, 2);
  psp_columns_add_run(&c, &run);
  for (size_t i = 0; i < 10; i++) {
    psprobe_result r = {.sent_wall_ns = 1555377773000000000 + (int64_t)i, .source_count = 2};
    snprintf(r.id, sizeof r.id, "%032zx", i);
    r.answers[0] = (psprobe_answer){.status = PSPROBE_ANSWERED, .elapsed_ns = 50000000};
    if (i >= 3) r.answers[1] = r.answers[0];
    psp_columns_add(&c, 0, &r, r.sent_wall_ns);
  }
  assert_int_equal(psp_report_new(&c, &report, NULL), PSPROBE_OK);
  psp_columns_free(&c);
  return report;
}

static void expect(char *text, const char *part, bool there) {
  assert_non_null(text);
  if ((strstr(text, part) != NULL) != there)
    fail_msg("%s: %s in\n%s", part, there ? "not there" : "there", text);
  free(text);
}

#define WIDE (&(psprobe_text_options){.width = 1000})

static void test_told(void **state) {
  (void)state;
  psprobe_report *report = report_with(
      "{\"untaken\":{\"requests\":1200,\"made_room\":1199,\"starved\":1,\"in_doubt\":{\"b\":2}}}");
  expect(psprobe_report_text(report, WIDE),
         "1,200 requests could not be taken by the prober, and answers may have been among them "
         "(1,199 closed to make room, 1 time no file descriptor left).\n"
         "Of the 3 probes that b lost, 2 were in flight then: that may be the prober's own "
         "failure.\n",
         true);
  expect(psprobe_report_html(report), "1,200 requests could not be taken", true);
  expect(psprobe_report_json(report), "\"untaken\": 1200", true);
  expect(psprobe_report_json(report), "\"lost\": 3,\n      \"lost_in_doubt\": 2", true);
  psprobe_report_free(report);
}

/* Rows that are left out of the report are not in doubt in it. */
static void test_no_more_than_lost(void **state) {
  (void)state;
  psprobe_report *report =
      report_with("{\"untaken\":{\"requests\":1,\"in_doubt\":{\"a\":7,\"b\":7}}}");
  expect(psprobe_report_text(report, WIDE), "Of the 3 probes that b lost, 3 were in flight", true);
  expect(psprobe_report_text(report, WIDE), "that a lost", false);
  expect(psprobe_report_text(report, WIDE), "1 request could not be taken", true);
  psprobe_report_free(report);
}

static void test_nothing_to_tell(void **state) {
  (void)state;
  psprobe_report *report = report_with(NULL);
  expect(psprobe_report_text(report, WIDE), "could not be taken", false);
  expect(psprobe_report_json(report), "\"lost_in_doubt\": 0", true);
  psprobe_report_free(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_told),
      cmocka_unit_test(test_no_more_than_lost),
      cmocka_unit_test(test_nothing_to_tell),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
