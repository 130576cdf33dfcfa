/* SPDX-License-Identifier: MIT */
/** @file Connections through a proxy of the test's own, and those that do not come about. */
#include <poll.h>
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

#include "http/client/dial.h"
#include "os/clock.h"
#include "raw_http.h"
#include "raw_server.h"

static char asked[200];

/* Answers CONNECT, then says the target's first words. */
static void be_proxy(void *arg, int fd, int nth) {
  psp_buf head = {0}, body = {0};
  (void)nth;
  if (raw_read_request(fd, &head, &body)) {
    snprintf(asked, sizeof asked, "%.*s", (int)strcspn(head.data, "\r"), head.data);
    raw_send(fd, arg);
    raw_is_closed(fd);
  }
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void say_hello(void *arg, int fd, int nth) {
  (void)nth;
  raw_send(fd, arg);
  raw_is_closed(fd);
}

/* @return the socket, or -1 with what the error says */
static int dial(const char *target, bool tls, psprobe_error *error) {
  psp_dial *made = NULL;
  int fd = -1;
  psprobe_error_clear(error);
  if (psp_dial_begin(target, tls, PSP_SECOND_NS * 5, &made, error) != PSPROBE_OK) return -1;
  psp_dial_state state = PSP_DIALING;
  while (state == PSP_DIALING)
    state = psp_dial_wait(made, NULL, 0, 1000, &fd, error);
  psp_dial_free(made);
  assert_int_equal(state == PSP_DIALED, fd >= 0);
  return fd;
}

static void expect_words(int fd, const char *words) {
  char bytes[64] = "";
  assert_true(fd >= 0);
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  assert_int_equal(poll(&ready, 1, 10000), 1);
  assert_int_equal(recv(fd, bytes, strlen(words), MSG_WAITALL), (ssize_t)strlen(words));
  assert_string_equal(bytes, words);
  close(fd);
}

static void test_direct(void **state) {
  (void)state;
  psprobe_error error;
  char target[32];
  raw_server *there = raw_server_start(say_hello, (void *)"hello");
  snprintf(target, sizeof target, "localhost:%d", raw_server_port(there));
  expect_words(dial(target, false, &error), "hello");
  raw_server_stop(there);
  assert_int_equal(dial(target, false, &error), -1);
  assert_int_equal(error.code, PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, target));
  assert_int_equal(dial("nobody.invalid:1", false, &error), -1);
  assert_int_equal(error.code, PSPROBE_UNAVAILABLE);
}

/* Whatever the proxy, TLS is not its: both are asked for a tunnel. */
static void test_proxy(void **state) {
  (void)state;
  psprobe_error error;
  char value[64];
  raw_server *proxy =
      raw_server_start(be_proxy, (void *)"HTTP/1.1 200 Connection established\r\n\r\n");
  snprintf(value, sizeof value, "http://127.0.0.1:%d", raw_server_port(proxy));
  for (int tls = 0; tls < 2; tls++) {
    setenv(tls ? "https_proxy" : "http_proxy", value, 1);
    int fd = dial("service.invalid:443", tls, &error);
    if (fd < 0) fail_msg("%s", error.message);
    assert_string_equal(asked, "CONNECT service.invalid:443 HTTP/1.1");
    close(fd);
    unsetenv(tls ? "https_proxy" : "http_proxy");
  }
  /* Each for its own, and none for whom no_proxy names. */
  setenv("http_proxy", value, 1);
  asked[0] = 0;
  assert_int_equal(dial("service.invalid:443", true, &error), -1);
  setenv("no_proxy", "service.invalid", 1);
  assert_int_equal(dial("service.invalid:443", false, &error), -1);
  assert_string_equal(asked, "");
  unsetenv("no_proxy");
  unsetenv("http_proxy");
  raw_server_stop(proxy);
}

static void test_proxy_refuses(void **state) {
  (void)state;
  psprobe_error error;
  char value[80];
  raw_server *proxy =
      raw_server_start(be_proxy, (void *)"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  snprintf(value, sizeof value, "http://user:hidden@127.0.0.1:%d", raw_server_port(proxy));
  setenv("https_proxy", value, 1);
  assert_int_equal(dial("service.invalid:443", true, &error), -1);
  assert_int_equal(error.code, PSPROBE_UNAVAILABLE);
  assert_non_null(strstr(error.message, "403"));
  assert_null(strstr(error.message, "hidden"));
  static const char *const bad[] = {"https://user:hidden@127.0.0.1:1", "gopher://user:hidden@h:1",
                                    "http://user:hidden@:x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    setenv("https_proxy", bad[i], 1);
    assert_int_equal(dial("service.invalid:443", true, &error), -1);
    assert_null(strstr(error.message, "hidden"));
    assert_non_null(strstr(error.message, "proxy"));
  }
  unsetenv("https_proxy");
  raw_server_stop(proxy);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_direct), cmocka_unit_test(test_proxy),
                                     cmocka_unit_test(test_proxy_refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
