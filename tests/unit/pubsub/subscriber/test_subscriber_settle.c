/* SPDX-License-Identifier: MIT */
/** @file The subscriber without workers, and verdicts that come later. */
#include <pthread.h>
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

#include <psprobe/subscriber.h>

#include "fake_client.h"

#define JOBS   FAKE_PUBSUB "/v1/projects/demo-p/subscriptions/jobs"
#define ONE(n) "{\"ackId\":\"a" n "\",\"message\":{\"messageId\":\"" n "\"}}"
#define TWO    "{\"receivedMessages\":[" ONE("1") "," ONE("2") "]}"

typedef struct receiver {
  fake_client *client;
  psprobe_subscriber *subscriber;
  psprobe_settlement verdict;
  const psprobe_message *kept[2]; /* left for later */
  unsigned count;
  pthread_t thread; /* that called last */
  bool stop;        /* from within the callback */
  int64_t grace_ns;
  sem_t got, ready;
} receiver;

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  receiver *r = arg;
  r->thread = pthread_self();
  r->kept[r->count++ % 2] = message;
  if (r->stop) {
    sem_wait(&r->ready); /* until the test knows the subscriber */
    assert_int_equal(psprobe_subscriber_stop(r->subscriber, 0, NULL), PSPROBE_OK);
  }
  sem_post(&r->got);
  return r->verdict;
}

static int setup(void **state) {
  receiver *r = calloc(1, sizeof *r);
  fake_client_setup((void **)&r->client);
  sem_init(&r->got, 0, 0);
  sem_init(&r->ready, 0, 0);
  *state = r;
  return 0;
}

static int teardown(void **state) {
  receiver *r = *state;
  psprobe_subscriber_free(r->subscriber);
  fake_client_teardown((void **)&r->client);
  sem_destroy(&r->got);
  sem_destroy(&r->ready);
  free(r);
  return 0;
}

static fake_call *expect(receiver *r, const char *verb) {
  char url[128];
  snprintf(url, sizeof url, JOBS "%s", verb);
  return fake_expect(r->client->fake, "POST", url);
}

static void begin(receiver *r, int deadline_s, bool at_once) {
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":%d}",
           deadline_s);
  fake_reply(fake_expect(r->client->fake, "GET", JOBS), 200, NULL, body);
  fake_reply(expect(r, ":pull"), 200, NULL, TWO);
  fake_times(expect(r, ":pull"), 0);
  const psprobe_subscriber_options options = {.subscription = "jobs",
                                              .mode = PSPROBE_UNARY,
                                              .receive = receive,
                                              .arg = r,
                                              .pulls = 1,
                                              .workers = 1,
                                              .at_once = at_once,
                                              .grace_ns = r->grace_ns,
                                              .ack_batch_ns = 100000000};
  assert_int_equal(psprobe_subscriber_new(r->client->client, &options, &r->subscriber, NULL),
                   PSPROBE_OK);
}

static psprobe_subscriber_stats stop(receiver *r) {
  psprobe_subscriber_stats stats;
  psprobe_error error = {0};
  if (psprobe_subscriber_stop(r->subscriber, 0, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psprobe_subscriber_get_stats(r->subscriber, &stats);
  assert_int_equal(stats.leased, 0);
  return stats;
}

static void test_at_once(void **state) {
  receiver *r = *state;
  fake_call *ack = expect(r, ":acknowledge");
  fake_reply(ack, 200, NULL, "{}");
  begin(r, 10, true);
  fake_wait(ack, 1);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\",\"a2\"]}");
  assert_false(pthread_equal(r->thread, pthread_self()));
  assert_int_equal(stop(r).acked, 2);
}

static void test_stop_in_callback(void **state) {
  receiver *r = *state;
  fake_reply(fake_times(expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  fake_reply(expect(r, ":modifyAckDeadline"), 200, NULL, "{}");
  r->stop = true;
  begin(r, 10, true);
  sem_post(&r->ready);
  sem_wait(&r->got);
  psprobe_subscriber_stats stats = stop(r);
  assert_int_equal(stats.acked, 1);
  assert_int_equal(stats.nacked, 1);
  assert_int_equal(r->count, 1);
}

static void later(receiver *r, bool at_once) {
  fake_call *ack = expect(r, ":acknowledge"), *nack = expect(r, ":modifyAckDeadline");
  fake_reply(ack, 200, NULL, "{}");
  fake_reply(nack, 200, NULL, "{}");
  r->verdict = PSPROBE_SETTLE_LATER;
  begin(r, 10, at_once);
  sem_wait(&r->got);
  sem_wait(&r->got); /* a worker does not wait for the first verdict */
  assert_string_equal(r->kept[0]->message_id, "1");
  psprobe_subscriber_settle(r->subscriber, r->kept[1], PSPROBE_SETTLE_NACK);
  fake_wait(nack, 1);
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a2\"],\"ackDeadlineSeconds\":0}");
  psprobe_subscriber_settle(r->subscriber, r->kept[0], PSPROBE_SETTLE_ACK);
  fake_wait(ack, 1);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\"]}");
  psprobe_subscriber_stats stats = stop(r);
  assert_int_equal(stats.acked, 1);
  assert_int_equal(stats.nacked, 1);
}

static void test_later_at_once(void **state) {
  later(*state, true);
}

static void test_later_from_worker(void **state) {
  later(*state, false);
}

static void *stop_thread(void *arg) {
  stop(arg);
  return NULL;
}

/* What is left for later keeps its lease, and a stop waits for it. */
static void test_stop_waits_for_later(void **state) {
  receiver *r = *state;
  pthread_t thread;
  fake_call *extend = fake_times(expect(r, ":modifyAckDeadline"), 2);
  fake_reply(extend, 200, NULL, "{}");
  fake_reply(fake_times(expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  r->verdict = PSPROBE_SETTLE_LATER;
  begin(r, 1, true);
  sem_wait(&r->got);
  sem_wait(&r->got);
  pthread_create(&thread, NULL, stop_thread, r);
  fake_wait(extend, 2);
  assert_string_equal(fake_request(extend, 1)->body,
                      "{\"ackIds\":[\"a1\",\"a2\"],\"ackDeadlineSeconds\":1}");
  psprobe_subscriber_settle(r->subscriber, r->kept[0], PSPROBE_SETTLE_ACK);
  psprobe_subscriber_settle(r->subscriber, r->kept[1], PSPROBE_SETTLE_ACK);
  pthread_join(thread, NULL);
  psprobe_subscriber_stats stats;
  psprobe_subscriber_get_stats(r->subscriber, &stats);
  assert_int_equal(stats.acked, 2);
}

/* Nor for ever: after its grace what is left for later goes back. It may be settled then, or not.
 */
static void test_stop_gives_back_what_is_left(void **state) {
  receiver *r = *state;
  fake_call *nack = expect(r, ":modifyAckDeadline");
  fake_reply(nack, 200, NULL, "{}");
  r->verdict = PSPROBE_SETTLE_LATER;
  r->grace_ns = 1000000;
  begin(r, 10, true);
  sem_wait(&r->got);
  sem_wait(&r->got);
  assert_int_equal(stop(r).nacked, 2);
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a1\",\"a2\"],\"ackDeadlineSeconds\":0}");
  psprobe_subscriber_settle(r->subscriber, r->kept[0], PSPROBE_SETTLE_ACK);
  psprobe_subscriber_stats stats;
  psprobe_subscriber_get_stats(r->subscriber, &stats);
  assert_int_equal(stats.acked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_at_once),
      TEST(test_stop_in_callback),
      TEST(test_later_at_once),
      TEST(test_later_from_worker),
      TEST(test_stop_waits_for_later),
      TEST(test_stop_gives_back_what_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
