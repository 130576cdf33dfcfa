/* SPDX-License-Identifier: MIT */
/** @file The stand-in's long polls, over sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <utlist.h>

#include "local/broker/parts.h"
#include "local/pubsub/grpc.h"
#include "local/pubsub/host.h"
#include "local/pubsub/rest.h"
#include "rest_call.h"

#define TOPIC "/v1/projects/demo-project/topics/topic"

static psp_broker_host *broker;
static char host[32];

static void start(void) {
  const psp_broker_faces faces = {psp_broker_rest_handle, psp_broker_grpc_accept};
  psprobe_error error = {0};
  if (psp_broker_host_new(NULL, &faces, NULL, &broker, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  snprintf(host, sizeof host, "127.0.0.1:%d", psp_broker_host_port(broker));
}

static int setup(void **state) {
  (void)state;
  start();
  assert_int_equal(test_rest_status(host, "PUT", TOPIC, NULL), 200);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_broker_host_free(broker);
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

/* Waits until so many pulls wait at the broker; fails after ten seconds. */
static void wait_pulls(int count) {
  for (int i = 0, waiting; i < 10000; i++, usleep(1000)) {
    psp_broker_waiter *pull;
    psp_subscription *subscription = psp_broker_find(
        psp_broker_host_lock(broker), "projects/demo-project/subscriptions/pull-sub");
    DL_COUNT(subscription->pulls, pull, waiting);
    psp_broker_host_unlock(broker);
    if (waiting == count) return;
  }
  fail_msg("ten seconds, and not %d pulls wait", count);
}

static void test_long_poll(void **state) {
  (void)state;
  make_pull_sub();
  int first = begin_pull();
  wait_pulls(1);
  int second = begin_pull();
  wait_pulls(2);
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
    wait_pulls(i + 1);
    if (extra_bytes) raw_send(gone[i], "GET / HTTP/1.1\r\n");
  }
  int there = begin_pull();
  wait_pulls(3);
  for (int i = 0; i < 2; i++) {
    struct linger at_once = {.l_onoff = 1};
    if (reset) setsockopt(gone[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(gone[i]);
  }
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
  wait_pulls(20);
  psp_broker_host_free(broker);
  for (int i = 0; i < 20; i++) {
    raw_answer answer = {0};
    assert_true(raw_read(waiting[i], &answer));
    assert_int_equal(answer.status, 503);
    raw_free(&answer);
    close(waiting[i]);
  }
  start();
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
