/* SPDX-License-Identifier: MIT */
/** @file A results file goes round whole: written as JSON lines, what is read of these is written
 * the same and has the same figures, as has the file's CSV. Of files that a prober's own calls
 * made: deliveries, facts, settings, runs that were interrupted, others with other sources.
 */
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
#include "results/store/store.h"
#include "scratch.h"
#include "stats/rng.h"

#define FILES  15
#define PROBES 12

static psp_rng random_state;

static uint64_t below(uint64_t limit) {
  return psp_rng_below(&random_state, limit);
}

static psprobe_answer any_answer(void) {
  psprobe_answer answer = {.status = below(5) == 0 ? PSPROBE_LATE : PSPROBE_ANSWERED,
                           .elapsed_ns = (int64_t)below(90000000),
                           .handled_ns = below(2) == 0 ? -1 : (int64_t)below(1000000),
                           .cold = below(4) == 0,
                           .received_wall_ns = SCRATCH_SENT_NS};
  psprobe_facts *f = &answer.facts;
  if (below(3) == 0) return answer;
  snprintf(f->instance, sizeof f->instance, "i%u", (unsigned)below(3));
  f->invocation = (uint32_t)below(5);
  f->delivery_attempt = (uint32_t)below(3);
  f->published_wall_ns = SCRATCH_SENT_NS + (int64_t)below(1000);
  for (size_t t = 0; t < PSPROBE_STAMPS; t++)
    f->exchange_wall_ns[t] = SCRATCH_SENT_NS + (int64_t)t;
  return answer;
}

/* A probe that is sent, and what comes of it: nothing, an answer, the same again and again. */
static void keep_probe(psprobe_store *store, const psprobe_run *run, uint64_t number) {
  psprobe_arrival arrivals[4 * PSPROBE_MAX_SOURCES];
  psprobe_planned planned = {.intended_wall_ns = SCRATCH_SENT_NS + (int64_t)number * 1000000};
  psprobe_sent sent = {.sent_wall_ns = planned.intended_wall_ns + 5, .lateness_ns = 5};
  psprobe_news news = {.planned = &planned, .planned_count = 1, .arrivals = arrivals};
  scratch_id(planned.id, number);
  memcpy(sent.id, planned.id, sizeof sent.id);
  planned.cadence = sent.cadence = (psprobe_cadence)(below(5) == 0);
  if (below(6) > 0)
    news = (psprobe_news){.planned = &planned,
                          .planned_count = 1,
                          .sent = &sent,
                          .sent_count = 1,
                          .arrivals = arrivals};
  for (size_t k = 0; k < run->source_count && news.sent_count > 0; k++) {
    uint64_t deliveries = below(4);
    for (uint32_t d = 1; d <= deliveries; d++)
      arrivals[news.arrival_count++] =
          (psprobe_arrival){.sent = sent, .source = k, .delivery = d, .answer = any_answer()};
  }
  assert_int_equal(psp_store_keep(store, run->id, &news, NULL), PSPROBE_OK);
}

static void keep_run(psprobe_store *store, uint64_t number, bool one_source) {
  psprobe_run run = scratch_run(number);
  run.started_wall_ns += (int64_t)number;
  run.region = below(2) == 0 ? "europe-west1" : NULL;
  run.clock = "chrony, 12 us";
  run.settings = below(2) == 0
                     ? NULL
                     : "{\"untaken\":{\"requests\":3,\"in_doubt\":{\"cloud_function\":2}},"
                       "\"filler_ns\":5000000}";
  if (one_source) run.source_count = 1;
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (uint64_t i = 0; i < PROBES; i++)
    keep_probe(store, &run, number * 100 + i);
  psprobe_ending ending = (psprobe_ending)(1 + below(3));
  assert_int_equal(psprobe_store_end_run(store, run.id, SCRATCH_SENT_NS + 99, ending, NULL),
                   PSPROBE_OK);
}

static bool put(void *arg, const char *text, size_t len) {
  return fwrite(text, 1, len, arg) == len;
}

static void export_some(const char *from, const psprobe_report_options *options,
                        psprobe_report_form form, const char *to) {
  psprobe_error error = {0};
  FILE *file = fopen(to, "wb");
  assert_non_null(file);
  if (psprobe_report_export(from, options, form, put, file, &error) != PSPROBE_OK)
    fail_msg("%s: %s", from, error.message);
  assert_int_equal(fclose(file), 0);
}

static void export(const char *from, psprobe_report_form form, const char *to) {
  export_some(from, NULL, form, to);
}

static char *content(const char *path) {
  char *text = calloc(1, 1 << 20);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_non_null(text);
  assert_in_range(fread(text, 1, 1 << 20, file), 1, (1 << 20) - 1);
  fclose(file);
  return text;
}

static char *figures(const char *path) {
  psprobe_report *report = NULL;
  psprobe_error error = {0};
  if (psprobe_report_read(path, NULL, &report, &error) != PSPROBE_OK)
    fail_msg("%s: %s", path, error.message);
  char *json = psprobe_report_json(report);
  psprobe_report_free(report);
  return json;
}

static void expect_same(char *a, char *b) {
  assert_string_equal(a, b);
  free(a);
  free(b);
}

static void test_any_file(void **state) {
  char db[SCRATCH_SIZE + 8], csv[SCRATCH_SIZE + 8], lines[SCRATCH_SIZE + 8],
      again[SCRATCH_SIZE + 8];
  size_t further = 0;
  psp_rng_seed(&random_state, 20261202);
  for (int i = 0; i < FILES; i++) {
    snprintf(db, sizeof db, "%s/%d.db", (const char *)*state, i);
    snprintf(csv, sizeof csv, "%s/csv", (const char *)*state);
    snprintf(lines, sizeof lines, "%s/lines", (const char *)*state);
    snprintf(again, sizeof again, "%s/again", (const char *)*state);
    psprobe_store *store = scratch_store(db, false);
    for (uint64_t r = 0; r < 1 + below(3); r++)
      keep_run(store, 1 + r, r == 0 && i % 3 == 0);
    psprobe_store_free(store);
    export(db, PSPROBE_REPORT_CSV, csv);
    export(db, PSPROBE_REPORT_JSON_LINES, lines);
    export(lines, PSPROBE_REPORT_JSON_LINES, again);
    expect_same(content(lines), content(again));
    export(lines, PSPROBE_REPORT_CSV, again);
    expect_same(content(csv), content(again));
    expect_same(figures(db), figures(lines));
    expect_same(figures(db), figures(csv));
    char *text = content(lines);
    for (const char *at = text; (at = strstr(at, "\"delivery\":3")) != NULL; at++)
      further++;
    free(text);
  }
  assert_in_range(further, FILES, FILES * PROBES * 6);
}

/* Some sources, in another order: the rows that a report of these has, from a file and from lines,
 * and of each further delivery of theirs. */
static void test_sources(void **state) {
  static const char *const asked[] = {PSPROBE_REGULAR_SERVICE, PSPROBE_CLOUD_FUNCTION};
  char db[SCRATCH_SIZE + 8], lines[SCRATCH_SIZE + 8], some[SCRATCH_SIZE + 8];
  psp_rng_seed(&random_state, 20261203);
  snprintf(lines, sizeof lines, "%s/lines", (const char *)*state);
  snprintf(some, sizeof some, "%s/some", (const char *)*state);
  for (size_t count = 1; count <= 2; count++) {
    const psprobe_report_options options = {.sources = asked, .source_count = count, .rows = true};
    psprobe_report *report = NULL;
    snprintf(db, sizeof db, "%s/%d.db", (const char *)*state, (int)count);
    psprobe_store *store = scratch_store(db, false);
    keep_run(store, 1, true);
    keep_run(store, 2, false);
    keep_run(store, 3, false);
    psprobe_store_free(store);
    assert_int_equal(psprobe_report_read(db, &options, &report, NULL), PSPROBE_OK);
    export(db, PSPROBE_REPORT_JSON_LINES, lines);
    export_some(db, &options, PSPROBE_REPORT_CSV, some);
    expect_same(content(some), psprobe_report_csv(report));
    export_some(lines, &options, PSPROBE_REPORT_CSV, some);
    expect_same(content(some), psprobe_report_csv(report));
    export_some(db, &options, PSPROBE_REPORT_JSON_LINES, some);
    expect_same(figures(some), psprobe_report_json(report));
    char *text = content(some);
    assert_non_null(strstr(text, "\"delivery\":3"));
    assert_int_equal(strstr(text, "\"" PSPROBE_CLOUD_FUNCTION "\":{") != NULL, count == 2);
    free(text);
    psprobe_report_free(report);
  }
  static const char *const none[] = {PSPROBE_CLOUD_FUNCTION, "nobody"};
  const psprobe_report_options wrong = {.sources = none, .source_count = 2};
  psprobe_error error = {0};
  for (int form = 0; form < 2; form++)
    assert_int_equal(psprobe_report_export(form == 0 ? db : lines, &wrong,
                                           (psprobe_report_form)form, put, stderr, &error),
                     PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "no source 'nobody'"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_any_file, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_sources, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
