/* SPDX-License-Identifier: MIT */
/** @file The HTTP client over TLS: whom it trusts, and whom it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/client/transport.h"
#include "raw_http.h"
#include "raw_server.h"
#include "tls_server.h"

static void echo(void *arg, const char *head, const char *body, psp_buf *answer) {
  (void)arg;
  size_t line = strcspn(head, "\r");
  psp_buf_printf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s|%s",
                 line + 1 + strlen(body), (int)line, head, body);
}

static psprobe_code call(psp_http *http, const char *host, int port, const char *body,
                         psp_http_result *result, psprobe_error *error) {
  char url[128];
  snprintf(url, sizeof url, "https://%s:%d/?secret=1", host, port);
  psp_http_request request = {.method = "POST", .url = url, .body = body, .body_len = strlen(body)};
  psprobe_error_clear(error);
  psprobe_code code = psp_http_call(http, &request, result, error);
  assert_null(strstr(error->message, "secret"));
  return code;
}

static psp_http *trusting(const char *ca_file) {
  psp_http *http;
  psp_http_options options = {.ca_file = ca_file};
  assert_int_equal(psp_http_new(&options, &http, NULL), PSPROBE_OK);
  return http;
}

static void test_own_authority(void **state) {
  (void)state;
  tls_server *server = tls_server_start("DNS:localhost,IP:127.0.0.1", echo, NULL);
  psp_http *http = trusting(tls_server_ca_file(server));
  psp_http_result result = {0};
  psprobe_error error;
  for (int i = 0; i < 20; i++) {
    if (call(http, "localhost", tls_server_port(server), "body", &result, &error) != PSPROBE_OK)
      fail_msg("%s", error.message);
    assert_string_equal(result.body.data, "POST /?secret=1 HTTP/1.1|body");
  }
  assert_int_equal(tls_server_handshakes(server), 1);
  assert_true(tls_server_was_offered_h2(server));
  assert_int_equal(call(http, "127.0.0.1", tls_server_port(server), "", &result, &error),
                   PSPROBE_OK);
  psp_http_result_free(&result);
  psp_http_free(http);
  tls_server_stop(server);
}

static void expect_refusal(psp_http *http, const char *host, tls_server *server,
                           const char *words) {
  psp_http_result result = {0};
  psprobe_error error;
  char want[64];
  snprintf(want, sizeof want, "POST %s:%d: ", host, tls_server_port(server));
  assert_int_equal(call(http, host, tls_server_port(server), "x", &result, &error),
                   PSPROBE_UNAUTHENTICATED);
  assert_memory_equal(error.message, want, strlen(want));
  if (strstr(error.message, words) == NULL) fail_msg("%s", error.message);
  assert_false(error.retryable);
  assert_int_equal(tls_server_handshakes(server), 0);
}

static void test_refusals(void **state) {
  (void)state;
  tls_server *server = tls_server_start("DNS:localhost", echo, NULL);
  tls_server *other = tls_server_start("DNS:localhost", echo, NULL);
  tls_server *wrong = tls_server_start("DNS:example.com", echo, NULL);
  /* The system's authorities, another's, and a name that is not the server's. */
  psp_http *http = trusting(NULL);
  expect_refusal(http, "localhost", server, "certificate");
  psp_http_free(http);
  http = trusting(tls_server_ca_file(other));
  expect_refusal(http, "localhost", server, "certificate");
  psp_http_free(http);
  http = trusting(tls_server_ca_file(wrong));
  expect_refusal(http, "localhost", wrong, "localhost");
  psp_http_free(http);
  http = trusting(tls_server_ca_file(server));
  expect_refusal(http, "127.0.0.1", server, "127.0.0.1");
  psp_http_free(http);
  http = trusting("/no/such/file.pem");
  expect_refusal(http, "localhost", server, "/no/such/file.pem");
  psp_http_free(http);
  tls_server_stop(server);
  tls_server_stop(other);
  tls_server_stop(wrong);
}

static void speak_plain(void *arg, int fd, int nth) {
  char byte;
  (void)nth;
  if (raw_is_silent(fd, 1000) || read(fd, &byte, 1) != 1) return;
  if (arg != NULL) raw_send(fd, arg);
}

static void test_no_tls_there(void **state) {
  (void)state;
  psp_http *http = trusting(NULL);
  psp_http_result result = {0};
  psprobe_error error;
  raw_server *plain = raw_server_start(speak_plain, (void *)"HTTP/1.1 400 Bad\r\n\r\n");
  assert_int_equal(call(http, "127.0.0.1", raw_server_port(plain), "x", &result, &error),
                   PSPROBE_UNAUTHENTICATED);
  raw_server_stop(plain);
  /* A connection that breaks in the handshake says nothing about whom to trust. */
  raw_server *breaking = raw_server_start(speak_plain, NULL);
  assert_int_equal(call(http, "127.0.0.1", raw_server_port(breaking), "x", &result, &error),
                   PSPROBE_UNAVAILABLE);
  assert_true(error.retryable);
  raw_server_stop(breaking);
  psp_http_free(http);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_own_authority),
                                     cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_no_tls_there)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
