/* SPDX-License-Identifier: MIT */
/** @file Connections through a proxy of the test's own, and those that do not come about. */
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
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
#include <curl/curl.h>

#include "http/client/dial.h"
#include "http/client/transport.h"
#include "os/clock.h"
#include "os/latch.h"
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

/* ---- names ---- */

#if LIBCURL_VERSION_NUM >= 0x075700 /* an older curl waits for the name */
static sem_t asked_name, answer_name;

/* In the place of libc's: one name is answered when the test says so, or after ten seconds. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **found) {
  static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  if (name == NULL || strcmp(name, "slow.invalid") != 0) {
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, found);
  }
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  sem_post(&asked_name);
  if (sem_timedwait(&answer_name, &until) != 0) sem_post(&asked_name);
  return EAI_NONAME;
}

static void on_freed(void *arg, const psp_http_response *response, const psprobe_error *error) {
  assert_null(response);
  assert_non_null(error);
  psp_latch_post(arg);
}

/* Called off while a name is looked up: nobody waits for its answer. */
static void test_freed_while_a_name_is_asked_for(void **state) {
  (void)state;
  psp_dial *made = NULL;
  psprobe_error error = {0};
  psp_http *http = NULL;
  const psp_http_request request = {
      .method = "GET", .url = "http://slow.invalid/", .timeout_ns = 60 * PSP_SECOND_NS};
  psp_latch done;
  int fd;
  sem_init(&asked_name, 0, 0);
  sem_init(&answer_name, 0, 0);
  psp_latch_init(&done);
  assert_int_equal(psp_dial_begin("slow.invalid:80", false, 60 * PSP_SECOND_NS, &made, &error),
                   PSPROBE_OK);
  assert_int_equal(psp_dial_wait(made, NULL, 0, 0, &fd, &error), PSP_DIALING);
  sem_wait(&asked_name);
  psp_dial_free(made);
  assert_int_equal(psp_http_new(NULL, &http, NULL), PSPROBE_OK);
  assert_int_equal(psp_http_send(http, &request, on_freed, &done, NULL, &error), PSPROBE_OK);
  sem_wait(&asked_name);
  psp_http_free(http);
  psp_latch_wait(&done);
  assert_int_equal(sem_trywait(&asked_name), -1); /* nobody has waited for ten seconds */
  sem_post(&answer_name);
  sem_post(&answer_name);
  psp_latch_destroy(&done);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_direct),
    cmocka_unit_test(test_proxy),
    cmocka_unit_test(test_proxy_refuses),
#if LIBCURL_VERSION_NUM >= 0x075700
    cmocka_unit_test(test_freed_while_a_name_is_asked_for),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
