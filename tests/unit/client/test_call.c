/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/call.h"
#include "fake_transport.h"
#include "http/client/date.h"

#define MS   INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

typedef struct fixture {
  fake_transport *fake;
  psprobe_client *client;
} fixture;

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_http *http;
  f->fake = fake_transport_new(&http);
  psprobe_client_options options = {.project = "demo-p",
                                    .pubsub_emulator = "127.0.0.1:8085",
                                    .firestore_emulator = "127.0.0.1:8086"};
  assert_int_equal(psp_client_new_http(&options, http, &f->client, NULL), PSPROBE_OK);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_client_free(f->client);
  fake_transport_free(f->fake);
  free(f);
  return 0;
}

static const psp_call publish = {
    .service = PSP_PUBSUB,
    .method = "POST",
    .path = "/v1/projects/p/topics/t:publish",
    .body = "{\"messages\":[]}",
    .body_len = 15,
    .retry = {.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE), .initial_ns = 1000, .max_ns = 1000},
    .what = "publish to topic t",
};
#define URL "http://127.0.0.1:8085/v1/projects/p/topics/t:publish"

static void test_request(void **state) {
  fixture *f = *state;
  fake_call *call = fake_expect(f->fake, "POST", URL);
  fake_reply(call, 200, NULL, "{\"messageIds\":[\"1\"]}");
  psp_buf body = {0};
  assert_int_equal(psp_call_run(f->client, &publish, &body, NULL), PSPROBE_OK);
  assert_string_equal(body.data, "{\"messageIds\":[\"1\"]}");
  psp_buf_free(&body);
  const psp_http_request *sent = fake_request(call, 0);
  assert_int_equal(sent->body_len, 15);
  assert_memory_equal(sent->body, "{\"messages\":[]}", 15);
  assert_string_equal(fake_request_header(sent, "Content-Type"), "application/json");
  assert_string_equal(fake_request_header(sent, "x-goog-api-client"),
                      "gl-c/11 psprobe/" PSPROBE_VERSION);
  /* An emulator of Pub/Sub is never sent credentials, and no lookup of any happens. */
  assert_null(fake_request_header(sent, "authorization"));
  assert_null(fake_request_header(sent, "x-goog-user-project"));
}

static void test_firestore_emulator(void **state) {
  fixture *f = *state;
  fake_call *call = fake_expect(f->fake, "GET", "http://127.0.0.1:8086/v1/x?y=%20");
  fake_reply(call, 200, NULL, "{}");
  psp_call get = {
      .service = PSP_FIRESTORE, .method = "GET", .path = "/v1/x?y=%20", .what = "get x"};
  assert_int_equal(psp_call_run(f->client, &get, NULL, NULL), PSPROBE_OK);
  const psp_http_request *sent = fake_request(call, 0);
  assert_string_equal(fake_request_header(sent, "authorization"), "Bearer owner");
  assert_null(fake_request_header(sent, "content-type"));
  assert_int_equal(sent->body_len, 0);
}

static void test_retried(void **state) {
  fixture *f = *state;
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "POST", URL), 503, NULL, "<html>");
  fake_fail(fake_expect(f->fake, "POST", URL), PSPROBE_UNAVAILABLE, "connection reset");
  fake_call *last = fake_expect(f->fake, "POST", URL);
  fake_reply(last, 200, NULL, "{}");
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
  /* Another attempt is the same request, though the caller's memory is gone by then. */
  assert_memory_equal(fake_request(last, 0)->body, "{\"messages\":[]}", 15);
}

/* The last attempt's time was over: what failed before it is told. */
static void test_time_was_over(void **state) {
  fixture *f = *state;
  psprobe_error error = {0};
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "POST", URL), 503, NULL, "<html>");
  fake_fail(fake_expect(f->fake, "POST", URL), PSPROBE_DEADLINE_EXCEEDED, "timed out");
  assert_int_equal(psp_call_run(f->client, &publish, NULL, &error), PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, "publish to topic t: timed out; before that: "));
  assert_non_null(strstr(error.message, "HTTP 503"));
}

static void test_not_retried(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->fake, "POST", URL), 404, NULL,
             "{\"error\":{\"code\":404,\"message\":\"Topic not found\",\"status\":\"NOT_FOUND\"}}");
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_buf body = {0};
  assert_int_equal(psp_call_run(f->client, &publish, &body, &error), PSPROBE_NOT_FOUND);
  assert_null(body.data);
  assert_int_equal(error.http_status, 404);
  assert_string_equal(error.message, "publish to topic t: NOT_FOUND (HTTP 404): Topic not found");
}

/* The emulator's 401 has nothing to do with a token: no second attempt for it. */
static void test_401_without_token(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->fake, "POST", URL), 401, NULL, "");
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_UNAUTHENTICATED);
}

static void test_connection_error(void **state) {
  fixture *f = *state;
  fake_fail(fake_expect(f->fake, "POST", URL), PSPROBE_UNAVAILABLE,
            "POST 127.0.0.1:8085: connection refused");
  psp_call once = publish;
  once.retry.max_attempts = 1;
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psp_call_run(f->client, &once, NULL, &error), PSPROBE_UNAVAILABLE);
  assert_string_equal(error.message, "publish to topic t: POST 127.0.0.1:8085: connection refused");
  assert_true(error.retryable);
}

/* A wait that the server asks for and that passes the deadline is not begun. */
static void test_retry_after_beyond_deadline(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->fake, "POST", URL), 503, "retry-after: 3600\n", "");
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, &error), PSPROBE_UNAVAILABLE);
  assert_int_equal(error.retry_after_ns, PSP_RETRY_AFTER_MOST_NS);
}

static void test_deadlines(void **state) {
  fixture *f = *state;
  fake_call *call = fake_times(fake_expect(f->fake, "POST", URL), 3);
  fake_reply(call, 200, NULL, "{}");
  psp_call timed = publish;
  assert_int_equal(psp_call_run(f->client, &timed, NULL, NULL), PSPROBE_OK);
  timed.attempt_ns = 5 * MS;
  assert_int_equal(psp_call_run(f->client, &timed, NULL, NULL), PSPROBE_OK);
  timed.attempt_ns = HOUR;
  timed.total_ns = 2 * HOUR;
  assert_int_equal(psp_call_run(f->client, &timed, NULL, NULL), PSPROBE_OK);
  /* What is left of the client's 60 s; the attempt's own; the attempt's own again. */
  assert_true(fake_request(call, 0)->timeout_ns <= 60000 * MS);
  assert_true(fake_request(call, 0)->timeout_ns > 50000 * MS);
  assert_int_equal(fake_request(call, 1)->timeout_ns, 5 * MS);
  assert_int_equal(fake_request(call, 2)->timeout_ns, HOUR);
}

/* ---- cancelling and closing ---- */

typedef struct outcome {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned count;
  psprobe_code code;
} outcome;
#define OUTCOME \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, PSPROBE_OK }

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  outcome *o = arg;
  assert_true((response == NULL) != (error == NULL));
  pthread_mutex_lock(&o->lock);
  o->count++;
  o->code = response != NULL ? PSPROBE_OK : error->code;
  pthread_cond_signal(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

static psprobe_code await(outcome *o) {
  pthread_mutex_lock(&o->lock);
  while (o->count == 0)
    pthread_cond_wait(&o->changed, &o->lock);
  psprobe_code code = o->code;
  pthread_mutex_unlock(&o->lock);
  return code;
}

static void test_cancel_in_flight(void **state) {
  fixture *f = *state;
  fake_call *call = fake_expect(f->fake, "POST", URL); /* no answer */
  outcome o = OUTCOME;
  psp_pending *pending;
  assert_int_equal(psp_call_start(f->client, &publish, on_done, &o, &pending, NULL), PSPROBE_OK);
  fake_wait(call, 1);
  psp_call_cancel(f->client, pending);
  assert_int_equal(await(&o), PSPROBE_CANCELLED);
  assert_int_equal(fake_cancelled(call), 1);
}

static psp_call patient(void) {
  psp_call call = publish;
  call.retry.initial_ns = call.retry.max_ns = HOUR;
  call.total_ns = 100 * HOUR;
  return call;
}

/* Between attempts, with an hour to wait: it ends at once all the same. */
static void test_cancel_between_attempts(void **state) {
  fixture *f = *state;
  fake_call *call = fake_expect(f->fake, "POST", URL);
  fake_reply(call, 503, "retry-after: 3600\n", "");
  psp_call wait = patient();
  outcome o = OUTCOME;
  psp_pending *pending;
  assert_int_equal(psp_call_start(f->client, &wait, on_done, &o, &pending, NULL), PSPROBE_OK);
  fake_wait(call, 1);
  psp_call_cancel(f->client, pending);
  assert_int_equal(await(&o), PSPROBE_CANCELLED);
}

static void test_free_ends_what_is_under_way(void **state) {
  fixture *f = *state;
  fake_call *answered = fake_expect(f->fake, "POST", URL);
  fake_reply(answered, 503, "retry-after: 3600\n", "");
  psp_call wait = patient();
  outcome flying = OUTCOME, waiting = OUTCOME;
  assert_int_equal(psp_call_start(f->client, &wait, on_done, &waiting, NULL, NULL), PSPROBE_OK);
  fake_wait(answered, 1);
  fake_call *silent = fake_expect(f->fake, "POST", URL);
  assert_int_equal(psp_call_start(f->client, &wait, on_done, &flying, NULL, NULL), PSPROBE_OK);
  fake_wait(silent, 1);
  psprobe_client_free(f->client);
  f->client = NULL;
  assert_int_equal(flying.count, 1);
  assert_int_equal(waiting.count, 1);
  assert_int_equal(flying.code, PSPROBE_CANCELLED);
  assert_int_equal(waiting.code, PSPROBE_CANCELLED);
}

/* ---- many at once ---- */

enum { THREADS = 4, CALLS = 200 };

static atomic_uint served, finished, good;

static void shaky(void *arg, const psp_http_request *request, fake_answer *answer) {
  (void)arg, (void)request;
  answer->status = atomic_fetch_add(&served, 1) % 3 == 0 ? 503 : 200;
  psp_buf_text(&answer->body, "{}");
}

static void count(void *arg, const psp_http_response *response, const psprobe_error *error) {
  (void)arg, (void)error;
  if (response != NULL) atomic_fetch_add(&good, 1);
  atomic_fetch_add(&finished, 1);
}

static void *caller(void *arg) {
  fixture *f = arg;
  for (int i = 0; i < CALLS; i++) {
    psp_pending *pending;
    if (i % 10 == 0) {
      outcome o = OUTCOME;
      assert_int_equal(psp_call_start(f->client, &publish, on_done, &o, &pending, NULL),
                       PSPROBE_OK);
      await(&o);
      atomic_fetch_add(&finished, 1);
    } else {
      assert_int_equal(psp_call_start(f->client, &publish, count, NULL, NULL, NULL), PSPROBE_OK);
    }
  }
  return NULL;
}

static void test_many(void **state) {
  fixture *f = *state;
  fake_handle(fake_times(fake_expect(f->fake, "POST", URL), 0), shaky, NULL);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, caller, f);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  psprobe_client_free(f->client); /* some of them are under way */
  f->client = NULL;
  assert_int_equal(finished, THREADS * CALLS);
  assert_true(good > 0);
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_request),
      TEST(test_firestore_emulator),
      TEST(test_retried),
      TEST(test_time_was_over),
      TEST(test_not_retried),
      TEST(test_401_without_token),
      TEST(test_connection_error),
      TEST(test_retry_after_beyond_deadline),
      TEST(test_deadlines),
      TEST(test_cancel_in_flight),
      TEST(test_cancel_between_attempts),
      TEST(test_free_ends_what_is_under_way),
      TEST(test_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
