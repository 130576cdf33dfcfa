/* SPDX-License-Identifier: MIT */
/* threads meet here */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/publisher.h>

#include "base/json.h"
#include "fake_client.h"
#include "os/clock.h"
#include "os/thread.h"

#define URL FAKE_PUBSUB "/v1/projects/demo-p/topics/probes:publish"

typedef struct outcomes {
  pthread_mutex_t lock;
  unsigned published, failed;
  psprobe_error error; /* the last */
  char ids[256];       /* "7 8 " */
} outcomes;

static outcomes seen;

static void on_published(void *arg, const char *id, const psprobe_error *error) {
  outcomes *o = arg;
  pthread_mutex_lock(&o->lock);
  assert_int_equal(id == NULL, error != NULL);
  if (id != NULL && strlen(o->ids) + strlen(id) + 2 < sizeof o->ids)
    strcat(strcat(o->ids, id), " ");
  if (error != NULL) o->error = *error;
  ++*(id != NULL ? &o->published : &o->failed);
  pthread_mutex_unlock(&o->lock);
}

static psprobe_publisher *made(fake_client *f, psprobe_publisher_options options) {
  psprobe_publisher *publisher = NULL;
  options.topic = "probes";
  options.by = PSPROBE_PUBLISH_BY_REST;
  seen = (outcomes){.lock = PTHREAD_MUTEX_INITIALIZER};
  assert_int_equal(psprobe_publisher_new(f->client, &options, &publisher, NULL), PSPROBE_OK);
  return publisher;
}

static psprobe_code give(psprobe_publisher *p, const char *key, const char *data) {
  const psprobe_attribute attribute = {"k", "v"};
  const psprobe_message message = {.data = data,
                                   .data_len = strlen(data),
                                   .ordering_key = key,
                                   .attributes = &attribute,
                                   .attribute_count = 1};
  return psprobe_publisher_publish(p, &message, on_published, &seen, &seen.error);
}

/* Answers with an id for each message, "m0", "m1", … */
static void answer_each(void *arg, const psp_http_request *request, fake_answer *answer) {
  unsigned *next = arg;
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(request->body, request->body_len, "body", &json, NULL),
                   PSPROBE_OK);
  psp_buf_text(&answer->body, "{\"messageIds\":[");
  for (size_t i = 0, count = psp_json_count(psp_json_get(json, "messages")); i < count; i++)
    psp_buf_printf(&answer->body, "%s\"m%u\"", i > 0 ? "," : "", (*next)++);
  psp_buf_text(&answer->body, "]}");
  psp_json_free(json);
}

static void test_at_once(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  psprobe_publisher *p = made(f, (psprobe_publisher_options){0});
  fake_call *call = fake_times(fake_expect(f->fake, "POST", URL), 2);
  fake_handle(call, answer_each, &next);
  assert_int_equal(give(p, NULL, "a"), PSPROBE_OK);
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  assert_int_equal(give(p, NULL, "b"), PSPROBE_OK);
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  assert_string_equal(seen.ids, "m0 m1 ");
  assert_string_equal(fake_request(call, 0)->body,
                      "{\"messages\":[{\"data\":\"YQ==\",\"attributes\":{\"k\":\"v\"}}]}");
  psprobe_publisher_free(p);
}

/* Three go together, the fourth when it is told to. */
static void test_gathered(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  psprobe_publisher_stats stats;
  psprobe_publisher *p =
      made(f, (psprobe_publisher_options){.batch_messages = 3, .delay_ns = 3600 * PSP_SECOND_NS});
  fake_call *call = fake_times(fake_expect(f->fake, "POST", URL), 2);
  fake_handle(call, answer_each, &next);
  for (int i = 0; i < 4; i++)
    assert_int_equal(give(p, NULL, "a"), PSPROBE_OK);
  fake_wait(call, 1);
  psprobe_publisher_get_stats(p, &stats);
  assert_int_equal(stats.waiting_now, 1);
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  psprobe_publisher_get_stats(p, &stats);
  assert_int_equal(stats.calls, 2);
  assert_int_equal(stats.published, 4);
  assert_int_equal(stats.bytes_now, 0);
  psprobe_publisher_free(p);
}

/* Nobody flushes: its time does. */
static void test_delay(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  psprobe_publisher *p = made(f, (psprobe_publisher_options){.delay_ns = PSP_SECOND_NS / 50});
  fake_call *call = fake_expect(f->fake, "POST", URL);
  fake_handle(call, answer_each, &next);
  int64_t begun_ns = psprobe_clock_monotonic();
  give(p, NULL, "a");
  fake_wait(call, 1);
  assert_true(psprobe_clock_monotonic() - begun_ns >= PSP_SECOND_NS / 50);
  psprobe_publisher_free(p);
  assert_int_equal(seen.published, 1); /* what is under way is waited for */
}

static void test_paused_key(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  psprobe_publisher_stats stats;
  psprobe_publisher *p = made(f, (psprobe_publisher_options){0});
  fake_call *first = fake_expect(f->fake, "POST", URL);
  assert_int_equal(give(p, "k", "a"), PSPROBE_OK);
  fake_wait(first, 1);
  assert_int_equal(give(p, "k", "b"), PSPROBE_OK); /* behind a */
  fake_fail(first, PSPROBE_PERMISSION_DENIED, "no");
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  assert_int_equal(seen.failed, 2);
  assert_int_equal(seen.error.code, PSPROBE_FAILED_PRECONDITION);
  assert_int_equal(give(p, "k", "c"), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(seen.error.message, "publish to topic probes: an earlier message"));
  psprobe_publisher_get_stats(p, &stats);
  assert_int_equal(stats.paused_now, 1);
  psprobe_publisher_resume(p, "k");
  fake_call *second = fake_expect(f->fake, "POST", URL);
  fake_handle(second, answer_each, &next);
  assert_int_equal(give(p, "k", "d"), PSPROBE_OK);
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  assert_int_equal(seen.published, 1);
  psprobe_publisher_free(p);
}

static void test_full(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  psprobe_publisher *p = made(
      f, (psprobe_publisher_options){.most_messages = 2, .when_full = PSPROBE_WHEN_FULL_REFUSE});
  fake_call *call = fake_times(fake_expect(f->fake, "POST", URL), 2);
  assert_int_equal(give(p, NULL, "a"), PSPROBE_OK);
  assert_int_equal(give(p, NULL, "b"), PSPROBE_OK);
  assert_int_equal(give(p, NULL, "c"), PSPROBE_RESOURCE_EXHAUSTED);
  assert_non_null(strstr(seen.error.message, "2 messages wait"));
  fake_handle(call, answer_each, &next);
  psprobe_publisher_free(p);
  assert_int_equal(seen.published, 2);
}

static void test_dropped(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  psprobe_publisher_stats stats;
  psprobe_publisher *p =
      made(f, (psprobe_publisher_options){.most_messages = 2,
                                          .delay_ns = 3600 * PSP_SECOND_NS,
                                          .when_full = PSPROBE_WHEN_FULL_DROP_OLDEST});
  for (int i = 0; i < 5; i++)
    assert_int_equal(give(p, NULL, (const char *[]){"a", "b", "c", "d", "e"}[i]), PSPROBE_OK);
  assert_int_equal(seen.failed, 3);
  assert_int_equal(seen.error.code, PSPROBE_RESOURCE_EXHAUSTED);
  fake_call *call = fake_expect(f->fake, "POST", URL);
  fake_handle(call, answer_each, &next);
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  assert_non_null(strstr(fake_request(call, 0)->body, "\"data\":\"ZA==\"")); /* d, then e */
  psprobe_publisher_get_stats(p, &stats);
  assert_int_equal(stats.dropped, 3);
  assert_int_equal(stats.published, 2);
  psprobe_publisher_free(p);
}

static void *give_ten(void *arg) {
  for (int i = 0; i < 10; i++)
    assert_int_equal(give(arg, NULL, "x"), PSPROBE_OK);
  return NULL;
}

/* Four threads find room for one message at a time; each waits until there is some. */
static void test_blocks(void **state) {
  fake_client *f = *state;
  unsigned next = 0;
  pthread_t threads[4];
  psprobe_publisher *p = made(f, (psprobe_publisher_options){.most_messages = 1});
  fake_handle(fake_times(fake_expect(f->fake, "POST", URL), 40), answer_each, &next);
  for (int i = 0; i < 4; i++)
    assert_true(psp_thread_start(&threads[i], "test-give", give_ten, p));
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(psprobe_publisher_flush(p, 0, NULL), PSPROBE_OK);
  assert_int_equal(seen.published, 40);
  psprobe_publisher_free(p);
}

static void test_freed(void **state) {
  fake_client *f = *state;
  psprobe_publisher *p = made(f, (psprobe_publisher_options){.delay_ns = 3600 * PSP_SECOND_NS});
  give(p, NULL, "a");
  give(p, "k", "b");
  give(p, NULL, "c");
  psprobe_publisher_free(p); /* nothing was sent */
  assert_int_equal(seen.failed, 3);
  assert_int_equal(seen.error.code, PSPROBE_CANCELLED);
  psprobe_publisher_free(NULL);
}

static void test_refused(void **state) {
  fake_client *f = *state;
  psprobe_publisher *p = NULL;
  const psprobe_publisher_options refused[] = {
      {.topic = "a b"},
      {.topic = NULL},
      {.topic = "probes", .batch_messages = 1001},
      {.topic = "probes", .batch_bytes = 10000001},
      {.topic = "probes", .delay_ns = -1},
      {.topic = "probes", .timeout_ns = -1},
      {.topic = "probes", .when_full = (psprobe_when_full)3},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    assert_int_equal(psprobe_publisher_new(f->client, &refused[i], &p, NULL),
                     PSPROBE_INVALID_ARGUMENT);
  assert_null(p);
  p = made(f, (psprobe_publisher_options){0});
  const psprobe_message empty = {0};
  assert_int_equal(psprobe_publisher_publish(p, &empty, NULL, NULL, &seen.error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(seen.error.message, "publish to topic probes: message 0"));
  psprobe_publisher_free(p);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_client_setup, fake_client_teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_at_once),    TEST(test_gathered), TEST(test_delay),
      TEST(test_paused_key), TEST(test_full),     TEST(test_dropped),
      TEST(test_blocks),     TEST(test_freed),    TEST(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
