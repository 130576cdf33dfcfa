/* SPDX-License-Identifier: MIT */
/** @file What the server refuses and whom it cuts off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw_http.h"
#include "server_fixture.h"

static void test_too_large(void **state) {
  (void)state;
  raw_answer answer = {0};
  int port = psp_server_port(server), fd = raw_connect(port);
  char request[2048];
  /* Exactly as much as is allowed. */
  snprintf(request, sizeof request,
           "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n%01000d", 7);
  expect(fd, request, 200, NULL);
  /* One byte more is refused before a byte of it was sent. */
  assert_int_equal(
      raw_ask(fd, "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", &answer), 413);
  assert_true(raw_has_header(&answer, "Connection: close"));
  assert_non_null(strstr(answer.body.data, "\"code\":413"));
  assert_true(raw_is_closed(fd));
  close(fd);

  fd = raw_connect(port);
  assert_int_equal(raw_ask(fd,
                           "POST /echo/ HTTP/1.1\r\nHost: h\r\n"
                           "Content-Length: 99999999999999999999\r\n\r\n",
                           &answer) /
                       100,
                   4);
  close(fd);

  /* Chunks: refused when they have grown too large, while the client still sends. */
  fd = raw_connect(port);
  raw_send(fd, "POST /echo/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  snprintf(request, sizeof request, "1f4\r\n%0500d\r\n", 7);
  raw_send(fd, request);
  raw_send(fd, request);
  assert_true(raw_is_silent(fd, 20));
  raw_send(fd, "1\r\nx\r\n");
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.status, 413);
  assert_true(raw_has_header(&answer, "Connection: close"));
  assert_non_null(strstr(answer.body.data, "\"code\":413"));
  for (int i = 0; i < 10; i++)
    raw_send(fd, request);
  raw_send(fd, "0\r\n\r\n");
  assert_true(raw_is_closed(fd));
  close(fd);
  assert_int_equal(calls, 1);

  /* And one that never stops sending is cut off. */
  fd = raw_connect(port);
  raw_send(fd, "POST /echo/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  char *much = malloc(32 << 20);
  memset(much, 'x', 32 << 20);
  raw_send(fd, "2000000\r\n");
  raw_send_bytes(fd, much, 32 << 20);
  free(much);
  assert_true(raw_is_closed(fd));
  close(fd);
  assert_int_equal(calls, 1);
  raw_free(&answer);
}

/* A request that is not there as a whole never reaches a handler. */
static void test_half_requests(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){.idle_timeout_ns = INT64_C(1000000000)});
  int port = psp_server_port(own);
  static const char *const halves[] = {
      "POS",
      "POST /echo/ HT",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nConte",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n123456789",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
  };
  /* libmicrohttpd may miss an end that comes together with data: then the idle timeout ends it. */
  int fds[sizeof halves / sizeof *halves];
  for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
    fds[i] = raw_connect(port);
    raw_send(fds[i], halves[i]);
    shutdown(fds[i], SHUT_WR);
  }
  for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
    assert_true(raw_is_closed(fds[i]));
    close(fds[i]);
  }
  static const char *const broken[] = {
      "garbage\r\n\r\n",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: ten\r\n\r\n0123456789",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
      "POST /echo/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
  };
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    int fd = raw_connect(port);
    raw_send(fd, broken[i]);
    assert_true(raw_is_closed(fd));
    close(fd);
  }
  assert_int_equal(calls, 0);
  int fd = raw_connect(port);
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  close(fd);
  psp_server_free(own);
}

static void test_idle_timeout(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){.idle_timeout_ns = INT64_C(1000000000)});
  int port = psp_server_port(own);
  int waiting = raw_connect(port), idle = raw_connect(port), half = raw_connect(port);
  raw_send(waiting, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  psp_exchange *x = take_held();
  expect(idle, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  raw_send(half, "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  assert_true(raw_is_closed(idle));
  assert_true(raw_is_closed(half));
  /* The one that waits for us does so for as long as we like. */
  assert_true(raw_is_silent(waiting, 1500));
  psp_exchange_reply(x, 200, NULL, "still", 5);
  raw_answer answer = {0};
  assert_true(raw_read(waiting, &answer));
  assert_string_equal(answer.body.data, "still");
  raw_free(&answer);
  close(waiting);
  close(idle);
  close(half);
  psp_server_free(own);
}

static void test_many_connections(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){.threads = 1, .max_connections = 24});
  int fds[18], port = psp_server_port(own); /* as many as one address gets */
  for (int i = 0; i < 18; i++) {
    fds[i] = raw_connect(port);
    expect(fds[i], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  }
  expect(fds[0], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  int late = raw_connect(port);
  expect(late, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  assert_true(raw_is_closed(fds[1])); /* the longest idle one */
  expect(fds[0], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  expect(fds[17], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  close(late);
  for (int i = 0; i < 18; i++)
    close(fds[i]);
  psp_server_free(own);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      FIXTURE_TEST(test_too_large),
      FIXTURE_TEST(test_half_requests),
      FIXTURE_TEST(test_idle_timeout),
      FIXTURE_TEST(test_many_connections),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
