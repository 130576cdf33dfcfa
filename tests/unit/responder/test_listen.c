/* SPDX-License-Identifier: MIT */
/** @file The responder as a function: what push requests are answered, over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "fake_prober.h"
#include "files.h"
#include "raw_http.h"

#define MS INT64_C(1000000)
#define ID "0123456789abcdef0123456789abcdef"
#define PUSH                                         \
  "{\"message\":{\"attributes\":{\"probe_id\":\"" ID \
  "\"},\"messageId\":\"1\"},"                        \
  "\"subscription\":\"projects/p/subscriptions/s\"}"

static psprobe_client *client;

static int set_up(void **state) {
  (void)state;
  client = fake_prober_client();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psprobe_client_free(client);
  return 0;
}

typedef struct function {
  fake_prober *prober;
  psprobe_responder *responder;
  int port;
} function;

static function start(const int *script, int64_t timeout_ns) {
  function f = {.prober = fake_prober_new(0, script)};
  psprobe_responder_options options = {.prober = fake_prober_url(f.prober),
                                       .timeout_ns = timeout_ns};
  psprobe_error error = {0};
  assert_int_equal(psprobe_responder_new(client, &options, &f.responder, NULL), PSPROBE_OK);
  if (psprobe_responder_listen(f.responder, "127.0.0.1:0", &f.port, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_true(f.port > 0);
  return f;
}

static void stop(function *f) {
  psprobe_responder_free(f->responder);
  fake_prober_free(f->prober);
}

static int ask(int port, const char *request, raw_answer *answer) {
  int fd = raw_connect(port);
  int status = raw_ask(fd, request, answer);
  close(fd);
  return status;
}

static int post(int port, const char *path, const char *body, raw_answer *answer) {
  char request[4096];
  snprintf(request, sizeof request,
           "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
           "Content-Length: %zu\r\n\r\n%s",
           path, strlen(body), body);
  return ask(port, request, answer);
}

static void test_pushes(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  static const struct {
    const char *path, *body;
    int status;
  } cases[] = {
      {"/", PUSH, 204},
      {"/some/path?__GCP_CloudEventsMode=CUSTOM_PUBSUB_x", PUSH, 204},
      {"/", "{\"message\":{\"attributes\":{\"other\":\"1\"},\"messageId\":\"1\"}}", 204},
      {"/", "{\"message\":{\"data\":\"aGVsbG8=\",\"messageId\":\"1\"}}", 204},
      {"/", "{\"message\":{\"attributes\":{\"probe_id\":\"17\"},\"messageId\":\"1\"}}", 204},
      {"/", "", 400},
      {"/", "hello", 400},
      {"/", "{}", 400},
      {"/", "[]", 400},
      {"/", "null", 400},
      {"/", "{\"message\":", 400},
      {"/", "{\"message\":17}", 400},
      {"/", "{\"message\":{\"attributes\":[]}}", 400},
      {"/", "{\"message\":{\"attributes\":{\"probe_id\":17}}}", 400},
      {"/", "{\"message\":{\"data\":\"!!\"}}", 400},
      {"/", "{\"message\":{\"data\":\"aGVsbG8=\"}} x", 400},
  };
  function f = start(script, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    raw_answer answer = {0};
    int status = post(f.port, cases[i].path, cases[i].body, &answer);
    if (status != cases[i].status) fail_msg("%s: %d", cases[i].body, status);
    if (status == 400) {
      psp_json *json = NULL;
      assert_int_equal(psp_json_parse(answer.body.data, answer.body.len, "", &json, NULL),
                       PSPROBE_OK);
      const psp_json *error = psp_json_get(json, "error");
      assert_string_equal(psp_json_string(psp_json_get(error, "status")), "INVALID_ARGUMENT");
      assert_true(strlen(psp_json_string(psp_json_get(error, "message"))) > 10);
      psp_json_free(json);
    } else {
      assert_int_equal(answer.body.len, 0);
    }
    raw_free(&answer);
  }
  assert_int_equal(fake_prober_count(f.prober), 2);
  assert_int_equal(psprobe_responder_answered(f.responder), 2);
  assert_int_equal(psprobe_responder_rejected(f.responder), 3);
  stop(&f);
}

#define HEADERS(type) "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: " type "\r\n"
#define PROBE         "{\"probe_id\":\"" ID "\"}"

static const struct {
  const char *head, *body;
} triggers[] = {
    {HEADERS("application/json"), PUSH},
    {"POST / HTTP/1.1\r\nHost: x\r\nprobe_id: " ID "\r\nx-goog-pubsub-message-id: 1\r\n", PROBE},
    {"POST / HTTP/1.1\r\nHost: x\r\n", PROBE},
    {HEADERS("application/json"), PROBE},
    {HEADERS("application/json") "ce-id: 1\r\nce-specversion: 1.0\r\n"
                                 "ce-source: //pubsub.googleapis.com/projects/p/topics/t\r\n"
                                 "ce-type: google.cloud.pubsub.topic.v1.messagePublished\r\n",
     PUSH},
    {HEADERS("application/cloudevents+json"),
     "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"//x/y\",\"type\":"
     "\"google.cloud.pubsub.topic.v1.messagePublished\",\"data\":" PUSH "}"},
    {HEADERS("application/json"),
     "{\"context\":{\"eventId\":\"1\",\"eventType\":\"google.pubsub.topic.publish\",\"resource\":"
     "\"projects/p/topics/t\"},\"data\":{\"attributes\":{\"probe_id\":\"" ID "\"}}}"},
};
#define TRIGGERS (sizeof triggers / sizeof *triggers)

/* Whatever trigger the message came by, its probe is answered; and each answer tells which event of
 * which instance it was, and of the exchange before it. */
static void test_every_trigger(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  function f = start(script, 0);
  for (size_t i = 0; i < TRIGGERS; i++) {
    char request[4096], number[24], stamps[80];
    raw_answer answer = {0};
    snprintf(request, sizeof request, "%sContent-Length: %zu\r\n\r\n%s", triggers[i].head,
             strlen(triggers[i].body), triggers[i].body);
    if (ask(f.port, request, &answer) != 204) fail_msg("%s: %s", request, answer.body.data);
    raw_free(&answer);
    const fake_prober_request *r = &f.prober->requests[i];
    assert_string_equal(r->path, "/cloud_function/" ID);
    snprintf(number, sizeof number, "%zu", i + 1);
    assert_string_equal(r->invocation, number);
    assert_string_equal(r->cold, i == 0 ? "1" : "");
    assert_int_equal(strlen(r->instance), 16);
    assert_string_equal(r->instance, f.prober->requests[0].instance);
    if (i == 0) assert_string_equal(r->exchange, "");
    if (i == 0) continue;
    int len = snprintf(stamps, sizeof stamps, "%s %s %s ", r[-1].sent, FAKE_PROBER_RECEIVED,
                       FAKE_PROBER_ANSWERED);
    assert_int_equal(strncmp(r->exchange, stamps, (size_t)len), 0);
  }
  assert_int_equal(fake_prober_count(f.prober), TRIGGERS);
  stop(&f);
}

/* An event of somebody else's is none of ours, and would come again for days if we refused it. */
static void test_not_ours(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  function f = start(script, 0);
  raw_answer answer = {0};
  assert_int_equal(ask(f.port,
                       HEADERS("application/json") "ce-id: 1\r\nce-specversion: 1.0\r\n"
                                                   "ce-source: /s\r\nce-type: "
                                                   "com.example\r\nContent-Length: 2\r\n\r\n{}",
                       &answer),
                   204);
  assert_int_equal(fake_prober_count(f.prober), 0);
  raw_free(&answer);
  stop(&f);
}

static void test_nested_to_death(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  char body[3000];
  function f = start(script, 0);
  raw_answer answer = {0};
  memset(body, '[', sizeof body - 1);
  body[sizeof body - 1] = '\0';
  assert_int_equal(post(f.port, "/", body, &answer), 400);
  raw_free(&answer);
  stop(&f);
}

static void test_captured_push(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  function f = start(script, 0);
  psp_buf request = test_file("tests/data/push/wrapped.http");
  raw_answer answer = {0};
  int fd = raw_connect(f.port);
  raw_send_bytes(fd, request.data, request.len);
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.status, 204);
  assert_string_equal(f.prober->requests[0].path, "/cloud_function/" ID);
  close(fd);
  raw_free(&answer);
  psp_buf_free(&request);
  stop(&f);
}

static void test_other_requests(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  static const struct {
    const char *request;
    int status;
  } cases[] = {
      {"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 200},
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 33554433\r\n\r\n", 413},
  };
  function f = start(script, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    raw_answer answer = {0};
    int status = ask(f.port, cases[i].request, &answer);
    if (status != cases[i].status) fail_msg("%s: %d", cases[i].request, status);
    raw_free(&answer);
  }
  assert_int_equal(fake_prober_count(f.prober), 0);
  stop(&f);
}

static void test_prober_in_trouble(void **state) {
  (void)state;
  static const int broken[] = {500, 0}, forbidden[] = {403, 0};
  const int *scripts[] = {broken, forbidden};
  for (size_t i = 0; i < 2; i++) {
    function f = start(scripts[i], 200 * MS);
    raw_answer answer = {0};
    assert_int_equal(post(f.port, "/", PUSH, &answer), 503);
    assert_non_null(strstr(answer.body.data, "\"status\":\"UNAVAILABLE\""));
    /* Why is for our log, and nothing that whoever pushes should read. */
    assert_null(strstr(answer.body.data, fake_prober_url(f.prober)));
    assert_int_equal(psprobe_responder_answered(f.responder), 0);
    raw_free(&answer);
    stop(&f);
  }
}

/* 204 is said only when the prober has the answer, and no thread waits for it meanwhile. */
static void test_many_at_once(void **state) {
  (void)state;
  enum { EVENTS = 50 };
  static const int script[] = {FAKE_HOLD, 0};
  function f = start(script, 60000 * MS);
  int fds[EVENTS];
  char request[1024];
  snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
           strlen(PUSH), PUSH);
  for (int i = 0; i < EVENTS; i++) {
    fds[i] = raw_connect(f.port);
    raw_send(fds[i], request);
  }
  fake_prober_wait(f.prober, EVENTS);
  raw_answer health = {0};
  assert_int_equal(ask(f.port, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", &health), 200);
  raw_free(&health);
  assert_true(raw_is_silent(fds[0], 50));
  fake_prober_release(f.prober, 200);
  size_t cold = 0;
  for (int i = 0; i < EVENTS; i++) {
    raw_answer answer = {0};
    assert_true(raw_read(fds[i], &answer));
    assert_int_equal(answer.status, 204);
    raw_free(&answer);
    close(fds[i]);
    cold += f.prober->requests[i].cold[0] == '1';
  }
  assert_int_equal(cold, 1);
  assert_int_equal(psprobe_responder_answered(f.responder), EVENTS);
  stop(&f);
}

static void test_free_finishes_what_is_under_way(void **state) {
  (void)state;
  static const int script[] = {FAKE_HOLD, 0};
  function f = start(script, 60000 * MS);
  int fd = raw_connect(f.port);
  raw_answer answer = {0};
  char request[1024];
  snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
           strlen(PUSH), PUSH);
  raw_send(fd, request);
  fake_prober_wait(f.prober, 1);
  fake_prober_release(f.prober, 200);
  psprobe_responder_free(f.responder);
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.status, 204);
  raw_free(&answer);
  close(fd);
  fake_prober_free(f.prober);
}

static void test_address_in_use(void **state) {
  (void)state;
  static const int script[] = {200, 0};
  function f = start(script, 0);
  psprobe_error error = {0};
  assert_int_equal(psprobe_responder_listen(f.responder, "127.0.0.1:0", NULL, &error),
                   PSPROBE_FAILED_PRECONDITION);
  psprobe_responder_options options = {.prober = "http://127.0.0.1:1"};
  psprobe_responder *second = NULL;
  char listen[40];
  snprintf(listen, sizeof listen, "127.0.0.1:%d", f.port);
  assert_int_equal(psprobe_responder_new(client, &options, &second, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_responder_listen(second, listen, NULL, &error), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, listen));
  psprobe_responder_free(second);
  stop(&f);
}

/* threads meet here */
/* The largest message that there is goes through, and what cannot be one is not held. */
static void test_largest(void **state) {
  (void)state;
  function f = start((const int[]){200, 0}, 5000 * MS);
  psp_buf request = {0}, body = {0};
  const size_t data = ((size_t)10 << 20) / 3 * 4;
  psp_buf_text(&body, "{\"message\":{\"data\":\"");
  assert_true(psp_buf_reserve(&body, data));
  memset(body.data + body.len, 'A', data);
  body.len += data;
  psp_buf_text(&body, "\",\"attributes\":{\"probe_id\":\"" ID "\"},\"messageId\":\"1\"}}");
  psp_buf_printf(&request, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", body.len);
  psp_buf_add(&request, body.data, body.len);
  int fd = raw_connect(f.port);
  raw_answer answer = {0};
  raw_send_bytes(fd, request.data, request.len);
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.status, 204);
  psp_buf_reset(&request);
  psp_buf_printf(&request, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                 PSPROBE_PUSH_BODY_MOST + 1);
  assert_int_equal(raw_ask(fd, request.data, &answer), 413);
  close(fd);
  raw_free(&answer);
  psp_buf_free(&request);
  psp_buf_free(&body);
  stop(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pushes),         cmocka_unit_test(test_every_trigger),
      cmocka_unit_test(test_not_ours),       cmocka_unit_test(test_nested_to_death),
      cmocka_unit_test(test_captured_push),  cmocka_unit_test(test_largest),
      cmocka_unit_test(test_other_requests), cmocka_unit_test(test_prober_in_trouble),
      cmocka_unit_test(test_many_at_once),   cmocka_unit_test(test_free_finishes_what_is_under_way),
      cmocka_unit_test(test_address_in_use),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
