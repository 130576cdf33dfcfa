/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Topics, subscriptions, publish, pull and acknowledge on a broker. The
 * subscriber has a suite of its own: test_subscriber.c.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <psprobe/pubsub_subscriptions.h>

#include "http/server/server.h"
#include "os/timer.h"
#include "target.h"

#define SECOND INT64_C(1000000000)

static const psprobe_publish_options by_grpc = {.by = PSPROBE_PUBLISH_BY_GRPC};
static psprobe_client *client;
static char topic[64], subscription[64];

static psprobe_error error; /* of the last call that failed */

static void ok(psprobe_code code) {
  if (code != PSPROBE_OK) fail_msg("%s", error.message);
}

/* A topic and a pull subscription with an ack deadline of 2 s, which a real service would not
 * take, and which keeps these tests short. */
static int setup(void **state) {
  (void)state;
  const psprobe_subscription_config config = {.topic = test_unique(topic, "topic"),
                                              .ack_deadline_s = 2};
  ok(psprobe_topic_create(client, topic, NULL, 0, NULL, &error));
  ok(psprobe_subscription_create(client, test_unique(subscription, "pull"), &config, NULL, &error));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psprobe_subscription_delete(client, subscription, NULL);
  psprobe_topic_delete(client, topic, NULL);
  return 0;
}

static psprobe_batch *pull(int max) {
  psprobe_batch *batch = NULL;
  ok(psprobe_pull(client, subscription, max, 10 * SECOND, &batch, &error));
  return batch;
}

static void publish(const char *data) {
  const psprobe_message message = {.data = data, .data_len = strlen(data)};
  ok(psprobe_publish(client, topic, &message, 1, NULL, &error));
}

static void acknowledge(const psprobe_batch *batch) {
  for (size_t i = 0; i < psprobe_batch_count(batch); i++)
    ok(psprobe_acknowledge(client, subscription, &psprobe_batch_message(batch, i)->ack_id, 1,
                           &error));
}

/* Nothing comes for longer than the ack deadline, so that nothing was left unacknowledged. The last
 * thing that a test does with its subscription: the pull that is given up may swallow messages. */
static void assert_nothing_left(void) {
  psprobe_batch *batch = NULL;
  psprobe_code code = psprobe_pull(client, subscription, 1, 3 * SECOND, &batch, NULL);
  assert_int_equal(code, PSPROBE_DEADLINE_EXCEEDED);
}

typedef struct search {
  const char *end;
  bool found;
} search;

static bool find(void *arg, const char *name) {
  search *s = arg;
  const char *slash = strrchr(name, '/');
  s->found = s->found || (slash != NULL && strcmp(slash + 1, s->end) == 0);
  return true;
}

static void test_topics(void **state) {
  (void)state;
  char name[64];
  bool existed = true;
  test_unique(name, "t%~+._-");
  search s = {.end = name};
  ok(psprobe_topic_create(client, name, NULL, 0, &existed, &error));
  assert_false(existed);
  ok(psprobe_topic_create(client, name, NULL, 0, &existed, &error));
  assert_true(existed);
  ok(psprobe_topic_exists(client, name, 0, &error));
  ok(psprobe_topic_list(client, find, &s, &error));
  assert_true(s.found);
  ok(psprobe_topic_delete(client, name, &error));
  assert_int_equal(psprobe_topic_exists(client, name, 0, &error), PSPROBE_NOT_FOUND);
  assert_int_equal(error.http_status, 404);
  assert_non_null(strstr(error.message, name));
  assert_int_equal(psprobe_topic_delete(client, name, &error), PSPROBE_NOT_FOUND);
}

static void test_subscriptions(void **state) {
  (void)state;
  char name[64];
  bool existed = true;
  psprobe_subscription_info info;
  psprobe_subscription_config config = {.topic = topic};
  test_unique(name, "s%~+._-");
  search s = {.end = name};
  ok(psprobe_subscription_create(client, name, &config, &existed, &error));
  assert_false(existed);
  config.ack_deadline_s = 60;
  ok(psprobe_subscription_create(client, name, &config, &existed, &error));
  assert_true(existed);
  ok(psprobe_subscription_get(client, name, 0, &info, &error));
  assert_non_null(strstr(info.name, name));
  assert_non_null(strstr(info.config.topic, topic));
  assert_null(info.config.push_endpoint);
  assert_int_equal(info.config.ack_deadline_s, 10);
  psprobe_subscription_info_free(&info);
  ok(psprobe_subscription_list(client, find, &s, &error));
  assert_true(s.found);
  ok(psprobe_subscription_delete(client, name, &error));
  assert_int_equal(psprobe_subscription_get(client, name, 0, &info, &error), PSPROBE_NOT_FOUND);
  config.topic = "not-there";
  assert_int_equal(psprobe_subscription_create(client, name, &config, NULL, &error),
                   PSPROBE_NOT_FOUND);
}

static void test_push_settings(void **state) {
  (void)state;
  psprobe_subscription_info info;
  ok(psprobe_subscription_set_push(
      client, subscription,
      &(psprobe_subscription_config){.push_endpoint = "http://127.0.0.1:1/push",
                                     .push_account = "pusher@demo.iam.gserviceaccount.com",
                                     .push_audience = "probe"},
      &error));
  ok(psprobe_subscription_get(client, subscription, 0, &info, &error));
  assert_string_equal(info.config.push_endpoint, "http://127.0.0.1:1/push");
  assert_int_equal(info.config.ack_deadline_s, 2);
  psprobe_subscription_info_free(&info);
  publish("kept");
  /* Made a pull subscription again, it gives out what could not be pushed. */
  ok(psprobe_subscription_set_push(client, subscription, &(psprobe_subscription_config){0},
                                   &error));
  ok(psprobe_subscription_get(client, subscription, 0, &info, &error));
  assert_null(info.config.push_endpoint);
  psprobe_subscription_info_free(&info);
  psprobe_batch *batch = pull(1);
  assert_int_equal(psprobe_batch_count(batch), 1);
  acknowledge(batch);
  psprobe_batch_free(batch);
}

static void test_what_is_published_is_pulled(void **state) {
  (void)state;
  static const char bytes[] = {0, 1, (char)0xFF, '"', '\\', '\n', 0};
  const psprobe_attribute attributes[] = {{"probe_id", "0123456789abcdef0123456789abcdef"},
                                          {"text", "\xC3\xA9 \xF0\x9F\x98\x80 \"\\/\t"},
                                          {"empty", ""}};
  const psprobe_message messages[] = {
      {.data = bytes, .data_len = sizeof bytes, .attributes = attributes, .attribute_count = 3},
      {.attributes = attributes, .attribute_count = 1},
      {.data = "x", .data_len = 1},
  };
  ok(psprobe_publish(client, topic, messages, 3, &by_grpc, &error));
  psprobe_batch *batches[3];
  int seen = 0, calls = 0;
  while (seen < 3) {
    batches[calls] = pull(10);
    for (size_t i = 0; i < psprobe_batch_count(batches[calls]); i++) {
      const psprobe_message *m = psprobe_batch_message(batches[calls], i),
                            *sent = &messages[seen++];
      assert_int_equal(m->data_len, sent->data_len);
      if (sent->data_len > 0) assert_memory_equal(m->data, sent->data, sent->data_len);
      assert_int_equal(m->attribute_count, sent->attribute_count);
      for (size_t a = 0; a < sent->attribute_count; a++)
        assert_string_equal(psprobe_message_attribute(m, sent->attributes[a].key),
                            sent->attributes[a].value);
      assert_non_null(m->message_id);
      assert_true(m->publish_time.seconds > 0);
      assert_int_equal(m->delivery_attempt, 0);
    }
    acknowledge(batches[calls]);
    psprobe_batch_free(batches[calls++]);
  }
  assert_nothing_left();
}

static void test_ordering_key(void **state) {
  (void)state;
  const psprobe_message message = {.data = "x", .data_len = 1, .ordering_key = "key \xC3\xA9"};
  ok(psprobe_publish(client, topic, &message, 1, NULL, &error));
  psprobe_batch *batch = pull(1);
  assert_string_equal(psprobe_batch_message(batch, 0)->ordering_key, "key \xC3\xA9");
  acknowledge(batch);
  psprobe_batch_free(batch);
}

typedef struct outcome {
  sem_t done;
  size_t count;
  char first[64], last[64];
  psprobe_error error;
} outcome;

static void on_published(void *arg, const char *const *ids, size_t count,
                         const psprobe_error *failure) {
  outcome *o = arg;
  if (ids != NULL) {
    o->count = count;
    snprintf(o->first, sizeof o->first, "%s", ids[0]);
    snprintf(o->last, sizeof o->last, "%s", ids[count - 1]);
  }
  if (failure != NULL) o->error = *failure;
  sem_post(&o->done);
}

static void test_publish_start(void **state) {
  (void)state;
  static psprobe_message messages[1000];
  outcome o = {0};
  sem_init(&o.done, 0, 0);
  for (int i = 0; i < 1000; i++)
    messages[i] = (psprobe_message){.data = "x", .data_len = 1};
  ok(psprobe_publish_start(client, topic, messages, 1000, NULL, on_published, &o, &error));
  sem_wait(&o.done);
  assert_int_equal(o.error.code, PSPROBE_OK);
  assert_int_equal(o.count, 1000);
  assert_string_not_equal(o.first, o.last);
  ok(psprobe_publish_start(client, "not-there", messages, 1, NULL, on_published, &o, &error));
  sem_wait(&o.done);
  assert_int_equal(o.error.code, PSPROBE_NOT_FOUND);
  sem_destroy(&o.done);
}

static void test_redelivery(void **state) {
  (void)state;
  publish("again");
  psprobe_batch *first = pull(1);
  int64_t pulled = psprobe_clock_monotonic();
  psprobe_batch *second = pull(1);
  int64_t waited = psprobe_clock_monotonic() - pulled;
  assert_true(waited > 3 * SECOND / 2 && waited < 5 * SECOND);
  const psprobe_message *a = psprobe_batch_message(first, 0), *b = psprobe_batch_message(second, 0);
  assert_string_equal(a->message_id, b->message_id);
  assert_string_not_equal(a->ack_id, b->ack_id);
  acknowledge(second);
  psprobe_batch_free(first);
  psprobe_batch_free(second);
  assert_nothing_left();
}

static void test_modify_deadline(void **state) {
  (void)state;
  publish("nack");
  psprobe_batch *batch = pull(1);
  int64_t pulled = psprobe_clock_monotonic();
  ok(psprobe_modify_ack_deadline(client, subscription, &psprobe_batch_message(batch, 0)->ack_id, 1,
                                 0, &error));
  psprobe_batch_free(batch);
  batch = pull(1); /* again, at once */
  assert_true(psprobe_clock_monotonic() - pulled < SECOND);
  pulled = psprobe_clock_monotonic();
  ok(psprobe_modify_ack_deadline(client, subscription, &psprobe_batch_message(batch, 0)->ack_id, 1,
                                 4, &error));
  psprobe_batch_free(batch);
  batch = pull(1); /* after 4 s instead of 2 */
  assert_true(psprobe_clock_monotonic() - pulled > 7 * SECOND / 2);
  acknowledge(batch);
  acknowledge(batch); /* a second time does no harm */
  psprobe_batch_free(batch);
}

/* An endpoint that refuses the first push, and keeps what the second one brought. */
typedef struct endpoint {
  sem_t taken;
  int pushes;
  char data[32], value[64], id[64], subscription[256];
} endpoint;

static void on_push(void *arg, psp_exchange *exchange) {
  endpoint *e = arg;
  size_t len = 0;
  const char *body = psp_exchange_body(exchange, &len);
  psprobe_push *push = NULL;
  if (++e->pushes == 1 || psprobe_push_decode(body, len, &push, NULL) != PSPROBE_OK) {
    psp_exchange_reply(exchange, 500, NULL, "", 0);
    return;
  }
  const psprobe_message *m = psprobe_push_message(push);
  const char *value = psprobe_message_attribute(m, "key");
  snprintf(e->data, sizeof e->data, "%s", m->data != NULL ? (const char *)m->data : "");
  snprintf(e->value, sizeof e->value, "%s", value != NULL ? value : "");
  snprintf(e->id, sizeof e->id, "%s", m->message_id != NULL ? m->message_id : "");
  snprintf(e->subscription, sizeof e->subscription, "%s",
           m->subscription != NULL ? m->subscription : "");
  psprobe_push_free(push);
  psp_exchange_reply(exchange, 204, NULL, "", 0);
  sem_post(&e->taken);
}

static void test_push(void **state) {
  (void)state;
  endpoint e = {0};
  sem_init(&e.taken, 0, 0);
  const psp_route route = {.method = "POST", .pattern = "/push", .handler = on_push, .arg = &e};
  const psp_server_options options = {
      .listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .threads = 1};
  psp_server *server = NULL;
  ok(psp_server_new(&options, &server, &error));
  char url[128];
  snprintf(url, sizeof url, "%s/push", psp_server_url(server));
  ok(psprobe_subscription_set_push(client, subscription,
                                   &(psprobe_subscription_config){.push_endpoint = url}, &error));
  const psprobe_attribute attribute = {"key", "value /\" \xC3\xA9"};
  const psprobe_message message = {
      .data = "a/b", .data_len = 3, .attributes = &attribute, .attribute_count = 1};
  ok(psprobe_publish(client, topic, &message, 1, NULL, &error));
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  assert_int_equal(sem_timedwait(&e.taken, &until), 0);
  assert_true(e.pushes >= 2);
  assert_string_equal(e.data, "a/b");
  assert_string_equal(e.value, attribute.value);
  assert_true(*e.id);
  assert_non_null(strstr(e.subscription, subscription));
  ok(psprobe_subscription_set_push(client, subscription, &(psprobe_subscription_config){0},
                                   &error));
  assert_nothing_left();
  psp_server_free(server);
  sem_destroy(&e.taken);
}

static void test_errors(void **state) {
  (void)state;
  const char *id = "x";
  psprobe_batch *batch = NULL;
  const psprobe_message message = {.data = "x", .data_len = 1};
  assert_int_equal(psprobe_publish(client, "not-there", &message, 1, &by_grpc, &error),
                   PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "publish to topic not-there"));
  assert_int_equal(psprobe_pull(client, "not-there", 1, 0, &batch, &error), PSPROBE_NOT_FOUND);
  assert_int_equal(psprobe_acknowledge(client, "not-there", &id, 1, &error), PSPROBE_NOT_FOUND);
  assert_int_equal(psprobe_modify_ack_deadline(client, "not-there", &id, 1, 1, &error),
                   PSPROBE_NOT_FOUND);
  assert_int_equal(psprobe_acknowledge(client, subscription, &id, 1, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int suite(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_topics),        TEST(test_subscriptions),
      TEST(test_push_settings), TEST(test_what_is_published_is_pulled),
      TEST(test_ordering_key),  TEST(test_publish_start),
      TEST(test_redelivery),    TEST(test_modify_deadline),
      TEST(test_push),          TEST(test_errors),
  };
  client = test_target_client(TEST_PUBSUB);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  psprobe_client_free(client);
  return failed;
}

int main(void) {
  return test_on_targets(suite);
}
