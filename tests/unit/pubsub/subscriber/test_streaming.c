/* SPDX-License-Identifier: MIT */
/** @file The way of streams, on streams that the test has in its hands. */
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

#include "client/stream.h"
#include "fake_client.h"
#include "proto_bytes.h"

#define JOBS FAKE_PUBSUB "/v1/projects/demo-p/subscriptions/jobs"
#define MOST 16

/* One that was begun. */
typedef struct begun {
  psp_stream_call call;
  unsigned paused, halved, cancelled, given_up, sent;
} begun;

static struct stage {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  begun streams[MOST];
  unsigned count, acks;
  bool first_ends;      /* before it is known to who began it, and another has begun */
  psprobe_error acking; /* how acks end */
  psp_buf details;
  char log[4096];
} stage;

/* ---- what stands in ---- */

psprobe_code __wrap_psp_stream_start(psprobe_client *client, const psp_stream_call *call,
                                     psp_streaming **stream, psprobe_error *error);
void __wrap_psp_stream_send(psp_streaming *stream, const void *message, size_t len);
void __wrap_psp_stream_half_close(psp_streaming *stream);
void __wrap_psp_stream_pause(psp_streaming *stream, bool paused);
void __wrap_psp_stream_cancel(psp_streaming *stream);
void __wrap_psp_stream_give_up(psp_streaming *stream);

static void add(unsigned *count) {
  pthread_mutex_lock(&stage.lock);
  ++*count;
  pthread_cond_broadcast(&stage.changed);
  pthread_mutex_unlock(&stage.lock);
}

static void wait_for(const unsigned *count, unsigned value) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 30;
  pthread_mutex_lock(&stage.lock);
  while (*count < value)
    if (pthread_cond_timedwait(&stage.changed, &stage.lock, &until) != 0)
      fail_msg("waited for thirty seconds");
  pthread_mutex_unlock(&stage.lock);
}

static void end(const begun *b, psprobe_code code, const char *message) {
  psprobe_error error = {.code = code};
  snprintf(error.message, sizeof error.message, "%s", message);
  const psp_rpc_status status = {.code = code, .message = message};
  b->call.end(b->call.arg, code != PSPROBE_OK ? &error : NULL, &status);
}

psprobe_code __wrap_psp_stream_start(psprobe_client *client, const psp_stream_call *call,
                                     psp_streaming **stream, psprobe_error *error) {
  (void)client, (void)error;
  if (call->only) {
    const psp_rpc_status status = {
        .code = stage.acking.code, .details = stage.details.data, .details_len = stage.details.len};
    call->end(call->arg, stage.acking.code != PSPROBE_OK ? &stage.acking : NULL, &status);
    add(&stage.acks);
    return PSPROBE_OK;
  }
  pthread_mutex_lock(&stage.lock);
  const unsigned nth = stage.count;
  begun *b = &stage.streams[nth % MOST];
  *b = (begun){.call = *call};
  *stream = (psp_streaming *)b;
  pthread_mutex_unlock(&stage.lock);
  add(&stage.count);
  if (nth == 0 && stage.first_ends) {
    end(b, PSPROBE_UNAVAILABLE, "refused");
    wait_for(&stage.count, 2);
  }
  return PSPROBE_OK;
}

void __wrap_psp_stream_send(psp_streaming *stream, const void *message, size_t len) {
  (void)message, (void)len;
  add(&((begun *)stream)->sent);
}
void __wrap_psp_stream_half_close(psp_streaming *stream) {
  add(&((begun *)stream)->halved);
}
void __wrap_psp_stream_pause(psp_streaming *stream, bool paused) {
  if (paused) add(&((begun *)stream)->paused);
}
void __wrap_psp_stream_cancel(psp_streaming *stream) {
  add(&((begun *)stream)->cancelled);
}
void __wrap_psp_stream_give_up(psp_streaming *stream) {
  add(&((begun *)stream)->given_up);
}

/* ---- a subscriber on it ---- */

static psprobe_subscriber *subscriber;

static psprobe_settlement receive(void *arg, const psprobe_message *message) {
  (void)arg, (void)message;
  return PSPROBE_SETTLE_ACK;
}

static void take_line(void *arg, psprobe_log_level level, const char *line) {
  (void)arg, (void)level;
  pthread_mutex_lock(&stage.lock);
  snprintf(stage.log + strlen(stage.log), sizeof stage.log - strlen(stage.log), "%s\n", line);
  pthread_cond_broadcast(&stage.changed);
  pthread_mutex_unlock(&stage.lock);
}

static void begin(fake_client *f) {
  const psprobe_logger logger = {.sink = take_line, .level = PSPROBE_LOG_DEBUG};
  const psprobe_subscriber_options options = {
      .subscription = "jobs", .receive = receive, .logger = &logger};
  fake_reply(fake_times(fake_expect(f->fake, "GET", JOBS), 0), 200, NULL,
             "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":10}");
  assert_int_equal(psprobe_subscriber_new(f->client, &options, &subscriber, NULL), PSPROBE_OK);
}

static int setup(void **state) {
  stage = (struct stage){.lock = PTHREAD_MUTEX_INITIALIZER};
  pthread_cond_init(&stage.changed, NULL);
  return fake_client_setup(state);
}

static int teardown(void **state) {
  psp_buf_free(&stage.details);
  return fake_client_teardown(state);
}

static void *stop_thread(void *arg) {
  (void)arg;
  psprobe_subscriber_free(subscriber);
  return NULL;
}

/* The stream ends when it is asked to. */
static void stop(begun *b) {
  pthread_t thread;
  pthread_create(&thread, NULL, stop_thread, NULL);
  wait_for(&b->halved, 1);
  end(b, PSPROBE_OK, "");
  pthread_join(thread, NULL);
}

static void say(const begun *b, const psp_buf *bytes) {
  b->call.message_came(b->call.arg, bytes->data, bytes->len);
}

static psp_buf one_message(const char *id) {
  psp_buf all = {0}, received = proto_received(id, "x");
  proto_text(&all, 1, received.data, received.len);
  psp_buf_free(&received);
  return all;
}

/* What was wrong with an answer stands in the log, and not that the stream was called off. */
static void test_bad_answer(void **state) {
  begin(*state);
  begun *b = &stage.streams[0];
  psp_buf empty = {0}, bad = {0};
  say(b, &empty);
  proto_number(&bad, 1, 1);
  say(b, &bad);
  assert_int_equal(b->cancelled, 1);
  end(b, PSPROBE_CANCELLED, "called off");
  if (strstr(stage.log, "jobs: 2 bytes that are no answer") == NULL) fail_msg("%s", stage.log);
  assert_null(strstr(stage.log, "called off"));
  wait_for(&stage.count, 2);
  stop(&stage.streams[1]);
  psp_buf_free(&bad);
}

/* One ends, and the next begins, before who began the first knows it: the end's is nobody's. */
static void test_an_end_that_overtakes(void **state) {
  stage.first_ends = true;
  begin(*state);
  assert_int_equal(stage.count, 2);
  stop(&stage.streams[1]);
  const begun *first = &stage.streams[0];
  assert_int_equal(first->halved + first->cancelled + first->paused + first->given_up, 0);
}

/* A stream that something on the way resets is opened anew, and REST is not fallen back to. */
static void test_one_reset(void **state) {
  begin(*state);
  end(&stage.streams[0], PSPROBE_INTERNAL, "reset");
  wait_for(&stage.count, 2);
  stop(&stage.streams[1]);
  assert_null(strstr(stage.log, "no_grpc_here"));
}

/* With exactly-once delivery some ids fail: information, not a warning. */
static void test_refused_ids(void **state) {
  psp_buf info = {0}, any = {0}, answer = one_message("a");
  static const char type[] = "type.googleapis.com/google.rpc.ErrorInfo";
  proto_pair(&info, 3, "a", "PERMANENT_FAILURE_INVALID_ACK_ID");
  proto_text(&any, 1, type, sizeof type - 1);
  proto_text(&any, 2, info.data, info.len);
  proto_text(&stage.details, 3, any.data, any.len);
  stage.acking = (psprobe_error){.code = PSPROBE_FAILED_PRECONDITION, .message = "some ids"};
  begin(*state);
  say(&stage.streams[0], &answer);
  wait_for(&stage.acks, 1);
  stop(&stage.streams[0]);
  if (strstr(stage.log, "leases_lost") == NULL) fail_msg("%s", stage.log);
  assert_null(strstr(stage.log, "level=warning"));
  psp_buf_free(&info);
  psp_buf_free(&any);
  psp_buf_free(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_bad_answer), TEST(test_an_end_that_overtakes),
                                     TEST(test_one_reset), TEST(test_refused_ids)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
