/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/pubsub_subscriptions.h>

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
  assert_int_equal(psprobe_topic_create(f->client, "probes", NULL, 0, &existed, &error),
                   PSPROBE_OK);
  assert_false(existed);
  assert_string_equal(fake_request(created, 0)->body, "{}");
  assert_int_equal(psprobe_topic_create(f->client, "probes", NULL, 0, &existed, &error),
                   PSPROBE_OK);
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
  assert_int_equal(psprobe_topic_create(f->client, "a b", NULL, 0, NULL, &error),
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
  assert_int_equal(
      psprobe_subscription_set_push(f->client, "jobs",
                                    &(psprobe_subscription_config){.push_account = "a@b"}, &error),
      PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(
      psprobe_subscription_set_push(
          f->client, "jobs",
          &(psprobe_subscription_config){.push_endpoint = "https://h/", .push_audience = "x"},
          &error),
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
  assert_string_equal(info.config.push_endpoint, "http://127.0.0.1:1/push");
  psprobe_subscription_info_free(&info);
  fake_call *push = fake_expect(f->fake, "POST", SUBSCRIPTION ":modifyPushConfig");
  fake_reply(push, 200, NULL, "{}");
  assert_int_equal(
      psprobe_subscription_set_push(f->client, "jobs", &(psprobe_subscription_config){0}, NULL),
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

static void test_topic_settings(void **state) {
  fake_client *f = *state;
  static const char *const regions[] = {"europe-west1", "europe-west4"};
  const psprobe_attribute label = {"team", "probes"};
  const psprobe_topic_config config = {.labels = &label,
                                       .label_count = 1,
                                       .regions = regions,
                                       .region_count = 2,
                                       .retention_ns = INT64_C(600000000000),
                                       .schema = "projects/p/schemas/s",
                                       .schema_encoding = "JSON",
                                       .ingestion = "{\"awsKinesis\":{}}"};
  psprobe_error error = {0};
  psprobe_topic_info info;
  fake_in_order(f->fake);
  fake_call *put = fake_expect(f->fake, "PUT", TOPIC);
  fake_reply(put, 200, NULL, "{}");
  assert_int_equal(psprobe_topic_create(f->client, "probes", &config, 0, NULL, NULL), PSPROBE_OK);
  const char *body = fake_request(put, 0)->body;
  assert_string_equal(
      body,
      "{\"labels\":{\"team\":\"probes\"},\"messageRetentionDuration\":\"600s\","
      "\"schemaSettings\":{\"schema\":\"projects/p/schemas/s\",\"encoding\":\"JSON\"},"
      "\"messageStoragePolicy\":{\"allowedPersistenceRegions\":[\"europe-west1\","
      "\"europe-west4\"]},\"ingestionDataSourceSettings\":{\"awsKinesis\":{}}}");
  psp_buf whole = {0};
  psp_buf_printf(&whole, "{\"name\":\"n\",\"state\":\"ACTIVE\",%s", body + 1);
  fake_reply(fake_expect(f->fake, "GET", TOPIC), 200, NULL, whole.data);
  assert_int_equal(psprobe_topic_get(f->client, "probes", 0, &info, NULL), PSPROBE_OK);
  assert_string_equal(info.state, "ACTIVE");
  assert_string_equal(info.config.regions[1], "europe-west4");
  assert_string_equal(info.config.ingestion, config.ingestion);
  assert_int_equal(info.config.retention_ns, config.retention_ns);
  psprobe_topic_info_free(&info);
  psp_buf_free(&whole);
  fake_call *patch = fake_expect(f->fake, "PATCH", TOPIC);
  fake_reply(patch, 200, NULL, "{}");
  assert_int_equal(psprobe_topic_update(f->client, "probes", &config,
                                        PSPROBE_TOPIC_RETENTION | PSPROBE_TOPIC_KMS_KEY, NULL),
                   PSPROBE_OK);
  assert_string_equal(fake_request(patch, 0)->body,
                      "{\"topic\":{\"name\":\"projects/demo-p/topics/probes\","
                      "\"messageRetentionDuration\":\"600s\"},"
                      "\"updateMask\":\"messageRetentionDuration,kmsKeyName\"}");
  assert_int_equal(psprobe_topic_update(f->client, "probes", &config, 0, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_topic_update(f->client, "probes", &config, 1 << 20, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

static void test_refused_topics(void **state) {
  fake_client *f = *state;
  static const char *const nameless[] = {""};
  const psprobe_topic_config refused[] = {
      {.retention_ns = 1},
      {.schema_encoding = "JSON"},
      {.schema = "s", .schema_encoding = "XML"},
      {.schema = "s"},
      {.regions = nameless, .region_count = 1},
      {.enforce_in_transit = true},
      {.ingestion = "7"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    assert_int_equal(psprobe_topic_create(f->client, "probes", &refused[i], 0, NULL, NULL),
                     PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(fake_request_count(f->fake), 0);
}

static void test_subscription_changes(void **state) {
  fake_client *f = *state;
  const psprobe_subscription_config config = {.dead_letter_topic = "dead", .exactly_once = true};
  psprobe_error error = {0};
  fake_in_order(f->fake);
  fake_call *patch = fake_expect(f->fake, "PATCH", SUBSCRIPTION);
  fake_reply(patch, 200, NULL, "{}");
  assert_int_equal(psprobe_subscription_update(
                       f->client, "jobs", &config,
                       PSPROBE_SUBSCRIPTION_DEAD_LETTER | PSPROBE_SUBSCRIPTION_LABELS, NULL),
                   PSPROBE_OK);
  assert_string_equal(
      fake_request(patch, 0)->body,
      "{\"subscription\":{\"name\":\"projects/demo-p/subscriptions/jobs\",\"deadLetterPolicy\":"
      "{\"deadLetterTopic\":\"projects/demo-p/topics/dead\"}},"
      "\"updateMask\":\"labels,deadLetterPolicy\"}");
  fake_reply(fake_expect(f->fake, "POST", SUBSCRIPTION ":detach"), 200, NULL, "{}");
  assert_int_equal(psprobe_subscription_detach(f->client, "jobs", NULL), PSPROBE_OK);
  fake_call *seek = fake_expect(f->fake, "POST", SUBSCRIPTION ":seek");
  fake_reply(seek, 200, NULL, "{}");
  const psprobe_timestamp at = {.seconds = 1796040000, .nanos = 5};
  assert_int_equal(psprobe_subscription_seek(f->client, "jobs", at, NULL), PSPROBE_OK);
  assert_string_equal(fake_request(seek, 0)->body, "{\"time\":\"2026-11-30T12:00:00.000000005Z\"}");
  fake_call *back = fake_expect(f->fake, "POST", SUBSCRIPTION ":seek");
  fake_reply(back, 200, NULL, "{}");
  assert_int_equal(psprobe_subscription_seek_snapshot(f->client, "jobs", "kept", NULL), PSPROBE_OK);
  assert_string_equal(fake_request(back, 0)->body,
                      "{\"snapshot\":\"projects/demo-p/snapshots/kept\"}");
  const psprobe_timestamp never = {.seconds = INT64_C(253402300800)}, odd = {.nanos = -1};
  assert_int_equal(psprobe_subscription_seek(f->client, "jobs", never, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_subscription_seek(f->client, "jobs", odd, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

static void test_snapshots(void **state) {
  fake_client *f = *state;
  static const char url[] = FAKE_PUBSUB "/v1/projects/demo-p/snapshots/kept";
  const psprobe_attribute label = {"k", "v"};
  psprobe_snapshot_info info;
  fake_in_order(f->fake);
  fake_call *put = fake_expect(f->fake, "PUT", url);
  fake_reply(put, 200, NULL, "{}");
  fake_reply(fake_expect(f->fake, "PUT", url), 409, NULL,
             "{\"error\":{\"code\":409,\"message\":\"there\",\"status\":\"ALREADY_EXISTS\"}}");
  assert_int_equal(psprobe_snapshot_create(f->client, "kept", "jobs", &label, 1, NULL), PSPROBE_OK);
  assert_string_equal(fake_request(put, 0)->body,
                      "{\"subscription\":\"projects/demo-p/subscriptions/jobs\","
                      "\"labels\":{\"k\":\"v\"}}");
  assert_int_equal(psprobe_snapshot_create(f->client, "kept", "jobs", NULL, 0, NULL),
                   PSPROBE_ALREADY_EXISTS);
  fake_reply(fake_expect(f->fake, "GET", url), 200, NULL,
             "{\"name\":\"n\",\"topic\":\"t\",\"expireTime\":\"2026-12-07T00:00:00Z\","
             "\"labels\":{\"k\":\"v\"}}");
  assert_int_equal(psprobe_snapshot_get(f->client, "kept", &info, NULL), PSPROBE_OK);
  assert_string_equal(info.labels[0].key, "k");
  assert_int_equal(info.expire_time.seconds, 1796601600);
  psprobe_snapshot_info_free(&info);
  fake_call *patch = fake_expect(f->fake, "PATCH", url);
  fake_reply(patch, 200, NULL, "{}");
  psprobe_snapshot_config to = {.expire_time = {.seconds = 1796601600}};
  assert_int_equal(psprobe_snapshot_update(f->client, "kept", &to, PSPROBE_SNAPSHOT_LABELS, NULL),
                   PSPROBE_OK);
  assert_string_equal(fake_request(patch, 0)->body,
                      "{\"snapshot\":{\"name\":\"projects/demo-p/snapshots/kept\"},"
                      "\"updateMask\":\"labels\"}");
  patch = fake_expect(f->fake, "PATCH", url);
  fake_reply(patch, 200, NULL, "{}");
  assert_int_equal(
      psprobe_snapshot_update(f->client, "kept", &to, PSPROBE_SNAPSHOT_EXPIRE_TIME, NULL),
      PSPROBE_OK);
  assert_string_equal(fake_request(patch, 0)->body,
                      "{\"snapshot\":{\"name\":\"projects/demo-p/snapshots/kept\","
                      "\"expireTime\":\"2026-12-07T00:00:00Z\"},\"updateMask\":\"expireTime\"}");
  to.expire_time.seconds = INT64_MAX;
  assert_int_equal(
      psprobe_snapshot_update(f->client, "kept", &to, PSPROBE_SNAPSHOT_EXPIRE_TIME, NULL),
      PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_snapshot_update(f->client, "kept", &to, 0, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  fake_reply(fake_expect(f->fake, "DELETE", url), 200, NULL, "{}");
  assert_int_equal(psprobe_snapshot_delete(f->client, "kept", NULL), PSPROBE_OK);
  fake_reply(fake_expect(f->fake, "GET", url), 200, NULL, "{\"name\":\"n\"}");
  assert_int_equal(psprobe_snapshot_get(f->client, "kept", &info, NULL), PSPROBE_INTERNAL);
}

static void test_policies(void **state) {
  fake_client *f = *state;
  static const char policy[] = "{\"bindings\":[],\"etag\":\"BwX=\"}";
  char *read = NULL;
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "GET", TOPIC ":getIamPolicy?options.requestedPolicyVersion=3"),
             200, NULL, policy);
  assert_int_equal(psprobe_policy_get(f->client, PSPROBE_POLICY_TOPIC, "probes", &read, NULL),
                   PSPROBE_OK);
  assert_string_equal(read, policy);
  fake_call *set = fake_expect(f->fake, "POST", SUBSCRIPTION ":setIamPolicy");
  fake_reply(set, 200, NULL, "{}");
  assert_int_equal(psprobe_policy_set(f->client, PSPROBE_POLICY_SUBSCRIPTION, "jobs", read, NULL),
                   PSPROBE_OK);
  assert_string_equal(fake_request(set, 0)->body,
                      "{\"policy\":{\"bindings\":[],\"etag\":\"BwX=\"}}");
  free(read);
  static const char *const asked[] = {"pubsub.topics.publish", "pubsub.topics.delete"};
  bool granted[2] = {false, true};
  fake_call *ask = fake_expect(f->fake, "POST", TOPIC ":testIamPermissions");
  fake_reply(ask, 200, NULL, "{\"permissions\":[\"pubsub.topics.publish\"]}");
  assert_int_equal(
      psprobe_policy_test(f->client, PSPROBE_POLICY_TOPIC, "probes", asked, 2, granted, NULL),
      PSPROBE_OK);
  assert_true(granted[0] && !granted[1]);
  assert_int_equal(psprobe_policy_set(f->client, PSPROBE_POLICY_TOPIC, "probes", "[]", NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_policy_set(f->client, PSPROBE_POLICY_TOPIC, "probes", NULL, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(
      psprobe_policy_test(f->client, PSPROBE_POLICY_TOPIC, "probes", asked, 0, granted, NULL),
      PSPROBE_INVALID_ARGUMENT);
}

static bool expect_name(void *arg, const char *name) {
  assert_string_equal(name, "projects/demo-p/subscriptions/jobs");
  ++*(int *)arg;
  return true;
}

/* A topic's own are listed by their names alone; its snapshots likewise. */
static void test_lists_of_a_topic(void **state) {
  fake_client *f = *state;
  int names = 0;
  fake_reply(fake_expect(f->fake, "GET", TOPIC "/subscriptions?pageSize=1000"), 200, NULL,
             "{\"subscriptions\":[\"projects/demo-p/subscriptions/jobs\"]}");
  fake_reply(fake_expect(f->fake, "GET", TOPIC "/snapshots?pageSize=1000"), 200, NULL, "{}");
  assert_int_equal(psprobe_topic_subscriptions(f->client, "probes", expect_name, &names, NULL),
                   PSPROBE_OK);
  assert_int_equal(names, 1);
  assert_int_equal(psprobe_topic_snapshots(f->client, "probes", expect_name, &names, NULL),
                   PSPROBE_OK);
  fake_reply(fake_expect(f->fake, "GET", FAKE_PUBSUB "/v1/projects/demo-p/snapshots?*"), 200, NULL,
             "{\"snapshots\":[]}");
  assert_int_equal(psprobe_snapshot_list(f->client, expect_name, &names, NULL), PSPROBE_OK);
  assert_int_equal(names, 1);
}

static void test_nobody_there(void **state) {
  fake_client *f = *state;
  psprobe_error error = {0};
  fake_call *call = fake_times(fake_expect(f->fake, "PUT", TOPIC), 5);
  fake_fail(call, PSPROBE_UNAVAILABLE, "PUT 127.0.0.1:8085: connection refused");
  assert_int_equal(psprobe_topic_create(f->client, "probes", NULL, 0, NULL, &error),
                   PSPROBE_UNAVAILABLE);
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
      TEST(test_topic_settings),
      TEST(test_refused_topics),
      TEST(test_subscription_changes),
      TEST(test_snapshots),
      TEST(test_policies),
      TEST(test_lists_of_a_topic),
      TEST(test_nobody_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
