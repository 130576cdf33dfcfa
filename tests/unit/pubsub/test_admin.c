/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/pubsub.h>

#include "fake_client.h"
#include "files.h"

#define TOPIC        FAKE_PUBSUB "/v1/projects/demo-p/topics/probes"
#define SUBSCRIPTION FAKE_PUBSUB "/v1/projects/demo-p/subscriptions/jobs"

static void reply_file(fake_call *call, int status, const char *path) {
  psp_buf body = test_file(path);
  fake_reply_bytes(call, status, NULL, body.data, body.len);
  psp_buf_free(&body);
}

static void test_topics(void **state) {
  fake_client *f = *state;
  bool existed = true;
  psprobe_error error = {0};
  fake_in_order(f->fake);
  fake_call *created = fake_expect(f->fake, "PUT", TOPIC);
  reply_file(created, 200, "tests/data/pubsub/topic-created.json");
  reply_file(fake_expect(f->fake, "PUT", TOPIC), 409,
             "tests/data/pubsub/error-409-topic-exists.json");
  fake_reply(fake_expect(f->fake, "GET", TOPIC), 200, NULL, "{}");
  reply_file(fake_expect(f->fake, "GET", TOPIC), 404, "tests/data/pubsub/error-404-topic.json");
  fake_reply(fake_expect(f->fake, "DELETE", TOPIC), 200, NULL, "{}");
  assert_int_equal(psprobe_topic_create(f->client, "probes", 0, &existed, &error), PSPROBE_OK);
  assert_false(existed);
  assert_string_equal(fake_request(created, 0)->body, "{}");
  assert_int_equal(psprobe_topic_create(f->client, "probes", 0, &existed, &error), PSPROBE_OK);
  assert_true(existed);
  assert_int_equal(error.code, PSPROBE_OK);
  assert_int_equal(psprobe_topic_exists(f->client, "projects/demo-p/topics/probes", 0, NULL),
                   PSPROBE_OK);
  assert_int_equal(psprobe_topic_exists(f->client, "probes", 0, &error), PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "get topic probes: NOT_FOUND (HTTP 404): Topic not found");
  assert_int_equal(psprobe_topic_delete(f->client, "probes", NULL), PSPROBE_OK);
}

static void test_refused_names(void **state) {
  fake_client *f = *state;
  psprobe_error error = {0};
  psprobe_subscription_config config = {.topic = "t"};
  assert_int_equal(psprobe_topic_create(f->client, "a b", 0, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "create: topic \"a b\""));
  assert_int_equal(psprobe_subscription_create(f->client, "jobs", &config, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "create subscription jobs: topic \"t\""));
  config = (psprobe_subscription_config){.topic = "probes", .ack_deadline_s = 601};
  assert_int_equal(psprobe_subscription_create(f->client, "jobs", &config, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  config = (psprobe_subscription_config){.topic = "probes", .push_endpoint = "localhost:80"};
  assert_int_equal(psprobe_subscription_create(f->client, "jobs", &config, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "push endpoint \"localhost:80\""));
  config.push_endpoint = "https://me:hush@h/?hush";
  assert_int_equal(psprobe_subscription_create(f->client, "jobs", &config, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "push endpoint \"https://***@h/?***\""));
  assert_null(strstr(error.message, "hush"));
  assert_int_equal(psprobe_subscription_set_push(f->client, "jobs", NULL, "a@b", NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(
      psprobe_subscription_set_push(f->client, "jobs", "https://h/", NULL, "x", &error),
      PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_topic_exists(f->client, NULL, 0, &error), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(fake_request_count(f->fake), 0);
}

static void test_subscriptions(void **state) {
  fake_client *f = *state;
  psprobe_subscription_info info;
  const psprobe_subscription_config config = {.topic = "probes", .ack_deadline_s = 20};
  fake_call *put = fake_expect(f->fake, "PUT", SUBSCRIPTION);
  fake_reply(put, 200, NULL, "{}");
  assert_int_equal(psprobe_subscription_create(f->client, "jobs", &config, NULL, NULL), PSPROBE_OK);
  assert_string_equal(fake_request(put, 0)->body,
                      "{\"topic\":\"projects/demo-p/topics/probes\",\"ackDeadlineSeconds\":20}");
  reply_file(fake_expect(f->fake, "GET", SUBSCRIPTION), 200,
             "tests/data/pubsub/subscription-push-oidc.json");
  assert_int_equal(psprobe_subscription_get(f->client, "jobs", 0, &info, NULL), PSPROBE_OK);
  assert_string_equal(info.push_endpoint, "http://127.0.0.1:1/push");
  psprobe_subscription_info_free(&info);
  fake_call *push = fake_expect(f->fake, "POST", SUBSCRIPTION ":modifyPushConfig");
  fake_reply(push, 200, NULL, "{}");
  assert_int_equal(psprobe_subscription_set_push(f->client, "jobs", NULL, NULL, NULL, NULL),
                   PSPROBE_OK);
  assert_string_equal(fake_request(push, 0)->body, "{\"pushConfig\":{}}");
  fake_reply(fake_expect(f->fake, "DELETE", SUBSCRIPTION), 200, NULL, "{}");
  assert_int_equal(psprobe_subscription_delete(f->client, "jobs", NULL), PSPROBE_OK);
}

static bool count_name(void *arg, const char *name) {
  (void)name;
  return ++*(int *)arg != 100;
}

static void test_lists(void **state) {
  fake_client *f = *state;
  int names = 0;
  fake_in_order(f->fake);
  reply_file(fake_expect(f->fake, "GET", FAKE_PUBSUB "/v1/projects/demo-p/topics?pageSize=1000"),
             200, "tests/data/pubsub/topics-page.json");
  fake_reply(fake_expect(f->fake, "GET",
                         FAKE_PUBSUB "/v1/projects/demo-p/topics?pageSize=1000&pageToken="
                                     "projects%2Fdemo-project%2Ftopics%2Fthird"),
             200, NULL, "{\"topics\":[{\"name\":\"n\"}]}");
  assert_int_equal(psprobe_topic_list(f->client, count_name, &names, NULL), PSPROBE_OK);
  assert_int_equal(names, 3);
  names = 98; /* ends at 100, before the next page */
  reply_file(fake_expect(f->fake, "GET", FAKE_PUBSUB "/v1/projects/demo-p/topics?pageSize=1000"),
             200, "tests/data/pubsub/topics-page.json");
  assert_int_equal(psprobe_topic_list(f->client, count_name, &names, NULL), PSPROBE_OK);
  assert_int_equal(names, 100);
  fake_reply(fake_expect(f->fake, "GET", FAKE_PUBSUB "/v1/projects/demo-p/subscriptions?*"), 200,
             NULL, "{}");
  assert_int_equal(psprobe_subscription_list(f->client, count_name, &names, NULL), PSPROBE_OK);
}

static void test_list_that_turns_in_circles(void **state) {
  fake_client *f = *state;
  int names = 0;
  psprobe_error error = {0};
  fake_call *page =
      fake_times(fake_expect(f->fake, "GET", FAKE_PUBSUB "/v1/projects/demo-p/topics?*"), 2);
  fake_reply(page, 200, NULL, "{\"nextPageToken\":\"x\"}");
  assert_int_equal(psprobe_topic_list(f->client, count_name, &names, &error), PSPROBE_INTERNAL);
  assert_non_null(strstr(error.message, "page token"));
}

static void test_nobody_there(void **state) {
  fake_client *f = *state;
  psprobe_error error = {0};
  fake_call *call = fake_times(fake_expect(f->fake, "PUT", TOPIC), 5);
  fake_fail(call, PSPROBE_UNAVAILABLE, "PUT 127.0.0.1:8085: connection refused");
  assert_int_equal(psprobe_topic_create(f->client, "probes", 0, NULL, &error), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, "create topic probes"));
  assert_non_null(strstr(error.message, "connection refused"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_client_setup, fake_client_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_topics),
      TEST(test_refused_names),
      TEST(test_subscriptions),
      TEST(test_lists),
      TEST(test_list_that_turns_in_circles),
      TEST(test_nobody_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
