/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "pubsub/parts.h"

static psprobe_batch *pull(const char *body) {
  psprobe_batch *batch = NULL;
  psprobe_error error = {0};
  if (psp_pull_decode(body, strlen(body), &batch, &error) != PSPROBE_OK)
    fail_msg("%s: %s", body, error.message);
  return batch;
}

static psprobe_batch *pull_file(const char *path) {
  psp_buf body = test_file(path);
  psprobe_batch *batch = pull(body.data);
  psp_buf_free(&body);
  return batch;
}

static void test_pull_three(void **state) {
  (void)state;
  psprobe_batch *batch = pull_file("tests/data/pubsub/pull-three.json");
  assert_int_equal(psprobe_batch_count(batch), 3);
  assert_null(psprobe_batch_message(batch, 3));
  const psprobe_message *m = psprobe_batch_message(batch, 0);
  assert_int_equal(m->data_len, 11);
  assert_memory_equal(m->data, "{\"probe\":1}", 12);
  assert_int_equal(m->attribute_count, 2);
  assert_string_equal(psprobe_message_attribute(m, "probe_id"), "0123456789abcdef0123456789abcdef");
  assert_string_equal(psprobe_message_attribute(m, "empty"), "");
  assert_null(psprobe_message_attribute(m, "absent"));
  assert_string_equal(m->message_id, "1");
  assert_string_equal(m->ack_id, "projects/demo-project/subscriptions/jobs-pull:1");
  assert_int_equal(m->publish_time.seconds, 1795558728);
  assert_int_equal(m->publish_time.nanos, 773000000);
  assert_int_equal(m->delivery_attempt, 1);
  assert_null(m->ordering_key);
  m = psprobe_batch_message(batch, 1);
  assert_null(m->data);
  assert_int_equal(m->data_len, 0);
  assert_string_equal(psprobe_message_attribute(m, "only"), "attributes");
  m = psprobe_batch_message(batch, 2);
  assert_int_equal(m->data_len, 2);
  assert_memory_equal(m->data, "\xFB\xFF", 2);
  assert_int_equal(m->attribute_count, 0);
  assert_string_equal(m->ordering_key, "key-1");
  psprobe_batch_free(batch);
}

/* The messages of a captured answer, published again, are those of the captured request. */
static void test_pull_and_publish_again(void **state) {
  (void)state;
  psprobe_batch *batch = pull_file("tests/data/pubsub/pull-three.json");
  psp_buf body = {0}, golden = test_file("tests/data/pubsub/publish.request.json");
  psp_publish_encode(&body, psprobe_batch_message(batch, 0), psprobe_batch_count(batch));
  char *there = strstr(body.data, "+/8="), *sent = strstr(golden.data, "-_8");
  assert_non_null(there);
  assert_non_null(sent);
  assert_int_equal(there - body.data, sent - golden.data);
  assert_memory_equal(body.data, golden.data, (size_t)(there - body.data));
  assert_string_equal(there + 4, sent + 3);
  psp_buf_free(&body);
  psp_buf_free(&golden);
  psprobe_batch_free(batch);
}

static void test_pull_others(void **state) {
  (void)state;
  psprobe_batch *batch = pull_file("tests/data/pubsub/pull-empty.json");
  assert_int_equal(psprobe_batch_count(batch), 0);
  psprobe_batch_free(batch);
  batch = pull_file("tests/data/pubsub/pull-dead-letter.json");
  const psprobe_message *m = psprobe_batch_message(batch, 0);
  assert_int_equal(m->attribute_count, 4);
  assert_string_equal(psprobe_message_attribute(m, "CloudPubSubDeadLetterSourceDeliveryCount"),
                      "5");
  assert_int_equal(m->delivery_attempt, 0);
  psprobe_batch_free(batch);
  batch = pull("{\"receivedMessages\":null}");
  assert_int_equal(psprobe_batch_count(batch), 0);
  psprobe_batch_free(batch);
  batch = pull(
      "{\"received_messages\":[{\"ack_id\":\"a\",\"delivery_attempt\":\"7\",\"message\":{"
      "\"message_id\":\"9\",\"publish_time\":\"2026-11-24T22:18:48Z\","
      "\"ordering_key\":\"\",\"attributes\":{\"a\\u0000b\":\"c\\u0000\"}},\"new\":1}]}");
  m = psprobe_batch_message(batch, 0);
  assert_string_equal(m->ack_id, "a");
  assert_int_equal(m->delivery_attempt, 7);
  assert_string_equal(m->message_id, "9");
  assert_int_equal(m->publish_time.seconds, 1795558728);
  assert_null(m->ordering_key);
  assert_string_equal(m->attributes[0].key,
                      "a\xEF\xBF\xBD"
                      "b");
  assert_string_equal(m->attributes[0].value, "c\xEF\xBF\xBD");
  psprobe_batch_free(batch);
}

static void test_pull_broken(void **state) {
  (void)state;
  static const struct {
    const char *body, *why;
  } cases[] = {
      {"", "pull answer"},
      {"[]", "not a JSON object"},
      {"<html>", "pull answer"},
      {"{\"receivedMessages\":{}}", "not an array"},
      {"{\"receivedMessages\":[1]}", "receivedMessages[0]: message is not an object"},
      {"{\"receivedMessages\":[{\"message\":{}}]}", "receivedMessages[0]: ackId is missing"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{}},{\"ackId\":1,\"message\":{}}]}",
       "receivedMessages[1]: ackId is not a string"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{\"data\":\"a*b\"}}]}",
       "message.data is not base64"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{\"data\":1}}]}",
       "message.data is not a string"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{\"attributes\":[]}}]}",
       "message.attributes is not an object"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{\"attributes\":{\"k\":1}}}]}",
       "message.attributes \"k\": it is not a string"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{\"publishTime\":\"now\"}}]}",
       "\"now\": it is not an RFC 3339 time"},
      {"{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{},\"deliveryAttempt\":-1}]}",
       "deliveryAttempt is not a count"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_batch *batch = NULL;
    psprobe_error error = {0};
    assert_int_equal(psp_pull_decode(cases[i].body, strlen(cases[i].body), &batch, &error),
                     PSPROBE_INTERNAL);
    assert_int_equal(error.code, PSPROBE_INTERNAL);
    assert_null(batch);
    if (strstr(error.message, cases[i].why) == NULL)
      fail_msg("\"%s\" does not hold \"%s\"", error.message, cases[i].why);
  }
}

static void test_publish(void **state) {
  (void)state;
  psp_buf body = test_file("tests/data/pubsub/publish.json");
  const char **ids = NULL;
  assert_int_equal(psp_publish_decode(body.data, body.len, 3, &ids, NULL), PSPROBE_OK);
  assert_string_equal(ids[0], "1");
  assert_string_equal(ids[1], "2");
  assert_string_equal(ids[2], "3");
  free(ids);
  psprobe_error error = {0};
  assert_int_equal(psp_publish_decode(body.data, body.len, 2, &ids, &error), PSPROBE_INTERNAL);
  assert_non_null(strstr(error.message, "3 ids for 2 messages"));
  assert_int_equal(psp_publish_decode("{\"messageIds\":[1]}", 18, 1, &ids, NULL), PSPROBE_INTERNAL);
  psp_buf_free(&body);
}

typedef struct names {
  int seen, stop_at;
  char last[128];
} names;

static bool take_name(void *arg, const char *name) {
  names *n = arg;
  strncpy(n->last, name, sizeof n->last - 1);
  return ++n->seen != n->stop_at;
}

static void test_pages(void **state) {
  (void)state;
  psp_buf body = test_file("tests/data/pubsub/topics-page.json"), token = {0};
  names n = {0};
  bool more = false;
  assert_int_equal(
      psp_page_decode(body.data, body.len, "topics", take_name, &n, &token, &more, NULL),
      PSPROBE_OK);
  assert_int_equal(n.seen, 2);
  assert_string_equal(n.last, "projects/demo-project/topics/second");
  assert_string_equal(token.data, "projects/demo-project/topics/third");
  assert_true(more);
  psp_buf_reset(&token);
  n = (names){.stop_at = 1};
  psp_page_decode(body.data, body.len, "topics", take_name, &n, &token, &more, NULL);
  assert_int_equal(n.seen, 1);
  assert_false(more);
  psp_buf_reset(&token);
  assert_int_equal(psp_page_decode("{}", 2, "topics", take_name, &n, &token, &more, NULL),
                   PSPROBE_OK);
  assert_int_equal(token.len, 0);
  assert_int_equal(
      psp_page_decode("{\"topics\":[{}]}", 15, "topics", take_name, &n, &token, &more, NULL),
      PSPROBE_INTERNAL);
  psp_buf_free(&token);
  psp_buf_free(&body);
}

static void feed(const char *text, size_t len, void *arg) {
  size_t whole = *(size_t *)arg;
  psprobe_batch *batch = NULL;
  const char **ids = NULL;
  psp_buf token = {0};
  names n = {0};
  bool more;
  /* Not one of the prefixes, but for those that lack only white space, is an answer. */
  psprobe_code code = psp_pull_decode(text, len, &batch, NULL);
  assert_int_equal(code == PSPROBE_OK, len >= whole);
  psprobe_batch_free(batch);
  if (psp_publish_decode(text, len, 3, &ids, NULL) == PSPROBE_OK) free(ids);
  psp_page_decode(text, len, "topics", take_name, &n, &token, &more, NULL);
  psp_buf_free(&token);
}

static void test_cut_short(void **state) {
  (void)state;
  static const char *const files[] = {
      "tests/data/pubsub/pull-three.json",
      "tests/data/pubsub/pull-dead-letter.json",
      "tests/data/pubsub/publish.json",
      "tests/data/pubsub/subscription-pull-all-fields.json",
      "tests/data/pubsub/subscription-push-oidc.json",
      "tests/data/pubsub/topics-page.json",
      "tests/data/pubsub/topic-created.json",
      "tests/data/pubsub/empty-object.json",
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    psp_buf body = test_file(files[i]);
    size_t whole = body.len;
    while (body.data[whole - 1] == '\n')
      whole--;
    test_prefixes(&body, feed, &whole);
    psp_buf_free(&body);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pull_three),  cmocka_unit_test(test_pull_and_publish_again),
      cmocka_unit_test(test_pull_others), cmocka_unit_test(test_pull_broken),
      cmocka_unit_test(test_publish),     cmocka_unit_test(test_pages),
      cmocka_unit_test(test_cut_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
