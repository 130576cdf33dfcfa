/* SPDX-License-Identifier: MIT */
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

#include <psprobe/pubsub.h>

#include "fake_client.h"

#define JOBS        FAKE_PUBSUB "/v1/projects/demo-p/subscriptions/jobs"
#define THREE       "{\"receivedMessages\":[" ONE("1") "," ONE("2") "," ONE("3") "]}"
#define ONE(n)      "{\"ackId\":\"a" n "\",\"message\":{\"data\":\"aGk=\",\"messageId\":\"" n "\"}}"
#define JUST(n)     "{\"receivedMessages\":[" ONE(n) "]}"
#define UNAVAILABLE "{\"error\":{\"code\":503,\"message\":\"no\",\"status\":\"UNAVAILABLE\"}}"

/* What the callback does and sees. */
typedef struct receiver {
  fake_client *client;
  psprobe_subscriber *subscriber;
  pthread_mutex_t lock;
  char seen[256]; /* message ids, in the order of the calls */
  sem_t entered, leave;
  bool hold; /* wait for `leave` */
  psprobe_verdict verdict;
  sem_t logged; /* for each log line */
  char log[4096];
} receiver;

static psprobe_verdict receive(void *arg, const psprobe_message *message) {
  receiver *r = arg;
  pthread_mutex_lock(&r->lock);
  snprintf(r->seen + strlen(r->seen), sizeof r->seen - strlen(r->seen), "%s ", message->message_id);
  pthread_mutex_unlock(&r->lock);
  sem_post(&r->entered);
  if (r->hold) sem_wait(&r->leave);
  return r->verdict;
}

static void take_line(void *arg, psprobe_log_level level, const char *line) {
  (void)level;
  receiver *r = arg;
  pthread_mutex_lock(&r->lock);
  snprintf(r->log + strlen(r->log), sizeof r->log - strlen(r->log), "%s\n", line);
  pthread_mutex_unlock(&r->lock);
  sem_post(&r->logged);
}

static int setup(void **state) {
  receiver *r = calloc(1, sizeof *r);
  fake_client_setup((void **)&r->client);
  pthread_mutex_init(&r->lock, NULL);
  sem_init(&r->entered, 0, 0);
  sem_init(&r->leave, 0, 0);
  sem_init(&r->logged, 0, 0);
  *state = r;
  return 0;
}

static int teardown(void **state) {
  receiver *r = *state;
  psprobe_subscriber_free(r->subscriber);
  fake_client_teardown((void **)&r->client);
  pthread_mutex_destroy(&r->lock);
  sem_destroy(&r->entered);
  sem_destroy(&r->leave);
  sem_destroy(&r->logged);
  free(r);
  return 0;
}

static void begin(receiver *r, psprobe_subscriber_options options) {
  const psprobe_logger logger = {.sink = take_line, .arg = r, .level = PSPROBE_LOG_DEBUG};
  options.subscription = "jobs";
  options.receive = receive;
  options.arg = r;
  options.logger = &logger;
  psprobe_error error = {0};
  if (psprobe_subscriber_new(r->client->client, &options, &r->subscriber, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

static fake_call *expect(receiver *r, const char *verb) {
  char url[128];
  snprintf(url, sizeof url, JOBS "%s", verb);
  return fake_expect(r->client->fake, "POST", url);
}

static void expect_deadline(receiver *r, int seconds) {
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":%d}",
           seconds);
  fake_reply(fake_expect(r->client->fake, "GET", JOBS), 200, NULL, body);
}

/* One pull brings `body`, the others wait. */
static fake_call *expect_pull(receiver *r, const char *body) {
  if (body) fake_reply(expect(r, ":pull"), 200, NULL, body);
  return fake_times(expect(r, ":pull"), 0);
}

static void expect_ok(receiver *r, const char *verb) {
  fake_reply(expect(r, verb), 200, NULL, "{}");
}

static void wait_sem(sem_t *sem) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec += 10;
  if (sem_timedwait(sem, &at) != 0) fail_msg("what was waited for did not happen");
}

static void wait_a_little(void) {
  const struct timespec time = {.tv_nsec = 1000000};
  nanosleep(&time, NULL);
}

static psprobe_subscriber_stats stats(receiver *r) {
  psprobe_subscriber_stats out;
  psprobe_subscriber_get_stats(r->subscriber, &out);
  return out;
}

static void stop(receiver *r) {
  psprobe_error error = {0};
  if (psprobe_subscriber_stop(r->subscriber, 0, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_int_equal(stats(r).leased, 0);
}

static void test_receive_and_acknowledge(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  fake_call *pull = expect_pull(r, THREE);
  fake_call *ack = expect(r, ":acknowledge");
  fake_reply(ack, 200, NULL, "{}");
  begin(r, (psprobe_subscriber_options){
               .pulls = 1, .max_messages = 7, .workers = 1, .ack_batch_ns = INT64_C(100000000)});
  for (int i = 0; i < 3; i++)
    wait_sem(&r->entered);
  fake_wait(ack, 1);
  fake_wait(pull, 1);
  assert_string_equal(r->seen, "1 2 3 ");
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\",\"a2\",\"a3\"]}");
  assert_string_equal(fake_request(pull, 0)->body, "{\"maxMessages\":7}");
  stop(r);
  psprobe_subscriber_stats s = stats(r);
  assert_int_equal(s.received, 3);
  assert_int_equal(s.acked, 3);
  assert_int_equal(s.nacked + s.pull_errors + s.ack_errors + s.lost + s.extended, 0);
}

static void test_several_pulls(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  fake_call *pull = expect_pull(r, NULL);
  begin(r, (psprobe_subscriber_options){.pulls = 3});
  fake_wait(pull, 3);
  stop(r);
  assert_int_equal(fake_count(pull), 3);
}

static void test_nack(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  expect_pull(r, JUST("1"));
  fake_call *nack = expect(r, ":modifyAckDeadline");
  fake_reply(nack, 200, NULL, "{}");
  r->verdict = PSPROBE_NACK;
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(nack, 1);
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a1\"],\"ackDeadlineSeconds\":0}");
  stop(r);
  assert_int_equal(stats(r).nacked, 1);
}

static void *stop_thread(void *arg) {
  stop(arg);
  return NULL;
}

/* A callback that runs is waited for and its message acked; what no callback has seen goes back. */
static void test_stop_with_messages_in_hand(void **state) {
  receiver *r = *state;
  pthread_t thread;
  expect_deadline(r, 10);
  expect_pull(r, THREE);
  fake_call *nack = expect(r, ":modifyAckDeadline"), *ack = expect(r, ":acknowledge");
  fake_reply(nack, 200, NULL, "{}");
  fake_reply(ack, 200, NULL, "{}");
  r->hold = true;
  begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 1});
  wait_sem(&r->entered);
  pthread_create(&thread, NULL, stop_thread, r);
  fake_wait(nack, 1); /* without waiting for the callback */
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a2\",\"a3\"],\"ackDeadlineSeconds\":0}");
  sem_post(&r->leave);
  pthread_join(thread, NULL);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\"]}");
  assert_string_equal(r->seen, "1 ");
  assert_int_equal(stats(r).acked, 1);
  assert_int_equal(stats(r).nacked, 2);
}

/* The service delivers to pulls that wait, stopped or not: what they bring goes back at once. */
static void test_message_after_stop(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  fake_call *pull = expect_pull(r, NULL), *nack = expect(r, ":modifyAckDeadline");
  fake_reply(nack, 200, NULL, "{}");
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(pull, 1);
  stop(r);
  psprobe_subscriber_free(r->subscriber);
  r->subscriber = NULL;
  fake_reply(pull, 200, NULL, JUST("1"));
  fake_wait(nack, 1);
  assert_string_equal(fake_request(nack, 0)->body,
                      "{\"ackIds\":[\"a1\"],\"ackDeadlineSeconds\":0}");
  assert_string_equal(r->seen, "");
}

static psprobe_verdict stop_in_callback(void *arg, const psprobe_message *message) {
  receiver *r = arg;
  (void)message;
  sem_wait(&r->leave); /* until the test knows the subscriber */
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 0, NULL), PSPROBE_OK);
  sem_post(&r->entered);
  return PSPROBE_ACK;
}

static void test_stop_in_callback_does_not_hang(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  expect_pull(r, JUST("1"));
  expect_ok(r, ":acknowledge");
  const psprobe_subscriber_options options = {
      .subscription = "jobs", .receive = stop_in_callback, .arg = r, .pulls = 1};
  assert_int_equal(psprobe_subscriber_new(r->client->client, &options, &r->subscriber, NULL),
                   PSPROBE_OK);
  sem_post(&r->leave);
  wait_sem(&r->entered);
  stop(r);
  assert_int_equal(stats(r).acked, 1);
}

static void test_pull_errors(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  fake_reply(fake_times(expect(r, ":pull"), 3), 503, NULL, UNAVAILABLE);
  fake_reply(expect(r, ":pull"), 200, NULL, "<html>");
  fake_fail(expect(r, ":pull"), PSPROBE_DEADLINE_EXCEEDED, "timed out");
  fake_reply(expect(r, ":pull"), 504, NULL, ""); /* a gateway's way of saying: nothing there */
  expect_pull(r, JUST("1"));
  expect_ok(r, ":acknowledge");
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  wait_sem(&r->entered);
  stop(r);
  psprobe_subscriber_stats s = stats(r);
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
  expect_deadline(r, 10);
  fake_reply(fake_times(expect(r, ":pull"), 3), 404, NULL,
             "{\"error\":{\"code\":404,\"message\":\"Subscription does not exist\","
             "\"status\":\"NOT_FOUND\"}}");
  expect_pull(r, JUST("1"));
  fake_call *get = fake_expect(r->client->fake, "GET", JOBS); /* it may be another one now */
  fake_reply(get, 200, NULL, "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":20}");
  expect_ok(r, ":acknowledge");
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  wait_sem(&r->entered);
  fake_wait(get, 1);
  stop(r);
  const char *said = strstr(r->log, "event=pull_failed");
  assert_non_null(said);
  assert_null(strstr(said + 1, "event=pull_failed"));
}

/* A subscription that pushes answers pulls at once with nothing; that must not become a storm. */
static void test_pulls_that_do_not_wait(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  fake_call *pull = fake_times(expect(r, ":pull"), 0);
  fake_reply(pull, 200, NULL, "{}");
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  wait_sem(&r->logged);
  assert_non_null(strstr(r->log, "event=pull_not_waiting"));
  stop(r);
  assert_true(fake_count(pull) < 10);
}

static void test_no_right_to_look(void **state) {
  receiver *r = *state;
  fake_reply(fake_expect(r->client->fake, "GET", JOBS), 403, NULL,
             "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}");
  expect_pull(r, NULL);
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  wait_sem(&r->logged);
  assert_non_null(strstr(r->log, "event=ack_deadline_unknown"));
  stop(r);
}

static void test_acknowledge_again(void **state) {
  receiver *r = *state;
  expect_deadline(r, 10);
  expect_pull(r, JUST("1"));
  fake_call *refused = fake_times(expect(r, ":acknowledge"), 2), *ack = expect(r, ":acknowledge");
  fake_reply(refused, 503, NULL, UNAVAILABLE);
  fake_reply(ack, 200, NULL, "{}");
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(ack, 1);
  assert_string_equal(fake_request(ack, 0)->body, "{\"ackIds\":[\"a1\"]}");
  stop(r);
  assert_int_equal(stats(r).ack_errors, 2);
  assert_int_equal(stats(r).acked, 1);
  const char *said = strstr(r->log, "event=acknowledge_failed");
  assert_non_null(said);
  assert_null(strstr(said + 1, "event=acknowledge_failed"));
}

static void answer_acks(void *arg, const psp_http_request *request, fake_answer *answer) {
  (void)arg;
  if (strstr(request->body, "\"a2\"")) {
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
  expect_deadline(r, 10);
  expect_pull(r, THREE);
  fake_handle(fake_times(expect(r, ":acknowledge"), 0), answer_acks, NULL);
  begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 1});
  for (int i = 0; i < 3; i++)
    wait_sem(&r->entered);
  stop(r);
  assert_int_equal(stats(r).acked, 2);
  assert_int_equal(stats(r).lost, 1);
  assert_non_null(strstr(r->log, "event=leases_lost"));
}

static void test_extension(void **state) {
  receiver *r = *state;
  expect_deadline(r, 1); /* the emulator takes it, and so the test is short */
  expect_pull(r, THREE);
  fake_call *extend = fake_times(expect(r, ":modifyAckDeadline"), 2);
  fake_reply(extend, 200, NULL, "{}");
  fake_reply(fake_times(expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  r->hold = true;
  begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 1});
  fake_wait(extend, 2); /* of the one that runs and of those that wait */
  assert_string_equal(fake_request(extend, 0)->body,
                      "{\"ackIds\":[\"a1\",\"a2\",\"a3\"],\"ackDeadlineSeconds\":1}");
  for (int i = 0; i < 3; i++)
    sem_post(&r->leave);
  for (int i = 0; i < 3; i++)
    wait_sem(&r->entered);
  stop(r);
  assert_true(stats(r).extended >= 3);
  assert_int_equal(stats(r).acked, 3);
}

static void test_stop_that_is_not_heard(void **state) {
  receiver *r = *state;
  psprobe_error error = {0};
  expect_deadline(r, 10);
  expect_pull(r, JUST("1"));
  fake_call *ack = expect(r, ":acknowledge"); /* never answered */
  begin(r, (psprobe_subscriber_options){.pulls = 1});
  fake_wait(ack, 1);
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 1000000, &error),
                   PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, "1 messages"));
  assert_int_equal(psprobe_subscriber_stop(r->subscriber, 0, &error), PSPROBE_OK);
}

/* When too much waits for the workers no more is fetched; when it is worked off, pulls go on. */
static void test_pulls_pause(void **state) {
  receiver *r = *state;
  expect_deadline(r, 600);
  fake_call *pull = fake_times(expect(r, ":pull"), 4);
  fake_reply(pull, 200, NULL, THREE);
  fake_call *more = fake_times(expect(r, ":pull"), 0);
  fake_reply(fake_times(expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  r->hold = true;
  begin(r, (psprobe_subscriber_options){.pulls = 1, .max_messages = 3, .workers = 1});
  wait_sem(&r->entered); /* one runs, two wait; a second pull brings three more, then it pauses */
  fake_wait(pull, 2);
  while (stats(r).received < 6)
    wait_a_little();
  assert_int_equal(fake_count(pull), 2);
  for (int i = 0; i < 12; i++)
    sem_post(&r->leave);
  fake_wait(more, 1);
  for (int i = 1; i < 12; i++)
    wait_sem(&r->entered);
  stop(r);
  assert_int_equal(stats(r).acked, 12);
  assert_int_equal(stats(r).redelivered, 9);
}

static void test_refused_options(void **state) {
  receiver *r = *state;
  static const psprobe_subscriber_options cases[] = {
      {.subscription = "jobs"},
      {.receive = receive},
      {.receive = receive, .subscription = "a b"},
      {.receive = receive, .subscription = "projects/p/topics/jobs"},
      {.receive = receive, .subscription = "jobs", .pulls = -1},
      {.receive = receive, .subscription = "jobs", .pulls = 1001},
      {.receive = receive, .subscription = "jobs", .max_messages = 1001},
      {.receive = receive, .subscription = "jobs", .workers = -1},
      {.receive = receive, .subscription = "jobs", .ack_deadline_s = 601},
      {.receive = receive, .subscription = "jobs", .ack_batch_ns = -1},
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_receive_and_acknowledge),
      TEST(test_several_pulls),
      TEST(test_nack),
      TEST(test_stop_with_messages_in_hand),
      TEST(test_message_after_stop),
      TEST(test_stop_in_callback_does_not_hang),
      TEST(test_pull_errors),
      TEST(test_subscription_that_vanishes),
      TEST(test_pulls_that_do_not_wait),
      TEST(test_no_right_to_look),
      TEST(test_acknowledge_again),
      TEST(test_bad_ack_id),
      TEST(test_extension),
      TEST(test_stop_that_is_not_heard),
      TEST(test_pulls_pause),
      TEST(test_refused_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
