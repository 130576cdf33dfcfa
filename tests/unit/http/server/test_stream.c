/* SPDX-License-Identifier: MIT */
/** @file Answers that go on. */
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
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

#include "raw_http.h"
#include "server_fixture.h"

#define ASK "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n"

static psp_stream *begin(int fd) {
  raw_send(fd, ASK);
  psp_exchange *x = take_held();
  psp_exchange_set_header(x, "Cache-Control", "no-store");
  psp_stream *stream = psp_exchange_stream_begin(x, 200, "text/event-stream");
  assert_non_null(stream);
  return stream;
}

static void append(psp_stream *stream, const char *text) {
  assert_true(psp_stream_append(stream, text, strlen(text)));
}

static void test_events(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server));
  psp_stream *stream = begin(fd);
  /* The head comes before anything was appended. */
  assert_true(raw_read_head(fd, &answer));
  assert_int_equal(answer.status, 200);
  assert_true(raw_has_header(&answer, "Content-Type: text/event-stream"));
  assert_true(raw_has_header(&answer, "Cache-Control: no-store"));
  assert_true(raw_has_header(&answer, "Transfer-Encoding: chunked"));
  for (int i = 0; i < 100; i++) {
    char event[64];
    snprintf(event, sizeof event, "data: %d\n\n", i);
    assert_true(raw_is_silent(fd, 0));
    append(stream, event);
    psp_buf_reset(&answer.body);
    assert_true(raw_read_chunk(fd, &answer));
    assert_string_equal(answer.body.data, event);
  }
  assert_false(psp_stream_is_gone(stream));
  assert_true(psp_stream_append(stream, NULL, 0));
  append(stream, "last");
  psp_stream_free(stream);
  psp_buf_reset(&answer.body);
  while (raw_read_chunk(fd, &answer)) {
  }
  assert_string_equal(answer.body.data, "last");
  /* And the connection is good for another request. */
  expect(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n", 200, NULL);
  raw_free(&answer);
  close(fd);
  psp_stream_free(NULL);
}

static void test_old_client(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server));
  raw_send(fd, "GET /hold HTTP/1.0\r\n\r\n");
  psp_stream *stream = psp_exchange_stream_begin(take_held(), 200, "text/plain");
  append(stream, "until the end");
  psp_stream_free(stream);
  assert_true(raw_read_head(fd, &answer));
  char body[64] = "";
  size_t len = 0;
  for (ssize_t n; (n = recv(fd, body + len, sizeof body - 1 - len, 0)) > 0;)
    len += (size_t)n;
  assert_string_equal(body, "until the end");
  raw_free(&answer);
  close(fd);
}

/* What several threads append arrives whole, each thread's part in its order. */
typedef struct writer {
  psp_stream *stream;
  char letter;
} writer;

static void *write_lines(void *arg) {
  writer *w = arg;
  for (int i = 0; i < 2000; i++) {
    char line[16];
    int len = snprintf(line, sizeof line, "%c%05d\n", w->letter, i);
    if (!psp_stream_append(w->stream, line, (size_t)len)) abort();
  }
  return NULL;
}

static void test_many_writers(void **state) {
  (void)state;
  raw_answer answer = {0};
  int fd = raw_connect(psp_server_port(server));
  psp_stream *stream = begin(fd);
  writer writers[4];
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    writers[i] = (writer){stream, (char)('a' + i)};
    pthread_create(&threads[i], NULL, write_lines, &writers[i]);
  }
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  psp_stream_free(stream);
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.body.len, 4 * 2000 * 7);
  int next[4] = {0};
  for (const char *line = answer.body.data; *line; line += 7)
    assert_int_equal(atoi(line + 1), next[line[0] - 'a']++);
  raw_free(&answer);
  close(fd);
}

static void test_client_goes(void **state) {
  (void)state;
  int fd = raw_connect(psp_server_port(server));
  psp_stream *stream = begin(fd);
  assert_true(psp_stream_append(stream, "x", 1));
  close(fd);
  for (int i = 0; i < 1000000 && !psp_stream_is_gone(stream); i++)
    sched_yield();
  assert_true(psp_stream_is_gone(stream));
  assert_false(psp_stream_append(stream, "y", 1));
  psp_stream_free(stream);
}

static void test_slow_client(void **state) {
  (void)state;
  int fd = raw_connect(psp_server_port(server)), small = 4096;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  psp_stream *stream = begin(fd);
  static char block[64 << 10];
  memset(block, 'x', sizeof block);
  int taken = 0;
  while (psp_stream_append(stream, block, sizeof block))
    taken++;
  /* At least the bound; beyond it what the kernel's buffers take, a few MiB at most. */
  assert_in_range(taken, 16, 1024);
  assert_true(psp_stream_is_gone(stream));
  psp_stream_free(stream);
  close(fd);
  /* One append that is too large by itself. */
  fd = raw_connect(psp_server_port(server));
  stream = begin(fd);
  char *huge = calloc(1, (1 << 20) + 1);
  assert_false(psp_stream_append(stream, huge, (1 << 20) + 1));
  free(huge);
  psp_stream_free(stream);
  assert_true(raw_is_closed(fd));
  close(fd);
}

static int64_t cpu_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void test_idle_streams_are_free(void **state) {
  (void)state;
  enum { STREAMS = 200 };
  static int fds[STREAMS];
  static psp_stream *streams[STREAMS];
  raw_answer answer = {0};
  for (int i = 0; i < STREAMS; i++) {
    fds[i] = raw_connect(psp_server_port(server));
    streams[i] = begin(fds[i]);
    assert_true(raw_read_head(fds[i], &answer));
  }
  struct timespec while_idle = {.tv_nsec = 300000000};
  int64_t before = cpu_ns();
  nanosleep(&while_idle, NULL);
  int64_t used = cpu_ns() - before;
  if (used > 30000000) fail_msg("200 idle streams used %lld ns in 0.3 s", (long long)used);
  for (int i = 0; i < STREAMS; i++)
    append(streams[i], "hello");
  for (int i = 0; i < STREAMS; i++) {
    raw_free(&answer);
    assert_true(raw_read_chunk(fds[i], &answer));
    assert_string_equal(answer.body.data, "hello");
    psp_stream_free(streams[i]);
    close(fds[i]);
  }
  raw_free(&answer);
}

static void *write_until_gone(void *stream) {
  while (psp_stream_append(stream, "tick\n", 5))
    sched_yield();
  return NULL;
}

/* Streams outlive their server, whether they pause, are busy, or end at the same moment. */
static void test_server_ends(void **state) {
  (void)state;
  for (int round = 0; round < 10; round++) {
    psp_server *own = fixture_start((psp_server_options){0});
    int fds[4];
    psp_stream *streams[4];
    for (int i = 0; i < 4; i++) {
      fds[i] = raw_connect(psp_server_port(own));
      streams[i] = begin(fds[i]);
    }
    append(streams[1], "some");
    psp_stream_free(streams[2]);
    pthread_t thread;
    pthread_create(&thread, NULL, write_until_gone, streams[3]);
    psp_server_free(own);
    pthread_join(thread, NULL);
    for (int i = 0; i < 4; i++) {
      assert_true(raw_is_closed(fds[i]));
      close(fds[i]);
      if (i == 2) continue;
      assert_true(psp_stream_is_gone(streams[i]));
      assert_false(psp_stream_append(streams[i], "x", 1));
      psp_stream_free(streams[i]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      FIXTURE_TEST(test_events),       FIXTURE_TEST(test_old_client),
      FIXTURE_TEST(test_many_writers), FIXTURE_TEST(test_client_goes),
      FIXTURE_TEST(test_slow_client),  FIXTURE_TEST(test_idle_streams_are_free),
      FIXTURE_TEST(test_server_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
