/* SPDX-License-Identifier: MIT */
/** @file
 * A report made of what probers uploaded is the one that is made of their file, against Google's
 * Firestore emulator and the stand-in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/report.h>
#include <psprobe/timing.h>

#include "files.h"
#include "scratch.h"
#include "target.h"

#define PATIENCE INT64_C(60000000000)

static psprobe_client *client;

/* All that a probe can come to, by its number: answered, late, lost, doubled, cold, unpublished,
 * with and without facts. Times have nanoseconds. */
static psprobe_finished probe(uint64_t number) {
  psprobe_finished finished = scratch_finished(number);
  psprobe_result *result = &finished.result;
  result->sent_wall_ns += (int64_t)(number * 7919 % 1000);
  result->lateness_ns = (int64_t)number * 3 + 1;
  if (number % 31 == 0) result->publish_ns = -1;
  if (number % 37 == 0) result->cadence = PSPROBE_CADENCE_COLD;
  for (size_t k = 0; k < 2; k++) {
    psprobe_answer *answer = &result->answers[k];
    answer->elapsed_ns += (int64_t)(number * 104729 % 9000000);
    answer->duplicates = number % 13 == k ? 2 : 0;
    answer->cold = number % 29 == k;
    if (number % 17 == k) answer->status = PSPROBE_LATE;
    if (number % 19 == k) *answer = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
    if (answer->status == PSPROBE_LOST || number % 3 == 0) continue;
    psprobe_facts *facts = &answer->facts;
    answer->received_wall_ns = result->sent_wall_ns + answer->elapsed_ns + 11;
    snprintf(facts->instance, sizeof facts->instance, "i-%d", (int)(number / 50));
    facts->invocation = (uint32_t)(number % 50 + 1);
    facts->delivery_attempt = 1;
    facts->age_ns = 5000000000 + (int64_t)number;
    facts->ready_ns = 400000001;
    facts->published_wall_ns = result->sent_wall_ns + 1234567;
    facts->arrived_wall_ns = result->sent_wall_ns + 30000003;
    facts->sent_wall_ns = facts->arrived_wall_ns + 2000001;
    for (int t = 0; t < PSPROBE_STAMPS; t++)
      facts->exchange_wall_ns[t] = result->sent_wall_ns - 900000000 + t * 1000003;
  }
  return finished;
}

static void add_run(psprobe_store *store, uint64_t number, uint64_t from, uint64_t count,
                    psprobe_ending ending) {
  psprobe_run run = scratch_run(number);
  run.started_wall_ns += (int64_t)from * 5000000000 + 17;
  run.region = number == 1 ? "europe-central2" : NULL;
  run.settings = number == 1 ? "{\"cold_every_ns\":1000000000,\"cold_topic\":\"cold\"}" : NULL;
  run.interval_ns += (int64_t)number;
  psprobe_finished *batch = calloc(count, sizeof *batch);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  for (uint64_t i = 0; i < count; i++)
    batch[i] = probe(from + i);
  assert_int_equal(psprobe_store_add(store, run.id, batch, count, NULL), PSPROBE_OK);
  if (ending != PSPROBE_ENDING_UNKNOWN)
    assert_int_equal(
        psprobe_store_end_run(store, run.id, run.started_wall_ns + (int64_t)count * 5000000003,
                              ending, NULL),
        PSPROBE_OK);
  free(batch);
}

static void upload(psprobe_store *store, const char *collection) {
  psprobe_uploader_options options = {.collection = collection};
  psprobe_uploader *uploader = NULL;
  psprobe_error error = {0};
  assert_int_equal(psprobe_uploader_new(store, client, &options, &uploader, &error), PSPROBE_OK);
  if (psprobe_uploader_flush(uploader, PATIENCE, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psprobe_uploader_free(uploader);
}

static void expect_equal(char *file, char *cloud) {
  assert_non_null(file);
  assert_non_null(cloud);
  size_t at = 0;
  while (file[at] != '\0' && file[at] == cloud[at])
    at++;
  if (strcmp(file, cloud) != 0)
    fail_msg("of the file …%.200s, of Firestore …%.200s", file + (at > 80 ? at - 80 : 0),
             cloud + (at > 80 ? at - 80 : 0));
  free(file);
  free(cloud);
}

static uint64_t told;
static void tell(void *arg, uint64_t rows) {
  (void)arg;
  assert_true(rows > told);
  told = rows;
}

static psprobe_report *fetch(const char *collection, const psprobe_report_options *options) {
  psprobe_report_cloud cloud = {.collection = collection, .progress = tell};
  psprobe_report *report = NULL;
  psprobe_error error = {0};
  told = 0;
  if (psprobe_report_fetch(client, &cloud, options, &report, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return report;
}

static char *content(const char *path) {
  psp_buf bytes = test_file(path);
  return psp_buf_take(&bytes, NULL);
}

static bool put_file(void *arg, const char *text, size_t len) {
  return fwrite(text, 1, len, arg) == len;
}

/* What is handed out in a form, in `path`. */
static void export(const char *collection, const psprobe_report_options *options,
                   psprobe_report_form form, const char *path) {
  psprobe_report_cloud cloud = {.collection = collection};
  psprobe_error error = {0};
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  if (psprobe_report_export_cloud(client, &cloud, options, form, put_file, file, &error) !=
      PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_int_equal(fclose(file), 0);
}

/* Lines as they come from Firestore have the figures of a file that holds the same; a table of it
 * is the file's. */
static void compare_exports(void **state, psprobe_store *store, const char *collection) {
  psprobe_report *of_file = NULL, *of_lines = NULL;
  const char *path = scratch_file(state, "lines");
  export(collection, NULL, PSPROBE_REPORT_JSON_LINES, path);
  assert_int_equal(psprobe_report_read(path, NULL, &of_lines, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_report_load(store, NULL, &of_file, NULL), PSPROBE_OK);
  expect_equal(psprobe_report_json(of_file), psprobe_report_json(of_lines));
  expect_equal(psprobe_report_json_lines(of_file), psprobe_report_json_lines(of_lines));
  export(collection, NULL, PSPROBE_REPORT_CSV, path);
  expect_equal(psprobe_report_csv(of_file), content(path));
  psprobe_report_free(of_file);
  psprobe_report_free(of_lines);
}

/* Some sources, in another order: as a file that holds the same has them. */
static void compare_sources(void **state, const char *path, const char *collection) {
  static const char *const asked[] = {PSPROBE_REGULAR_SERVICE, PSPROBE_CLOUD_FUNCTION};
  const char *to = scratch_file(state, "some");
  for (size_t count = 1; count <= 2; count++) {
    const psprobe_report_options options = {.sources = asked, .source_count = count, .rows = true};
    psprobe_report *report = NULL;
    assert_int_equal(psprobe_report_read(path, &options, &report, NULL), PSPROBE_OK);
    export(collection, &options, PSPROBE_REPORT_CSV, to);
    expect_equal(psprobe_report_csv(report), content(to));
    export(collection, &options, PSPROBE_REPORT_JSON_LINES, to);
    expect_equal(psprobe_report_json_lines(report), content(to));
    psprobe_report_free(report);
  }
  static const char *const none[] = {"nobody"};
  const psprobe_report_options wrong = {.sources = none, .source_count = 1};
  psprobe_report_cloud cloud = {.collection = collection};
  psprobe_error error = {0};
  assert_int_equal(psprobe_report_export_cloud(client, &cloud, &wrong, PSPROBE_REPORT_CSV, put_file,
                                               stderr, &error),
                   PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "no source 'nobody'"));
}

static void compare(psprobe_store *store, const char *collection,
                    const psprobe_report_options *options) {
  psprobe_report *of_file = NULL, *of_cloud = fetch(collection, options);
  assert_int_equal(psprobe_report_load(store, &options->filter, &of_file, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_report_count(of_cloud), psprobe_report_count(of_file));
  expect_equal(psprobe_report_json(of_file), psprobe_report_json(of_cloud));
  expect_equal(psprobe_report_csv(of_file), psprobe_report_csv(of_cloud));
  expect_equal(psprobe_report_html(of_file), psprobe_report_html(of_cloud));
  psprobe_report_free(of_file);
  psprobe_report_free(of_cloud);
}

static void the_same_as_of_the_file(void **state) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  add_run(store, 1, 0, 250, PSPROBE_ENDING_FINISHED);
  add_run(store, 2, 1000, 60, PSPROBE_ENDING_STOPPED);
  upload(store, "cloud_results");
  compare_exports(state, store, "cloud_results");
  compare_sources(state, scratch_file(state, "r.db"), "cloud_results");
  char first[PSPROBE_ID_SIZE];
  scratch_id(first, 1);
  compare(store, "cloud_results", &(psprobe_report_options){.filter = {.run = "last"}});
  assert_int_equal(told, 60);
  compare(store, "cloud_results", &(psprobe_report_options){.filter = {.run = first}});
  compare(store, "cloud_results", &(psprobe_report_options){.filter = {.run = NULL}});
  assert_int_equal(told, 310);
  psprobe_report_options some = {.filter = {.since_wall_ns = SCRATCH_SENT_NS + 150 * 5000000000,
                                            .until_wall_ns = SCRATCH_SENT_NS + 1030 * 5000000000}};
  compare(store, "cloud_results", &some);
  some.filter.run = first;
  compare(store, "cloud_results", &some);
  psprobe_store_free(store);
}

/* Two probers with a file each, one collection. */
static void what_several_wrote(void **state) {
  psprobe_store *all = scratch_store(scratch_file(state, "all.db"), false);
  psprobe_store *one = scratch_store(scratch_file(state, "one.db"), false);
  psprobe_store *two = scratch_store(scratch_file(state, "two.db"), false);
  add_run(one, 1, 0, 50, PSPROBE_ENDING_FINISHED);
  add_run(two, 2, 60, 50, PSPROBE_ENDING_INTERRUPTED);
  add_run(all, 1, 0, 50, PSPROBE_ENDING_FINISHED);
  add_run(all, 2, 60, 50, PSPROBE_ENDING_INTERRUPTED);
  upload(two, "several");
  upload(one, "several");
  psprobe_report *of_file = NULL, *of_cloud = fetch("several", NULL);
  assert_int_equal(psprobe_report_load(all, NULL, &of_file, NULL), PSPROBE_OK);
  expect_equal(psprobe_report_json(of_file), psprobe_report_json(of_cloud));
  psprobe_report_free(of_file);
  psprobe_report_free(of_cloud);
  psprobe_store_free(all);
  psprobe_store_free(one);
  psprobe_store_free(two);
}

static void create(const char *collection, const char *id, psprobe_value *run_id,
                   psprobe_value *first, psprobe_value *second) {
  psprobe_value *map = psprobe_value_map();
  psprobe_timestamp sent = {.seconds = 1795558728, .nanos = 773000000};
  psprobe_error error = {0};
  psprobe_value_set(map, "arbitrary_message_id", psprobe_value_string(id));
  psprobe_value_set(map, "probe_sent", psprobe_value_timestamp(sent));
  psprobe_value_set(map, "cloud_func_response_time", first);
  psprobe_value_set(map, "reg_service_response_time", second);
  if (run_id != NULL) psprobe_value_set(map, "run_id", run_id);
  if (psprobe_document_create(client, collection, id, map, NULL, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psprobe_value_free(map);
}

/* Documents of the first experiment: neither runs nor sources. */
static void of_old_form(void **state) {
  (void)state;
  create("old", "b", NULL, psprobe_value_integer(45000000), psprobe_value_null());
  create("old", "a", psprobe_value_string("run-1"), psprobe_value_null(),
         psprobe_value_integer(5000000));
  psprobe_report *report = fetch("old", NULL);
  char *csv = psprobe_report_csv(report);
  assert_int_equal(psprobe_report_count(report), 2);
  assert_non_null(strstr(csv, "a,2026-11-24T22:18:48.773Z,,5000000,,run-1,"));
  assert_non_null(strstr(csv, "b,2026-11-24T22:18:48.773Z,45000000,,,,"));
  free(csv);
  psprobe_report_free(report);
  report = fetch("old", &(psprobe_report_options){.filter = {.run = "run"}});
  assert_int_equal(psprobe_report_count(report), 1);
  psprobe_report_free(report);
}

static void what_is_not_there(void **state) {
  (void)state;
  static const struct {
    const char *collection, *run;
    psprobe_code code;
    const char *words;
  } cases[] = {
      {"nothing", "last", PSPROBE_NOT_FOUND, "there is no run in nothing_runs yet"},
      {"nothing", "abc", PSPROBE_NOT_FOUND, "no run in nothing has an id that begins with \"abc\""},
      {"a/b", NULL, PSPROBE_INVALID_ARGUMENT, "a/b"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_report_cloud cloud = {.collection = cases[i].collection};
    psprobe_report_options options = {.filter = {.run = cases[i].run}};
    psprobe_report *report = NULL;
    psprobe_error error = {0};
    assert_int_equal(psprobe_report_fetch(client, &cloud, &options, &report, &error),
                     cases[i].code);
    if (strstr(error.message, cases[i].words) == NULL) fail_msg("%s", error.message);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static int suite(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_same_as_of_the_file),
      TEST(what_several_wrote),
      TEST(of_old_form),
      TEST(what_is_not_there),
  };
  client = test_target_client(TEST_FIRESTORE);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  psprobe_client_free(client);
  return failed;
}

int main(void) {
  return test_on_targets(suite);
}
