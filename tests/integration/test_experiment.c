/* SPDX-License-Identifier: MIT */
/**
 * @file The experiment itself, 100 probes at 20 ms and both sources, with the same assertions on
 * our stand-in and on Google's emulators.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>
#include <psprobe/probe.h>
#include <psprobe/report.h>
#include <psprobe/results.h>

#include "emulator.h"

#define PROBES     100
#define COLLECTION "pubsub_results"
#define SECOND     1000000000LL

typedef struct world {
  psprobe_local *local; /* NULL: Google's emulators */
  psprobe_client *client;
  psprobe_store *store;
  psprobe_uploader *uploader;
  psprobe_recorder *recorder;
  psprobe_prober *prober;
  psprobe_responder *function, *service;
  psprobe_subscriber *subscriber;
  char folder[64], db[96];
} world;

#define ok(call)                                                                           \
  do {                                                                                     \
    psprobe_error error_ = {0}, *error = &error_;                                          \
    psprobe_code code_ = (call);                                                           \
    if (code_ != PSPROBE_OK) fail_msg("%s: %s", psprobe_code_name(code_), error_.message); \
  } while (0)

static void open_store(world *w) {
  strcpy(w->folder, "/tmp/psprobe-test-XXXXXX");
  assert_non_null(mkdtemp(w->folder));
  snprintf(w->db, sizeof w->db, "%s/results.db", w->folder);
  psprobe_uploader_options upload = {.collection = COLLECTION};
  ok(psprobe_store_new(w->db, NULL, &w->store, error));
  ok(psprobe_uploader_new(w->store, w->client, &upload, &w->uploader, error));
  ok(psprobe_recorder_new(w->store, &(psprobe_recorder_options){.uploader = w->uploader},
                          &w->recorder, error));
}

/* Topic, prober, the function behind a push subscription, the service behind a pull one. */
static void build(world *w) {
  psprobe_client_options google = {.project = "demo-project"};
  google.pubsub_emulator =
      w->local != NULL ? psprobe_local_pubsub_host(w->local) : test_emulator_host(TEST_PUBSUB);
  google.firestore_emulator = w->local != NULL ? psprobe_local_firestore_host(w->local)
                                               : test_emulator_host(TEST_FIRESTORE);
  ok(psprobe_client_new(&google, &w->client, error));
  open_store(w);
  psprobe_prober_options prober = {.topic = "experiment",
                                   .interval_ns = 20000000,
                                   .count = PROBES,
                                   .timeout_ns = 30 * SECOND,
                                   .listen = "127.0.0.1:0",
                                   .keep = psprobe_recorder_keep,
                                   .keep_arg = w->recorder};
  ok(psprobe_topic_create(w->client, "experiment", NULL, 0, NULL, error));
  ok(psprobe_prober_new(w->client, &prober, &w->prober, error));
  ok(psprobe_recorder_begin(w->recorder, w->client, w->prober, &prober, error));

  int port = 0;
  char endpoint[64];
  psprobe_responder_options function = {.prober = psprobe_prober_url(w->prober)};
  ok(psprobe_responder_new(w->client, &function, &w->function, error));
  ok(psprobe_responder_listen(w->function, "127.0.0.1:0", &port, error));
  snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d/", port);
  psprobe_subscription_config push = {.topic = "experiment", .push_endpoint = endpoint};
  ok(psprobe_subscription_create(w->client, "experiment-push", &push, NULL, error));

  psprobe_subscription_config pull = {.topic = "experiment"};
  ok(psprobe_subscription_create(w->client, "experiment-pull", &pull, NULL, error));
  psprobe_responder_options service = {.prober = psprobe_prober_url(w->prober),
                                       .source = "regular_service"};
  ok(psprobe_responder_new(w->client, &service, &w->service, error));
  psprobe_subscriber_options subscriber = {.subscription = "experiment-pull"};
  ok(psprobe_responder_pull(w->service, &subscriber, &w->subscriber, error));
}

typedef struct seen {
  const char *run;
  int documents, wrong;
} seen;

static bool is(const psprobe_value *value, psprobe_value_type type) {
  return value != NULL && psprobe_value_get_type(value) == type;
}

/* One source's part of a document: answered, at a time that fits. */
static bool source_right(const psprobe_value *sources, const char *name, int64_t elapsed) {
  const psprobe_value *source = psprobe_value_find(sources, name);
  int64_t number = 0;
  const char *status = NULL;
  return source != NULL && is(psprobe_value_find(source, "received_at"), PSPROBE_VALUE_TIMESTAMP) &&
         psprobe_value_get_integer(psprobe_value_find(source, "elapsed_ns"), &number) &&
         number == elapsed &&
         psprobe_value_get_text(psprobe_value_find(source, "status"), &status, NULL) &&
         strcmp(status, "answered") == 0 &&
         psprobe_value_get_integer(psprobe_value_find(source, "duplicates"), &number);
}

/* The five fields as the first experiment stored them, and ours. */
static bool look(void *arg, const psprobe_document *document) {
  seen *s = arg;
  const psprobe_value *fields = psprobe_document_fields(document);
  const char *id = NULL, *run = NULL;
  int64_t function = 0, service = 0, publish = 0;
  const psprobe_value *sources = psprobe_value_find(fields, "sources");
  if (!psprobe_value_get_text(psprobe_value_find(fields, "run_id"), &run, NULL) ||
      strcmp(run, s->run) != 0)
    return true; /* of another test on the same emulator */
  s->documents++;
  bool right =
      psprobe_value_get_text(psprobe_value_find(fields, "arbitrary_message_id"), &id, NULL) &&
      strcmp(strrchr(psprobe_document_name(document), '/') + 1, id) == 0 &&
      is(psprobe_value_find(fields, "probe_sent"), PSPROBE_VALUE_TIMESTAMP) &&
      is(psprobe_value_find(fields, "saved_at"), PSPROBE_VALUE_TIMESTAMP) &&
      psprobe_value_get_integer(psprobe_value_find(fields, "cloud_func_response_time"),
                                &function) &&
      function > 0 &&
      psprobe_value_get_integer(psprobe_value_find(fields, "reg_service_response_time"),
                                &service) &&
      service > 0 &&
      psprobe_value_get_integer(psprobe_value_find(fields, "publish_ns"), &publish) &&
      publish > 0 && source_right(sources, "cloud_function", function) &&
      source_right(sources, "regular_service", service);
  s->wrong += !right;
  return true;
}

/* Nothing comes any more, for longer than an ack deadline. */
static void nothing_is_left(world *w, const char *subscription) {
  int64_t until = psprobe_clock_monotonic() + 11 * SECOND;
  for (int64_t now; (now = psprobe_clock_monotonic()) < until;) {
    psprobe_batch *batch = NULL;
    psprobe_error error = {0};
    psprobe_code code = psprobe_pull(w->client, subscription, 10, until - now, &batch, &error);
    if (code == PSPROBE_DEADLINE_EXCEEDED) return;
    if (code != PSPROBE_OK) fail_msg("%s", error.message);
    size_t count = psprobe_batch_count(batch);
    psprobe_batch_free(batch);
    if (count != 0) fail_msg("%s still has %zu messages", subscription, count);
  }
}

static void run(world *w) {
  psprobe_prober_stats stats;
  psprobe_report *report = NULL;
  build(w);
  ok(psprobe_prober_run(w->prober, error));
  ok(psprobe_recorder_end(w->recorder, error));
  ok(psprobe_uploader_flush(w->uploader, 30 * SECOND, error));
  psprobe_prober_get_stats(w->prober, &stats);
  assert_int_equal(stats.sent, PROBES);
  assert_int_equal(stats.publish_failed, 0);
  assert_int_equal(stats.answered[0], PROBES);
  assert_int_equal(stats.answered[1], PROBES);
  assert_int_equal(stats.completed, PROBES);

  ok(psprobe_report_load(w->store, NULL, &report, error));
  assert_int_equal(psprobe_report_count(report), PROBES);
  psprobe_report_free(report);

  seen s = {.run = psprobe_recorder_run(w->recorder)->id};
  ok(psprobe_document_list(w->client, &(psprobe_listing){.collection = COLLECTION}, look, &s,
                           error));
  assert_int_equal(s.documents, PROBES);
  assert_int_equal(s.wrong, 0);

  ok(psprobe_subscriber_stop(w->subscriber, 0, error));
  ok(psprobe_subscription_set_push(w->client, "experiment-push", &(psprobe_subscription_config){0},
                                   error));
  nothing_is_left(w, "experiment-pull");
  nothing_is_left(w, "experiment-push");
  ok(psprobe_subscription_delete(w->client, "experiment-push", error));
  ok(psprobe_subscription_delete(w->client, "experiment-pull", error));
  ok(psprobe_topic_delete(w->client, "experiment", error));
}

static void tear_down(world *w) {
  char path[128];
  psprobe_subscriber_free(w->subscriber);
  psprobe_responder_free(w->service);
  psprobe_responder_free(w->function);
  psprobe_prober_free(w->prober);
  psprobe_recorder_free(w->recorder);
  psprobe_uploader_free(w->uploader);
  psprobe_store_free(w->store);
  psprobe_client_free(w->client);
  psprobe_local_free(w->local);
  static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(path, sizeof path, "%s%s", w->db, ends[i]);
    unlink(path);
  }
  rmdir(w->folder);
}

static void on_our_stand_in(void **state) {
  world w = {0};
  (void)state;
  ok(psprobe_local_new(NULL, &w.local, error));
  run(&w);
  tear_down(&w);
}

static void on_googles_emulators(void **state) {
  world w = {0};
  (void)state;
  run(&w);
  tear_down(&w);
}

int main(void) {
  const struct CMUnitTest ours[] = {cmocka_unit_test(on_our_stand_in)};
  const struct CMUnitTest theirs[] = {cmocka_unit_test(on_googles_emulators)};
  int failed = cmocka_run_group_tests(ours, NULL, NULL);
  if (!test_emulator_installed(TEST_PUBSUB) || !test_emulator_installed(TEST_FIRESTORE)) {
    puts("Google's emulators are not installed: the experiment was not run on them");
    return failed != 0 ? failed : 77;
  }
  return failed + cmocka_run_group_tests(theirs, NULL, NULL);
}
