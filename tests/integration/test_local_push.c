/* SPDX-License-Identifier: MIT */
/** @file The stand-in's pushes, over sockets. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>
#include <psprobe/timing.h>

#include "base/text.h"
#include "raw_server.h"
#include "rest_call.h"
#include "shape.h"

#include "files.h"

#define TOPIC "/v1/projects/demo-project/topics/topic"
#define MS    INT64_C(1000000)

static psprobe_local *local;
static const char *host;

/* An endpoint that keeps what it is sent and answers as it is told. */
typedef struct endpoint {
  raw_server *server;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int answers[64]; /* statuses, one after the other; 0: 204. -1: none, the connection is closed */
  int count;
  int failed; /* pushes, as the stand-in tells in its log */
  int open, most_open;
  bool hold;
  size_t answer_len; /* of each answer's body */
  int64_t at_ns[64];
  psp_buf head[64], body[64];
} endpoint;

static endpoint box;

static void talk(void *arg, int fd, int nth) {
  (void)arg, (void)nth;
  psp_buf head = {0}, body = {0};
  while (raw_read_request(fd, &head, &body)) {
    pthread_mutex_lock(&box.lock);
    int n = box.count++, status = box.answers[n] ? box.answers[n] : 204;
    box.at_ns[n] = psprobe_clock_monotonic();
    box.head[n] = head;
    box.body[n] = body;
    head = body = (psp_buf){0};
    if (++box.open > box.most_open) box.most_open = box.open;
    pthread_cond_broadcast(&box.changed);
    while (box.hold)
      pthread_cond_wait(&box.changed, &box.lock);
    box.open--;
    pthread_mutex_unlock(&box.lock);
    if (status < 0) break;
    psp_buf answer = {0};
    psp_buf_printf(&answer, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", status, box.answer_len);
    for (size_t i = 0; i < box.answer_len; i++)
      psp_buf_char(&answer, 'x');
    raw_send(fd, answer.data);
    psp_buf_free(&answer);
  }
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void count_failed(void *arg, psprobe_log_level level, const char *line) {
  (void)arg, (void)level;
  if (strstr(line, "event=push_refused") == NULL) return;
  pthread_mutex_lock(&box.lock);
  box.failed++;
  pthread_cond_broadcast(&box.changed);
  pthread_mutex_unlock(&box.lock);
}

static int setup(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_logger logger = {.sink = count_failed, .level = PSPROBE_LOG_DEBUG};
  psprobe_local_options options = {.logger = &logger};
  memset(&box, 0, sizeof box);
  pthread_mutex_init(&box.lock, NULL);
  pthread_cond_init(&box.changed, NULL);
  box.server = raw_server_start(talk, NULL);
  if (psprobe_local_new(&options, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  host = psprobe_local_pubsub_host(local);
  assert_int_equal(test_rest_status(host, "PUT", TOPIC, NULL), 200);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  pthread_mutex_lock(&box.lock);
  box.hold = false;
  pthread_cond_broadcast(&box.changed);
  pthread_mutex_unlock(&box.lock);
  psprobe_local_free(local);
  raw_server_stop(box.server);
  for (int i = 0; i < box.count; i++) {
    psp_buf_free(&box.head[i]);
    psp_buf_free(&box.body[i]);
  }
  return 0;
}

/* Waits until one of the box's counts is so high; fails after ten seconds. */
static void wait_count(const int *at, int count) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  pthread_mutex_lock(&box.lock);
  int rc = 0;
  while (*at < count && rc == 0)
    rc = pthread_cond_timedwait(&box.changed, &box.lock, &until);
  pthread_mutex_unlock(&box.lock);
  assert_true(*at >= count);
}

static void wait_for(int count) {
  wait_count(&box.count, count);
}

static void subscribe(const char *sub, const char *path, const char *more) {
  psp_buf url = {0}, body = {0};
  psp_buf_printf(&url, "/v1/projects/demo-project/subscriptions/%s", sub);
  psp_buf_printf(&body,
                 "{\"topic\":\"projects/demo-project/topics/topic\",\"pushConfig\":"
                 "{\"pushEndpoint\":\"http://127.0.0.1:%d%s\"%s}}",
                 raw_server_port(box.server), path, more);
  assert_int_equal(test_rest_status(host, "PUT", url.data, body.data), 200);
  psp_buf_free(&url);
  psp_buf_free(&body);
}

static void wait_empty(const char *sub) {
  size_t held = 1, leased;
  for (int i = 0; i < 1000 && held > 0; i++, usleep(10000))
    assert_true(psprobe_local_held(local, sub, &held, &leased));
  assert_int_equal(held, 0);
}

static void test_wrapped(void **state) {
  (void)state;
  subscribe("push-wrapped", "/source/push?token=abc", "");
  test_rest_publish(host, TOPIC,
                    "{\"data\":\"eyJwcm9iZSI6MX0=\",\"attributes\":{\"probe_id\":"
                    "\"0123456789abcdef0123456789abcdef\"}}");
  wait_for(1);
  psp_buf golden = test_file("tests/data/push/wrapped.http");
  const char *body = strstr(golden.data, "\r\n\r\n") + 4;
  test_same_shape("push", box.body[0].data, box.body[0].len, body,
                  golden.len - (size_t)(body - golden.data));
  assert_true(psp_text_starts(box.head[0].data, "POST /source/push?token=abc HTTP/1.1\r\n"));
  assert_non_null(strstr(box.head[0].data, "Content-Type: application/json\r\n"));
  psp_buf_free(&golden);
  wait_empty("projects/demo-project/subscriptions/push-wrapped");
}

static void test_unwrapped(void **state) {
  (void)state;
  subscribe("push-unwrapped", "/push", ",\"noWrapper\":{\"writeMetadata\":true}");
  test_rest_publish(
      host, TOPIC,
      "{\"data\":\"eyJwcm9iZSI6MX0=\",\"orderingKey\":\"key-1\",\"attributes\":{\"probe_id\":"
      "\"0123\",\"bad name\":\"x\",\"inject\":\"a\\r\\nb: c\"}}");
  wait_for(1);
  static const char *const lines[] = {
      "probe_id: 0123\r\n", "x-goog-pubsub-ordering-key: key-1\r\n",
      "x-goog-pubsub-message-id: 1\r\n",
      "x-goog-pubsub-subscription-name: projects/demo-project/subscriptions/push-unwrapped\r\n"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    if (strstr(box.head[0].data, lines[i]) == NULL)
      fail_msg("no %s in %s", lines[i], box.head[0].data);
  assert_null(strstr(box.head[0].data, "bad name"));
  assert_null(strstr(box.head[0].data, "inject"));
  assert_string_equal(box.body[0].data, "{\"probe\":1}");
}

/* The data goes as the bytes that it is (Google's emulator makes text of them and loses what is
 * none), with the media type that the message says and no other trace of the message. */
static void test_unwrapped_bytes(void **state) {
  (void)state;
  subscribe("push-bytes", "/", ",\"noWrapper\":{\"writeMetadata\":true}");
  test_rest_publish(
      host, TOPIC,
      "{\"data\":\"AP+AQQ==\",\"attributes\":{\"content-type\":\"application/x-mine\","
      "\"Content-Type\":\"text/other\",\"name\":\"M\u00fcller\"}}");
  wait_for(1);
  wait_empty("projects/demo-project/subscriptions/push-bytes");
  assert_int_equal(box.body[0].len, 4);
  assert_memory_equal(box.body[0].data, "\x00\xff\x80\x41", 4);
  assert_non_null(strcasestr(box.head[0].data, "\r\ncontent-type: application/x-mine\r\n"));
  assert_null(strstr(box.head[0].data, "text/other"));
  assert_non_null(strstr(box.head[0].data, "\r\nname: M\xc3\xbcller\r\n"));
}

/* A message that carries a CloudEvent's attributes is one in binary mode, as it stands. */
static void test_unwrapped_cloudevent(void **state) {
  (void)state;
  subscribe("push-event", "/", ",\"noWrapper\":{\"writeMetadata\":true}");
  test_rest_publish(
      host, TOPIC,
      "{\"data\":\"e30=\",\"attributes\":{\"ce-id\":\"7\",\"ce-type\":\"a.b\",\"ce-source\":\"//"
      "c\","
      "\"ce-specversion\":\"1.0\",\"Content-Type\":\"application/json\"}}");
  wait_for(1);
  static const char *const lines[] = {"ce-id: 7\r\n", "ce-type: a.b\r\n", "ce-source: //c\r\n",
                                      "ce-specversion: 1.0\r\n",
                                      "Content-Type: application/json\r\n"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    if (strstr(box.head[0].data, lines[i]) == NULL)
      fail_msg("no %s in %s", lines[i], box.head[0].data);
  assert_string_equal(box.body[0].data, "{}");
}

/* Without metadata nothing tells of the message but its data. */
static void test_unwrapped_without_metadata(void **state) {
  (void)state;
  subscribe("push-bare", "/", ",\"noWrapper\":{}");
  test_rest_publish(
      host, TOPIC,
      "{\"data\":\"e30=\",\"orderingKey\":\"k\",\"attributes\":{\"tenant\":\"acme\"}}");
  wait_for(1);
  assert_string_equal(box.body[0].data, "{}");
  assert_null(strcasestr(box.head[0].data, "x-goog-"));
  assert_null(strcasestr(box.head[0].data, "tenant"));
}

/* What would end the body early, lead elsewhere or break the request is no header. */
static void test_attributes_that_break_a_request(void **state) {
  (void)state;
  subscribe("push-breaking", "/", ",\"noWrapper\":{\"writeMetadata\":true}");
  test_rest_publish(
      host, TOPIC,
      "{\"data\":\"aGVsbG8gd29ybGQ=\",\"attributes\":{\"Content-Length\":\"5\",\"Host\":"
      "\"other.example\",\"transfer-encoding\":\"chunked\",\"note\":\"a\\u0001b\","
      "\"x-goog-pubsub-message-id\":\"77\",\"tenant\":\"acme\"}}");
  wait_for(1);
  wait_empty("projects/demo-project/subscriptions/push-breaking");
  const char *head = box.head[0].data;
  assert_string_equal(box.body[0].data, "hello world");
  assert_non_null(strstr(head, "tenant: acme\r\n"));
  assert_non_null(strstr(head, "Content-Length: 11\r\n"));
  static const char *const lines[] = {"Content-Length: 5", "other.example", "chunked", "note",
                                      "message-id: 77"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    if (strstr(head, lines[i]) != NULL) fail_msg("%s in %s", lines[i], head);
}

/* The status alone counts. */
static void test_long_answer_acknowledges(void **state) {
  (void)state;
  box.answers[0] = 200;
  box.answer_len = (1 << 20) + 1;
  subscribe("push-long", "/", "");
  test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  wait_for(1);
  wait_empty("projects/demo-project/subscriptions/push-long");
  assert_int_equal(box.count, 1);
}

static void test_odd_endpoint(void **state) {
  (void)state;
  subscribe("push-odd", "/x/../a b?c=\xc3\xbc#frag", "");
  test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  wait_for(1);
  wait_empty("projects/demo-project/subscriptions/push-odd");
  assert_true(psp_text_starts(box.head[0].data, "POST /x/../a%20b?c=%C3%BC HTTP/1.1\r\n"));
}

/* Whatever does not acknowledge comes again, each time later. */
static void test_backoff(void **state) {
  (void)state;
  /* Closing is told first, on a fresh connection: on one used before, libcurl sends it again. */
  static const int refusals[] = {-1, 500, 404, 302, 203};
  memcpy(box.answers, refusals, sizeof refusals);
  subscribe("push-refused", "/", "");
  test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  wait_for(6);
  int64_t least = 100 * MS;
  for (int i = 0; i < 5; i++, least *= 2) {
    assert_true(box.at_ns[i + 1] - box.at_ns[i] >= least);
    assert_true(box.at_ns[i + 1] - box.at_ns[i] < least + 500 * MS);
  }
  wait_empty("projects/demo-project/subscriptions/push-refused");
  assert_int_equal(box.count, 6);
}

static void test_acknowledging_statuses(void **state) {
  (void)state;
  static const int statuses[] = {200, 201, 202, 204};
  memcpy(box.answers, statuses, sizeof statuses);
  subscribe("push-good", "/", "");
  for (int i = 1; i <= 4; i++) {
    test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
    wait_for(i);
    wait_empty("projects/demo-project/subscriptions/push-good");
  }
  assert_int_equal(box.count, 4);
}

static void test_several_in_flight(void **state) {
  (void)state;
  box.hold = true;
  subscribe("push-several", "/", "");
  for (int i = 0; i < 10; i++)
    test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  wait_for(3);
  assert_int_equal(box.most_open, 3); /* at first */
  pthread_mutex_lock(&box.lock);
  box.hold = false;
  pthread_cond_broadcast(&box.changed);
  pthread_mutex_unlock(&box.lock);
  wait_for(10);
  wait_empty("projects/demo-project/subscriptions/push-several");
  assert_int_equal(box.count, 10);
}

static void test_endpoint_down_then_up(void **state) {
  (void)state;
  raw_server_stop(box.server);
  box.server = NULL;
  psp_buf body = {0};
  int port, listener = raw_listen(&port);
  close(listener);
  psp_buf_printf(&body,
                 "{\"topic\":\"projects/demo-project/topics/topic\",\"pushConfig\":"
                 "{\"pushEndpoint\":\"http://127.0.0.1:%d/\"}}",
                 port);
  assert_int_equal(
      test_rest_status(host, "PUT", "/v1/projects/demo-project/subscriptions/down", body.data),
      200);
  test_rest_publish(host, TOPIC, "{\"data\":\"YQ==\"}");
  wait_count(&box.failed, 2);
  box.server = raw_server_start(talk, NULL);
  psp_buf_reset(&body);
  psp_buf_printf(&body, "{\"pushConfig\":{\"pushEndpoint\":\"http://127.0.0.1:%d/\"}}",
                 raw_server_port(box.server));
  assert_int_equal(
      test_rest_status(host, "POST",
                       "/v1/projects/demo-project/subscriptions/down:modifyPushConfig", body.data),
      200);
  wait_for(1);
  wait_empty("projects/demo-project/subscriptions/down");
  psp_buf_free(&body);
}

static void test_address_in_use(void **state) {
  (void)state;
  psprobe_local *other;
  psprobe_error error = {0};
  psprobe_local_options options = {.pubsub_listen = host};
  assert_int_equal(psprobe_local_new(&options, &other, &error), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, host));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_wrapped),
      TEST(test_unwrapped),
      TEST(test_unwrapped_bytes),
      TEST(test_unwrapped_cloudevent),
      TEST(test_unwrapped_without_metadata),
      TEST(test_attributes_that_break_a_request),
      TEST(test_long_answer_acknowledges),
      TEST(test_odd_endpoint),
      TEST(test_backoff),
      TEST(test_acknowledging_statuses),
      TEST(test_several_in_flight),
      TEST(test_endpoint_down_then_up),
      TEST(test_address_in_use),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
