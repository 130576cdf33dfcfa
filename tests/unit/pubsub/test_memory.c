/* SPDX-License-Identifier: MIT */
/** @file Pub/Sub without memory: each allocation fails once, and nothing is lost or read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "fake_client.h"
#include "files.h"
#include "proto_bytes.h"
#include "pubsub/admin/subscription.h"
#include "pubsub/parts.h"
#include "pubsub/proto.h"
#include "pubsub/proto_publish.h"
#include "pubsub/subscriber/lease.h"

#include <psprobe/subscriber.h>

static bool succeeded(psprobe_code code) {
  assert_true(code == PSPROBE_OK || code == PSPROBE_RESOURCE_EXHAUSTED);
  return code == PSPROBE_OK;
}

static bool decode_pull(void *arg) {
  const psp_buf *body = arg;
  psprobe_batch *batch = NULL;
  bool done = succeeded(psp_pull_decode(body->data, body->len, &batch, NULL));
  assert_int_equal(done, batch != NULL);
  psp_delivery *delivery = batch != NULL ? psp_delivery_new(batch) : NULL;
  if (delivery == NULL) return false;
  static psp_leases leases;
  psp_lease_list list = {0};
  for (size_t i = 0, count = delivery->left; i < count; i++)
    psp_lease_append(&list, &delivery->leases[i]);
  psp_leases_free(&leases, &list);
  return true;
}

static bool decode_others(void *arg) {
  psp_buf *files = arg;
  const char **ids = NULL;
  psprobe_subscription_info info = {0};
  bool done = succeeded(psp_publish_decode(files[0].data, files[0].len, 3, &ids, NULL)) &&
              succeeded(psp_subscription_decode(files[1].data, files[1].len, &info, NULL));
  free(ids);
  psprobe_subscription_info_free(&info);
  return done;
}

static bool decode_push(void *arg) {
  const psp_buf *request = arg;
  const char *body = strstr(request->data, "\r\n\r\n") + 4;
  psprobe_push *push = NULL;
  bool done = succeeded(psprobe_push_decode(body, strlen(body), &push, NULL));
  assert_int_equal(done, push != NULL);
  psprobe_push_free(push);
  return done;
}

static bool decode_stream(void *arg) {
  const psp_buf *body = arg;
  psp_stream_answer answer = {.batch = NULL};
  bool done = succeeded(psp_proto_stream_answer(body->data, body->len, &answer, NULL));
  assert_int_equal(done, answer.batch != NULL);
  psprobe_batch_free(answer.batch);
  return done;
}

static void test_stream(void **state) {
  (void)state;
  psp_buf received = proto_received("id", "data"), all = {0};
  for (int i = 0; i < 1000; i++)
    proto_text(&all, 1, received.data, received.len);
  assert_true(failing_each(decode_stream, &all) > 1);
  psp_buf_free(&received);
  psp_buf_free(&all);
}

static bool encode_stream(void *arg) {
  const char *const ids[] = {"a", "b"};
  const psp_stream_opening opening = {.subscription = "s", .client_id = "c", .ack_deadline_s = 60};
  psp_buf out[3] = {{0}};
  (void)arg;
  psp_proto_open_stream(&out[0], &opening);
  psp_proto_acknowledge(&out[1], "s", ids, 2);
  psp_proto_modify(&out[2], "s", ids, 2, 10);
  bool done = true;
  for (int i = 0; i < 3; i++) {
    done = done && !out[i].failed;
    psp_buf_free(&out[i]);
  }
  return done;
}

static void test_decoders(void **state) {
  (void)state;
  psp_buf pull = test_file("tests/data/pubsub/pull-three.json");
  psp_buf push = test_file("tests/data/push/wrapped.http");
  psp_buf others[] = {test_file("tests/data/pubsub/publish.json"),
                      test_file("tests/data/pubsub/subscription-pull-all-fields.json")};
  assert_true(failing_each(decode_pull, &pull) > 2);
  assert_true(failing_each(decode_others, others) > 2);
  assert_true(failing_each(decode_push, &push) > 1);
  psp_buf_free(&pull);
  psp_buf_free(&push);
  psp_buf_free(&others[0]);
  psp_buf_free(&others[1]);
}

static bool encode(void *arg) {
  (void)arg;
  const psprobe_attribute attribute = {"key", "value"};
  const psprobe_message message = {
      .data = "x", .data_len = 1, .attributes = &attribute, .attribute_count = 1};
  const psprobe_subscription_config config = {.ack_deadline_s = 10, .push_endpoint = "http://h/"};
  const char *const ids[] = {"a", "b"};
  psp_buf out = {0};
  psp_publish_encode(&out, &message, 1);
  psp_subscription_encode(&out, "projects/p/topics/t", NULL, &config);
  psp_modify_encode(&out, ids, 2, 10);
  bool done = !out.failed;
  psp_buf_free(&out);
  return done;
}

/* As gRPC carries them: a request with more than the stack holds, read again, and an answer. */
static bool publish_by_grpc(void *arg) {
  (void)arg;
  static psprobe_message messages[200];
  const char **ids = NULL;
  psp_buf out = {0};
  psprobe_batch *batch = NULL;
  for (size_t i = 0; i < 200; i++)
    messages[i] = (psprobe_message){.data = "x", .data_len = 1};
  psp_proto_publish(&out, "t", messages, 200);
  bool done = !out.failed && succeeded(psp_proto_publish_read(out.data, out.len, &batch, NULL)) &&
              succeeded(psp_proto_published("\x0a\x01"
                                            "7",
                                            3, 1, &ids, NULL));
  psprobe_batch_free(batch);
  free(ids);
  psp_buf_free(&out);
  return done;
}

static void test_encoders(void **state) {
  (void)state;
  assert_true(failing_each(encode, NULL) > 1);
  assert_true(failing_each(encode_stream, NULL) > 2);
  assert_true(failing_each(publish_by_grpc, NULL) > 4);
}

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  (void)arg, (void)message;
  return PSPROBE_SETTLE_ACK;
}

/* One that cannot be made leaves nothing behind. With memory for it, its calls are the fake's,
 * which is not told to fail: so only the making is tried. */
static void test_new_subscriber(void **state) {
  fake_client *f = *state;
  const psprobe_subscriber_options options = {
      .subscription = "jobs", .receive = receive, .mode = PSPROBE_UNARY};
  for (long after = 0; after < 6; after++) {
    psprobe_subscriber *subscriber = NULL;
    psprobe_error error = {0};
    failing_failed = false;
    failing_after = after;
    psprobe_code code = psprobe_subscriber_new(f->client, &options, &subscriber, &error);
    failing_after = -1;
    assert_true(failing_failed);
    assert_int_equal(code, PSPROBE_RESOURCE_EXHAUSTED);
    assert_null(subscriber);
    assert_true(*error.message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_decoders),
      cmocka_unit_test(test_stream),
      cmocka_unit_test(test_encoders),
      cmocka_unit_test_setup_teardown(test_new_subscriber, fake_client_setup, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
