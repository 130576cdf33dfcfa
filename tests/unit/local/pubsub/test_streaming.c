/* SPDX-License-Identifier: MIT */
/* threads meet here */
/** @file The stand-in by gRPC: its faults, its limits, and that REST is beside it. */
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

#include "local/wire.h"
#include "raw_http.h"
#include "rpc_calls.h"

#define TOPIC "projects/p/topics/topic"
#define SUB   "projects/p/subscriptions/sub"
#define ONCE  "projects/p/subscriptions/once"

static psprobe_local *local;
static psp_channel *channel;

static psprobe_code call(const char *method, const psp_buf *request, rpc_wait *got) {
  char path[100];
  snprintf(path, sizeof path, "/google.pubsub.v1.%s", method);
  assert_int_equal(rpc_wait_begin(got, channel, path, NULL, INT64_MAX), PSPROBE_OK);
  assert_int_equal(psp_channel_send(channel, got->id, request->data, request->len, NULL),
                   PSPROBE_OK);
  psp_channel_tell(channel, got->id, PSP_WORD_HALF_CLOSE);
  return rpc_wait_end(got);
}

static psprobe_code call_texts(const char *method, const char *first, const char *second) {
  rpc_wait got;
  psp_buf request = {0};
  psp_wire_put_text(&request, 1, first);
  psp_wire_put_text(&request, 2, second);
  psprobe_code code = call(method, &request, &got);
  psp_buf_free(&request);
  rpc_wait_free(&got);
  return code;
}

static int setup(void **state) {
  (void)state;
  assert_int_equal(psprobe_local_new(NULL, &local, NULL), PSPROBE_OK);
  const psp_channel_options options = {.target = psprobe_local_pubsub_host(local)};
  assert_int_equal(psp_channel_new(&options, &channel, NULL), PSPROBE_OK);
  assert_int_equal(call_texts("Publisher/CreateTopic", TOPIC, NULL), PSPROBE_OK);
  assert_int_equal(call_texts("Subscriber/CreateSubscription", SUB, TOPIC), PSPROBE_OK);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_channel_free(channel);
  psprobe_local_free(local);
  return 0;
}

static void publish_text(int count, const char *text) {
  rpc_wait got;
  psp_buf request = {0}, message = {0};
  psp_wire_put_text(&request, 1, TOPIC);
  psp_wire_put_text(&message, 1, text);
  while (count-- > 0)
    psp_wire_put_bytes(&request, 2, message.data, message.len);
  assert_int_equal(call("Publisher/Publish", &request, &got), PSPROBE_OK);
  psp_buf_free(&request);
  psp_buf_free(&message);
  rpc_wait_free(&got);
}

static void publish(int count) {
  publish_text(count, "hello");
}

/* Begins a stream whose first request has these. */
static void open_stream(rpc_wait *got, const char *subscription, int deadline_s, int most) {
  psp_buf request = {0};
  psp_wire_put_text(&request, 1, subscription);
  if (deadline_s > 0) psp_wire_put_int(&request, 5, deadline_s);
  if (most > 0) psp_wire_put_int(&request, 7, most);
  assert_int_equal(
      rpc_wait_begin(got, channel, "/google.pubsub.v1.Subscriber/StreamingPull", NULL, INT64_MAX),
      PSPROBE_OK);
  psp_channel_send(channel, got->id, request.data, request.len, NULL);
  psp_buf_free(&request);
}

static size_t count_received(const psp_buf *answer, psp_buf *acks) {
  size_t count = 0;
  psp_wire wire = psp_wire_of(answer->data, answer->len);
  for (psp_wire_item item; psp_wire_next(&wire, &item);) {
    if (item.number != 1) continue;
    count++;
    psp_wire parts = psp_wire_of(item.data, item.len);
    for (psp_wire_item part; psp_wire_next(&parts, &part);)
      if (part.number == 1) psp_wire_put_bytes(acks, 2, part.data, part.len);
  }
  assert_false(wire.broken);
  return count;
}

/* Who takes nothing has one answer before it, and the rest stays with the subscription. */
static void test_client_that_takes_nothing(void **state) {
  (void)state;
  rpc_wait got, pulled;
  psp_buf request = {0}, acks = {0};
  static char text[10001];
  memset(text, 'x', 10000);
  open_stream(&got, SUB, 10, 0);
  psp_channel_send(channel, got.id, "", 0, NULL);
  rpc_wait_messages(&got, 1); /* the answer to a ping: it is open */
  psp_channel_tell(channel, got.id, PSP_WORD_PAUSE);
  publish_text(300, text);
  psp_wire_put_text(&request, 1, SUB);
  psp_wire_put_int(&request, 3, 1000);
  assert_int_equal(call("Subscriber/Pull", &request, &pulled), PSPROBE_OK);
  assert_int_equal(count_received(&pulled.last, &acks), 200);
  psp_channel_tell(channel, got.id, PSP_WORD_RESUME);
  rpc_wait_messages(&got, 2);
  assert_int_equal(count_received(&got.last, &acks), 100);
  publish(1);
  rpc_wait_messages(&got, 3);
  assert_int_equal(count_received(&got.last, &acks), 1);
  psp_channel_tell(channel, got.id, PSP_WORD_CANCEL);
  rpc_wait_end(&got);
  rpc_wait_free(&got);
  rpc_wait_free(&pulled);
  psp_buf_free(&request);
  psp_buf_free(&acks);
}

/* As many as its limit are out, and more come with each ack on the stream; a ping is answered. */
static void test_limit(void **state) {
  (void)state;
  rpc_wait got;
  psp_buf acks = {0};
  publish(10);
  open_stream(&got, SUB, 10, 4);
  rpc_wait_messages(&got, 1);
  assert_int_equal(count_received(&got.last, &acks), 4);
  psp_channel_send(channel, got.id, "", 0, NULL);
  rpc_wait_messages(&got, 2);
  psp_buf none = {0};
  assert_int_equal(count_received(&got.last, &none), 0);
  psp_channel_send(channel, got.id, acks.data, acks.len, NULL);
  rpc_wait_messages(&got, 3);
  psp_buf_reset(&acks);
  assert_int_equal(count_received(&got.last, &acks), 4);
  psp_channel_tell(channel, got.id, PSP_WORD_HALF_CLOSE);
  assert_int_equal(rpc_wait_end(&got), PSPROBE_OK);
  size_t held = 0, leased = 0;
  assert_true(psprobe_local_held(local, SUB, &held, &leased));
  assert_int_equal(held, 6);
  rpc_wait_free(&got);
  psp_buf_free(&acks);
}

static void expect_end(const psp_buf *second, const char *subscription, int deadline_s,
                       psprobe_code code, const char *words) {
  rpc_wait got;
  open_stream(&got, subscription, deadline_s, 0);
  if (second != NULL) psp_channel_send(channel, got.id, second->data, second->len, NULL);
  assert_int_equal(rpc_wait_end(&got), code);
  if (strstr(got.message, words) == NULL) fail_msg("%s, not %s", got.message, words);
  rpc_wait_free(&got);
}

/* The errors that Google's emulator was seen to end streams with. */
static void test_errors(void **state) {
  (void)state;
  const psprobe_code bad = PSPROBE_INVALID_ARGUMENT;
  psp_buf second = {0};
  expect_end(NULL, "projects/p/subscriptions/none", 10, PSPROBE_NOT_FOUND,
             "Subscription does not exist (resource=");
  expect_end(NULL, NULL, 10, bad, "must set subscription");
  expect_end(NULL, SUB, 0, bad, "must set stream_ack_deadline_seconds");
  expect_end(NULL, SUB, 5, bad, "between 10 and 600 seconds");
  psp_wire_put_text(&second, 1, SUB);
  expect_end(&second, SUB, 10, bad, "subscription may only be set in first message");
  psp_buf_reset(&second);
  psp_wire_put_text(&second, 4, SUB ":1");
  expect_end(&second, SUB, 10, bad, "must have the same size");
  psp_buf_reset(&second);
  psp_wire_put_text(&second, 2, "garbage");
  expect_end(&second, SUB, 10, bad, "Invalid ack id (ack_id=garbage)");
  psp_buf_reset(&second);
  psp_wire_put_int(&second, 7, 5);
  expect_end(&second, SUB, 10, bad, "first message");
  psp_buf_reset(&second);
  psp_buf_add(&second, "\x12\x7f", 2);
  expect_end(&second, SUB, 10, bad, "valid");
  psp_buf_free(&second);

  rpc_wait got;
  open_stream(&got, SUB, 10, 0);
  assert_int_equal(call_texts("Subscriber/DeleteSubscription", SUB, NULL), PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&got), PSPROBE_NOT_FOUND);
  rpc_wait_free(&got);
}

static void test_unary_errors(void **state) {
  (void)state;
  const psp_buf broken = {.data = (char[]){"\x0a\x7f"}, .len = 2}, empty = {.data = (char[]){""}};
  rpc_wait got;
  assert_int_equal(call("Publisher/GetTopic", &broken, &got), PSPROBE_INVALID_ARGUMENT);
  rpc_wait_free(&got);
  assert_int_equal(call("Publisher/GetTopic", &empty, &got), PSPROBE_INVALID_ARGUMENT);
  rpc_wait_free(&got);
  assert_int_equal(call("Publisher/Nothing", &empty, &got), PSPROBE_UNIMPLEMENTED);
  rpc_wait_free(&got);
  assert_int_equal(call_texts("Publisher/GetTopic", "projects/p/topics/none", NULL),
                   PSPROBE_NOT_FOUND);
  assert_int_equal(call_texts("Publisher/GetTopic", "projects/p/topics/a%2Fb", NULL),
                   PSPROBE_NOT_FOUND);
  assert_int_equal(call_texts("Publisher/CreateTopic", TOPIC, NULL), PSPROBE_ALREADY_EXISTS);
}

/* The bound of bytes is the stream's, too. */
static void test_bytes(void **state) {
  (void)state;
  rpc_wait got;
  psp_buf request = {0}, acks = {0};
  publish(10);
  psp_wire_put_text(&request, 1, SUB);
  psp_wire_put_int(&request, 5, 10);
  psp_wire_put_int(&request, 8, 11); /* of "hello": three */
  assert_int_equal(
      rpc_wait_begin(&got, channel, "/google.pubsub.v1.Subscriber/StreamingPull", NULL, INT64_MAX),
      PSPROBE_OK);
  psp_channel_send(channel, got.id, request.data, request.len, NULL);
  rpc_wait_messages(&got, 1);
  assert_int_equal(count_received(&got.last, &acks), 3);
  psp_channel_send(channel, got.id, acks.data, acks.len, NULL);
  rpc_wait_messages(&got, 2);
  assert_int_equal(count_received(&got.last, &acks), 3);
  psp_channel_tell(channel, got.id, PSP_WORD_HALF_CLOSE);
  rpc_wait_end(&got);
  rpc_wait_free(&got);
  psp_buf_free(&request);
  psp_buf_free(&acks);
}

static void make_once(void) {
  rpc_wait got;
  psp_buf request = {0};
  psp_wire_put_text(&request, 1, ONCE);
  psp_wire_put_text(&request, 2, TOPIC);
  psp_wire_put_int(&request, 16, 1);
  assert_int_equal(call("Subscriber/CreateSubscription", &request, &got), PSPROBE_OK);
  psp_buf_free(&request);
  rpc_wait_free(&got);
}

/* The ids of a confirmation, both kinds counted. */
static void count_confirmed(const psp_buf *answer, uint32_t number, size_t counts[3]) {
  psp_wire wire = psp_wire_of(answer->data, answer->len);
  for (psp_wire_item item; psp_wire_next(&wire, &item);) {
    if (item.number != number) continue;
    psp_wire parts = psp_wire_of(item.data, item.len);
    for (psp_wire_item part; psp_wire_next(&parts, &part);)
      if (part.number < 3) counts[part.number]++;
  }
}

/* Exactly once: what came of ids is told on the stream, and by the status of a unary call. */
static void test_exactly_once(void **state) {
  (void)state;
  rpc_wait got, unary;
  psp_buf acks = {0}, request = {0};
  size_t counts[3] = {0};
  make_once();
  publish(1);
  open_stream(&got, ONCE, 10, 0);
  rpc_wait_messages(&got, 1);
  assert_int_equal(count_received(&got.last, &acks), 1);
  psp_wire_put_text(&acks, 2, ONCE ":77");
  psp_channel_send(channel, got.id, acks.data, acks.len, NULL);
  rpc_wait_messages(&got, 2);
  count_confirmed(&got.last, 5, counts);
  assert_true(counts[1] == 1 && counts[2] == 1);
  psp_wire_put_text(&request, 4, ONCE ":77");
  psp_wire_put_int(&request, 3, 20);
  psp_channel_send(channel, got.id, request.data, request.len, NULL);
  rpc_wait_messages(&got, 3);
  count_confirmed(&got.last, 3, counts);
  assert_int_equal(counts[2], 2);
  psp_buf_reset(&request);
  psp_wire_put_text(&request, 1, ONCE);
  psp_buf_add(&request, acks.data, acks.len);
  assert_int_equal(call("Subscriber/Acknowledge", &request, &unary), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(memmem(unary.detail.data, unary.detail.len, "google.rpc.ErrorInfo", 20));
  assert_non_null(memmem(unary.detail.data, unary.detail.len, ONCE ":77", strlen(ONCE ":77")));
  assert_non_null(
      memmem(unary.detail.data, unary.detail.len, "PERMANENT_FAILURE_INVALID_ACK_ID", 32));
  psp_channel_tell(channel, got.id, PSP_WORD_HALF_CLOSE);
  rpc_wait_end(&got);
  rpc_wait_free(&got);
  rpc_wait_free(&unary);
  psp_buf_free(&request);
  psp_buf_free(&acks);
}

/* A stream that is cancelled takes nothing more, and its room is another's. */
static void test_cancelled(void **state) {
  (void)state;
  rpc_wait first, second;
  psp_buf acks = {0};
  open_stream(&first, SUB, 10, 0);
  psp_channel_send(channel, first.id, "", 0, NULL);
  rpc_wait_messages(&first, 1);
  psp_channel_tell(channel, first.id, PSP_WORD_CANCEL);
  assert_int_equal(rpc_wait_end(&first), PSPROBE_CANCELLED);
  open_stream(&second, SUB, 10, 0);
  publish(3);
  size_t count = 0;
  for (unsigned answers = 1; count < 3; answers++) {
    rpc_wait_messages(&second, answers);
    count += count_received(&second.last, &acks);
  }
  rpc_wait_free(&first);
  psp_channel_tell(channel, second.id, PSP_WORD_CANCEL);
  rpc_wait_end(&second);
  rpc_wait_free(&second);
  psp_buf_free(&acks);
}

/* On the same port. */
static void test_rest_beside(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(atoi(strrchr(psprobe_local_pubsub_host(local), ':') + 1));
  assert_int_equal(raw_ask(fd, "GET /v1/" TOPIC " HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 200);
  assert_non_null(strstr(answer.body.data, TOPIC));
  close(fd);
  raw_free(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_limit),
                                     TEST(test_errors),
                                     TEST(test_unary_errors),
                                     TEST(test_cancelled),
                                     TEST(test_client_that_takes_nothing),
                                     TEST(test_rest_beside),
                                     TEST(test_bytes),
                                     TEST(test_exactly_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
