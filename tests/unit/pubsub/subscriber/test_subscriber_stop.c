/* SPDX-License-Identifier: MIT */
/** @file The end of a subscriber, with messages in hand and on their way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "receiver.h"

static void *stop_thread(void *arg) {
  receiver_stop(arg);
  return NULL;
}

/* A callback that runs is waited for and its message acked; what no callback has seen goes back. */
static void test_stop_with_messages_in_hand(void **state) {
  receiver *r = *state;
  pthread_t thread;
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, THREE);
  fake_call *nack = receiver_expect(r, ":modifyAckDeadline"),
            *ack = receiver_expect(r, ":acknowledge");
  fake_reply(nack, 200, NULL, "{}");
  fake_reply(ack, 200, NULL, "{}");
  r->hold = true;
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 1});
  receiver_wait(&r->entered);
  pthread_create(&thread, NULL, stop_thread, r);
  fake_wait(nack, 1); /* without waiting for the callback */
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a2\",\"a3\"],\"ackDeadlineSeconds\":0}");
  sem_post(&r->leave);
  pthread_join(thread, NULL);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\"]}");
  assert_string_equal(r->seen, "1 ");
  assert_int_equal(receiver_stats(r).acked, 1);
  assert_int_equal(receiver_stats(r).nacked, 2);
}

static atomic_int heard, cancelled;

static void settled(void *arg, const psprobe_message *message, psprobe_code code) {
  (void)arg;
  assert_string_equal(message->message_id, "1");
  heard++;
  if (code == PSPROBE_CANCELLED) cancelled++;
}

/* With no grace what a callback has goes back at once too; its verdict says nothing any more. */
static void test_stop_without_grace(void **state) {
  receiver *r = *state;
  pthread_t thread;
  heard = cancelled = 0;
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, THREE);
  fake_call *nack = fake_times(receiver_expect(r, ":modifyAckDeadline"), 0);
  fake_reply(nack, 200, NULL, "{}");
  r->hold = true;
  receiver_begin(r, (psprobe_subscriber_options){
                        .pulls = 1, .workers = 1, .grace_ns = -1, .settled = settled});
  receiver_wait(&r->entered);
  pthread_create(&thread, NULL, stop_thread, r);
  while (receiver_stats(r).nacked < 3) /* while the callback runs */
    fake_wait(nack, 1);
  assert_int_equal(heard, 0);
  sem_post(&r->leave);
  pthread_join(thread, NULL);
  assert_string_equal(r->seen, "1 ");
  assert_int_equal(receiver_stats(r).acked, 0);
  assert_int_equal(receiver_stats(r).nacked, 3);
  assert_int_equal(heard, 1);
  assert_int_equal(cancelled, 1);
}

/* The service delivers to pulls that wait, stopped or not: what they bring goes back at once. */
static void test_message_after_stop(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  fake_call *pull = receiver_expect_pull(r, NULL), *nack = receiver_expect(r, ":modifyAckDeadline");
  fake_reply(nack, 200, NULL, "{}");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(pull, 1);
  receiver_stop(r);
  psprobe_subscriber_free(r->subscriber);
  r->subscriber = NULL;
  fake_reply(pull, 200, NULL, JUST("1"));
  fake_wait(nack, 1);
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a1\"],\"ackDeadlineSeconds\":0}");
  assert_string_equal(r->seen, "");
}

static psprobe_settlement stop_in_callback(void *arg, const psprobe_message *message) {
  receiver *r = arg;
  (void)message;
  sem_wait(&r->leave); /* until the test knows the subscriber */
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 0, NULL), PSPROBE_OK);
  sem_post(&r->entered);
  return PSPROBE_SETTLE_ACK;
}

static void test_stop_in_callback_does_not_hang(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, JUST("1"));
  receiver_expect_ok(r, ":acknowledge");
  const psprobe_subscriber_options options = {.subscription = "jobs",
                                              .receive = stop_in_callback,
                                              .arg = r,
                                              .pulls = 1,
                                              .mode = PSPROBE_UNARY};
  assert_int_equal(psprobe_subscriber_new(r->client->client, &options, &r->subscriber, NULL),
                   PSPROBE_OK);
  sem_post(&r->leave);
  receiver_wait(&r->entered);
  receiver_stop(r);
  assert_int_equal(receiver_stats(r).acked, 1);
}

/* ---- what the caller is told ---- */

static sem_t telling;
static atomic_bool told;

static void tell_slowly(void *arg, const psprobe_message *message, psprobe_code code) {
  receiver *r = arg;
  (void)message, (void)code;
  sem_post(&telling);
  sem_wait(&r->leave);
  told = true;
}

static void *let_go(void *arg) {
  receiver *r = arg;
  nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* in which a stop could end */
  sem_post(&r->leave);
  return NULL;
}

/* The call has ended, and the caller is just told what came of it: a stop that ended now would let
 * him free what the telling uses. */
static void test_stop_waits_for_who_is_told(void **state) {
  receiver *r = *state;
  pthread_t thread;
  told = false;
  sem_init(&telling, 0, 0);
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, JUST("1"));
  receiver_expect_ok(r, ":acknowledge");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .settled = tell_slowly});
  receiver_wait(&telling);
  pthread_create(&thread, NULL, let_go, r);
  receiver_stop(r);
  assert_true(told);
  pthread_join(thread, NULL);
  sem_destroy(&telling);
}

static void stop_when_told(void *arg, const psprobe_message *message, psprobe_code code) {
  receiver *r = arg;
  (void)message, (void)code;
  sem_post(&telling);
  sem_wait(&r->leave); /* until the test knows the subscriber */
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 0, NULL), PSPROBE_OK);
  told = true;
}

static void test_stop_by_who_is_told_does_not_hang(void **state) {
  receiver *r = *state;
  told = false;
  sem_init(&telling, 0, 0);
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, JUST("1"));
  receiver_expect_ok(r, ":acknowledge");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .settled = stop_when_told});
  receiver_wait(&telling);
  sem_post(&r->leave);
  receiver_stop(r);
  assert_true(told);
  sem_destroy(&telling);
}

static void test_stop_that_is_not_heard(void **state) {
  receiver *r = *state;
  psprobe_error error = {0};
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, JUST("1"));
  fake_call *ack = receiver_expect(r, ":acknowledge"); /* never answered */
  heard = 0;
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .settled = settled});
  fake_wait(ack, 1);
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 1000000, &error),
                   PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, "1 messages"));
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 0, &error), PSPROBE_OK);
  assert_int_equal(heard, 1); /* now, and not when the call ends */
  assert_int_equal(receiver_stats(r).leased, 0);
  psprobe_subscriber_free(r->subscriber);
  r->subscriber = NULL;
  fake_reply(ack, 200, NULL, "{}");
  psprobe_client_free(r->client->client); /* after which the call has ended */
  r->client->client = NULL;
  assert_int_equal(heard, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, receiver_setup, receiver_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_stop_with_messages_in_hand), TEST(test_stop_without_grace),
      TEST(test_message_after_stop),         TEST(test_stop_in_callback_does_not_hang),
      TEST(test_stop_waits_for_who_is_told), TEST(test_stop_by_who_is_told_does_not_hang),
      TEST(test_stop_that_is_not_heard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
