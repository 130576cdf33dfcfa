/* SPDX-License-Identifier: MIT */
/** @file The subscriber: pulling, leases, acknowledging, and what goes wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "receiver.h"

#define UNAVAILABLE "{\"error\":{\"code\":503,\"message\":\"no\",\"status\":\"UNAVAILABLE\"}}"

static void wait_a_little(void) {
  const struct timespec time = {.tv_nsec = 1000000};
  nanosleep(&time, NULL);
}

static void test_receive_and_acknowledge(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  fake_call *pull = receiver_expect_pull(r, THREE);
  fake_call *ack = receiver_expect(r, ":acknowledge");
  fake_reply(ack, 200, NULL, "{}");
  receiver_begin(
      r, (psprobe_subscriber_options){
             .pulls = 1, .max_messages = 7, .workers = 1, .ack_batch_ns = INT64_C(100000000)});
  for (int i = 0; i < 3; i++)
    receiver_wait(&r->entered);
  fake_wait(ack, 1);
  fake_wait(pull, 1);
  assert_string_equal(r->seen, "1 2 3 ");
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\",\"a2\",\"a3\"]}");
  assert_string_equal(fake_request(pull, 0)->body, "{\"maxMessages\":7}");
  receiver_stop(r);
  psprobe_subscriber_stats s = receiver_stats(r);
  assert_int_equal(s.received, 3);
  assert_int_equal(s.acked, 3);
  assert_int_equal(s.nacked + s.pull_errors + s.ack_errors + s.lost + s.extended, 0);
}

static void test_several_pulls(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  fake_call *pull = receiver_expect_pull(r, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 3});
  fake_wait(pull, 3);
  receiver_stop(r);
  assert_int_equal(fake_count(pull), 3);
}

static void test_nack(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, JUST("1"));
  fake_call *nack = receiver_expect(r, ":modifyAckDeadline");
  fake_reply(nack, 200, NULL, "{}");
  r->verdict = PSPROBE_SETTLE_NACK;
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(nack, 1);
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a1\"],\"ackDeadlineSeconds\":0}");
  receiver_stop(r);
  assert_int_equal(receiver_stats(r).nacked, 1);
}

static void test_pull_errors(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  fake_reply(fake_times(receiver_expect(r, ":pull"), 3), 503, NULL, UNAVAILABLE);
  fake_reply(receiver_expect(r, ":pull"), 200, NULL, "<html>");
  fake_fail(receiver_expect(r, ":pull"), PSPROBE_DEADLINE_EXCEEDED, "timed out");
  fake_reply(receiver_expect(r, ":pull"), 504, NULL,
             ""); /* a gateway's way of saying: nothing there */
  receiver_expect_pull(r, JUST("1"));
  receiver_expect_ok(r, ":acknowledge");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  receiver_wait(&r->entered);
  receiver_stop(r);
  psprobe_subscriber_stats s = receiver_stats(r);
  assert_int_equal(s.pull_errors, 5);
  assert_int_equal(s.silent, 1);
  assert_int_equal(s.acked, 1);
  /* Said once for each kind, not for each pull. */
  const char *said = strstr(r->log, "event=pull_failed");
  assert_non_null(said);
  assert_non_null(strstr(said, "code=UNAVAILABLE"));
  assert_non_null(said = strstr(said + 1, "event=pull_failed"));
  assert_non_null(strstr(said, "code=INTERNAL"));
  assert_null(strstr(said + 1, "event=pull_failed"));
  assert_non_null(strstr(r->log, "event=pull_silent"));
  assert_non_null(strstr(r->log, "event=pull_recovered"));
}

static void test_subscription_that_vanishes(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  fake_reply(fake_times(receiver_expect(r, ":pull"), 3), 404, NULL,
             "{\"error\":{\"code\":404,\"message\":\"Subscription does not exist\","
             "\"status\":\"NOT_FOUND\"}}");
  receiver_expect_pull(r, JUST("1"));
  fake_call *get = fake_expect(r->client->fake, "GET", JOBS); /* it may be another one now */
  fake_reply(get, 200, NULL, "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":20}");
  receiver_expect_ok(r, ":acknowledge");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  receiver_wait(&r->entered);
  fake_wait(get, 1);
  receiver_stop(r);
  const char *said = strstr(r->log, "event=pull_failed");
  assert_non_null(said);
  assert_null(strstr(said + 1, "event=pull_failed"));
}

/* A subscription that pushes answers pulls at once with nothing; that must not become a storm. */
static void test_pulls_that_do_not_wait(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  fake_call *pull = fake_times(receiver_expect(r, ":pull"), 0);
  fake_reply(pull, 200, NULL, "{}");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  receiver_wait(&r->logged);
  assert_non_null(strstr(r->log, "event=pull_not_waiting"));
  receiver_stop(r);
  assert_true(fake_count(pull) < 10);
}

static void test_no_right_to_look(void **state) {
  receiver *r = *state;
  fake_reply(fake_expect(r->client->fake, "GET", JOBS), 403, NULL,
             "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}");
  receiver_expect_pull(r, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  receiver_wait(&r->logged);
  assert_non_null(strstr(r->log, "event=ack_deadline_unknown"));
  receiver_stop(r);
}

static void test_acknowledge_again(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, JUST("1"));
  fake_call *refused = fake_times(receiver_expect(r, ":acknowledge"), 2),
            *ack = receiver_expect(r, ":acknowledge");
  fake_reply(refused, 503, NULL, UNAVAILABLE);
  fake_reply(ack, 200, NULL, "{}");
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(ack, 1);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\"]}");
  receiver_stop(r);
  assert_int_equal(receiver_stats(r).ack_errors, 2);
  assert_int_equal(receiver_stats(r).acked, 1);
  const char *said = strstr(r->log, "event=acknowledge_failed");
  assert_non_null(said);
  assert_null(strstr(said + 1, "event=acknowledge_failed"));
}

static void answer_acks(void *arg, const psp_http_request *request, fake_answer *answer) {
  (void)arg;
  if (strstr(request->body, "\"a2\"") != NULL) {
    answer->status = 400;
    psp_buf_text(&answer->body,
                 "{\"error\":{\"code\":400,\"message\":\"Invalid ack id\","
                 "\"status\":\"INVALID_ARGUMENT\"}}");
  } else {
    psp_buf_text(&answer->body, "{}");
  }
}

static void test_bad_ack_id(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 10);
  receiver_expect_pull(r, THREE);
  fake_handle(fake_times(receiver_expect(r, ":acknowledge"), 0), answer_acks, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 1});
  for (int i = 0; i < 3; i++)
    receiver_wait(&r->entered);
  receiver_stop(r);
  assert_int_equal(receiver_stats(r).acked, 2);
  assert_int_equal(receiver_stats(r).lost, 1);
  assert_non_null(strstr(r->log, "event=leases_lost"));
}

static void test_extension(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 1); /* the emulator takes it, and so the test is short */
  receiver_expect_pull(r, THREE);
  fake_call *extend = fake_times(receiver_expect(r, ":modifyAckDeadline"), 0);
  fake_reply(extend, 200, NULL, "{}");
  fake_reply(fake_times(receiver_expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  r->hold = true;
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 1});
  fake_wait(extend, 2); /* of the one that runs and of those that wait */
  assert_string_equal(fake_request(extend, 0)->body,
                      "{\"ackIds\":[\"a1\",\"a2\",\"a3\"],\"ackDeadlineSeconds\":1}");
  for (int i = 0; i < 3; i++)
    sem_post(&r->leave);
  for (int i = 0; i < 3; i++)
    receiver_wait(&r->entered);
  receiver_stop(r);
  assert_true(receiver_stats(r).extended >= 3);
  assert_int_equal(receiver_stats(r).acked, 3);
}

/* When too much waits for the workers no more is fetched; when it is worked off, pulls go on. */
static void test_pulls_pause(void **state) {
  receiver *r = *state;
  receiver_expect_deadline(r, 600);
  fake_call *pull = fake_times(receiver_expect(r, ":pull"), 4);
  fake_reply(pull, 200, NULL, THREE);
  fake_call *more = fake_times(receiver_expect(r, ":pull"), 0);
  fake_reply(fake_times(receiver_expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  r->hold = true;
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .max_messages = 3, .workers = 1});
  receiver_wait(
      &r->entered); /* one runs, two wait; a second pull brings three more, then it pauses */
  fake_wait(pull, 2);
  while (receiver_stats(r).received < 6)
    wait_a_little();
  assert_int_equal(fake_count(pull), 2);
  for (int i = 0; i < 12; i++)
    sem_post(&r->leave);
  fake_wait(more, 1);
  for (int i = 1; i < 12; i++)
    receiver_wait(&r->entered);
  receiver_stop(r);
  assert_int_equal(receiver_stats(r).acked, 12);
  assert_int_equal(receiver_stats(r).redelivered, 9);
}

static void test_refused_options(void **state) {
  receiver *r = *state;
  static const psprobe_subscriber_options cases[] = {
      {.subscription = "jobs"},
      {.receive = receiver_receive},
      {.receive = receiver_receive, .subscription = "a b"},
      {.receive = receiver_receive, .subscription = "projects/p/topics/jobs"},
      {.receive = receiver_receive, .subscription = "jobs", .pulls = -1},
      {.receive = receiver_receive, .subscription = "jobs", .pulls = 1001},
      {.receive = receiver_receive, .subscription = "jobs", .max_messages = 1001},
      {.receive = receiver_receive, .subscription = "jobs", .workers = -1},
      {.receive = receiver_receive, .subscription = "jobs", .ack_deadline_s = 601},
      {.receive = receiver_receive, .subscription = "jobs", .ack_batch_ns = -1},
      {.receive = receiver_receive, .subscription = "jobs", .max_outstanding = -1},
      {.receive = receiver_receive, .subscription = "jobs", .max_outstanding_bytes = -1},
      {.receive = receiver_receive, .subscription = "jobs", .mode = (psprobe_subscriber_mode)2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    assert_int_equal(psprobe_subscriber_new(r->client->client, &cases[i], &r->subscriber, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_true(*error.message);
    assert_null(r->subscriber);
  }
  psprobe_subscriber_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, receiver_setup, receiver_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_receive_and_acknowledge),
      TEST(test_several_pulls),
      TEST(test_nack),
      TEST(test_pull_errors),
      TEST(test_subscription_that_vanishes),
      TEST(test_pulls_that_do_not_wait),
      TEST(test_no_right_to_look),
      TEST(test_acknowledge_again),
      TEST(test_bad_ack_id),
      TEST(test_extension),
      TEST(test_pulls_pause),
      TEST(test_refused_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
