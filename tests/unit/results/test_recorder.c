/* SPDX-License-Identifier: MIT */
/** @file The recorder, which stands between a prober and its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/unary.h"
#include "fake_client.h"
#include "http/server/parts.h"
#include "prober/parts.h"
#include "results/store/store.h"
#include "scratch.h"

static bool take_run(void *arg, const psprobe_run *run) {
  psprobe_run *kept = arg;
  assert_int_equal(run->source_count, 2);
  assert_string_equal(run->sources[0], "cloud_function");
  assert_string_equal(run->project, FAKE_PROJECT);
  assert_string_equal(run->topic, "probes");
  *kept = (psprobe_run){.interval_ns = run->interval_ns, .timeout_ns = run->timeout_ns};
  return true;
}

/* The run as it is kept of a prober with these options. */
static psprobe_run run_of(void **state, fake_client *google, const char *name,
                          psprobe_prober_options options) {
  psprobe_store *store = scratch_store(scratch_file(state, name), false);
  psprobe_recorder *recorder = NULL;
  psprobe_prober *prober = NULL;
  psprobe_run run = {0};
  options.topic = "probes";
  options.listen = "127.0.0.1:0";
  assert_int_equal(psprobe_prober_new(google->client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(store, NULL, &recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(recorder, google->client, prober, &options, NULL),
                   PSPROBE_OK);
  assert_int_equal(psprobe_store_each_run(store, NULL, take_run, &run, NULL), PSPROBE_OK);
  psprobe_recorder_free(recorder);
  psprobe_prober_free(prober);
  psprobe_store_free(store);
  return run;
}

static void test_what_holds_is_kept(void **state) {
  void *google = NULL;
  assert_int_equal(fake_client_setup(&google), 0);
  psprobe_run run = run_of(state, google, "defaults.db", (psprobe_prober_options){0});
  assert_int_equal(run.interval_ns, 5000000000);
  assert_int_equal(run.timeout_ns, 30000000000);
  run = run_of(state, google, "given.db",
               (psprobe_prober_options){.interval_ns = 7000000, .timeout_ns = 70000000});
  assert_int_equal(run.interval_ns, 7000000);
  assert_int_equal(run.timeout_ns, 70000000);
  fake_client_teardown(&google);
}

/* No result comes, and yet it is found out within seconds that the file is gone. */
static void test_file_gone_while_nothing_comes(void **state) {
  void *google = NULL;
  psprobe_recorder *recorder = NULL;
  psprobe_prober *prober = NULL;
  assert_int_equal(fake_client_setup(&google), 0);
  psprobe_client *client = ((fake_client *)google)->client;
  const char *path = scratch_file(state, "r.db");
  psprobe_store *store = scratch_store(path, false);
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(store, NULL, &recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(recorder, client, prober, &options, NULL), PSPROBE_OK);
  psprobe_finished finished = scratch_finished(1);
  psprobe_recorder_sink(recorder, &finished, 1);
  assert_int_equal(unlink(path), 0);
  const int64_t until = psprobe_clock_monotonic() + INT64_C(20000000000);
  while (access(path, F_OK) != 0 && psprobe_clock_monotonic() < until)
    psprobe_sleep_until(psprobe_clock_monotonic() + 1000000);
  psprobe_recorder_free(recorder); /* what it has begun is done */
  psprobe_prober_free(prober);
  psprobe_store_free(store);
  assert_int_equal(scratch_rows(path), 1);
  fake_client_teardown(&google);
}

/* A full disk, and room again: all is kept; meanwhile a result costs no try of all that is held. */
static void test_full_and_room_again(void **state) {
  void *google = NULL;
  psprobe_recorder *recorder = NULL;
  psprobe_prober *prober = NULL;
  int rows = 0;
  assert_int_equal(fake_client_setup(&google), 0);
  psprobe_client *client = ((fake_client *)google)->client;
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(store, NULL, &recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(recorder, client, prober, &options, NULL), PSPROBE_OK);
  assert_int_equal(psp_sql_run(store->db, "PRAGMA max_page_count = 12"), SQLITE_OK);
  for (uint64_t i = 0; i < 3000; i++) {
    psprobe_finished finished = scratch_finished(i);
    psprobe_recorder_sink(recorder, &finished, 1);
  }
  int before = sqlite3_total_changes(store->db);
  for (uint64_t i = 3000; i < 3200; i++) { /* far less than a second */
    psprobe_finished finished = scratch_finished(i);
    psprobe_recorder_sink(recorder, &finished, 1);
  }
  assert_in_range(sqlite3_total_changes(store->db) - before, 0, 3 * 2 * 500); /* a try or two */
  assert_int_equal(psp_sql_run(store->db, "PRAGMA max_page_count = 1000000"), SQLITE_OK);
  assert_int_equal(psprobe_recorder_end(recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_each(store, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
  assert_int_equal(rows, 3200);
  psprobe_recorder_free(recorder);
  psprobe_prober_free(prober);
  psprobe_store_free(store);
  fake_client_teardown(&google);
}

static bool take_settings(void *arg, const psprobe_run *run) {
  char *kept = arg;
  snprintf(kept, 400, "%s", run->settings != NULL ? run->settings : "none");
  return true;
}

static void expect_settings(psprobe_store *store, const char *want) {
  char settings[400];
  assert_int_equal(psprobe_store_each_run(store, NULL, take_settings, settings, NULL), PSPROBE_OK);
  assert_string_equal(settings, want);
}

#define BY "\"publish_by\":\"grpc\""

/* A run that has begun, and whose prober sends nothing. */
typedef struct recording {
  void *google;
  psprobe_client *client;
  psprobe_store *store;
  psprobe_prober *prober;
  psprobe_recorder *recorder;
} recording;

static recording begin_recording(void **state, const psprobe_logger *logger) {
  recording r = {.store = scratch_store(scratch_file(state, "r.db"), false)};
  const psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  const psprobe_recorder_options how = {.logger = logger};
  assert_int_equal(fake_client_setup(&r.google), 0);
  r.client = ((fake_client *)r.google)->client;
  assert_int_equal(psprobe_prober_new(r.client, &options, &r.prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(r.store, &how, &r.recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(r.recorder, r.client, r.prober, &options, NULL),
                   PSPROBE_OK);
  expect_settings(r.store, "{" BY "}");
  return r;
}

static void end_recording(recording *r) {
  psprobe_recorder_free(r->recorder);
  psprobe_prober_free(r->prober);
  psprobe_store_free(r->store);
  fake_client_teardown(&r->google);
}

/* What the prober turned away stands with its run, at once and at the end. */
static void test_what_was_not_taken(void **state) {
  recording r = begin_recording(state, NULL);
  psprobe_finished finished = scratch_finished(1);
  psp_server_miss(r.prober->server);
  psprobe_recorder_sink(r.recorder, &finished, 1);
  expect_settings(r.store, "{" BY
                           ",\"untaken\":{\"requests\":1,\"refused\":0,\"made_room\":0,"
                           "\"overdue\":0,\"starved\":0,"
                           "\"in_doubt\":{\"cloud_function\":0,\"regular_service\":0}}}");
  psp_server_miss(r.prober->server);
  atomic_store(&r.prober->tally[1].in_doubt, 3);
  assert_int_equal(psprobe_recorder_end(r.recorder, NULL), PSPROBE_OK);
  expect_settings(r.store, "{" BY
                           ",\"untaken\":{\"requests\":2,\"refused\":0,\"made_room\":0,"
                           "\"overdue\":0,\"starved\":0,"
                           "\"in_doubt\":{\"cloud_function\":0,\"regular_service\":3}}}");
  end_recording(&r);
}

/* Ends the run, and goes on with it by another prober. */
static void go_on(recording *r) {
  const psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  const psprobe_recorder_options how = {.resume = "last"};
  psprobe_recorder_free(r->recorder);
  psprobe_prober_free(r->prober);
  assert_int_equal(psprobe_prober_new(r->client, &options, &r->prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(r->store, &how, &r->recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(r->recorder, r->client, r->prober, &options, NULL),
                   PSPROBE_OK);
}

/* What its first prober could not take stays told of a run that another goes on with. */
static void test_what_was_not_taken_before(void **state) {
  recording r = begin_recording(state, NULL);
  psprobe_finished finished = scratch_finished(1);
  for (int i = 0; i < 3; i++)
    psp_server_miss(r.prober->server);
  assert_int_equal(psprobe_recorder_end(r.recorder, NULL), PSPROBE_OK);
  go_on(&r);
  psp_server_miss(r.prober->server);
  psprobe_recorder_sink(r.recorder, &finished, 1);
  expect_settings(r.store, "{" BY
                           ",\"untaken\":{\"requests\":4,\"refused\":0,\"made_room\":0,"
                           "\"overdue\":0,\"starved\":0,"
                           "\"in_doubt\":{\"cloud_function\":0,\"regular_service\":0}}}");
  end_recording(&r);
}

/* The prober before had met nobody who speaks gRPC; this one publishes by it. */
static void test_how_it_publishes_now(void **state) {
  recording r = begin_recording(state, NULL);
  psprobe_finished finished = scratch_finished(1);
  assert_int_equal(
      psp_store_set_settings(r.store, psprobe_recorder_run(r.recorder)->id,
                             "{\"publish_by\":\"rest\",\"publish_asked\":\"grpc\"}", NULL),
      PSPROBE_OK);
  assert_int_equal(psprobe_recorder_end(r.recorder, NULL), PSPROBE_OK);
  go_on(&r);
  psprobe_recorder_sink(r.recorder, &finished, 1);
  expect_settings(r.store, "{" BY "}");
  end_recording(&r);
}

/* Where nobody speaks gRPC it is published by REST, and the run says so. */
static void test_how_it_publishes(void **state) {
  recording r = begin_recording(state, NULL);
  psprobe_finished finished = scratch_finished(1);
  assert_true(psp_grpc_set_foreign(r.client, PSP_PUBSUB, PSP_GRPC_FOREIGN));
  psprobe_recorder_sink(r.recorder, &finished, 1);
  expect_settings(r.store, "{\"publish_by\":\"rest\",\"publish_asked\":\"grpc\"}");
  end_recording(&r);
}

static bool take_end(void *arg, const psprobe_run *run) {
  psprobe_run *kept = arg;
  *kept = (psprobe_run){.ended_wall_ns = run->ended_wall_ns, .ending = run->ending};
  return true;
}

/* What was logged, and a file that takes something again once it was said that it takes nothing. */
typedef struct told {
  char events[200];
  psprobe_store *store;
} told;

static void make_room(void *arg, psprobe_log_level level, const char *line) {
  told *t = arg;
  (void)level;
  const char *event = strstr(line, "event=");
  size_t len = strlen(t->events);
  if (event == NULL) return;
  snprintf(t->events + len, sizeof t->events - len, "%.*s ", (int)strcspn(event + 6, " "),
           event + 6);
  if (strstr(event, "results_held") != NULL)
    assert_int_equal(psp_sql_run(t->store->db, "PRAGMA query_only = OFF"), SQLITE_OK);
}

/* All results are kept, and the file takes nothing just as the run ends: that is waited for. */
static void test_end_waits_for_room(void **state) {
  told t = {.events = ""};
  const psprobe_logger logger = {.sink = make_room, .arg = &t, .level = PSPROBE_LOG_WARNING};
  recording r = begin_recording(state, &logger);
  psprobe_finished finished = scratch_finished(1);
  psprobe_run is = {0};
  t.store = r.store;
  psprobe_recorder_sink(r.recorder, &finished, 1);
  assert_int_equal(psp_sql_run(r.store->db, "PRAGMA query_only = ON"), SQLITE_OK);
  psprobe_error error = {0};
  if (psprobe_recorder_end(r.recorder, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_string_equal(t.events, "results_held results_kept_again ");
  assert_int_equal(psprobe_store_each_run(r.store, NULL, take_end, &is, NULL), PSPROBE_OK);
  assert_int_equal(is.ending, PSPROBE_ENDING_STOPPED);
  assert_true(is.ended_wall_ns > 0);
  end_recording(&r);
}

/* A file that was found damaged, and begun anew, knows the run's end all the same. */
static void test_end_in_a_file_made_anew(void **state) {
  recording r = begin_recording(state, NULL);
  psprobe_run is = {0};
  r.store->damaged = true;
  assert_int_equal(psprobe_recorder_end(r.recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_store_each_run(r.store, NULL, take_end, &is, NULL), PSPROBE_OK);
  assert_int_equal(is.ending, PSPROBE_ENDING_STOPPED);
  end_recording(&r);
}

/* A run's settings say its cadences, beside what else they say. */
static void test_cadences_are_settings(void **state) {
  void *google = NULL;
  psprobe_recorder *recorder = NULL;
  psprobe_prober *prober = NULL;
  assert_int_equal(fake_client_setup(&google), 0);
  psprobe_client *client = ((fake_client *)google)->client;
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_prober_options options = {
      .topic = "probes", .listen = "127.0.0.1:0", .cold_topic = "rare", .filler_ns = 100000000};
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(store, NULL, &recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(recorder, client, prober, &options, NULL), PSPROBE_OK);
#define CADENCES \
  BY ",\"cold_every_ns\":1200000000000,\"cold_topic\":\"rare\",\"filler_ns\":100000000"
  expect_settings(store, "{" CADENCES "}");
  psp_server_miss(prober->server);
  assert_int_equal(psprobe_recorder_end(recorder, NULL), PSPROBE_OK);
  expect_settings(store, "{" CADENCES
                         ",\"untaken\":{\"requests\":1,\"refused\":0,"
                         "\"made_room\":0,\"overdue\":0,\"starved\":0,"
                         "\"in_doubt\":{\"cloud_function\":0,\"regular_service\":0}}}");
  psprobe_recorder_free(recorder);
  psprobe_prober_free(prober);
  psprobe_store_free(store);
  fake_client_teardown(&google);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_what_holds_is_kept, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_end_waits_for_room, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_end_in_a_file_made_anew, scratch_setup,
                                      scratch_teardown),
      cmocka_unit_test_setup_teardown(test_how_it_publishes, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_cadences_are_settings, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_file_gone_while_nothing_comes, scratch_setup,
                                      scratch_teardown),
      cmocka_unit_test_setup_teardown(test_full_and_room_again, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_what_was_not_taken, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(test_what_was_not_taken_before, scratch_setup,
                                      scratch_teardown),
      cmocka_unit_test_setup_teardown(test_how_it_publishes_now, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
