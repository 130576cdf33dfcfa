/* SPDX-License-Identifier: MIT */
/** @file The HTTP client against servers that misbehave. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/client/transport.h"
#include "outcome.h"
#include "raw_http.h"
#include "raw_server.h"

#define S                       INT64_C(1000000000)
#define MS                      INT64_C(1000000)
#define OK_TEXT(body_len, body) "HTTP/1.1 200 OK\r\nContent-Length: " #body_len "\r\n\r\n" body

static psp_http *http;

static int set_up(void **state) {
  (void)state;
  return psp_http_new(NULL, &http, NULL) != PSPROBE_OK;
}

static int tear_down(void **state) {
  (void)state;
  psp_http_free(http);
  return 0;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Calls "http://127.0.0.1:PORT/?secret=1" and gives back what became of it. */
static psprobe_code call(int port, psp_http_request request, psp_http_result *result,
                         psprobe_error *error) {
  char url[128];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/?secret=1", port);
  request.url = url;
  if (request.method == NULL) request.method = "GET";
  if (!request.timeout_ns) request.timeout_ns = 10 * S;
  psprobe_error_clear(error);
  psprobe_code code = psp_http_call(http, &request, result, error);
  assert_int_equal(code, error->code);
  if (code != PSPROBE_OK) {
    char host[64];
    snprintf(host, sizeof host, "%s 127.0.0.1:%d: ", request.method, port);
    assert_memory_equal(error->message, host, strlen(host));
    assert_null(strstr(error->message, "secret"));
  }
  return code;
}

/* Answers as many requests as come, on however many connections. */
static void answer_all(void *arg, int fd, int nth) {
  (void)nth;
  psp_buf head = {0}, body = {0};
  while (raw_read_request(fd, &head, &body))
    raw_send(fd, arg);
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void test_keep_alive(void **state) {
  (void)state;
  raw_server *server = raw_server_start(answer_all, (void *)OK_TEXT(2, "ok"));
  psp_http_result result = {0};
  psprobe_error error;
  for (int i = 0; i < 100; i++) {
    assert_int_equal(
        call(raw_server_port(server), (psp_http_request){.method = "POST"}, &result, &error),
        PSPROBE_OK);
    assert_string_equal(result.body.data, "ok");
  }
  assert_int_equal(raw_server_count(server), 1);
  psp_http_result_free(&result);
  raw_server_stop(server);
}

/* One answer for each connection, which is then closed while it is idle. */
static void answer_once(void *arg, int fd, int nth) {
  (void)nth;
  psp_buf head = {0}, body = {0};
  if (raw_read_request(fd, &head, &body)) raw_send(fd, arg);
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void test_idle_connection_closed(void **state) {
  (void)state;
  raw_server *server = raw_server_start(answer_once, (void *)OK_TEXT(2, "ok"));
  psp_http_result result = {0};
  psprobe_error error;
  for (int i = 0; i < 50; i++) {
    psp_http_request request = {.method = i % 2 ? "POST" : "GET", .body = i % 2 ? "b" : NULL};
    request.body_len = i % 2;
    if (call(raw_server_port(server), request, &result, &error) != PSPROBE_OK)
      fail_msg("call %d: %s", i, error.message);
    assert_string_equal(result.body.data, "ok");
  }
  assert_int_equal(raw_server_count(server), 50);
  psp_http_result_free(&result);
  raw_server_stop(server);
}

/* The first connection is closed just as the second request arrives on it. */
static void close_under_request(void *arg, int fd, int nth) {
  psp_buf head = {0}, body = {0};
  if (raw_read_request(fd, &head, &body)) raw_send(fd, arg);
  if (nth > 0)
    answer_all(arg, fd, nth);
  else
    raw_read_request(fd, &head, &body);
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void test_connection_closed_under_request(void **state) {
  (void)state;
  raw_server *server = raw_server_start(close_under_request, (void *)OK_TEXT(2, "ok"));
  psp_http_result result = {0};
  psprobe_error error;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(
        call(raw_server_port(server),
             (psp_http_request){.method = "POST", .body = "x", .body_len = 1}, &result, &error),
        PSPROBE_OK);
    assert_string_equal(result.body.data, "ok");
  }
  assert_int_equal(raw_server_count(server), 2);
  psp_http_result_free(&result);
  raw_server_stop(server);
}

static void test_broken_answers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    psprobe_code code;
    const char *words;
  } cases[] = {
      {"", PSPROBE_UNAVAILABLE, "Empty reply"},
      {"HTTP/1.1 200 OK\r\nContent-Le", PSPROBE_UNAVAILABLE, "cut off"},
      {"HTTP/1.1 200 OK\r\n", PSPROBE_UNAVAILABLE, "cut off"},
      {"HTTP/1.1 100 Continue\r\n\r\n", PSPROBE_UNAVAILABLE, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", PSPROBE_UNAVAILABLE, "5 bytes"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", PSPROBE_UNAVAILABLE, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
       PSPROBE_UNAVAILABLE, ""},
      {"SSH-2.0-OpenSSH_9.2\r\n", PSPROBE_UNAVAILABLE, "HTTP/0.9"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", PSPROBE_RESOURCE_EXHAUSTED,
       "larger than 1000 bytes"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    raw_server *server = raw_server_start(answer_once, (void *)cases[i].text);
    psp_http_result result = {0};
    psprobe_error error;
    psprobe_code code =
        call(raw_server_port(server), (psp_http_request){.max_response = 1000}, &result, &error);
    if (code != cases[i].code) fail_msg("%s gives %d %s", cases[i].text, code, error.message);
    if (strstr(error.message, cases[i].words) == NULL) fail_msg("%s", error.message);
    assert_int_equal(error.retryable, code == PSPROBE_UNAVAILABLE);
    psp_http_result_free(&result);
    raw_server_stop(server);
  }
}

static void test_odd_answers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int status;
    const char *body;
  } cases[] = {
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", 201, "x"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
       "Trailer: t\r\n\r\n",
       200, "abcde"},
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", 429, ""},
      {"HTTP/1.1 599\r\nContent-Length: 2\r\n\r\n\xff\xfe", 599, "\xff\xfe"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    raw_server *server = raw_server_start(answer_once, (void *)cases[i].text);
    psp_http_result result = {0};
    psprobe_error error;
    if (call(raw_server_port(server), (psp_http_request){0}, &result, &error) != PSPROBE_OK)
      fail_msg("%s gives %s", cases[i].text, error.message);
    assert_int_equal(result.status, cases[i].status);
    assert_string_equal(result.body.data, cases[i].body);
    assert_int_equal(result.retry_after_ns, result.status == 429 ? 3 * S : 0);
    psp_http_result_free(&result);
    raw_server_stop(server);
  }
}

/* Sends without end: the body in chunks, or header lines. */
static void flood(void *arg, int fd, int nth) {
  psp_buf head = {0}, body = {0}, block = {0};
  (void)nth;
  raw_read_request(fd, &head, &body);
  raw_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
  if (arg != NULL) raw_send(fd, "\r\n");
  for (int i = 0; i < 1000; i++)
    psp_buf_text(&block, arg != NULL ? "8\r\n01234567\r\n" : "X-Y: z\r\n");
  while (send(fd, block.data, block.len, MSG_NOSIGNAL) > 0) {
  }
  psp_buf_free(&head);
  psp_buf_free(&body);
  psp_buf_free(&block);
}

static void test_endless_answers(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    raw_server *server = raw_server_start(flood, i ? (void *)"body" : NULL);
    psp_http_result result = {0};
    psprobe_error error;
    psprobe_code code =
        call(raw_server_port(server), (psp_http_request){.max_response = 100000}, &result, &error);
    /* curl has a bound of its own for heads, with an error of its own. */
    assert_true(code == PSPROBE_RESOURCE_EXHAUSTED || (i == 0 && code == PSPROBE_UNAVAILABLE));
    psp_http_result_free(&result);
    raw_server_stop(server);
  }
}

/* Reads and says nothing, until the other side goes. */
static void be_silent(void *arg, int fd, int nth) {
  (void)nth;
  char byte;
  if (arg != NULL) raw_send(fd, arg);
  while (recv(fd, &byte, 1, 0) > 0) {
  }
}

static void test_deadline(void **state) {
  (void)state;
  static const char *const beginnings[] = {NULL,
                                           "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123"};
  for (int i = 0; i < 2; i++) {
    raw_server *server = raw_server_start(be_silent, (void *)beginnings[i]);
    psp_http_result result = {0};
    psprobe_error error;
    int64_t before = now_ns();
    assert_int_equal(
        call(raw_server_port(server), (psp_http_request){.timeout_ns = 100 * MS}, &result, &error),
        PSPROBE_DEADLINE_EXCEEDED);
    int64_t took = now_ns() - before;
    assert_true(took >= 95 * MS && took < 20 * S);
    assert_false(error.retryable);
    psp_http_result_free(&result);
    raw_server_stop(server);
  }
}

/* A deadline is noticed while nothing else happens and others wait longer. */
static void test_deadlines_apart(void **state) {
  (void)state;
  raw_server *server = raw_server_start(be_silent, NULL);
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", raw_server_port(server));
  static const int64_t timeouts[] = {60 * S, 300 * MS, 50 * MS, 150 * MS};
  outcome outcomes[4];
  int64_t before = now_ns();
  for (int i = 0; i < 4; i++) {
    outcome_init(&outcomes[i]);
    psp_http_request request = {.method = "GET", .url = url, .timeout_ns = timeouts[i]};
    psp_http_send(http, &request, outcome_note, &outcomes[i], NULL, NULL);
  }
  static const int order[] = {2, 3, 1};
  for (int i = 0; i < 3; i++) {
    outcome_wait(&outcomes[order[i]]);
    int64_t late = now_ns() - before - timeouts[order[i]];
    assert_true(late > -5 * MS && late < 20 * S);
    assert_int_equal(outcomes[order[i]].error.code, PSPROBE_DEADLINE_EXCEEDED);
  }
  assert_int_equal(outcomes[0].calls, 0);
  psp_http_free(http);
  http = NULL;
  assert_int_equal(outcomes[0].error.code, PSPROBE_CANCELLED);
  for (int i = 0; i < 4; i++)
    outcome_free(&outcomes[i]);
  raw_server_stop(server);
}

static void test_not_reached(void **state) {
  (void)state;
  int port, listener = raw_listen(&port);
  close(listener); /* now nobody is there */
  psp_http_result result = {0};
  psprobe_error error;
  assert_int_equal(call(port, (psp_http_request){0}, &result, &error), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, strerror(ECONNREFUSED)));
  assert_true(error.retryable);

  psp_http_request request = {.method = "PUT", .url = "http://no.such.host.invalid/secret"};
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_UNAVAILABLE);
  static const char want[] = "PUT no.such.host.invalid: ";
  assert_memory_equal(error.message, want, sizeof want - 1);
  assert_null(strstr(error.message, "secret"));
  assert_true(error.retryable);
}

static void test_connect_timeout(void **state) {
  (void)state;
  /* A listener that accepts nobody and whose queue is full does not complete a handshake. */
  int port, listener = raw_listen(&port), fillers[8];
  listen(listener, 0);
  for (int i = 0; i < 8; i++)
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_storage at;
  socklen_t len = sizeof at;
  getsockname(listener, (struct sockaddr *)&at, &len);
  for (int i = 0; i < 8; i++)
    connect(fillers[i], (struct sockaddr *)&at, len);
  psp_http *own;
  psp_http_options options = {.connect_timeout_ns = 200 * MS};
  assert_int_equal(psp_http_new(&options, &own, NULL), PSPROBE_OK);
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
  psp_http_request request = {.method = "GET", .url = url, .timeout_ns = 8 * S};
  psp_http_result result = {0};
  psprobe_error error = {0};
  int64_t before = now_ns();
  assert_int_equal(psp_http_call(own, &request, &result, &error), PSPROBE_UNAVAILABLE);
  assert_true(now_ns() - before < 3 * S);
  assert_true(error.retryable);
  psp_http_free(own);
  for (int i = 0; i < 8; i++)
    close(fillers[i]);
  close(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_keep_alive),
      TEST(test_idle_connection_closed),
      TEST(test_connection_closed_under_request),
      TEST(test_broken_answers),
      TEST(test_odd_answers),
      TEST(test_endless_answers),
      TEST(test_deadline),
      TEST(test_deadlines_apart),
      TEST(test_not_reached),
      TEST(test_connect_timeout),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
