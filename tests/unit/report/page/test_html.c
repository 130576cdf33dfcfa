/* SPDX-License-Identifier: MIT */
/** @file A run's settings on the page: each in words of its own, hostile ones made harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

static char *page_with(const char *settings) {
  static const char *const names[] = {"a", "b"};
  const psprobe_run run = {.settings = settings, .started_wall_ns = 1};
  psp_columns c = {0};
  psprobe_report *report = NULL;
  psp_columns_set_sources(&c, names, 2);
  psp_columns_add_run(&c, &run);
  assert_int_equal(psp_report_new(&c, &report, NULL), PSPROBE_OK);
  psp_columns_free(&c);
  char *html = psprobe_report_html(report);
  assert_non_null(html);
  psprobe_report_free(report);
  return html;
}

static void expect(const char *settings, const char *part, bool there) {
  char *html = page_with(settings);
  if ((strstr(html, part) != NULL) != there)
    fail_msg("%s: '%s' is %s", settings, part, there ? "not there" : "there");
  free(html);
}

static void test_settings(void **state) {
  (void)state;
  static const char told[] =
      "{\"cold_every_ns\":2000000000,\"cold_topic\":\"probes-cold\","
      "\"region\":\"europe-west1\",\"keep\":7,\"more\":{\"a\":true}}";
  expect(told, "<dt>Cold every</dt><dd>2.00 s</dd>", true);
  expect(told, "<dt>Cold topic</dt><dd>probes-cold</dd>", true);
  expect(told, "<dt>Region</dt><dd>europe-west1</dd>", true);
  expect(told, "<dt>Keep</dt><dd>7</dd>", true);
  expect(told, "<dt>More</dt><dd>{&quot;a&quot;:true}</dd>", true);
  expect(told, "cold_every_ns", false);
}

static void test_odd_settings(void **state) {
  (void)state;
  expect("{\"<b>x\":\"</dd><script>alert(1)\"}", "<script>alert(1)", false);
  expect("{\"<b>x\":1}", "<b>x", false);
  expect("{\"a_ns\":\"soon\"}", "<dt>A ns</dt><dd>soon</dd>", true);
  expect("no JSON", "no JSON", false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_settings),
      cmocka_unit_test(test_odd_settings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
