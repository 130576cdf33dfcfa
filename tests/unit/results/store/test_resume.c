/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "results/store/store.h"
#include "scratch.h"

static bool take_run(void *arg, const psprobe_run *run) {
  *(psprobe_run *)arg = *run;
  return true;
}

/* A run that died is gone on with under its id; its rows stay, and new ones join them. */
static void test_goes_on(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run run = scratch_run(2), before = scratch_run(1), is = {0};
  psprobe_finished finished = scratch_finished(1);
  scratch_add(store, 1, &finished);
  psprobe_store_free(store); /* without an end */
  store = scratch_store(scratch_file(state, "r.db"), false);
  assert_int_equal(psp_store_resume_run(store, "last", &run, NULL, NULL), PSPROBE_OK);
  assert_string_equal(run.id, before.id);
  assert_int_equal(run.resumed, 1);
  assert_int_equal(psprobe_store_each_run(store, NULL, take_run, &is, NULL), PSPROBE_OK);
  assert_int_equal(is.ending, PSPROBE_ENDING_UNKNOWN);
  assert_int_equal(is.ended_wall_ns, 0);
  assert_int_equal(is.resumed, 1);
  finished = scratch_finished(2);
  assert_int_equal(psprobe_store_add(store, run.id, &finished, 1, NULL), PSPROBE_OK);
  assert_int_equal(scratch_rows(store->path), 2);
  psprobe_store_free(store);
}

static void refused(psprobe_store *store, psprobe_run run, const char *why) {
  psprobe_error error = {0};
  assert_int_equal(psp_store_resume_run(store, "last", &run, NULL, &error),
                   PSPROBE_FAILED_PRECONDITION);
  if (strstr(error.message, why) == NULL) fail_msg("%s", error.message);
}

/* What would measure something else is no going on. */
static void test_other_settings(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run run = scratch_run(2);
  run.topic = "others";
  refused(store, run, "its topic was probes, and is others now (--topic)");
  run = scratch_run(2);
  run.interval_ns = 7;
  refused(store, run, "its interval was 5s, and is 7ns now (--interval)");
  run = scratch_run(2);
  run.timeout_ns++;
  refused(store, run, "its timeout was 30s, and is 30000000001ns now (--timeout)");
  run = scratch_run(2);
  run.region = "europe-west1";
  refused(store, run, "its region was not set, and is europe-west1 now (--region)");
  run = scratch_run(2);
  run.source_count = 1;
  refused(store, run, "it had 2 sources, and there are 1 now (--source)");
  run = scratch_run(2);
  run.sources[1] = "another";
  refused(store, run, "its source was regular_service, and is another now (--source)");
  run = scratch_run(2);
  run.project = NULL;
  refused(store, run, "and is not set now (--project)");
  assert_int_equal(psp_store_resume_run(store, "0badcafe", &run, NULL, NULL), PSPROBE_NOT_FOUND);
  psprobe_store_free(store);
}

/* The rare probes and the fillers are settings too; what could not be taken is none. */
static void test_other_cadences(void **state) {
  static const char was[] =
      "{\"cold_every_ns\":900,\"cold_topic\":\"rare\",\"filler_ns\":70,\"untaken\":{}}";
  static const struct {
    const char *settings, *why;
  } cases[] = {
      {NULL, "its time between rare probes was 900ns, and is not set now (--cold-every)"},
      {"{\"cold_every_ns\":800,\"cold_topic\":\"rare\",\"filler_ns\":70}",
       "its time between rare probes was 900ns, and is 800ns now (--cold-every)"},
      {"{\"cold_every_ns\":900,\"cold_topic\":\"rarer\",\"filler_ns\":70}",
       "its cold topic was rare, and is rarer now (--cold-topic)"},
      {"{\"cold_every_ns\":900,\"cold_topic\":\"rare\"}",
       "its time between fillers was 70ns, and is not set now (--filler)"},
  };
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run run = scratch_run(1);
  assert_int_equal(psp_store_set_settings(store, run.id, was, NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    run = scratch_run(2);
    run.settings = cases[i].settings;
    refused(store, run, cases[i].why);
  }
  run.settings = "{\"filler_ns\":70,\"cold_every_ns\":900,\"cold_topic\":\"rare\"}";
  assert_int_equal(psp_store_resume_run(store, "last", &run, NULL, NULL), PSPROBE_OK);
  psprobe_store_free(store);
}

/* Another way of publishing is another measurement; that an endpoint spoke no gRPC is none. */
static void test_other_way(void **state) {
  static const struct {
    const char *was, *is, *why; /* NULL: gone on with */
  } cases[] = {
      {"{\"publish_by\":\"grpc\"}", "{\"publish_by\":\"rest\"}",
       "its way of publishing was grpc, and is rest now (--publish-by)"},
      {"{\"publish_by\":\"rest\"}", "{\"publish_by\":\"grpc\"}",
       "its way of publishing was rest, and is grpc now (--publish-by)"},
      {"{\"publish_by\":\"rest\",\"publish_asked\":\"grpc\"}", "{\"publish_by\":\"rest\"}",
       "its way of publishing was grpc, and is rest now (--publish-by)"},
      {"{\"publish_by\":\"rest\",\"publish_asked\":\"grpc\"}", "{\"publish_by\":\"grpc\"}", NULL},
      {"{}", "{\"publish_by\":\"grpc\"}", NULL},
  };
  psprobe_store *store = scratch_begin(state, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_run run = scratch_run(1);
    assert_int_equal(psp_store_set_settings(store, run.id, cases[i].was, NULL), PSPROBE_OK);
    run = scratch_run(2);
    run.settings = cases[i].is;
    if (cases[i].why != NULL)
      refused(store, run, cases[i].why);
    else
      assert_int_equal(psp_store_resume_run(store, "last", &run, NULL, NULL), PSPROBE_OK);
  }
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_goes_on), TEST(test_other_settings),
                                     TEST(test_other_cadences), TEST(test_other_way)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
