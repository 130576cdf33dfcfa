/* SPDX-License-Identifier: MIT */
/** @file Probes that their prober did not live to see answered: counted apart, and said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "scratch.h"

#define NONE(s) \
  { .status = (s), .handled_ns = -1 }
#define TOOK(ns) \
  { .status = PSPROBE_ANSWERED, .elapsed_ns = (ns), .handled_ns = -1 }

static const psprobe_answer answers[][2] = {
    {TOOK(60000000), TOOK(50000000)},
    {NONE(PSPROBE_LOST), TOOK(50000000)},
    {NONE(PSPROBE_INTERRUPTED), TOOK(50000000)},
    {NONE(PSPROBE_INTERRUPTED), NONE(PSPROBE_LOST)},
    {NONE(PSPROBE_INTERRUPTED), NONE(PSPROBE_INTERRUPTED)},
    {NONE(PSPROBE_UNCERTAIN), NONE(PSPROBE_UNCERTAIN)},
};

static psprobe_report *report_of(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_report *report = NULL;
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    psprobe_finished finished = scratch_finished(i);
    memcpy(finished.result.answers, answers[i], sizeof answers[i]);
    finished.result.publish_ns = -1; /* not told before the end */
    scratch_add(store, 1, &finished);
  }
  assert_int_equal(psprobe_report_load(store, NULL, &report, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  return report;
}

static void expect(const char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("no \"%s\" in:\n%s", part, text);
}

static void test_text(void **state) {
  psprobe_report *report = report_of(state);
  char *text = psprobe_report_text(report, NULL);
  expect(text, "3 probes that cloud_function had not answered when the prober was interrupted");
  expect(text, "1 probe that regular_service had not answered when the prober was interrupted");
  expect(text, "1 probe that regular_service had not answered, and that may or may not have been");
  assert_null(strstr(text, "could not be published"));
  free(text);
  psprobe_report_free(report);
}

static void test_json(void **state) {
  psprobe_report *report = report_of(state);
  char *json = psprobe_report_json(report), *end = json;
  for (const char *c = json; *c != '\0'; c++)
    if (strchr(" \n", *c) == NULL) *end++ = *c;
  *end = '\0';
  expect(json, "\"sent\":2,\"answered\":1,\"late\":0,\"lost\":1");
  expect(json, "\"sent\":4,\"answered\":3,\"late\":0,\"lost\":1");
  expect(json, "\"interrupted\":3,\"uncertain\":1");
  expect(json, "\"interrupted\":1,\"uncertain\":1");
  /* Of the pair, who was interrupted tells nothing. */
  expect(json, "\"only_a_lost\":1,\"only_b_lost\":0,\"both_lost\":0");
  expect(json, "\"unsent\":0");
  free(json);
  psprobe_report_free(report);
}

/* A CSV of it says the same: the export and what is read from that are one. */
static void test_csv(void **state) {
  psprobe_report *report = report_of(state), *again = NULL;
  char *csv = psprobe_report_csv(report);
  const char *path = scratch_file(state, "r.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(csv, file) >= 0);
  assert_int_equal(fclose(file), 0);
  expect(csv, ",interrupted,");
  expect(csv, ",uncertain,");
  psprobe_error error = {0};
  if (psprobe_report_read(path, NULL, &again, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  char *csv_again = psprobe_report_csv(again);
  assert_string_equal(csv_again, csv);
  free(csv_again);
  free(csv);
  psprobe_report_free(again);
  psprobe_report_free(report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_text), TEST(test_json), TEST(test_csv)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
