/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/client/transport.h"
#include "raw_http.h"
#include "raw_server.h"

#define OK_TEXT(body_len, body) "HTTP/1.1 200 OK\r\nContent-Length: " #body_len "\r\n\r\n" body

static psp_http *http;

static void answer_all(void *arg, int fd, int nth) {
  (void)nth;
  psp_buf head = {0}, body = {0};
  while (raw_read_request(fd, &head, &body))
    raw_send(fd, arg);
  psp_buf_free(&head);
  psp_buf_free(&body);
}

typedef struct proxy_log {
  _Atomic int requests;
  char first_line[128];
} proxy_log;

static void be_proxy(void *arg, int fd, int nth) {
  proxy_log *log = arg;
  psp_buf head = {0}, body = {0};
  (void)nth;
  while (raw_read_request(fd, &head, &body)) {
    snprintf(log->first_line, sizeof log->first_line, "%.*s", (int)strcspn(head.data, "\r"),
             head.data);
    log->requests++;
    raw_send(fd, OK_TEXT(7, "proxied"));
  }
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static psprobe_code get(const char *url, bool no_proxy, psp_http_result *result) {
  psp_http_request request = {.method = "GET", .url = url, .no_proxy = no_proxy};
  return psp_http_call(http, &request, result, NULL);
}

static void test_proxy(void **state) {
  (void)state;
  assert_int_equal(psp_http_new(NULL, &http, NULL), PSPROBE_OK);
  proxy_log log = {0};
  raw_server *proxy = raw_server_start(be_proxy, &log);
  raw_server *direct = raw_server_start(answer_all, (void *)OK_TEXT(6, "direct"));
  char value[64], url[64];
  snprintf(value, sizeof value, "http://127.0.0.1:%d", raw_server_port(proxy));
  setenv("http_proxy", value, 1);
  setenv("no_proxy", "", 1);
  psp_http_result result = {0};
  assert_int_equal(get("http://service.invalid/a?b", false, &result), PSPROBE_OK);
  assert_string_equal(result.body.data, "proxied");
  assert_string_equal(log.first_line, "GET http://service.invalid/a?b HTTP/1.1");
  assert_int_equal(log.requests, 1);

  static const char *const names[] = {"127.0.0.1", "localhost", "LOCALHOST", "127.1.2.3"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(url, sizeof url, "http://%s:%d/", names[i], raw_server_port(direct));
    psprobe_code code = get(url, false, &result);
    /* Whether it is reached there or not, the proxy does not see it. */
    if (i < 2) assert_int_equal(code, PSPROBE_OK);
    if (code == PSPROBE_OK) assert_string_equal(result.body.data, "direct");
    assert_int_equal(log.requests, 1);
  }
  assert_int_equal(get("http://service.invalid/", true, &result), PSPROBE_UNAVAILABLE);
  assert_int_equal(log.requests, 1);
  /* A flag for one request is that request's alone. */
  assert_int_equal(get("http://service.invalid/", false, &result), PSPROBE_OK);
  assert_int_equal(log.requests, 2);
  setenv("no_proxy", "service.invalid", 1);
  assert_int_equal(get("http://service.invalid/", false, &result), PSPROBE_UNAVAILABLE);
  assert_int_equal(log.requests, 2);
  unsetenv("no_proxy");

  /* A proxy that cannot be used is not shown with its password. */
  psp_http_request request = {.method = "GET", .url = "http://service.invalid/"};
  static const char *const bad[] = {"gopher://user:hidden@127.0.0.1:1", "http://user:hidden@:x",
                                    "http://user:hidden@proxy.invalid:1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    psprobe_error error = {0};
    setenv("http_proxy", bad[i], 1);
    assert_int_not_equal(psp_http_call(http, &request, &result, &error), PSPROBE_OK);
    assert_null(strstr(error.message, "hidden"));
    assert_non_null(strstr(error.message, "GET service.invalid: "));
  }
  unsetenv("http_proxy");
  psp_http_result_free(&result);
  raw_server_stop(proxy);
  raw_server_stop(direct);
  psp_http_free(http);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_proxy)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
