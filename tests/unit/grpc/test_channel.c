/* SPDX-License-Identifier: MIT */
/* threads meet here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "raw_http.h"
#include "raw_server.h"
#include "rpc_calls.h"
#include "rpc_stage.h"
#include "tls_server.h"

static rpc_stage *stage;
static psp_channel *channel;

static psp_channel *open_channel(int port, psp_channel_options options) {
  char target[64];
  psp_channel *made = NULL;
  snprintf(target, sizeof target, "127.0.0.1:%d", port);
  options.target = target;
  assert_int_equal(psp_channel_new(&options, &made, NULL), PSPROBE_OK);
  return made;
}

static int setup(void **state) {
  (void)state;
  stage = rpc_stage_start();
  channel = open_channel(rpc_stage_port(stage), (psp_channel_options){0});
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_channel_free(channel);
  rpc_stage_stop(stage);
  return 0;
}

static void test_unary(void **state) {
  (void)state;
  char answer[256];
  assert_int_equal(rpc_unary(channel, "/echo", "hello", answer), PSPROBE_OK);
  assert_string_equal(answer, "hello");
  assert_int_equal(rpc_unary(channel, "/refuse", "hello", answer), PSPROBE_NOT_FOUND);
  assert_string_equal(answer, "no such thing");
  for (int i = 0; i < 1000; i++)
    assert_int_equal(rpc_unary(channel, "/echo", "again", answer), PSPROBE_OK);
  assert_int_equal(rpc_stage_connections(stage), 1);
}

static void test_stream(void **state) {
  (void)state;
  rpc_wait call;
  assert_int_equal(rpc_wait_begin(&call, channel, "/echo", NULL, INT64_MAX), PSPROBE_OK);
  for (unsigned i = 0; i < 100; i++) {
    assert_int_equal(psp_channel_send(channel, call.id, "12345", 5, NULL), PSPROBE_OK);
    rpc_wait_messages(&call, i + 1);
  }
  psp_channel_tell(channel, call.id, PSP_WORD_HALF_CLOSE);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_OK);
  /* It has ended: fine, and nothing. */
  assert_int_equal(psp_channel_send(channel, call.id, "12345", 5, NULL), PSPROBE_OK);
  psp_channel_tell(channel, call.id, PSP_WORD_CANCEL);
  rpc_wait_free(&call);
}

static pthread_t watched;
static atomic_uint sent_by_watched;

/* In libc's place: who writes? */
ssize_t send(int fd, const void *data, size_t len, int flags) {
  if (pthread_equal(pthread_self(), watched)) atomic_fetch_add(&sent_by_watched, 1);
  return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

/* Who begins a call on an idle connection writes it, and its deadline is kept though the thread
 * was asleep for longer. */
static void test_begun_by_its_caller(void **state) {
  (void)state;
  char answer[256];
  rpc_wait call;
  psp_channel *other = open_channel(rpc_stage_port(stage), (psp_channel_options){0});
  watched = pthread_self();
  assert_int_equal(rpc_unary(other, "/echo", "x", answer), PSPROBE_OK);
  assert_int_equal(atomic_load(&sent_by_watched), 0); /* there was no connection yet */
  for (int i = 0; i < 1000 && atomic_load(&sent_by_watched) == 0; i++)
    assert_int_equal(rpc_unary(other, "/echo", "x", answer), PSPROBE_OK);
  assert_int_equal(atomic_load(&sent_by_watched), 1);
  assert_int_equal(
      rpc_wait_begin(&call, other, "/hold", "x", psprobe_clock_monotonic() + 20 * PSP_MS_NS),
      PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_DEADLINE_EXCEEDED);
  rpc_wait_free(&call);
  psp_channel_free(other);
}

#define CALLERS 8
#define EACH    200

static void *call_often(void *arg) {
  char answer[256];
  (void)arg;
  intptr_t good = 0;
  for (int i = 0; i < EACH; i++)
    good += rpc_unary(channel, "/echo", "from a thread", answer) == PSPROBE_OK;
  return (void *)good;
}

static void test_many_threads(void **state) {
  (void)state;
  pthread_t threads[CALLERS];
  for (int i = 0; i < CALLERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, call_often, NULL), 0);
  for (int i = 0; i < CALLERS; i++) {
    void *good;
    pthread_join(threads[i], &good);
    assert_int_equal((intptr_t)good, EACH);
  }
  assert_int_equal(rpc_stage_connections(stage), 1);
}

/* Who does not read is waited for by nobody else. */
static void test_pause(void **state) {
  (void)state;
  char answer[256];
  rpc_wait call;
  assert_int_equal(rpc_wait_begin(&call, channel, "/flood", NULL, INT64_MAX), PSPROBE_OK);
  psp_channel_tell(channel, call.id, PSP_WORD_PAUSE);
  psp_channel_send(channel, call.id, "200000 and some more bytes", 26, NULL);
  psp_channel_tell(channel, call.id, PSP_WORD_HALF_CLOSE);
  assert_int_equal(rpc_unary(channel, "/echo", "other", answer), PSPROBE_OK);
  assert_int_equal(call.count, 0);
  psp_channel_tell(channel, call.id, PSP_WORD_RESUME);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_OK);
  assert_int_equal(call.count, 200000);
  rpc_wait_free(&call);
}

static void test_cancel_and_deadline(void **state) {
  (void)state;
  rpc_wait calls[2];
  assert_int_equal(rpc_wait_begin(&calls[0], channel, "/hold", "x", INT64_MAX), PSPROBE_OK);
  assert_int_equal(
      rpc_wait_begin(&calls[1], channel, "/hold", "x", psprobe_clock_monotonic() + 30 * PSP_MS_NS),
      PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&calls[1]), PSPROBE_DEADLINE_EXCEEDED);
  psp_channel_tell(channel, calls[0].id, PSP_WORD_CANCEL);
  assert_int_equal(rpc_wait_end(&calls[0]), PSPROBE_CANCELLED);
  rpc_wait_free(&calls[0]);
  rpc_wait_free(&calls[1]);
}

static void test_free_ends_calls(void **state) {
  (void)state;
  psp_channel *other = open_channel(rpc_stage_port(stage), (psp_channel_options){0});
  rpc_wait calls[3];
  for (int i = 0; i < 3; i++)
    assert_int_equal(rpc_wait_begin(&calls[i], other, "/hold", i == 0 ? NULL : "x", INT64_MAX),
                     PSPROBE_OK);
  psp_channel_free(other);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(rpc_wait_end(&calls[i]), PSPROBE_CANCELLED);
    rpc_wait_free(&calls[i]);
  }
}

static void say_nothing(void *arg, int fd, int nth) {
  (void)arg, (void)nth;
  raw_is_closed(fd);
}

static void test_bounds(void **state) {
  (void)state;
  char *large = calloc(1, 70000), answer[256];
  assert_non_null(large);
  memset(large, 'x', 69999);
  raw_server *silent = raw_server_start(say_nothing, NULL);
  psp_channel *small = open_channel(raw_server_port(silent),
                                    (psp_channel_options){.max_calls = 2, .max_unsent = 100000});
  rpc_wait a, b, c;
  assert_int_equal(rpc_wait_begin(&a, small, "/hold", NULL, INT64_MAX), PSPROBE_OK);
  assert_int_equal(rpc_wait_begin(&b, small, "/hold", NULL, INT64_MAX), PSPROBE_OK);
  assert_int_equal(rpc_wait_begin(&c, small, "/hold", NULL, INT64_MAX), PSPROBE_RESOURCE_EXHAUSTED);
  assert_int_equal(psp_channel_send(small, a.id, large, 69999, NULL), PSPROBE_OK);
  assert_int_equal(psp_channel_send(small, b.id, large, 69999, NULL), PSPROBE_RESOURCE_EXHAUSTED);
  /* What a call took up is free again with its end. */
  psp_channel_tell(small, a.id, PSP_WORD_CANCEL);
  assert_int_equal(rpc_wait_end(&a), PSPROBE_CANCELLED);
  assert_int_equal(psp_channel_send(small, b.id, large, 69999, NULL), PSPROBE_OK);
  psp_channel_free(small);
  raw_server_stop(silent);
  rpc_wait_free(&a);
  rpc_wait_free(&b);
  rpc_wait_free(&c);

  psp_channel *narrow =
      open_channel(rpc_stage_port(stage), (psp_channel_options){.max_message = 1000});
  assert_int_equal(rpc_unary(narrow, "/echo", large, answer), PSPROBE_RESOURCE_EXHAUSTED);
  assert_non_null(strstr(answer, "longer"));
  psp_channel_free(narrow);
  free(large);
}

/* ---- servers that are none ---- */

static void speak_http1(void *arg, int fd, int nth) {
  (void)arg, (void)nth;
  raw_send(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  raw_is_closed(fd);
}

static void close_at_once(void *arg, int fd, int nth) {
  (void)arg, (void)fd, (void)nth;
}

static void test_no_server(void **state) {
  (void)state;
  static raw_talk *const kinds[] = {say_nothing, speak_http1, close_at_once};
  static const char *const words[] = {"says nothing", "HTTP/2", "clos"};
  char answer[256];
  for (size_t i = 0; i < 3; i++) {
    raw_server *server = raw_server_start(kinds[i], NULL);
    const psp_channel_options with = {.connect_timeout_ns = (i == 0 ? 50 : 20000) * PSP_MS_NS};
    psp_channel *to = open_channel(raw_server_port(server), with);
    rpc_wait call;
    assert_int_equal(rpc_wait_begin(&call, to, "/echo", "x", INT64_MAX), PSPROBE_OK);
    assert_int_equal(rpc_wait_end(&call), i == 1 ? PSPROBE_UNIMPLEMENTED : PSPROBE_UNAVAILABLE);
    assert_true(call.untouched);
    if (strstr(call.message, words[i]) == NULL && strstr(call.message, "reset") == NULL)
      fail_msg("%s", call.message);
    psp_channel_free(to);
    rpc_wait_free(&call);
    raw_server_stop(server);
  }
  int port, held = raw_hold(&port);
  psp_channel *to = open_channel(port, (psp_channel_options){0});
  assert_int_equal(rpc_unary(to, "/echo", "x", answer), PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(answer, "refused"));
  psp_channel_free(to);
  close(held);
}

/* ---- TLS ---- */

static void answer_tls(void *arg, const char *head, const char *body, psp_buf *answer) {
  (void)arg, (void)head, (void)body;
  psp_buf_text(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* Whom it does not know, and who does not speak HTTP/2, gets no call. */
static void test_tls_refused(void **state) {
  (void)state;
  char answer[256];
  static const char *const names[] = {"IP:127.0.0.1", "DNS:other.invalid", "IP:127.0.0.1"};
  static const char *const words[] = {"ALPN", "mismatch", "issuer"};
  for (size_t i = 0; i < 3; i++) {
    tls_server *server = tls_server_start(names[i], answer_tls, NULL);
    psp_channel_options options = {.tls = true,
                                   .ca_file = i < 2 ? tls_server_ca_file(server) : NULL};
    psp_channel *to = open_channel(tls_server_port(server), options);
    psprobe_code code = rpc_unary(to, "/echo", "x", answer);
    assert_int_equal(code, i == 0 ? PSPROBE_UNIMPLEMENTED : PSPROBE_UNAUTHENTICATED);
    if (strstr(answer, words[i]) == NULL) fail_msg("%s", answer);
    psp_channel_free(to);
    tls_server_stop(server);
  }
}

static void test_options(void **state) {
  (void)state;
  static const char *const bad[] = {"",      "host",        "http://x:1", "host:port",
                                    "a b:1", "user@host:1", "host:1/x"};
  psp_channel *made = NULL;
  psprobe_error error;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(psp_channel_new(&(psp_channel_options){.target = bad[i]}, &made, &error),
                     PSPROBE_INVALID_ARGUMENT);
  const psp_channel_options no_ca = {.target = "x:1", .tls = true, .ca_file = "/nonexistent"};
  assert_int_equal(psp_channel_new(&no_ca, &made, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "/nonexistent"));
  assert_null(made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_unary, setup, teardown),
      cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
      cmocka_unit_test_setup_teardown(test_begun_by_its_caller, setup, teardown),
      cmocka_unit_test_setup_teardown(test_many_threads, setup, teardown),
      cmocka_unit_test_setup_teardown(test_pause, setup, teardown),
      cmocka_unit_test_setup_teardown(test_cancel_and_deadline, setup, teardown),
      cmocka_unit_test_setup_teardown(test_free_ends_calls, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
      cmocka_unit_test(test_no_server),
      cmocka_unit_test(test_tls_refused),
      cmocka_unit_test(test_options)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
