/* SPDX-License-Identifier: MIT */
/** @file Export and import are inverse: what 10,000 random results come to as JSON is the same when
 * they went through CSV or JSON lines, and these are the same when they are written again. In
 * memory: what a file adds is test_open's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"
#include "results/columns/export.h"
#include "results/columns/import.h"
#include "results/untaken.h"
#include "scratch.h"
#include "stats/rng.h"

#define TABLES 10000
#define FORMS  2

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

/* What a prober could not take, and what it may have lost by that, among settings of all kinds. */
static char *any_settings(const char *const *names, size_t sources) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_untaken untaken = {.connections = {.untaken = below(9), .refused = below(9)}};
  for (size_t k = 0; k < sources; k++)
    untaken.in_doubt[k] = below(5);
  psp_json_begin_object(&w);
  if (below(2) == 0) psp_json_put_member(&w, "odd \"key\",\n", "a\r\nb, \"c\"");
  if (below(2) == 0) psp_json_put_int64_member(&w, "cold_every_ns", any_ns());
  if (below(2) == 0) psp_untaken_put(&w, &untaken, names, sources);
  psp_json_end_object(&w);
  return psp_buf_take(&out, NULL);
}

/* Each of its facts may be missing alone. */
static void add_run(psp_columns *c, const char *const *names, size_t sources, size_t number) {
  static const char *const texts[] = {NULL, "", "demo-p", "a,b", "\xE6\x97\xA5 \"x\"\n", "="};
  psprobe_run run = {.ending = (psprobe_ending)below(4),
                     .resumed = (uint32_t)(below(2) * below(UINT32_MAX))};
  const char **const given[] = {&run.project, &run.topic,  &run.host,
                                &run.version, &run.region, &run.clock};
  int64_t *const numbers[] = {&run.started_wall_ns, &run.ended_wall_ns, &run.interval_ns,
                              &run.timeout_ns};
  char *settings = any_settings(names, sources);
  for (size_t i = 0; i < sizeof given / sizeof *given; i++)
    *given[i] = texts[below(6)];
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    *numbers[i] = below(3) == 0 ? 0 : any_ns();
  run.settings = below(3) == 0 ? NULL : settings;
  scratch_id(run.id, 1000 + number);
  psp_columns_add_run(c, &run);
  free(settings);
}

/* Runs come back in the order of their probes; of one run alone a probe may have been sent
 * whenever.
 */
static void any_table(psp_columns *c) {
  const char *names[PSPROBE_MAX_SOURCES];
  size_t sources = any_sources(names), runs = 1 + below(3), rows = below(12);
  *c = (psp_columns){0};
  psp_columns_set_sources(c, names, sources);
  for (size_t r = 0; r < runs; r++) {
    add_run(c, names, sources, r);
    for (size_t i = 0; i < rows + 1; i++) {
      psprobe_result result = any_result(sources, r * 100 + i);
      if (below(9) == 0 && (runs == 1 || i > 0))
        result.sent_wall_ns = runs == 1 ? any_ns() : INT64_MAX;
      psp_columns_add(c, (uint32_t)r, &result, any_ns());
    }
  }
  assert_int_equal(psp_columns_sort(c, NULL), PSPROBE_OK);
}

static char *json_of(psp_columns *columns) {
  psprobe_report *report = NULL;
  assert_int_equal(psp_report_new(columns, &report, NULL), PSPROBE_OK);
  char *json = psprobe_report_json(report);
  psprobe_report_free(report);
  return json;
}

static void read_into(psp_import *import, const char *text) {
  psprobe_error error = {0};
  psp_text in;
  psp_text_of(&in, "it", text, strlen(text));
  psprobe_code code = psp_import_text(import, &in, false, &error);
  if (code == PSPROBE_OK) code = psp_import_finish(import, &error);
  psp_import_free(import);
  if (code != PSPROBE_OK) fail_msg("%s\n%s", error.message, text);
}

static void read_back(const char *text, psp_columns *columns) {
  psp_import import = {.columns = columns, .what = "it"};
  *columns = (psp_columns){0};
  read_into(&import, text);
}

static void expect_same(const char *a, const char *b, const char *csv) {
  if (strcmp(a, b) != 0) fail_msg("before:\n%s\nafter:\n%s\nCSV:\n%s", a, b, csv);
}

/* The figures take far longer than the tables: of every twentieth, and of all in `make soak`. */
static void test_any_table(void **state) {
  (void)state;
  const int every = getenv("PSPROBE_EVERY_TABLE") != NULL ? 1 : 20;
  psp_rng_seed(&random_state, 20261130);
  for (int i = 0; i < TABLES; i++) {
    psp_columns before, after[FORMS];
    char *texts[FORMS];
    any_table(&before);
    for (int form = 0; form < FORMS; form++) {
      texts[form] = psp_columns_export(&before, (psprobe_report_form)form);
      assert_non_null(texts[form]);
      read_back(texts[form], &after[form]);
      char *again = psp_columns_export(&after[form], (psprobe_report_form)form);
      expect_same(texts[form], again, texts[form]);
      free(again);
    }
    char *json = i % every == 0 ? json_of(&before) : NULL;
    for (int form = 0; form < FORMS; form++) {
      char *other = json != NULL ? json_of(&after[form]) : NULL;
      if (json != NULL) expect_same(json, other, texts[form]);
      free(other);
      free(texts[form]);
      psp_columns_free(&after[form]);
    }
    free(json);
    psp_columns_free(&before);
  }
}

/* ---- deliveries, which no column has ---- */

/* Puts some after each answer, on the way into the export. */
static bool add_deliveries(void *arg, const psp_row *row) {
  psp_further_list further = {0};
  psp_row more = *row;
  psprobe_result other = any_result(row->result->source_count, 1);
  psp_result_bound(&other);
  for (size_t k = 0; k < row->result->source_count; k++)
    for (uint32_t d = 2; below(3) == 0; d++)
      assert_true(psp_further_add(&further, &(psp_further){k, d, other.answers[k]}));
  more.further = &further;
  bool on = psp_export_row(arg, &more);
  psp_further_free(&further);
  return on;
}

static bool keep_text(void *arg, const char *text, size_t len) {
  psp_buf_add(arg, text, len);
  return true;
}

static void test_any_deliveries(void **state) {
  (void)state;
  psp_rng_seed(&random_state, 20261201);
  for (int i = 0; i < TABLES / 10; i++) {
    psp_buf texts[2] = {{0}, {0}};
    psp_columns before, after = {0};
    psp_export out = {.form = PSPROBE_REPORT_JSON_LINES, .put = keep_text, .arg = &texts[0]};
    any_table(&before);
    psp_columns_each(&before, add_deliveries, &out);
    assert_int_equal(psp_export_end(&out, NULL), PSPROBE_OK);
    out = (psp_export){.form = PSPROBE_REPORT_JSON_LINES, .put = keep_text, .arg = &texts[1]};
    psp_import import = {.columns = &after, .what = "it", .take = psp_export_row, .arg = &out};
    read_into(&import, texts[0].data);
    assert_int_equal(psp_export_end(&out, NULL), PSPROBE_OK);
    expect_same(texts[0].data, texts[1].data, "");
    psp_buf_free(&texts[0]);
    psp_buf_free(&texts[1]);
    psp_columns_free(&before);
    psp_columns_free(&after);
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
  psp_columns before, after;
  read_back(text, &before);
  char *csv = psp_columns_export(&before, PSPROBE_REPORT_CSV);
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
      cmocka_unit_test(test_any_deliveries),
      cmocka_unit_test(test_publishing_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
