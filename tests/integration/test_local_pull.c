/* SPDX-License-Identifier: MIT */
/** @file The stand-in's long polls, over sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>

#include "rest_call.h"

#define TOPIC "/v1/projects/demo-project/topics/topic"

static psprobe_local *local;
static const char *host;

static int setup(void **state) {
  (void)state;
  psprobe_error error = {0};
  if (psprobe_local_new(NULL, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  host = psprobe_local_pubsub_host(local);
  assert_int_equal(test_rest_status(host, "PUT", TOPIC, NULL), 200);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psprobe_local_free(local);
  return 0;
}

#define PULL_SUB "/v1/projects/demo-project/subscriptions/pull-sub"

static void make_pull_sub(void) {
  assert_int_equal(
      test_rest_status(host, "PUT", PULL_SUB, "{\"topic\":\"projects/demo-project/topics/topic\"}"),
      200);
}

static int begin_pull(void) {
  return test_rest_begin(host, "POST", PULL_SUB ":pull", "{\"maxMessages\":10}", NULL);
}

/* Waits until the pull has reached the broker. */
static void settle(void) {
  usleep(50000);
}

static void test_long_poll(void **state) {
  (void)state;
  make_pull_sub();
  int first = begin_pull();
  settle();
  int second = begin_pull();
  settle();
  raw_answer answer = {0};
  test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  assert_true(raw_read(first, &answer)); /* the oldest */
  assert_non_null(strstr(answer.body.data, "\"data\": \"YQ==\""));
  assert_true(raw_is_silent(second, 50));
  raw_free(&answer);
  test_rest_publish(host, TOPIC, "{\"data\":\"Yg==\"}");
  answer = (raw_answer){0};
  assert_true(raw_read(second, &answer));
  assert_non_null(strstr(answer.body.data, "\"data\": \"Yg==\""));
  raw_free(&answer);
  close(first);
  close(second);
}

/* In whatever way the clients of earlier pulls went, the one that is there gets the message. */
static void goes_to_who_is_there(bool reset, bool extra_bytes) {
  int gone[2];
  for (int i = 0; i < 2; i++) {
    gone[i] = begin_pull();
    settle();
    if (extra_bytes) raw_send(gone[i], "GET / HTTP/1.1\r\n");
  }
  int there = begin_pull();
  settle();
  for (int i = 0; i < 2; i++) {
    struct linger at_once = {.l_onoff = 1};
    if (reset) setsockopt(gone[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(gone[i]);
  }
  settle();
  raw_answer answer = {0};
  test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  assert_false(raw_is_silent(there, 2000));
  assert_true(raw_read(there, &answer));
  assert_non_null(strstr(answer.body.data, "\"data\": \"YQ==\""));
  raw_free(&answer);
  close(there);
}

static void test_gone_client_swallows_nothing(void **state) {
  (void)state;
  make_pull_sub();
  goes_to_who_is_there(false, false);
  goes_to_who_is_there(true, false);
  goes_to_who_is_there(false, true);
  goes_to_who_is_there(true, true);
}

static void test_free_with_waiting_pulls(void **state) {
  make_pull_sub();
  int waiting[20];
  for (int i = 0; i < 20; i++)
    waiting[i] = begin_pull();
  settle();
  psprobe_local_free(local);
  for (int i = 0; i < 20; i++) {
    raw_answer answer = {0};
    assert_true(raw_read(waiting[i], &answer));
    assert_int_equal(answer.status, 503);
    raw_free(&answer);
    close(waiting[i]);
  }
  psprobe_error error = {0};
  if (psprobe_local_new(NULL, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  (void)state;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_long_poll),
      TEST(test_gone_client_swallows_nothing),
      TEST(test_free_with_waiting_pulls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
