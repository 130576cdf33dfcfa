/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
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

#include "http/server.h"
#include "raw_http.h"

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- handlers ---- */

static _Atomic int calls;
static _Atomic int64_t received_ns;

/* Says back what it was asked, a line each. */
static void echo(void *arg, psp_exchange *x) {
  (void)arg;
  psp_buf out = {0};
  size_t len;
  const char *body = psp_exchange_body(x, &len), *header = psp_exchange_header(x, "x-test");
  calls++;
  received_ns = psp_exchange_received_ns(x);
  psp_buf_printf(&out, "%s %s\n", psp_exchange_method(x), psp_exchange_path(x));
  for (unsigned i = 0; psp_exchange_segment(x, i); i++)
    psp_buf_printf(&out, "segment %s\n", psp_exchange_segment(x, i));
  for (unsigned i = 0; psp_exchange_query(x, "q", i); i++)
    psp_buf_printf(&out, "q=%s\n", psp_exchange_query(x, "q", i));
  if (header) psp_buf_printf(&out, "x-test=%s\n", header);
  psp_buf_printf(&out, "%zu:", len);
  psp_buf_add(&out, body, len);
  psp_exchange_set_header(x, "X-One", "1");
  psp_exchange_set_header(x, "X-Two", "2");
  psp_exchange_reply(x, 200, "text/plain", out.data, out.len);
  psp_buf_free(&out);
}

static void empty(void *arg, psp_exchange *x) {
  (void)arg;
  calls++;
  psp_exchange_reply(x, *psp_exchange_method(x) == 'P' ? 200 : 204, NULL, NULL, 0);
}

static void shared(void *arg, psp_exchange *x) {
  calls++;
  psp_exchange_reply_shared(x, arg);
}

static void refuse(void *arg, psp_exchange *x) {
  (void)arg;
  psp_exchange_reply_error(x, 409, PSPROBE_ALREADY_EXISTS, "the \"topic\" is\nthere");
}

/* Exchanges that wait until the test answers them. */
#define MAX_HELD 4096
static psp_exchange *held[MAX_HELD];
static int held_count;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t held_one;

static void hold(void *arg, psp_exchange *x) {
  (void)arg;
  pthread_mutex_lock(&held_lock);
  held[held_count++] = x;
  pthread_mutex_unlock(&held_lock);
  sem_post(&held_one);
}

static psp_exchange *take_held(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  if (sem_timedwait(&held_one, &until) != 0) fail_msg("no request came");
  pthread_mutex_lock(&held_lock);
  psp_exchange *x = held[--held_count];
  pthread_mutex_unlock(&held_lock);
  return x;
}

static psp_reply *reply;
static psp_server *server;

static const psp_route routes[] = {
    {"*", "/echo/*", echo, NULL},
    {"GET", "/get", echo, NULL},
    {"POST", "/a/{}/{}", echo, NULL},
    {"*", "/empty", empty, NULL},
    {"GET", "/refuse", refuse, NULL},
    {"*", "/hold", hold, NULL},
    {"POST", "/empty-not-any", empty, NULL},
};

static psp_server *start(psp_server_options options) {
  psp_server *made;
  psprobe_error error = {0};
  if (!options.listen) options.listen = "127.0.0.1:0";
  options.routes = routes;
  options.route_count = sizeof routes / sizeof *routes;
  if (psp_server_new(&options, &made, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return made;
}

static int set_up(void **state) {
  (void)state;
  sem_init(&held_one, 0, 0);
  held_count = 0;
  calls = 0;
  server = start((psp_server_options){.max_body = 1000});
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psp_server_free(server);
  sem_destroy(&held_one);
  return 0;
}

static void expect(int fd, const char *request, int status, const char *body) {
  raw_answer answer = {0};
  int got = raw_ask(fd, request, &answer);
  if (got != status) fail_msg("%s\ngives %d, not %d", request, got, status);
  if (body) assert_string_equal(answer.body.data, body);
  raw_free(&answer);
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
  expect(fd,
         "PUT /echo/x/y%20z HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         200, "PUT /echo/x/y%20z\nsegment x/y%20z\n5:abcde");
  expect(fd, "DELETE /echo/ HTTP/1.1\r\nHost: h\r\n\r\n", 200, "DELETE /echo/\nsegment \n0:");
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
  reply = psp_reply_new(200, "application/json", "{}", 2);
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
  char *much = malloc(4 << 20);
  memset(much, 'x', 4 << 20);
  raw_send(fd, "400000\r\n");
  raw_send_bytes(fd, much, 4 << 20);
  free(much);
  assert_true(raw_is_closed(fd));
  close(fd);
  assert_int_equal(calls, 1);
  raw_free(&answer);
}

/* A request that is not there as a whole never reaches a handler. */
static void test_half_requests(void **state) {
  (void)state;
  psp_server *own = start((psp_server_options){.idle_timeout_ns = INT64_C(1000000000)});
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

static void test_answered_later(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server)), other = raw_connect(psp_server_port(server));
  raw_send(fd, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\nGET /get HTTP/1.1\r\nHost: h\r\n\r\n");
  psp_exchange *x = take_held();
  assert_true(raw_is_silent(fd, 20)); /* nor is the request behind it answered before it */
  expect(other, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  assert_string_equal(psp_exchange_path(x), "/hold");
  assert_string_equal(psp_exchange_header(x, "host"), "h");
  assert_false(psp_exchange_is_gone(x));
  psp_exchange_set_header(x, "X-Late", "yes");
  psp_exchange_reply(x, 200, "text/plain", "at last", 7);
  assert_true(raw_read(fd, &answer));
  assert_string_equal(answer.body.data, "at last");
  assert_true(raw_has_header(&answer, "X-Late: yes"));
  assert_true(raw_read(fd, &answer));
  assert_string_equal(answer.body.data, "GET /get\n0:");

  /* A client that leaves meanwhile: known to whoever asks, and harmless. */
  raw_send(fd, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  x = take_held();
  close(fd);
  for (int i = 0; i < 1000 && !psp_exchange_is_gone(x); i++)
    sched_yield();
  assert_true(psp_exchange_is_gone(x));
  psp_exchange_reply(x, 200, NULL, "nobody", 6);
  expect(other, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  raw_free(&answer);
  close(other);
}

/* Another thread answers each exchange the moment its handler has passed it on. */
static void *answer_all(void *arg) {
  for (int i = 0; i < *(int *)arg; i++)
    psp_exchange_reply(take_held(), 200, NULL, "x", 1);
  return NULL;
}

static void test_answered_at_once_elsewhere(void **state) {
  (void)state;
  enum { FDS = 8, EACH = 200 };
  int total = FDS * EACH, fds[FDS];
  pthread_t threads[2];
  int half = total / 2;
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, answer_all, &half);
  for (int i = 0; i < FDS; i++)
    fds[i] = raw_connect(psp_server_port(server));
  for (int n = 0; n < EACH; n++) {
    for (int i = 0; i < FDS; i++)
      raw_send(fds[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_answer answer = {0};
    for (int i = 0; i < FDS; i++) {
      assert_true(raw_read(fds[i], &answer));
      assert_string_equal(answer.body.data, "x");
    }
    raw_free(&answer);
  }
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < FDS; i++)
    close(fds[i]);
}

static void test_stop_while_waiting(void **state) {
  (void)state;
  psp_server *own = start((psp_server_options){0});
  enum { FDS = 50 };
  int fds[FDS];
  psp_exchange *waiting[FDS];
  for (int i = 0; i < FDS; i++) {
    fds[i] = raw_connect(psp_server_port(own));
    raw_send(fds[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    waiting[i] = take_held();
  }
  int idle = raw_connect(psp_server_port(own)), half = raw_connect(psp_server_port(own));
  expect(idle, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  raw_send(half, "POST /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  int64_t before = now_ns();
  psp_server_free(own);
  assert_true(now_ns() - before < INT64_C(5000000000));
  for (int i = 0; i < FDS; i++) {
    raw_answer answer = {0};
    assert_true(raw_read(fds[i], &answer));
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body.data, "UNAVAILABLE"));
    assert_true(raw_is_closed(fds[i]));
    raw_free(&answer);
    close(fds[i]);
    /* Those who hold them do not know yet. */
    psp_exchange_set_header(waiting[i], "X", "y");
    if (i % 3 == 0) psp_exchange_reply(waiting[i], 200, NULL, "late", 4);
    if (i % 3 == 1) psp_exchange_reply_error(waiting[i], 404, PSPROBE_NOT_FOUND, "late");
    if (i % 3 == 2) psp_stream_free(psp_exchange_stream_begin(waiting[i], 200, "text/plain"));
  }
  assert_true(raw_is_closed(idle));
  assert_true(raw_is_closed(half));
  close(idle);
  close(half);
  psp_server_free(NULL);
}

/* Answers race with the end of the server. */
static void test_stop_while_answering(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    psp_server *own = start((psp_server_options){0});
    enum { FDS = 16 };
    int fds[FDS], count = FDS;
    for (int i = 0; i < FDS; i++) {
      fds[i] = raw_connect(psp_server_port(own));
      raw_send(fds[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    psp_exchange *first[FDS];
    for (int i = 0; i < FDS; i++)
      first[i] = take_held();
    for (int i = 0; i < FDS; i++)
      hold(NULL, first[i]);
    pthread_t thread;
    pthread_create(&thread, NULL, answer_all, &count);
    psp_server_free(own);
    pthread_join(thread, NULL);
    for (int i = 0; i < FDS; i++) {
      raw_answer answer = {0};
      assert_true(raw_read(fds[i], &answer));
      assert_true(answer.status == 200 || answer.status == 503);
      raw_free(&answer);
      close(fds[i]);
    }
  }
}

static void test_quiesce(void **state) {
  (void)state;
  psp_server *own = start((psp_server_options){0});
  int port = psp_server_port(own), fd = raw_connect(port);
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  psp_server_quiesce(own);
  psp_server_quiesce(own);
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int late = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(late, (struct sockaddr *)&at, sizeof at), -1);
  close(late);
  psp_server_free(own);
  close(fd);
}

static void test_idle_timeout(void **state) {
  (void)state;
  psp_server *own = start((psp_server_options){.idle_timeout_ns = INT64_C(1000000000)});
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
  /* One thread, so that the limit is exact: each thread has its share. */
  psp_server *own = start((psp_server_options){.threads = 1, .max_connections = 20});
  int fds[20], port = psp_server_port(own);
  for (int i = 0; i < 20; i++) {
    fds[i] = raw_connect(port);
    expect(fds[i], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  }
  /* The kernel still takes one more, which has to wait until another has left. */
  int late = raw_connect(port);
  raw_send(late, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n");
  bool refused = !raw_is_silent(late, 100);
  close(fds[0]);
  raw_answer answer = {0};
  if (!refused) {
    assert_true(raw_read(late, &answer));
    assert_int_equal(answer.status, 200);
  } else {
    assert_false(raw_read(late, &answer));
  }
  expect(fds[19], "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  raw_free(&answer);
  close(late);
  for (int i = 1; i < 20; i++)
    close(fds[i]);
  psp_server_free(own);
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
  psp_route bad = {"GET", "no-slash", echo, NULL};
  options = (psp_server_options){.listen = "127.0.0.1:0", .routes = &bad, .route_count = 1};
  assert_int_equal(psp_server_new(&options, &other, &error), PSPROBE_INVALID_ARGUMENT);
  assert_null(other);
  char want[64];
  snprintf(want, sizeof want, "http://127.0.0.1:%d", psp_server_port(server));
  assert_string_equal(psp_server_url(server), want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_requests),
      TEST(test_headers),
      TEST(test_errors),
      TEST(test_received_ns),
      TEST(test_shared_reply),
      TEST(test_too_large),
      TEST(test_half_requests),
      TEST(test_slow_and_pipelined),
      TEST(test_answered_later),
      TEST(test_answered_at_once_elsewhere),
      TEST(test_stop_while_waiting),
      TEST(test_stop_while_answering),
      TEST(test_quiesce),
      TEST(test_idle_timeout),
      TEST(test_many_connections),
      TEST(test_start_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
