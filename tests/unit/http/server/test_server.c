/* SPDX-License-Identifier: MIT */
/** @file What the server does with whole requests. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw_http.h"
#include "server_fixture.h"

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void shared(void *arg, psp_exchange *x) {
  calls++;
  psp_exchange_reply_shared(x, arg);
}

static void test_requests(void **state) {
  (void)state;
  int fd = raw_connect(psp_server_port(server));
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /get\n0:");
  expect(fd,
         "POST /a/b%20c/d%2fe?q=1&r=2&q=a+b%26&q HTTP/1.1\r\nHost: h\r\nX-Test: yes\r\n"
         "Content-Length: 5\r\n\r\nhello",
         200,
         "POST /a/b%20c/d%2fe\nsegment b c\nsegment d/e\nq=1\nq=a b&\nq=\nx-test=yes\n5:hello");
  expect(fd, "DELETE /echo/ HTTP/1.1\r\nHost: h\r\n\r\n", 200, "DELETE /echo/\nsegment \n0:");
  expect(fd,
         "PUT /echo/x/y%20z HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         200, "PUT /echo/x/y%20z\nsegment x/y%20z\n5:abcde");
  close(fd);
}

static void test_headers(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server));
  assert_int_equal(raw_ask(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 200);
  assert_true(raw_has_header(&answer, "Content-Type: text/plain"));
  assert_true(raw_has_header(&answer, "X-One: 1"));
  assert_true(raw_has_header(&answer, "X-Two: 2"));
  /* They are that answer's alone. */
  assert_int_equal(raw_ask(fd, "PUT /empty HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 200);
  assert_false(raw_has_header(&answer, "X-One: 1"));
  assert_true(raw_has_header(&answer, "Content-Length: 0"));
  assert_null(strstr(answer.head.data, "Content-Type"));
  assert_int_equal(raw_ask(fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 204);
  assert_null(strstr(answer.head.data, "Content-Length"));
  /* HEAD is GET without the body, so the next answer follows at once. */
  raw_send(fd, "HEAD /get HTTP/1.1\r\nHost: h\r\n\r\n");
  assert_true(raw_read_head(fd, &answer));
  assert_int_equal(answer.status, 200);
  assert_true(raw_has_header(&answer, "Content-Length: 12"));
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /get\n0:");
  raw_free(&answer);
  close(fd);
}

static void test_errors(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server));
  expect(fd, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", 404,
         "{\"error\":{\"code\":404,\"message\":\"there is nothing at this path\","
         "\"status\":\"NOT_FOUND\"}}");
  assert_int_equal(
      raw_ask(fd, "POST /get HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx", &answer), 405);
  assert_true(raw_has_header(&answer, "Allow: GET, HEAD, OPTIONS"));
  assert_true(raw_has_header(&answer, "Content-Type: application/json"));
  assert_non_null(strstr(answer.body.data, "\"status\":\"UNIMPLEMENTED\""));
  assert_int_equal(raw_ask(fd, "OPTIONS /get HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 204);
  assert_true(raw_has_header(&answer, "Allow: GET, HEAD, OPTIONS"));
  expect(fd, "POST /a/%zz/c HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL);
  expect(fd, "GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n", 409,
         "{\"error\":{\"code\":409,\"message\":\"the \\\"topic\\\" is\\nthere\","
         "\"status\":\"ALREADY_EXISTS\"}}");
  assert_int_equal(calls, 0);
  /* All that on one connection. */
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  raw_free(&answer);
  close(fd);
}

static void test_received_ns(void **state) {
  (void)state;
  int fd = raw_connect(psp_server_port(server));
  int64_t before = now_ns();
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  int64_t after = now_ns(), first = received_ns;
  assert_true(before <= first && first <= after);
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  assert_true(after <= received_ns && received_ns <= now_ns());
  close(fd);
}

static void test_shared_reply(void **state) {
  (void)state;
  psp_reply *reply = psp_reply_new(200, "application/json", "{}", 2);
  const psp_route one = {"POST", "/{}/{}", shared, reply};
  psp_server *own;
  psp_server_options options = {.listen = "127.0.0.1:0", .routes = &one, .route_count = 1};
  assert_int_equal(psp_server_new(&options, &own, NULL), PSPROBE_OK);
  int fd = raw_connect(psp_server_port(own));
  for (int i = 0; i < 3; i++)
    expect(fd, "POST /a/b HTTP/1.1\r\nHost: h\r\n\r\n", 200, "{}");
  assert_int_equal(calls, 3);
  close(fd);
  psp_server_free(own);
  psp_reply_free(reply);
  psp_reply_free(NULL);
}

static void test_slow_and_pipelined(void **state) {
  (void)state;
  static const char request[] = "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server)), one = 1;
  setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
  for (size_t i = 0; i < sizeof request - 1; i++)
    raw_send_bytes(fd, request + i, 1);
  assert_true(raw_read(fd, &answer));
  assert_string_equal(answer.body.data, "POST /echo/\nsegment \n5:hello");

  raw_send(fd,
           "GET /get?1 HTTP/1.1\r\nHost: h\r\n\r\nGET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
           "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /empty HTTP/1.1"
           "\r\nHost: h\r\n\r\nGET /get HTTP/1.1\r\nHost: h\r\n\r\n");
  static const int want[] = {200, 404, 200, 204, 200};
  for (int i = 0; i < 5; i++) {
    assert_true(raw_read(fd, &answer));
    assert_int_equal(answer.status, want[i]);
  }
  assert_string_equal(answer.body.data, "GET /get\n0:");
  raw_free(&answer);
  close(fd);
}

static void test_start_fails(void **state) {
  (void)state;
  psp_server *other = NULL;
  psprobe_error error = {0};
  char listen[64];
  snprintf(listen, sizeof listen, "127.0.0.1:%d", psp_server_port(server));
  psp_server_options options = {.listen = listen, .what = "--listen"};
  assert_int_equal(psp_server_new(&options, &other, &error), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, listen));
  assert_non_null(strstr(error.message, "--listen"));
  options = (psp_server_options){.listen = "nonsense"};
  assert_int_equal(psp_server_new(&options, &other, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "listen \"nonsense\""));
  psp_route bad = {"GET", "no-slash", hold, NULL};
  options = (psp_server_options){.listen = "127.0.0.1:0", .routes = &bad, .route_count = 1};
  assert_int_equal(psp_server_new(&options, &other, &error), PSPROBE_INVALID_ARGUMENT);
  assert_null(other);
  char want[64];
  snprintf(want, sizeof want, "http://127.0.0.1:%d", psp_server_port(server));
  assert_string_equal(psp_server_url(server), want);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      FIXTURE_TEST(test_requests),     FIXTURE_TEST(test_headers),
      FIXTURE_TEST(test_errors),       FIXTURE_TEST(test_received_ns),
      FIXTURE_TEST(test_shared_reply), FIXTURE_TEST(test_slow_and_pipelined),
      FIXTURE_TEST(test_start_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
