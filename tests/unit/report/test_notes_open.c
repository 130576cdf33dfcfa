/* SPDX-License-Identifier: MIT */
/** @file Probes that are not closed, in every form of a report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "results/store/store.h"
#include "scratch.h"

#define ID "9e3779b9"

static void check_text(char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("no \"%s\" in:\n%s", part, text);
  free(text);
}

/* Two probes that are finished, three that are planned, of which some are sent. */
static psprobe_store *filled(void **state, uint64_t sent) {
  psprobe_store *store = scratch_begin(state, 1);
  const psprobe_run run = scratch_run(1);
  for (uint64_t n = 0; n < 2; n++) {
    psprobe_finished finished = scratch_finished(n);
    scratch_add(store, 1, &finished);
  }
  for (uint64_t n = 2; n < 5; n++) {
    psprobe_planned planned = {.intended_wall_ns = SCRATCH_SENT_NS + (int64_t)n};
    psprobe_sent noted = {.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)n};
    scratch_id(planned.id, n);
    scratch_id(noted.id, n);
    const psprobe_news news = {.planned = &planned,
                               .planned_count = 1,
                               .sent = &noted,
                               .sent_count = n - 2 < sent ? 1 : 0};
    assert_int_equal(psp_store_keep(store, run.id, &news, NULL), PSPROBE_OK);
  }
  return store;
}

static psprobe_report *load(psprobe_store *store) {
  psprobe_report *report = NULL;
  assert_int_equal(psprobe_report_load(store, NULL, &report, NULL), PSPROBE_OK);
  return report;
}

/* As a death would leave it: the run has no end, and nobody has the file. */
static psprobe_store *die(void **state, psprobe_store *store) {
  psprobe_store_free(store);
  return scratch_store(scratch_file(state, "r.db"), true);
}

static const psprobe_text_options wide = {.width = 1000};

static void test_gone(void **state) {
  psprobe_store *store = die(state, filled(state, 1));
  psprobe_report *report = load(store);
  assert_int_equal(psprobe_report_count(report), 2);
  check_text(psprobe_report_text(report, &wide),
             "\nRun " ID
             " has no end: its prober is gone. 1 probe was in flight then, and 2 more "
             "may have been sent; they are in no figure here. The next prober that opens this "
             "file closes them, as interrupted where no answer came; with --resume " ID " it ");
  check_text(psprobe_report_markdown(report), "Run " ID " has no end: its prober is gone.");
  check_text(psprobe_report_html(report), "<dt>Ended</dt><dd>not noted: its prober is gone</dd>");
  check_text(psprobe_report_html(report), "1 probe was in flight then");
  check_text(psprobe_report_json(report),
             "\"open\": {\n      \"prober\": \"gone\",\n      \"sent\": 1,\n"
             "      \"perhaps_sent\": 2\n    }");
  psprobe_report_free(report);
  psprobe_store_free(store);
}

static void test_running(void **state) {
  psprobe_store *store = filled(state, 3);
  psprobe_report *report = load(store);
  check_text(psprobe_report_text(report, NULL),
             "\n3 probes of run " ID " are in flight: its prober runs.\n");
  check_text(psprobe_report_html(report), "<dt>Ended</dt><dd>not yet</dd>");
  check_text(psprobe_report_json(report), "\"prober\": \"running\",\n      \"sent\": 3,\n");
  psprobe_report_free(report);
  psprobe_store_free(store);
}

/* A run that has ended has nothing open, and nobody asks whose it was. */
static void test_ended(void **state) {
  psprobe_store *store = filled(state, 0);
  const psprobe_run run = scratch_run(1);
  assert_int_equal(
      psprobe_store_end_run(store, run.id, run.started_wall_ns + 1, PSPROBE_ENDING_FINISHED, NULL),
      PSPROBE_OK);
  store = die(state, store);
  psprobe_report *report = load(store);
  check_text(psprobe_report_json(report), "\"open\": null,");
  char *text = psprobe_report_text(report, NULL);
  assert_null(strstr(text, "Run " ID));
  assert_null(strstr(text, "in flight"));
  free(text);
  psprobe_report_free(report);
  psprobe_store_free(store);
}

/* One that nothing was sent of, whose prober is gone. */
static void test_nothing_open(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  store = die(state, store);
  psprobe_report *report = load(store);
  check_text(psprobe_report_text(report, &wide),
             "\nRun " ID
             " has no end: its prober is gone. The next prober that opens this file "
             "notes that it was interrupted.\n");
  psprobe_report_free(report);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_gone),
      TEST(test_running),
      TEST(test_ended),
      TEST(test_nothing_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
