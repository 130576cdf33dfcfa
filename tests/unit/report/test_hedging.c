/* SPDX-License-Identifier: MIT */
/** @file What sending slow messages a second time would have bought, in every form of a report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "scratch.h"

static void check_text(char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("no \"%s\" in:\n%s", part, text);
  free(text);
}

static psprobe_report *load(psprobe_store *store, int64_t until_ns) {
  psprobe_report *report = NULL;
  const psprobe_filter filter = {.until_wall_ns = until_ns};
  assert_int_equal(psprobe_report_load(store, &filter, &report, NULL), PSPROBE_OK);
  return report;
}

static psprobe_store *filled(void **state, const int64_t *publish_ns, size_t count) {
  psprobe_store *store = scratch_begin(state, 1);
  for (size_t i = 0; i < count; i++) {
    psprobe_finished finished = scratch_finished(i);
    finished.result.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)i;
    finished.result.publish_ns = publish_ns[i];
    scratch_add(store, 1, &finished);
  }
  return store;
}

/* Published in 1 s; in more, twice; and not at all. */
static void test_slow(void **state) {
  static const int64_t publish_ns[] = {PSPROBE_HEDGE_NS, PSPROBE_HEDGE_NS + 1, -1, 5000000000};
  psprobe_store *store = filled(state, publish_ns, 4);
  psprobe_report *report = load(store, 0);
  const psprobe_text_options wide = {.width = 1000};
  check_text(psprobe_report_text(report, &wide),
             "\n2 publish calls of 3 (67 %) took longer than 1 s: ");
  check_text(psprobe_report_markdown(report), "2 publish calls of 3 (67 %) took longer");
  check_text(psprobe_report_html(report), "<dt>Publish calls over 1 s</dt><dd>2 of 3 (67 %)</dd>");
  check_text(psprobe_report_json(report),
             "\"publish_timed\": 3,\n  \"publish_slow\": 2,\n"
             "  \"publish_slow_share\": 0.666666666666666");
  psprobe_report_free(report);
  psprobe_store_free(store);
}

/* None took longer, which is told; of those that were not timed nothing is, and no 0. */
static void test_none(void **state) {
  static const int64_t publish_ns[] = {-1, PSPROBE_HEDGE_NS};
  psprobe_store *store = filled(state, publish_ns, 2);
  psprobe_report *report = load(store, 0);
  check_text(psprobe_report_text(report, NULL), "\nNo publish call took longer than 1 s: ");
  check_text(psprobe_report_html(report), "<dd>0 of 1 (0 %)</dd>");
  check_text(psprobe_report_json(report),
             "\"publish_timed\": 1,\n  \"publish_slow\": 0,\n"
             "  \"publish_slow_share\": 0.0,");
  psprobe_report_free(report);
  report = load(store, SCRATCH_SENT_NS + 1);
  check_text(psprobe_report_json(report),
             "\"publish_timed\": 0,\n  \"publish_slow\": null,\n"
             "  \"publish_slow_share\": null,");
  char *text = psprobe_report_text(report, NULL), *html = psprobe_report_html(report);
  assert_null(strstr(text, "longer than 1 s"));
  assert_null(strstr(html, "Publish calls over 1 s"));
  free(text);
  free(html);
  psprobe_report_free(report);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_slow), TEST(test_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
