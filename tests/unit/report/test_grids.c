/* SPDX-License-Identifier: MIT */
/** @file The smaller tables: cold and warm apart, rare probes, where the time went, rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "report/legs.h"
#include "report/report.h"

#define MS     INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define START  (INT64_C(1796000000) * SECOND)
/* The responder's clock is an hour behind. */
#define BEHIND (3600 * SECOND)

static const char *const names[] = {"cloud_function", "regular_service"};

/* Sent at `at`; 18 ms to the responder, 1 ms there, 2 ms back. Its exchanges took 1 ms each way. */
static psprobe_result result_of(int64_t at, size_t number, bool cold) {
  psprobe_result r = {.sent_wall_ns = at, .publish_ns = MS, .source_count = 2};
  int64_t cold_ns = cold ? 100 * MS : 0, arrived = at + 18 * MS + cold_ns, sent = arrived + MS;
  snprintf(r.id, sizeof r.id, "%032zx", number);
  r.answers[0] =
      (psprobe_answer){.status = PSPROBE_ANSWERED,
                       .cold = cold,
                       .elapsed_ns = 21 * MS + cold_ns,
                       .handled_ns = MS,
                       .received_wall_ns = sent + 2 * MS,
                       .facts = {.instance = "rev-1",
                                 .invocation = (uint32_t)number + 1,
                                 .ready_ns = 11 * MS,
                                 .arrived_wall_ns = arrived - BEHIND,
                                 .sent_wall_ns = sent - BEHIND,
                                 .exchange_wall_ns = {at - BEHIND - 10 * MS, at - 9 * MS,
                                                      at - 9 * MS, at - BEHIND - 8 * MS}}};
  r.answers[1] = (psprobe_answer){
      .status = PSPROBE_ANSWERED, .elapsed_ns = 20 * MS + (int64_t)number, .handled_ns = -1};
  return r;
}

static uint32_t add_run(psp_columns *c, uint64_t number, int64_t interval, const char *settings) {
  psprobe_run run = {.interval_ns = interval, .settings = settings, .started_wall_ns = START};
  snprintf(run.id, sizeof run.id, "%032llx", (unsigned long long)number);
  return psp_columns_add_run(c, &run);
}

static void add_probes(psp_columns *c, uint32_t run, size_t first, size_t count,
                       psprobe_cadence cadence) {
  for (size_t i = first; i < first + count; i++) {
    psprobe_result r = result_of(START + (int64_t)i * 5 * SECOND, i, i % 10 == 0 || cadence != 0);
    r.cadence = cadence;
    if (cadence != PSPROBE_CADENCE_STEADY)
      r.answers[1] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
    psp_columns_add(c, run, &r, r.sent_wall_ns + SECOND);
  }
}

static psprobe_report *make(size_t rare, const char *settings) {
  psp_columns c = {0};
  psprobe_report *report = NULL;
  psp_columns_set_sources(&c, names, 2);
  add_probes(&c, add_run(&c, 1, 5 * SECOND, NULL), 0, 40, PSPROBE_CADENCE_STEADY);
  uint32_t second = add_run(&c, 2, 5 * SECOND, settings);
  add_probes(&c, second, 100, 40, PSPROBE_CADENCE_STEADY);
  add_probes(&c, second, 200, rare, PSPROBE_CADENCE_COLD);
  assert_int_equal(psp_report_new(&c, &report, NULL), PSPROBE_OK);
  psp_columns_free(&c);
  return report;
}

static void expect(const char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("no '%s' in\n%s", part, text);
}

static void test_all_of_them(void **state) {
  (void)state;
  psprobe_report *report = make(7, "{\"filler_ns\":1000000000,\"cold_every_ns\":1200000000000}");
  psprobe_text_options wide = {.width = 100};
  char *text = psprobe_report_text(report, &wide);
  expect(text,
         "Cold and warm apart\n"
         "source                answers      min      p50      p90      p99      max\n"
         "cloud_function  warm       72  21.0 ms  21.0 ms  21.0 ms  21.0 ms  21.0 ms\n"
         "cloud_function  cold        8   121 ms   121 ms   121 ms   121 ms   121 ms\n");
  expect(text,
         "Rare probes, on a topic of their own\n"
         "source          answers   cold     min     p50  95 % interval     max\n"
         "cloud_function        7  100 %  121 ms  121 ms              -  121 ms\n");
  expect(text, "From machine to machine\nsource          instances  ready in  answers");
  expect(text, "By the rate of the topic\nmessages  source");
  expect(text, "   0.2/s  cloud_function        40  21.0 ms");
  expect(text, "   1.2/s  regular_service       40  20.0 ms");
  free(text);
  char *html = psprobe_report_html(report);
  expect(html, "<div id=\"grids\">\n<section><h2>Cold and warm apart</h2>");
  free(html);
  char *markdown = psprobe_report_markdown(report);
  expect(markdown, "| messages | source | answers |");
  free(markdown);
  /* No figure of the others knows the rare ones. */
  assert_int_equal(psprobe_comparison_source(report->comparison, 0)->sent, 80);
  assert_int_equal(psprobe_comparison_source(report->comparison, 1)->lost, 0);
  psprobe_report_free(report);
}

static void test_too_few_rare_ones(void **state) {
  (void)state;
  psprobe_report *report = make(2, NULL);
  char *text = psprobe_report_text(report, NULL), *json = psprobe_report_json(report);
  expect(text,
         "Rare probes, on a topic of their own\n"
         "cloud_function: 2 of 6 answers are there; 4 more are needed.\n");
  expect(json, "\"needed\": 4");
  assert_null(strstr(text, "By the rate")); /* both runs have the same */
  expect(json, "\"rates\": []");
  free(text);
  free(json);
  psprobe_report_free(report);
}

/* The truth lies within the bounds: 18 ms there, 2 ms back; half of the exchange's 2 ms each way.
 */
static void test_legs_hold_the_truth(void **state) {
  (void)state;
  psprobe_report *report = make(0, NULL);
  psp_legs legs;
  assert_true(psp_legs_of(&report->columns, 0, &legs));
  assert_int_equal(legs.instances, 1);
  assert_int_equal(legs.answers, 80);
  assert_int_equal(legs.ready_ns, 11 * MS);
  assert_int_equal(legs.in_hand_ns, MS);
  assert_in_range(legs.to_arrival.low_ns, 16900000, 17 * MS);
  assert_in_range(legs.to_arrival.high_ns, 19 * MS, 19100000);
  assert_in_range(legs.to_receipt.low_ns, 900000, MS);
  assert_in_range(legs.to_receipt.high_ns, 3 * MS, 3100000);
  assert_true(psp_legs_of(&report->columns, 1, &legs)); /* it told nothing */
  assert_int_equal(legs.instances, 0);
  psprobe_report_free(report);
}

/* Without a bound there is no leg: one answer of an instance, and no exchange. */
static void test_no_leg_without_a_bound(void **state) {
  (void)state;
  psp_columns c = {0};
  psprobe_report *report = NULL;
  psp_columns_set_sources(&c, names, 2);
  uint32_t run = add_run(&c, 1, SECOND, NULL);
  psprobe_result r = result_of(START, 1, true);
  memset(r.answers[0].facts.exchange_wall_ns, 0, sizeof r.answers[0].facts.exchange_wall_ns);
  psp_columns_add(&c, run, &r, START);
  assert_int_equal(psp_report_new(&c, &report, NULL), PSPROBE_OK);
  psprobe_text_options wide = {.width = 120};
  char *text = psprobe_report_text(report, &wide), *json = psprobe_report_json(report);
  expect(text, "cloud_function          1   11.0 ms        0           -        -           -\n");
  psp_json *parsed = NULL;
  assert_int_equal(psp_json_parse(json, strlen(json), "report", &parsed, NULL), PSPROBE_OK);
  const psp_json *legs =
      psp_json_get(psp_json_get(psp_json_get(parsed, "sources"), "cloud_function"), "legs");
  assert_true(psp_json_is_null(psp_json_get(legs, "in_hand_ns")));
  assert_true(psp_json_is_null(psp_json_first(psp_json_get(legs, "to_arrival_ns"))));
  psp_json_free(parsed);
  free(text);
  free(json);
  psprobe_report_free(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_of_them),
      cmocka_unit_test(test_too_few_rare_ones),
      cmocka_unit_test(test_legs_hold_the_truth),
      cmocka_unit_test(test_no_leg_without_a_bound),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
