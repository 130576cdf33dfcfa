/* SPDX-License-Identifier: MIT */
/**
 * @file From a topic to functions by push, wrapped and unwrapped, of our broker and of Google's
 * emulator: the function host stands behind either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "emulator.h"
#include "files.h"
#include "function_stage.h"
#include "rest_call.h"
#include "scratch.h"

#define EVENTS 100
#define TOPIC  "projects/demo-project/topics/pushed"

static int setup(void **state) {
  return scratch_setup(state) + stage_setup(state);
}
static int teardown(void **state) {
  return stage_teardown(state) + scratch_teardown(state);
}

static void subscribe(const char *host, const char *name, const char *url, const char *more) {
  psp_buf path = {0}, body = {0};
  psp_buf_printf(&path, "/v1/projects/demo-project/subscriptions/%s", name);
  psp_buf_printf(&body,
                 "{\"topic\":\"" TOPIC
                 "\",\"ackDeadlineSeconds\":60,\"pushConfig\":{\"pushEndpoint"
                 "\":\"%s/deeper\"%s}}",
                 url, more);
  assert_int_equal(test_rest_status(host, "PUT", path.data, body.data), 200);
  psp_buf_free(&path);
  psp_buf_free(&body);
}

static void unsubscribe(const char *host, const char *name) {
  psp_buf path = {0};
  psp_buf_printf(&path, "/v1/projects/demo-project/subscriptions/%s", name);
  assert_int_equal(test_rest_status(host, "DELETE", path.data, NULL), 200);
  psp_buf_free(&path);
}

/* Message n says "event-n". */
static void publish(const char *host) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "messages");
  psp_json_begin_array(&w);
  for (int i = 0; i < EVENTS; i++) {
    char text[24];
    snprintf(text, sizeof text, "event-%03d", i);
    psp_json_begin_object(&w);
    psp_json_put_key(&w, "data");
    psp_json_put_base64(&w, text, strlen(text));
    psp_json_end_object(&w);
  }
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  assert_int_equal(test_rest_status(host, "POST", "/v1/" TOPIC ":publish", body.data), 200);
  psp_buf_free(&body);
}

/* How many of the events a function has written down, each in this form at the end of a line or
 * within it. */
static int count_handled(const char *file, bool wrapped) {
  if (access(file, R_OK) != 0) return 0;
  psp_buf ledger = test_file(file), wanted = {0};
  int found = 0;
  for (int i = 0; i < EVENTS; i++) {
    char text[16];
    psp_buf_reset(&wanted);
    snprintf(text, sizeof text, "event-%03d", i);
    psp_json_writer w = {.buf = &wanted};
    if (wrapped)
      psp_json_put_base64(&w, text, strlen(text));
    else
      psp_buf_printf(&wanted, " %s\n", text);
    found += strstr(ledger.data, wanted.data) != NULL;
  }
  psp_buf_free(&wanted);
  psp_buf_free(&ledger);
  return found;
}

static const char *add(const char *name, const char *ledger) {
  char variable[300];
  const char *const env[] = {variable, NULL};
  snprintf(variable, sizeof variable, "STAGE_LEDGER=%s", ledger);
  return stage_add("plain", (psprobe_local_function_options){.name = name,
                                                             .env = env,
                                                             .concurrency = 4,
                                                             .max_instances = 2,
                                                             .idle_ns = 200 * STAGE_MS});
}

static void check_behind(void **state, const char *host) {
  char wrapped[200], bare[200];
  snprintf(wrapped, sizeof wrapped, "%s", scratch_file(state, "wrapped"));
  snprintf(bare, sizeof bare, "%s", scratch_file(state, "bare"));
  assert_int_equal(test_rest_status(host, "PUT", "/v1/" TOPIC, NULL), 200);
  subscribe(host, "pushed-wrapped", add("wrapped", wrapped), "");
  subscribe(host, "pushed-bare", add("bare", bare), ",\"noWrapper\":{\"writeMetadata\":true}");
  publish(host);
  for (int i = 0;
       i < 2000 && count_handled(wrapped, true) + count_handled(bare, false) < 2 * EVENTS; i++)
    usleep(10000);
  assert_int_equal(count_handled(wrapped, true), EVENTS);
  assert_int_equal(count_handled(bare, false), EVENTS);
  stage_wait_running(0);
  psprobe_local_function_stats stats = stage_stats();
  assert_true(stats.ready >= 2 && stats.ready <= 4);
  assert_true(stats.answered >= 2 * EVENTS);
  assert_int_equal(stats.lost, 0);
  unsubscribe(host, "pushed-wrapped");
  unsubscribe(host, "pushed-bare");
  assert_int_equal(test_rest_status(host, "DELETE", "/v1/" TOPIC, NULL), 200);
}

static void test_behind_our_broker(void **state) {
  check_behind(state, psprobe_local_pubsub_host(stage_local));
}

static void test_behind_googles_emulator(void **state) {
  check_behind(state, test_emulator_host(TEST_PUBSUB));
}

int main(int argc, char **argv) {
  int status = stage_main(argc, argv);
  if (status >= 0) return status;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_behind_our_broker, setup, teardown),
      cmocka_unit_test_setup_teardown(test_behind_googles_emulator, setup, teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
