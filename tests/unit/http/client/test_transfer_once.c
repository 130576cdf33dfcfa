/* SPDX-License-Identifier: MIT */
/** @file A request that must not be done twice, on a kept connection that is closed under it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/pubsub.h>

#include "http/client/transport.h"
#include "raw_http.h"
#include "raw_server.h"

#define OK_TEXT(body_len, body) "HTTP/1.1 200 OK\r\nContent-Length: " #body_len "\r\n\r\n" body

/* The first connection is closed just as the second request arrives on it; what comes after gets
 * its answer. */
static void close_under_request(void *arg, int fd, int nth) {
  psp_buf head = {0}, body = {0};
  if (raw_read_request(fd, &head, &body)) raw_send(fd, arg);
  if (nth == 0) raw_read_request(fd, &head, &body);
  psp_buf_free(&head);
  psp_buf_free(&body);
}

static void test_once(void **state) {
  (void)state;
  raw_server *server = raw_server_start(close_under_request, (void *)OK_TEXT(2, "ok"));
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", raw_server_port(server));
  const psp_http_request request = {
      .method = "POST", .url = url, .body = "x", .body_len = 1, .once = true};
  psp_http *http = NULL;
  psp_http_result result = {0};
  psprobe_error error = {0};
  assert_int_equal(psp_http_new(NULL, &http, NULL), PSPROBE_OK);
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_OK);
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_UNKNOWN);
  assert_non_null(strstr(error.message, "closed under it, and it may have been done"));
  assert_false(error.retryable);
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_OK);
  raw_server_stop(server);
  /* Nobody had it. */
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_UNAVAILABLE);
  psp_http_result_free(&result);
  psp_http_free(http);
}

/* The same for a message, through all that stands above: the service has it once. */
static void test_publish_is_not_doubled(void **state) {
  (void)state;
  raw_server *server =
      raw_server_start(close_under_request, (void *)OK_TEXT(20, "{\"messageIds\":[\"1\"]}"));
  char host[32];
  snprintf(host, sizeof host, "127.0.0.1:%d", raw_server_port(server));
  const psprobe_client_options options = {.project = "demo-p", .pubsub_emulator = host};
  const psprobe_message message = {.data = "x", .data_len = 1};
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  assert_int_equal(psprobe_client_new(&options, &client, &error), PSPROBE_OK);
  assert_int_equal(psprobe_publish(client, "probes", &message, 1, NULL, &error), PSPROBE_OK);
  assert_int_equal(psprobe_publish(client, "probes", &message, 1, NULL, &error), PSPROBE_UNKNOWN);
  psprobe_client_free(client);
  raw_server_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_once),
      cmocka_unit_test(test_publish_is_not_doubled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
