/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "report/report.h"
#include "scratch.h"

static psprobe_report *load(psprobe_store *store, const psprobe_filter *filter) {
  psprobe_report *report = NULL;
  psprobe_error error = {0};
  if (psprobe_report_load(store, filter, &report, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return report;
}

/* Five probes: all kinds of answers. Differences (a - b) of the pairs: 10, -5, 0 ms. */
static psprobe_store *five(const char *path) {
  static const int64_t ms = 1000000;
  static const psprobe_answer answers[5][2] = {
      {{.status = PSPROBE_ANSWERED, .elapsed_ns = 60 * ms},
       {.status = PSPROBE_ANSWERED, .elapsed_ns = 50 * ms}},
      {{.status = PSPROBE_ANSWERED, .elapsed_ns = 45 * ms, .cold = true},
       {.status = PSPROBE_ANSWERED, .elapsed_ns = 50 * ms, .duplicates = 2}},
      {{.status = PSPROBE_LOST}, {.status = PSPROBE_ANSWERED, .elapsed_ns = 52 * ms}},
      {{.status = PSPROBE_LATE, .elapsed_ns = 31000 * ms},
       {.status = PSPROBE_LATE, .elapsed_ns = 31000 * ms}},
      {{.status = PSPROBE_LOST}, {.status = PSPROBE_LOST}},
  };
  psprobe_store *store = scratch_store(path, false);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (size_t i = 0; i < 5; i++) {
    psprobe_finished finished = scratch_finished(i);
    memcpy(finished.result.answers, answers[i], sizeof answers[i]);
    assert_int_equal(psprobe_store_add(store, run.id, &finished, 1, NULL), PSPROBE_OK);
  }
  return store;
}

/* Words of a line, without the blanks between. */
static size_t words_of(const char *line, char words[20][32]) {
  size_t count = 0;
  for (int used; sscanf(line, " %31[^ \n]%n", words[count], &used) == 1; line += used) {
    count++;
    if (line[used] == '\n') break;
  }
  return count;
}

static void expect_words(const char *line, const char *const *want, size_t count) {
  char words[20][32];
  assert_int_equal(words_of(line, words), count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(words[i], want[i]);
}

static void test_table(void **state) {
  psprobe_store *store = five(scratch_file(state, "r.db"));
  psprobe_report *report = load(store, NULL);
  assert_int_equal(psprobe_report_count(report), 5);
  char *table = psprobe_report_table(report);
  static const char *const head[] = {"source",    "sent",  "answered", "late", "lost",
                                     "duplicate", "cold",  "min",      "p50",  "p90",
                                     "p99",       "p99.9", "max"};
  /* Of 45, 60 and 31,000 ms; nearest ranks. */
  static const char *const function[] = {
      "cloud_function", "5", "2",    "1", "2",    "0", "1",    "45.0", "ms", "60.0", "ms",
      "31.0",           "s", "31.0", "s", "31.0", "s", "31.0", "s"};
  static const char *const service[] = {"regular_service",
                                        "5",
                                        "3",
                                        "1",
                                        "1",
                                        "2",
                                        "0",
                                        "50.0",
                                        "ms",
                                        "50.0",
                                        "ms",
                                        "31.0",
                                        "s",
                                        "31.0",
                                        "s",
                                        "31.0",
                                        "s",
                                        "31.0",
                                        "s"};
  expect_words(table, head, 13);
  const char *second = strchr(table, '\n') + 1, *third = strchr(second, '\n') + 1;
  expect_words(second, function, 19);
  expect_words(third, service, 19);
  /* Columns stand below each other: the three lines are as long. */
  assert_int_equal(second - table, third - second);
  for (char *at = table; *at != '\0'; at++) /* however the lines are broken */
    if (*at == '\n') *at = ' ';
  assert_non_null(strstr(third,
                         "cloud_function - regular_service: paired difference 0 ns at the "
                         "median of 3; first: cloud_function 1, regular_service 1, ties 1."));
  free(table);
  psprobe_report_free(report);
  psprobe_store_free(store);
}

static const psp_json *at(const psp_json *json, const char *key) {
  const psp_json *member = psp_json_get(json, key);
  if (member == NULL) fail_msg("there is no %s", key);
  return member;
}

static int64_t number(const psp_json *json, const char *key) {
  int64_t value = 0;
  if (!psp_json_int64(at(json, key), &value)) fail_msg("%s is no integer", key);
  return value;
}

static psp_json *json_of(const psprobe_report *report) {
  char *text = psprobe_report_json(report);
  psp_json *json = NULL;
  psprobe_error error = {0};
  assert_non_null(text);
  if (psp_json_parse(text, strlen(text), "report", &json, &error) != PSPROBE_OK)
    fail_msg("%s in %s", error.message, text);
  assert_null(strstr(text, "NaN"));
  assert_null(strstr(text, "Infinity"));
  assert_int_equal(text[strlen(text) - 1], '\n');
  assert_int_equal(text[strlen(text) - 2], '}');
  free(text);
  return json;
}

/* An interval is two numbers, or null where the data cannot say. */
static void expect_interval(const psp_json *json, const char *key) {
  const psp_json *low = psp_json_first(at(json, key)), *high = psp_json_next(low);
  assert_int_equal(psp_json_count(at(json, key)), 2);
  assert_true(psp_json_is_null(low) || psp_json_is_number(low));
  assert_true(psp_json_is_null(high) || psp_json_is_number(high));
}

static void test_json(void **state) {
  psprobe_store *store = five(scratch_file(state, "r.db"));
  psprobe_report *report = load(store, NULL);
  psp_json *json = json_of(report);
  assert_int_equal(number(json, "schema"), 1);
  assert_string_equal(psp_json_string(at(json, "sentence")), psprobe_report_sentence(report));
  const psp_json *run = psp_json_first(at(json, "runs"));
  psprobe_run want = scratch_run(1);
  assert_string_equal(psp_json_string(at(run, "id")), want.id);
  assert_string_equal(psp_json_string(at(run, "project")), "demo-p");
  assert_true(psp_json_is_null(at(run, "ended")));
  const psp_json *source = at(at(json, "sources"), "cloud_function");
  static const struct {
    const char *key;
    int64_t value;
  } figures[] = {
      {"sent", 5},
      {"answered", 2},
      {"late", 1},
      {"lost", 2},
      {"duplicates", 0},
      {"cold", 1},
      {"min_ns", 45000000},
      {"p50_ns", 60000000},
      {"p90_ns", 31000000000},
      {"p99_ns", 31000000000},
      {"p999_ns", 31000000000},
      {"max_ns", 31000000000},
  };
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
    assert_int_equal(number(source, figures[i].key), figures[i].value);
  expect_interval(source, "p50_ci_ns");
  assert_int_equal(number(at(at(json, "sources"), "regular_service"), "duplicates"), 2);
  const psp_json *pair = psp_json_first(at(json, "pairs"));
  assert_int_equal(psp_json_count(at(json, "pairs")), 1);
  assert_string_equal(psp_json_string(at(pair, "a")), "cloud_function");
  assert_string_equal(psp_json_string(at(pair, "b")), "regular_service");
  assert_int_equal(number(pair, "n"), 3);
  assert_int_equal(number(pair, "median_ns"), 0);
  expect_interval(pair, "median_ci_ns");
  expect_interval(pair, "a_first_ci");
  assert_true(psp_json_is_number(at(pair, "hodges_lehmann_ns")));
  assert_true(psp_json_is_number(at(pair, "wilcoxon_p")));
  double share = -1;
  assert_true(psp_json_double(at(pair, "a_first_share"), &share));
  assert_true(share == 0.5);
  assert_string_equal(psp_json_string(at(pair, "outcome")), "undecided");
  assert_true(psp_json_is_null(at(pair, "more_probes")) ||
              psp_json_is_number(at(pair, "more_probes")));
  psp_json_free(json);
  psprobe_report_free(report);
  psprobe_store_free(store);
}

static void test_runs_and_filters(void **state) {
  const char *path = scratch_file(state, "r.db");
  psprobe_store *store = five(path);
  psprobe_error error = {0};
  psprobe_report *report = NULL;
  psprobe_run other = scratch_run(2);
  other.source_count = 3;
  other.sources[2] = "warm";
  assert_int_equal(psprobe_store_begin_run(store, &other, NULL), PSPROBE_OK);
  for (uint64_t i = 10; i < 17; i++) {
    psprobe_finished finished = scratch_finished(i);
    finished.result.source_count = 3;
    finished.result.answers[2] = finished.result.answers[0];
    assert_int_equal(psprobe_store_add(store, other.id, &finished, 1, NULL), PSPROBE_OK);
  }
  /* Sources are those of the newest run; what has others is left out, and that is said. */
  report = load(store, NULL);
  assert_int_equal(psprobe_report_count(report), 7);
  char *table = psprobe_report_table(report);
  assert_non_null(strstr(table, "5 probes of runs with other sources are left out"));
  free(table);
  psprobe_report_free(report);
  psprobe_run first = scratch_run(1);
  psprobe_filter filter = {.run = first.id};
  report = load(store, &filter);
  assert_int_equal(psprobe_report_count(report), 5);
  psprobe_report_free(report);
  filter = (psprobe_filter){.since_wall_ns = SCRATCH_SENT_NS + 12 * INT64_C(5000000000)};
  report = load(store, &filter);
  assert_int_equal(psprobe_report_count(report), 5);
  psprobe_report_free(report);
  filter = (psprobe_filter){.run = "fff"};
  report = NULL;
  assert_int_equal(psprobe_report_load(store, &filter, &report, &error), PSPROBE_NOT_FOUND);
  assert_null(report);
  psprobe_store_free(store);
}

/* A report of made-up probes, so that names can be what no run of ours would let them be. */
static psprobe_report *made(const char *const *names, size_t sources, size_t probes,
                            psprobe_status status) {
  psp_columns columns = {0};
  psprobe_run run = scratch_run(1);
  psprobe_report *report = NULL;
  psp_columns_set_sources(&columns, names, sources);
  uint32_t index = psp_columns_add_run(&columns, &run);
  for (uint64_t i = 0; i < probes; i++) {
    psprobe_result result = scratch_finished(i).result;
    result.source_count = sources;
    for (size_t k = 0; k < sources; k++)
      result.answers[k].status = status;
    psp_columns_add(&columns, index, &result, 0);
  }
  assert_int_equal(psp_report_new(&columns, &report, NULL), PSPROBE_OK);
  return report;
}

static void test_few_probes_and_sources(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b", "c"};
  for (size_t sources = 0; sources <= 3; sources++)
    for (size_t probes = 0; probes < 4; probes++)
      for (int status = PSPROBE_LOST; status <= PSPROBE_LATE; status++) {
        psprobe_report *report =
            made(names, sources, sources == 0 ? 0 : probes, (psprobe_status)status);
        psp_json *json = json_of(report);
        assert_int_equal(psp_json_count(at(json, "sources")), sources);
        assert_int_equal(psp_json_count(at(json, "pairs")),
                         sources * (sources - (sources > 0)) / 2);
        assert_true(strlen(psprobe_report_sentence(report)) > 0);
        psp_json_free(json);
        char *texts[] = {psprobe_report_table(report), psprobe_report_csv(report),
                         psprobe_report_html(report)};
        for (size_t i = 0; i < 3; i++) {
          assert_non_null(texts[i]);
          assert_null(strstr(texts[i], "nan ns"));
          free(texts[i]);
        }
        psprobe_report_free(report);
      }
}

/* Figures of what never answered are missing, not 0. */
static void test_all_lost(void **state) {
  (void)state;
  static const char *const names[] = {"a"};
  static const char *const keys[] = {"min_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"};
  psprobe_report *report = made(names, 1, 3, PSPROBE_LOST);
  psp_json *json = json_of(report);
  const psp_json *source = at(at(json, "sources"), "a");
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    assert_true(psp_json_is_null(at(source, keys[i])));
  assert_int_equal(number(source, "lost"), 3);
  psp_json_free(json);
  psprobe_report_free(report);
}

static void test_names_that_inject(void **state) {
  (void)state;
  static const char *const names[] = {"</script><script>alert(1)</script>", "\"},\"x\":{\"",
                                      "a\\,b\n"};
  psprobe_report *report = made(names, 3, 5, PSPROBE_ANSWERED);
  psp_json *json = json_of(report);
  const psp_json *sources = at(json, "sources");
  assert_int_equal(psp_json_count(sources), 3);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(number(at(sources, names[i]), "sent"), 5);
  psp_json_free(json);
  char *html = psprobe_report_html(report);
  assert_null(strstr(html, "<script>alert(1)"));
  free(html);
  psprobe_report_free(report);
}

/* Of four probes one was never published: nobody has lost it. One whose publish call failed was
 * answered all the same, so it went out. */
static void test_unsent(void **state) {
  static const struct {
    int64_t publish_ns;
    psprobe_status a, b;
  } rows[] = {{1, PSPROBE_ANSWERED, PSPROBE_ANSWERED},
              {1, PSPROBE_LOST, PSPROBE_LOST},
              {-1, PSPROBE_LOST, PSPROBE_LOST},
              {-1, PSPROBE_LOST, PSPROBE_ANSWERED}};
  psprobe_store *store = scratch_store(scratch_file(state, "unsent.db"), false);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (size_t i = 0; i < 4; i++) {
    psprobe_finished finished = scratch_finished(i);
    finished.result.publish_ns = rows[i].publish_ns;
    finished.result.answers[0].status = rows[i].a;
    finished.result.answers[1].status = rows[i].b;
    assert_int_equal(psprobe_store_add(store, run.id, &finished, 1, NULL), PSPROBE_OK);
  }
  psprobe_report *report = load(store, NULL);
  psp_json *json = json_of(report);
  assert_int_equal(number(json, "unsent"), 1);
  const psp_json *a = at(at(json, "sources"), run.sources[0]);
  const psp_json *b = at(at(json, "sources"), run.sources[1]);
  assert_int_equal(number(a, "sent"), 3);
  assert_int_equal(number(a, "answered"), 1);
  assert_int_equal(number(a, "lost"), 2);
  assert_int_equal(number(b, "sent"), 3);
  assert_int_equal(number(b, "lost"), 1);
  const psp_json *pair = psp_json_first(at(json, "pairs"));
  assert_int_equal(number(pair, "both_lost"), 1);
  assert_int_equal(number(pair, "only_a_lost"), 1);
  psp_json_free(json);
  char *text = psprobe_report_text(report, NULL);
  assert_non_null(strstr(text, "1 probe could not be published"));
  free(text);
  text = psprobe_report_markdown(report);
  assert_non_null(strstr(text, ": paired difference "));
  assert_non_null(strstr(text, " at the median of 1; first: "));
  free(text);
  assert_int_equal(psprobe_report_count(report), 4);
  psprobe_report_free(report);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_table),
      TEST(test_json),
      TEST(test_unsent),
      TEST(test_runs_and_filters),
      cmocka_unit_test(test_few_probes_and_sources),
      cmocka_unit_test(test_all_lost),
      cmocka_unit_test(test_names_that_inject),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
