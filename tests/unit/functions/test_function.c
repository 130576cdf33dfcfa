/* SPDX-License-Identifier: MIT */
/* threads meet here */
/** @file A function that is served, over real sockets: what it is called with, and what is
 * answered. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/function.h>

#include "base/buf.h"
#include "base/error.h"
#include "fake_prober.h"
#include "raw_http.h"

#define MS INT64_C(1000000)
#define PUSH                                                                             \
  "{\"message\":{\"data\":\"aGk=\",\"messageId\":\"m1\"},\"subscription\":\"projects/p/" \
  "subscriptions/s\"}"
#define ENVELOPE(id)                               \
  "{\"specversion\":\"1.0\",\"id\":\"" id          \
  "\",\"source\":\"/s\",\"type\":\"com.example\"," \
  "\"data\":1}"
#define WORDS "the vault's number is 4711"

typedef struct seen {
  atomic_uint calls;
  psprobe_invocation last;
  char text[256];
  pthread_t thread;
  psprobe_code result;
  sem_t *begun, *go; /* NULL: it does not wait */
} seen;

static void remember(seen *s, const psprobe_call *call) {
  const psprobe_event *event = psprobe_call_event(call);
  const psprobe_legacy_event *legacy = psprobe_call_legacy(call);
  const psprobe_message *message = psprobe_call_message(call);
  size_t len;
  const char *body = psprobe_call_body(call, &len);
  s->last = psprobe_call_invocation(call);
  s->thread = pthread_self();
  snprintf(s->text, sizeof s->text, "%s %s?%s x=%s %.*s|%s|%.*s|%.60s", psprobe_call_method(call),
           psprobe_call_path(call), psprobe_call_query(call),
           psprobe_call_header(call, "x") != NULL ? psprobe_call_header(call, "x") : "",
           len < 20 ? (int)len : 0, body, event != NULL && event->id != NULL ? event->id : "",
           message != NULL ? (int)message->data_len : 0,
           message != NULL && message->data_len > 0 ? (const char *)message->data : "",
           legacy != NULL ? legacy->context : "");
}

static psprobe_code work(void *arg, psprobe_call *call, psprobe_error *error) {
  seen *s = arg;
  if (s->begun == NULL) remember(s, call); /* others come meanwhile */
  atomic_fetch_add(&s->calls, 1);
  if (s->begun != NULL) sem_post(s->begun);
  if (s->go != NULL) sem_wait(s->go);
  if (s->result != PSPROBE_OK) return psp_fail(error, s->result, WORDS);
  psprobe_call_reply(call, 201, "text/plain", "first", 5);
  psprobe_call_reply(call, 200, "application/json", "{\"a\":1}", 7);
  return PSPROBE_OK;
}

static psprobe_function *serve(seen *s, psprobe_target_kind kind, bool at_once,
                               const psprobe_function_options *more) {
  const psprobe_target target = {
      .name = "test", .kind = kind, .function = work, .arg = s, .at_once = at_once};
  psprobe_function_options options = more != NULL ? *more : (psprobe_function_options){0};
  psprobe_function *function = NULL;
  psprobe_error error = {0};
  options.listen = "127.0.0.1:0";
  if (psprobe_function_new(&target, &options, &function, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return function;
}

static void put_request(psp_buf *out, const char *head, const char *body) {
  psp_buf_printf(out, "%s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body),
                 body);
}

static int ask(const psprobe_function *function, const char *head, const char *body,
               raw_answer *answer) {
  psp_buf request = {0};
  put_request(&request, head, body);
  int fd = raw_connect(psprobe_function_port(function));
  int status = raw_ask(fd, request.data, answer);
  close(fd);
  psp_buf_free(&request);
  return status;
}

static int status_of(const psprobe_function *function, const char *head, const char *body) {
  raw_answer answer = {0};
  int status = ask(function, head, body, &answer);
  raw_free(&answer);
  return status;
}

/* ---- what it is called with ---- */

static void test_kinds(void **state) {
  (void)state;
  static const struct {
    psprobe_target_kind kind;
    const char *head, *body;
    int status;
    const char *seen; /* NULL: it is not called */
  } cases[] = {
      {PSPROBE_TARGET_HTTP, "PUT /a%20b?c=d", "x", 200, "PUT /a%20b?c=d x= x|||"},
      {PSPROBE_TARGET_HTTP, "GET /", "", 200, "GET /? x= |||"},
      {PSPROBE_TARGET_HTTP, "GET /robots.txt", "", 404, NULL},
      {PSPROBE_TARGET_HTTP, "GET /favicon.ico", "", 404, NULL},
      {PSPROBE_TARGET_HTTP, "GET /health", "", 200, NULL},
      {PSPROBE_TARGET_TYPED, "POST /", "[1]", 200, "POST /? x= [1]|||"},
      {PSPROBE_TARGET_TYPED, "POST /", "[1", 400, NULL},
      {PSPROBE_TARGET_TYPED, "GET /", "", 405, NULL},
      {PSPROBE_TARGET_MESSAGE, "POST /any", PUSH, 200, "POST /any? x= |m1|hi|"},
      {PSPROBE_TARGET_MESSAGE, "POST /", "{}", 400, NULL},
      {PSPROBE_TARGET_MESSAGE, "POST /", ENVELOPE("1"), 204, NULL},
      {PSPROBE_TARGET_MESSAGE, "GET /", "", 405, NULL},
      {PSPROBE_TARGET_CLOUDEVENT, "POST /", ENVELOPE("7"), 200, "POST /? x= |7||"},
      {PSPROBE_TARGET_CLOUDEVENT, "POST /", PUSH, 200, "POST /? x= |m1|hi|"},
      {PSPROBE_TARGET_CLOUDEVENT, "POST / HTTP/1.1\r\nContent-Type: text/plain\r\nX:", "x", 415,
       NULL},
      {PSPROBE_TARGET_CLOUDEVENT, "POST /",
       "{\"context\":{\"eventId\":\"1\",\"eventType\":\"no.such\",\"resource\":\"r\"}}", 204, NULL},
      {PSPROBE_TARGET_EVENT, "POST /", PUSH, 200,
       "POST /? x= |m1|hi|{\"eventId\":\"m1\",\"eventType\":\"google.pubsub.topic.publish\""},
      {PSPROBE_TARGET_EVENT, "POST /", ENVELOPE("7"), 200,
       "POST /? x= |7||{\"specversion\":\"1.0\",\"id\":\"7\""},
      {PSPROBE_TARGET_EVENT, "POST /",
       "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":"
       "\"google.cloud.storage.object.v1.deleted\"}",
       400, NULL},
  };
  for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
    seen s = {0};
    psprobe_function *function = serve(&s, cases[i / 2].kind, i % 2, NULL);
    int status = status_of(function, cases[i / 2].head, cases[i / 2].body);
    const char *expected = cases[i / 2].seen != NULL ? cases[i / 2].seen : "";
    if (status != cases[i / 2].status || strncmp(s.text, expected, strlen(expected)) != 0 ||
        (cases[i / 2].seen != NULL) != (s.calls == 1))
      fail_msg("%zu, %s: %d, %u calls, %s", i / 2, cases[i / 2].head, status, s.calls, s.text);
    psprobe_function_free(function);
  }
}

static void test_invocation(void **state) {
  (void)state;
  seen s = {0};
  psprobe_function *function = serve(&s, PSPROBE_TARGET_MESSAGE, false, NULL);
  char instance[40];
  for (uint64_t i = 1; i <= 3; i++) {
    assert_int_equal(status_of(function, "POST /", PUSH), 200);
    assert_int_equal(s.last.number, i);
    assert_int_equal(s.last.cold, i == 1);
    assert_string_equal(s.last.target, "test");
    assert_true(s.last.ready_ns > 0 && s.last.age_ns > s.last.ready_ns);
    assert_true(llabs(s.last.arrived_ns - psprobe_clock_wall()) < 10000 * MS);
    if (i == 1) snprintf(instance, sizeof instance, "%s", s.last.instance);
    assert_string_equal(s.last.instance, instance);
  }
  psprobe_function_free(function);
}

/* Each event of a batch is a call, and one that fails brings all of them again. */
static void test_batch(void **state) {
  (void)state;
  static const char head[] =
      "POST / HTTP/1.1\r\nContent-Type: application/cloudevents-batch+json\r\nX:";
  seen s = {0};
  psprobe_function *function = serve(&s, PSPROBE_TARGET_CLOUDEVENT, false, NULL);
  assert_int_equal(status_of(function, head, "[" ENVELOPE("1") "," ENVELOPE("2") "]"), 200);
  assert_int_equal(s.calls, 2);
  assert_int_equal(status_of(function, head, "[]"), 204);
  s.result = PSPROBE_INTERNAL;
  assert_int_equal(status_of(function, head, "[" ENVELOPE("1") "," ENVELOPE("2") "]"), 500);
  assert_int_equal(s.calls, 4);
  psprobe_function_free(function);
}

/* ---- what is answered ---- */

static void test_failure(void **state) {
  (void)state;
  static const struct {
    psprobe_code code;
    int status;
  } cases[] = {{PSPROBE_INTERNAL, 500},          {PSPROBE_INVALID_ARGUMENT, 500},
               {PSPROBE_NOT_FOUND, 500},         {PSPROBE_UNAVAILABLE, 503},
               {PSPROBE_DEADLINE_EXCEEDED, 503}, {PSPROBE_RESOURCE_EXHAUSTED, 503}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    seen s = {.result = cases[i].code};
    log_counter counter = {.word = "function_failed"};
    psprobe_logger logger = log_counter_logger(&counter);
    psprobe_function *function =
        serve(&s, PSPROBE_TARGET_MESSAGE, false, &(psprobe_function_options){.logger = &logger});
    raw_answer answer = {0};
    assert_int_equal(ask(function, "POST /", PUSH, &answer), cases[i].status);
    assert_null(strstr(answer.body.data, "4711"));
    assert_non_null(strstr(answer.head.data, "X-Google-Status: error"));
    assert_int_equal(counter.count, 1);
    assert_non_null(strstr(counter.last, "4711"));
    assert_non_null(strstr(counter.last, "id=m1"));
    raw_free(&answer);
    psprobe_function_free(function);
  }
}

static void test_unhandled_is_logged(void **state) {
  (void)state;
  seen s = {0};
  log_counter counter = {.word = "event_not_handled"};
  psprobe_logger logger = log_counter_logger(&counter);
  psprobe_function *function =
      serve(&s, PSPROBE_TARGET_MESSAGE, true, &(psprobe_function_options){.logger = &logger});
  assert_int_equal(status_of(function, "POST /", ENVELOPE("1")), 204);
  assert_int_equal(counter.count, 1);
  assert_non_null(strstr(counter.last, "com.example"));
  psprobe_function_free(function);
}

/* ---- several at once, and the end ---- */

static int begin(const psprobe_function *function, const char *body) {
  psp_buf request = {0};
  put_request(&request, "POST /", body);
  int fd = raw_connect(psprobe_function_port(function));
  raw_send_bytes(fd, request.data, request.len);
  psp_buf_free(&request);
  return fd;
}

static void end(int fd, int status) {
  raw_answer answer = {0};
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.status, status);
  raw_free(&answer);
  close(fd);
}

/* All of them are under way together, and the one beyond the bound waits; nobody who asks for the
 * function's health does. */
static void test_at_once(void **state) {
  (void)state;
  enum { MOST = 10 };
  sem_t begun, go;
  sem_init(&begun, 0, 0);
  sem_init(&go, 0, 0);
  seen s = {.begun = &begun, .go = &go};
  int fds[MOST + 1];
  psprobe_function *function =
      serve(&s, PSPROBE_TARGET_MESSAGE, false, &(psprobe_function_options){.concurrency = MOST});
  for (int i = 0; i <= MOST; i++)
    fds[i] = begin(function, PUSH);
  for (int i = 0; i < MOST; i++)
    sem_wait(&begun);
  assert_int_equal(status_of(function, "GET /health", ""), 200);
  assert_int_equal(s.calls, MOST);
  for (int i = 0; i <= MOST; i++)
    sem_post(&go);
  for (int i = 0; i <= MOST; i++)
    end(fds[i], 200);
  assert_int_equal(s.calls, MOST + 1);
  psprobe_function_free(function);
  sem_destroy(&begun);
  sem_destroy(&go);
}

/* A body that takes long to read does not hold up the server's thread. */
static void test_large_body(void **state) {
  (void)state;
  seen small = {0};
  psp_buf body = {0};
  psprobe_function *function = serve(&small, PSPROBE_TARGET_MESSAGE, true, NULL);
  assert_int_equal(status_of(function, "POST /", PUSH), 200);
  pthread_t server = small.thread;
  psp_buf_printf(&body, "{\"message\":{\"messageId\":\"m1\"},\"more\":\"%0*d\"}", 100000, 0);
  assert_int_equal(status_of(function, "POST /", body.data), 200);
  assert_int_equal(pthread_equal(server, small.thread), 0);
  psp_buf_free(&body);
  psprobe_function_free(function);
}

static void test_stop_in_a_call(void **state) {
  (void)state;
  sem_t begun, go;
  sem_init(&begun, 0, 0);
  sem_init(&go, 0, 0);
  seen s = {.begun = &begun, .go = &go};
  psprobe_function *function = serve(&s, PSPROBE_TARGET_MESSAGE, false, NULL);
  int fd = begin(function, PUSH);
  sem_wait(&begun);
  assert_false(psprobe_function_stop(function, 1));
  sem_post(&go);
  assert_true(psprobe_function_stop(function, 10000 * MS));
  end(fd, 200);
  psprobe_function_free(function);
  sem_destroy(&begun);
  sem_destroy(&go);
}

typedef struct later {
  psprobe_call *call;
  sem_t begun;
} later;

static psprobe_code put_off(void *arg, psprobe_call *call, psprobe_error *error) {
  later *l = arg;
  (void)error;
  l->call = call;
  psprobe_call_later(call);
  sem_post(&l->begun);
  return PSPROBE_INTERNAL; /* counts for nothing */
}

static void test_later(void **state) {
  (void)state;
  static const psprobe_code ends[] = {PSPROBE_OK, PSPROBE_UNAVAILABLE};
  later l = {.call = NULL};
  sem_init(&l.begun, 0, 0);
  const psprobe_target target = {.name = "later",
                                 .kind = PSPROBE_TARGET_MESSAGE,
                                 .function = put_off,
                                 .arg = &l,
                                 .at_once = true};
  psprobe_function *function = NULL;
  const psprobe_function_options options = {.listen = "127.0.0.1:0"};
  assert_int_equal(psprobe_function_new(&target, &options, &function, NULL), PSPROBE_OK);
  for (size_t i = 0; i < 2; i++) {
    int fd = begin(function, PUSH);
    sem_wait(&l.begun);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
    psprobe_call_end(l.call, ends[i], NULL);
    end(fd, ends[i] == PSPROBE_OK ? 204 : 503);
  }
  psprobe_function_free(function);
  sem_destroy(&l.begun);
}

static void test_address(void **state) {
  (void)state;
  seen s = {0};
  psprobe_error error = {0};
  psprobe_function *function = serve(&s, PSPROBE_TARGET_HTTP, false, NULL), *second = NULL;
  const psprobe_target target = {.name = "t", .function = work, .arg = &s};
  char listen[40];
  snprintf(listen, sizeof listen, "127.0.0.1:%d", psprobe_function_port(function));
  const psprobe_function_options options = {.listen = listen};
  assert_int_equal(psprobe_function_new(&target, &options, &second, &error), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, listen));
  assert_null(second);
  psprobe_function_free(function);
  psprobe_function_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),
      cmocka_unit_test(test_invocation),
      cmocka_unit_test(test_batch),
      cmocka_unit_test(test_failure),
      cmocka_unit_test(test_unhandled_is_logged),
      cmocka_unit_test(test_at_once),
      cmocka_unit_test(test_large_body),
      cmocka_unit_test(test_stop_in_a_call),
      cmocka_unit_test(test_later),
      cmocka_unit_test(test_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
