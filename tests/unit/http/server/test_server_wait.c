/* SPDX-License-Identifier: MIT */
/** @file Exchanges that are answered later, and the end of the server. */
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void test_answered_at_once_elsewhere(void **state) {
  (void)state;
  enum { FDS = 8, EACH = 200 };
  int total = FDS * EACH, fds[FDS];
  pthread_t threads[2];
  int half = total / 2;
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, answer_held, &half);
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
  psp_server *own = fixture_start((psp_server_options){0});
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

/* The clients have left, nobody has noticed, and the server ends; only then is there an answer. */
static void test_stop_after_clients_left(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){0});
  psp_exchange *waiting[20];
  for (int i = 0; i < 20; i++) {
    int fd = raw_connect(psp_server_port(own));
    raw_send(fd, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    waiting[i] = take_held();
    close(fd);
  }
  psp_server_free(own);
  for (int i = 0; i < 20; i++)
    psp_exchange_reply(waiting[i], 200, NULL, "late", 4);
}

/* Answers race with the end of the server. */
static void test_stop_while_answering(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    psp_server *own = fixture_start((psp_server_options){0});
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
    pthread_create(&thread, NULL, answer_held, &count);
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
  psp_server *own = fixture_start((psp_server_options){0});
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

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      FIXTURE_TEST(test_answered_later),       FIXTURE_TEST(test_answered_at_once_elsewhere),
      FIXTURE_TEST(test_stop_while_waiting),   FIXTURE_TEST(test_stop_after_clients_left),
      FIXTURE_TEST(test_stop_while_answering), FIXTURE_TEST(test_quiesce),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
