/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static bool keep_run(void *arg, const psprobe_run *run) {
  psprobe_run *out = arg;
  assert_string_equal(run->project, "demo-p");
  assert_string_equal(run->topic, "probes");
  assert_string_equal(run->sources[0], "cloud_function");
  assert_string_equal(run->sources[1], "regular_service");
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  assert_string_equal(run->host, run->settings == NULL ? host : "here");
  if (run->settings != NULL) assert_string_equal(run->settings, "{\"pulls\":4}");
  assert_string_equal(run->version, psprobe_version());
  if (run->settings != NULL) assert_string_equal(run->region, "europe-west1");
  if (run->settings != NULL) assert_string_equal(run->clock, "tsc, not synchronised");
  *out = *run;
  return true;
}

static void test_runs(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run run = scratch_run(1), back = {0};
  psprobe_error error = {0};
  run.host = NULL;
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_each_run(store, NULL, keep_run, &back, NULL), PSPROBE_OK);
  assert_string_equal(back.id, run.id);
  assert_int_equal(back.ended_wall_ns, 0);
  assert_int_equal(back.interval_ns, run.interval_ns);
  assert_int_equal(back.timeout_ns, run.timeout_ns);
  assert_int_equal(back.started_wall_ns, run.started_wall_ns);
  assert_int_equal(psprobe_store_end_run(store, run.id, 12345, PSPROBE_ENDING_STOPPED, NULL),
                   PSPROBE_OK);
  assert_int_equal(psprobe_store_each_run(store, NULL, keep_run, &back, NULL), PSPROBE_OK);
  assert_int_equal(back.ended_wall_ns, 12345);
  assert_int_equal(back.ending, PSPROBE_ENDING_STOPPED);
  assert_int_equal(psprobe_store_begin_run(store, &run, &error), PSPROBE_ALREADY_EXISTS);
  run = scratch_run(2);
  assert_int_equal(psprobe_store_end_run(store, run.id, 1, PSPROBE_ENDING_FINISHED, &error),
                   PSPROBE_NOT_FOUND);
  run.settings = "{\"pulls\":4}";
  run.region = "europe-west1";
  run.clock = "tsc, not synchronised";
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  psprobe_filter last = {.run = "last"};
  assert_int_equal(psprobe_store_each_run(store, &last, keep_run, &back, NULL), PSPROBE_OK);
  assert_string_equal(back.id, run.id);
  psprobe_store_free(store);
}

static void test_bad_runs(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run good = scratch_run(1), bad;
  bad = good;
  strcpy(bad.id, "x");
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.source_count = 0;
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad.source_count = PSPROBE_MAX_SOURCES + 1;
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.sources[1] = "No Name";
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.settings = "[1]";
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad.settings = "{";
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  bad = good;
  bad.sources[1] = bad.sources[0]; /* two sources of one name could not be told apart */
  assert_int_equal(psprobe_store_begin_run(store, &bad, NULL), PSPROBE_INVALID_ARGUMENT);
  psprobe_store_free(store);
}

static bool count_run(void *arg, const psprobe_run *run) {
  (void)run;
  ++*(int *)arg;
  return true;
}

static void test_ambiguous_and_no_run(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_error error = {0};
  psprobe_filter last = {.run = "last"}, some = {.run = "abc"};
  int runs = 0;
  assert_int_equal(psprobe_store_each_run(store, &last, count_run, &runs, &error),
                   PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "no run in"));
  for (char c = '0'; c < '3'; c++) {
    psprobe_run run = scratch_run(1);
    memcpy(run.id, "abc", 3);
    run.id[3] = c;
    run.started_wall_ns = (c - '0') * 1000 + 1;
    run.ended_wall_ns = run.started_wall_ns + 500;
    assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  }
  assert_int_equal(psprobe_store_each_run(store, &some, count_run, &runs, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "3 runs"));
  assert_int_equal(psprobe_store_each_run(store, NULL, count_run, &runs, NULL), PSPROBE_OK);
  assert_int_equal(runs, 3);
  psprobe_filter times = {.since_wall_ns = 600, .until_wall_ns = 1500};
  runs = 0;
  assert_int_equal(psprobe_store_each_run(store, &times, count_run, &runs, NULL), PSPROBE_OK);
  assert_int_equal(runs, 1);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_runs),
      TEST(test_bad_runs),
      TEST(test_ambiguous_and_no_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
