/* SPDX-License-Identifier: MIT */
/** @file Export and import are inverse: what 10,000 random tables come to as JSON is the same when
 * they went through CSV, and the CSV is the same when it is written again. In memory: what a file
 * adds is test_open's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "results/columns/import.h"
#include "scratch.h"
#include "stats/rng.h"

#define TABLES 10000

static psp_rng random_state;

static uint64_t below(uint64_t limit) {
  return psp_rng_below(&random_state, limit);
}

/* Small, usual, and what no clock has measured. */
static int64_t any_ns(void) {
  static const int64_t odd[] = {0, 1, -1, INT64_MAX, INT64_MIN, 999999999, -5000000000};
  if (below(8) == 0) return odd[below(sizeof odd / sizeof *odd)];
  return (int64_t)below(UINT64_C(90000000000));
}

/* Names that mean something in a head, and some that only look odd. */
static size_t any_sources(const char *names[PSPROBE_MAX_SOURCES]) {
  static const char *const all[] = {"cloud_function",
                                    "cloud_func",
                                    "regular_service",
                                    "reg_service",
                                    "a",
                                    "a_status",
                                    "a_response_time",
                                    "a_status_response_time",
                                    "a_handled_ns",
                                    "probe_sent",
                                    "run_id",
                                    "publish_ns",
                                    "lateness",
                                    "a,b",
                                    "q\"q",
                                    "\xE6\x97\xA5"};
  size_t count = 1 + below(4), start = below(16);
  for (size_t i = 0; i < count; i++)
    names[i] = all[(start + i * 5) % 16]; /* five and sixteen have no common divisor */
  return count;
}

/* Some of them, and none; each may be missing alone. */
static psprobe_facts any_facts(void) {
  psprobe_facts f = {0};
  if (below(2) == 0) return f;
  if (below(4) > 0) snprintf(f.instance, sizeof f.instance, "i-%u", (unsigned)below(5));
  f.invocation = (uint32_t)below(3);
  f.delivery_attempt = (uint32_t)(below(2) * UINT32_MAX);
  int64_t *const numbers[] = {&f.age_ns, &f.ready_ns, &f.published_wall_ns, &f.arrived_wall_ns,
                              &f.sent_wall_ns};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    *numbers[i] = below(3) == 0 ? any_ns() : 0;
  for (size_t i = 0; i < PSPROBE_STAMPS; i++)
    f.exchange_wall_ns[i] = any_ns();
  return f;
}

static psprobe_result any_result(size_t sources, uint64_t number) {
  psprobe_result result = {.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number * 1000000007,
                           .lateness_ns = any_ns(),
                           .publish_ns = below(5) == 0 ? -1 : any_ns(),
                           .source_count = sources,
                           .cadence = (psprobe_cadence)(below(4) == 0)};
  scratch_id(result.id, number);
  if (below(9) == 0) result.sent_wall_ns = any_ns();
  for (size_t k = 0; k < sources; k++)
    result.answers[k] = (psprobe_answer){.status = (psprobe_status)below(5),
                                         .elapsed_ns = any_ns(),
                                         .duplicates = (uint32_t)(below(3) * below(UINT32_MAX)),
                                         .cold = below(2) == 1,
                                         .handled_ns = below(3) == 0 ? -1 : any_ns(),
                                         .received_wall_ns = below(2) == 0 ? 0 : any_ns(),
                                         .facts = any_facts()};
  return result;
}

static void any_table(psp_columns *c) {
  const char *names[PSPROBE_MAX_SOURCES];
  size_t sources = any_sources(names), runs = 1 + below(3), rows = below(12);
  *c = (psp_columns){0};
  psp_columns_set_sources(c, names, sources);
  for (size_t r = 0; r < runs; r++) {
    psprobe_run run = {.project = NULL};
    scratch_id(run.id, 1000 + r);
    uint32_t index = psp_columns_add_run(c, &run);
    for (size_t i = 0; i < rows + 1; i++) {
      psprobe_result result = any_result(sources, r * 100 + i);
      if (i == 0) result.cadence = PSPROBE_CADENCE_STEADY; /* runs are read in this order */
      psp_columns_add(c, index, &result, any_ns());
    }
  }
}

static char *json_of(psp_columns *columns) {
  psprobe_report *report = NULL;
  assert_int_equal(psp_report_new(columns, &report, NULL), PSPROBE_OK);
  char *json = psprobe_report_json(report);
  psprobe_report_free(report);
  return json;
}

static void read_back(const char *csv, psp_columns *columns) {
  psprobe_error error = {0};
  psp_import import = {.columns = columns, .what = "the CSV"};
  *columns = (psp_columns){0};
  if (psp_import_csv(&import, csv, strlen(csv), &error) != PSPROBE_OK)
    fail_msg("%s\n%s", error.message, csv);
}

static void expect_same(const char *a, const char *b, const char *csv) {
  if (strcmp(a, b) != 0) fail_msg("before:\n%s\nafter:\n%s\nCSV:\n%s", a, b, csv);
}

/* The figures take far longer than the tables: of every tenth, and of all in `make soak`. */
static void test_any_table(void **state) {
  (void)state;
  const int every = getenv("PSPROBE_EVERY_TABLE") != NULL ? 1 : 10;
  psp_rng_seed(&random_state, 20261130);
  for (int i = 0; i < TABLES; i++) {
    psp_columns before, after;
    any_table(&before);
    char *csv = psp_columns_csv(&before);
    assert_non_null(csv);
    read_back(csv, &after);
    char *again = psp_columns_csv(&after);
    expect_same(csv, again, csv);
    if (i % every == 0) {
      char *one = json_of(&before), *other = json_of(&after);
      expect_same(one, other, csv);
      free(one);
      free(other);
    }
    psp_columns_free(&before);
    psp_columns_free(&after);
    free(csv);
    free(again);
  }
}

/* What was never told of publishing is not told to have failed. */
static void test_publishing_unknown(void **state) {
  (void)state;
  static const char text[] =
      "{\"arbitrary_message_id\":\"a\",\"probe_sent\":\"2026-11-24T10:00:00Z\","
      "\"x_response_time\":null}\n"
      "{\"arbitrary_message_id\":\"b\",\"probe_sent\":\"2026-11-24T10:00:00Z\","
      "\"x_response_time\":null,\"publish_ns\":null}\n"
      "{\"arbitrary_message_id\":\"c\",\"probe_sent\":\"2026-11-24T10:00:00Z\","
      "\"x_response_time\":null,\"publish_ns\":5}\n";
  psp_columns before = {0}, after;
  psp_import import = {.columns = &before, .what = "x"};
  assert_int_equal(psp_import_json(&import, text, strlen(text), NULL), PSPROBE_OK);
  char *csv = psp_columns_csv(&before);
  read_back(csv, &after);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(before.publish_ns[i], after.publish_ns[i]);
    assert_int_equal(before.unsent[i], after.unsent[i]);
  }
  assert_int_equal(after.publish_ns[0], PSP_PUBLISH_UNKNOWN);
  psp_columns_free(&before);
  psp_columns_free(&after);
  free(csv);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_table),
      cmocka_unit_test(test_publishing_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
