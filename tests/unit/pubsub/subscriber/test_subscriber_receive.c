/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/subscriber.h>

#include "fake_client.h"
#include "files.h"

#define SUBSCRIPTION FAKE_PUBSUB "/v1/projects/demo-p/subscriptions/jobs"

static void test_pull(void **state) {
  fake_client *f = *state;
  psprobe_batch *batch = NULL;
  psp_buf answer = test_file("tests/data/pubsub/pull-three.json");
  fake_call *call = fake_expect(f->fake, "POST", SUBSCRIPTION ":pull");
  fake_reply(call, 200, NULL, answer.data);
  assert_int_equal(psprobe_pull(f->client, "jobs", 10, 0, &batch, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_batch_count(batch), 3);
  psprobe_batch_free(batch);
  assert_string_equal(fake_request(call, 0)->body, "{\"maxMessages\":10}");
  /* The emulator answers an empty pull after 89 s: waiting less would lose that connection, and
   * with it messages until their ack deadline. */
  assert_true(fake_request(call, 0)->timeout_ns > INT64_C(95000000000));
  psp_buf_free(&answer);
}

static void test_pull_fails(void **state) {
  fake_client *f = *state;
  psprobe_batch *batch = NULL;
  psprobe_error error = {0};
  assert_int_equal(psprobe_pull(f->client, "jobs", 0, 0, &batch, &error), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_pull(f->client, "jobs", 1001, 0, &batch, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_pull(f->client, "jobs", 1, -1, &batch, &error),
                   PSPROBE_INVALID_ARGUMENT);
  fake_reply(fake_expect(f->fake, "POST", SUBSCRIPTION ":pull"), 404, NULL,
             "{\"error\":{\"code\":404,\"message\":\"Subscription does not exist\","
             "\"status\":\"NOT_FOUND\"}}");
  assert_int_equal(psprobe_pull(f->client, "jobs", 1, 0, &batch, &error), PSPROBE_NOT_FOUND);
  assert_string_equal(
      error.message,
      "pull from subscription jobs: NOT_FOUND (HTTP 404): Subscription does not exist");
  fake_reply(fake_expect(f->fake, "POST", SUBSCRIPTION ":pull"), 200, NULL, "<html>");
  assert_int_equal(psprobe_pull(f->client, "jobs", 1, 0, &batch, &error), PSPROBE_INTERNAL);
  assert_null(batch);
}

static void test_acknowledge(void **state) {
  fake_client *f = *state;
  psprobe_error error = {0};
  const char *ids[] = {"a", "b"}, *bad[] = {"a", ""};
  fake_call *ack = fake_expect(f->fake, "POST", SUBSCRIPTION ":acknowledge");
  fake_reply(ack, 200, NULL, "{}");
  assert_int_equal(psprobe_acknowledge(f->client, "jobs", ids, 2, NULL), PSPROBE_OK);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a\",\"b\"]}");
  fake_call *modify = fake_expect(f->fake, "POST", SUBSCRIPTION ":modifyAckDeadline");
  fake_reply(modify, 200, NULL, "{}");
  assert_int_equal(psprobe_modify_ack_deadline(f->client, "jobs", ids, 1, 30, NULL), PSPROBE_OK);
  assert_string_equal(fake_request(modify, 0)->body,
                      "{\"ackIds\":[\"a\"],\"ackDeadlineSeconds\":30}");
  /* Nothing to say is no call; the service would refuse it. */
  assert_int_equal(psprobe_acknowledge(f->client, "jobs", ids, 0, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_acknowledge(f->client, "jobs", bad, 2, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "ack id 1 is empty"));
  assert_int_equal(psprobe_modify_ack_deadline(f->client, "jobs", ids, 1, 601, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_modify_ack_deadline(f->client, "jobs", ids, 1, -1, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

static void test_many_acks(void **state) {
  fake_client *f = *state;
  const char *ids[6000];
  for (int i = 0; i < 6000; i++)
    ids[i] = "projects/demo-p/subscriptions/jobs:1";
  fake_call *ack = fake_times(fake_expect(f->fake, "POST", SUBSCRIPTION ":acknowledge"), 3);
  fake_reply(ack, 200, NULL, "{}");
  assert_int_equal(psprobe_acknowledge(f->client, "jobs", ids, 6000, NULL), PSPROBE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_client_setup, fake_client_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_pull),
      TEST(test_pull_fails),
      TEST(test_acknowledge),
      TEST(test_many_acks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
