/* SPDX-License-Identifier: MIT */
/** @file Every form of a report that sums its probes up, beside that of the probes themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "report/report.h"
#include "scratch.h"
#include "stats/rng.h"

#define PROBES 6000

typedef struct both {
  psprobe_store *store;
  psprobe_report *whole, *summed;
} both;

static both read_both(void **state) {
  static psprobe_finished batch[500];
  both b = {.store = scratch_begin(state, 1)};
  psprobe_run run = scratch_run(1);
  psp_digested digested = {0};
  psprobe_error error = {0};
  psp_rng rng;
  psp_rng_seed(&rng, 7);
  for (uint64_t done = 0; done < PROBES; done += 500) {
    for (uint64_t i = 0; i < 500; i++) {
      batch[i] = scratch_finished(done + i);
      batch[i].result.answers[0].elapsed_ns += (int64_t)psp_rng_below(&rng, 40000000);
      batch[i].result.answers[1].elapsed_ns += (int64_t)psp_rng_below(&rng, 30000000);
    }
    assert_int_equal(psprobe_store_add(b.store, run.id, batch, 500, &error), PSPROBE_OK);
  }
  const psp_digesting what = {.store = b.store};
  assert_int_equal(psprobe_report_load(b.store, NULL, &b.whole, &error), PSPROBE_OK);
  assert_int_equal(psp_digested_read(&digested, &what, &error), PSPROBE_OK);
  assert_int_equal(psp_report_of_digests(&digested, &b.summed, &error), PSPROBE_OK);
  psp_digested_free(&digested);
  return b;
}

static void free_both(both *b) {
  psprobe_report_free(b->whole);
  psprobe_report_free(b->summed);
  psprobe_store_free(b->store);
}

static psp_json *figures(const psprobe_report *report) {
  psp_json *json = NULL;
  char *text = psprobe_report_json(report);
  assert_non_null(text);
  assert_int_equal(psp_json_parse(text, strlen(text), "figures", &json, NULL), PSPROBE_OK);
  free(text);
  return json;
}

static const psp_json *source(const psp_json *json, const char *name) {
  return psp_json_get(psp_json_get(json, "sources"), name);
}

static int64_t number(const psp_json *object, const char *key) {
  int64_t value = 0;
  if (!psp_json_int64(psp_json_get(object, key), &value)) fail_msg("%s is no number", key);
  return value;
}

static void test_json(void **state) {
  static const char *const exact[] = {"sent", "answered", "lost", "min_ns", "max_ns"};
  static const char *const near[] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns"};
  both b = read_both(state);
  psp_json *whole = figures(b.whole), *summed = figures(b.summed);
  const psp_json *want = source(whole, "cloud_function"), *got = source(summed, "cloud_function");
  for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
    assert_int_equal(number(got, exact[i]), number(want, exact[i]));
  for (size_t i = 0; i < sizeof near / sizeof *near; i++)
    assert_true(llabs(number(got, near[i]) - number(want, near[i])) <=
                number(want, near[i]) / 1000);
  /* What is not looked at is null, not 0. */
  const psp_json *pair = psp_json_first(psp_json_get(summed, "pairs"));
  assert_true(psp_json_is_null(psp_json_get(got, "legs")));
  assert_true(psp_json_is_null(psp_json_get(summed, "rates")));
  assert_true(psp_json_is_null(psp_json_get(pair, "hodges_lehmann_ns")));
  assert_true(psp_json_is_null(psp_json_get(pair, "wilcoxon_p")));
  assert_true(psp_json_is_null(psp_json_get(pair, "lag1")));
  assert_true(psp_json_is_null(psp_json_get(pair, "a_slow_common_share")));
  bool is = false;
  assert_true(psp_json_bool(psp_json_get(summed, "summed_up"), &is) && is);
  assert_true(psp_json_bool(psp_json_get(whole, "summed_up"), &is) && !is);
  psp_json_free(whole);
  psp_json_free(summed);
  free_both(&b);
}

static void holds(char *text, const char *what) {
  assert_non_null(text);
  if (strstr(text, what) == NULL) fail_msg("there is no \"%s\" in %s", what, text);
  free(text);
}

static void test_words(void **state) {
  both b = read_both(state);
  assert_int_equal(psprobe_report_count(b.summed), PROBES);
  assert_non_null(strstr(psprobe_report_sentence(b.summed),
                         "regular_service answers faster than cloud_function: by "));
  const psprobe_text_options wide = {.width = 1000};
  holds(psprobe_report_text(b.summed, &wide), "6,000 probes are summed up in histograms");
  holds(psprobe_report_markdown(b.summed), "_function | 6000 | 6000 |");
  holds(psprobe_report_html(b.summed), "6000 in 1 run");
  assert_null(psprobe_report_csv(b.summed));
  free_both(&b);
}

/* The strips of bars are those of all probes, not of the few that are held. */
static void test_bars(void **state) {
  both b = read_both(state);
  const psprobe_text_options plain = {.width = 100, .ascii = true};
  char *whole = psprobe_report_text(b.whole, &plain),
       *summed = psprobe_report_text(b.summed, &plain);
  const char *strip = strstr(whole, "\n\ncloud_function");
  assert_non_null(strip);
  const char *end = strchr(strip + 2, '\n');
  char *line = strndup(strip, (size_t)(end - strip));
  if (strstr(summed, line) == NULL) fail_msg("no %s in %s", line, summed);
  free(line);
  free(whole);
  free(summed);
  free_both(&b);
}

static void test_before_and_after(void **state) {
  both b = read_both(state);
  char *text = NULL;
  assert_int_equal(psprobe_report_before_after(b.whole, b.summed, NULL, &text, NULL), PSPROBE_OK);
  holds(text, "no change that these runs can tell");
  free_both(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_json, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_words, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_bars, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_before_and_after, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
