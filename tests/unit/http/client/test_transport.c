/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_transport.h"
#include "http/client/transport.h"

#define S INT64_C(1000000000)

static psp_http_request get(const char *url) {
  return (psp_http_request){.method = "GET", .url = url};
}

static void test_header(void **state) {
  (void)state;
  const psp_header headers[] = {{"content-type", "a/b"}, {"date", "first"}, {"date", "second"}};
  psp_http_response response = {.headers = headers, .header_count = 3};
  assert_string_equal(psp_http_header(&response, "date"), "first");
  assert_string_equal(psp_http_header(&response, "content-type"), "a/b");
  assert_null(psp_http_header(&response, "content"));
  assert_null(psp_http_header(&(psp_http_response){0}, "date"));
}

static void test_call(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  fake_call *call = fake_expect(fake, "POST", "http://host/a?x=*");
  fake_reply(call, 503, "Retry-After: 7\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n", "later");
  const psp_header headers[] = {{"Content-Type", "text/plain"}};
  psp_http_request request = {.method = "POST",
                              .url = "http://host/a?x=1",
                              .headers = headers,
                              .header_count = 1,
                              .body = "hello",
                              .body_len = 5,
                              .timeout_ns = 3 * S};
  psp_http_result result = {0};
  psprobe_error error = {0};
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_OK);
  assert_int_equal(error.code, PSPROBE_OK);
  assert_int_equal(result.status, 503);
  assert_string_equal(result.body.data, "later");
  assert_int_equal(result.body.len, 5);
  assert_int_equal(result.retry_after_ns, 7 * S);
  assert_int_equal(result.date_s, 784111777);

  const psp_http_request *seen = fake_request(call, 0);
  assert_string_equal(seen->url, "http://host/a?x=1");
  assert_memory_equal(seen->body, "hello", 6);
  assert_int_equal(seen->timeout_ns, 3 * S);
  assert_string_equal(fake_request_header(seen, "content-type"), "text/plain");
  assert_null(fake_request_header(seen, "accept"));

  /* A result is used again: the old body goes. */
  fake_reply(fake_expect(fake, "GET", "http://host/b"), 204, NULL, NULL);
  psp_http_request second = get("http://host/b");
  assert_int_equal(psp_http_call(http, &second, &result, NULL), PSPROBE_OK);
  assert_int_equal(result.status, 204);
  assert_string_equal(result.body.data, "");
  assert_int_equal(result.body.len, 0);
  assert_int_equal(result.retry_after_ns, 0);
  assert_int_equal(result.date_s, 0);
  psp_http_result_free(&result);
  assert_null(result.body.data);
  psp_http_result_free(&result);
  psp_http_free(http);
  fake_transport_free(fake);
}

static void test_call_fails(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  fake_fail(fake_expect(fake, "GET", "http://host/"), PSPROBE_UNAVAILABLE, "no such host");
  psp_http_request request = get("http://host/");
  psp_http_result result = {0};
  psprobe_error error = {0};
  assert_int_equal(psp_http_call(http, &request, &result, &error), PSPROBE_UNAVAILABLE);
  assert_int_equal(error.code, PSPROBE_UNAVAILABLE);
  assert_true(error.retryable);
  assert_string_equal(error.message, "no such host");
  psp_http_free(http);
  fake_transport_free(fake);
}

static void never(void *arg, const psp_http_response *response, const psprobe_error *error) {
  (void)arg, (void)response, (void)error;
  abort();
}

static void test_refused(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  static const psp_header bad_name[] = {{"X Y", "1"}}, bad_value[] = {{"X", "1\r\nY: 2"}};
  const struct {
    psp_http_request request;
    const char *words;
  } cases[] = {
      {{.method = "GET", .url = "host:80/?secret"}, "GET \"host:80/?***\": the URL must begin"},
      {{.method = "GET", .url = "http://me:secret@host/"},
       "GET \"http://***@host/\": the URL must not hold a user"},
      {{.method = "GET"}, "must begin"},
      {{.method = "G T", .url = "http://host/"}, "method"},
      {{.method = "", .url = "http://host/"}, "method"},
      {{.url = "http://host/"}, "method"},
      {{.method = "GET", .url = "http://host/", .headers = bad_name, .header_count = 1},
       "header 1"},
      {{.method = "GET", .url = "http://host/", .headers = bad_value, .header_count = 1},
       "header 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    assert_int_equal(psp_http_send(http, &cases[i].request, never, NULL, NULL, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].words) == NULL) fail_msg("%s", error.message);
    assert_null(strstr(error.message, "secret"));
    assert_false(error.retryable);
  }
  assert_int_equal(fake_request_count(fake), 0);
  psp_http_free(http);
  fake_transport_free(fake);
}

typedef struct outcome {
  int calls;
  psprobe_code code;
} outcome;

static void note(void *arg, const psp_http_response *response, const psprobe_error *error) {
  outcome *o = arg;
  o->calls++;
  o->code = response != NULL ? PSPROBE_OK : error->code;
}

static void test_cancel_and_free(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  fake_call *held = fake_times(fake_expect(fake, "GET", "http://host/held"), 3);
  psp_http_request request = get("http://host/held");
  outcome outcomes[3] = {{0}};
  uint64_t ids[3];
  for (int i = 0; i < 3; i++)
    assert_int_equal(psp_http_send(http, &request, note, &outcomes[i], &ids[i], NULL), PSPROBE_OK);
  fake_wait(held, 3);
  psp_http_cancel(http, ids[1]);
  psp_http_cancel(http, ids[1]);
  psp_http_cancel(http, 12345);
  psp_http_free(http); /* ends the other two as well */
  for (int i = 0; i < 3; i++) {
    assert_int_equal(outcomes[i].calls, 1);
    assert_int_equal(outcomes[i].code, PSPROBE_CANCELLED);
  }
  assert_int_equal(fake_cancelled(held), 3);
  fake_transport_free(fake);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_header),          cmocka_unit_test(test_call),
      cmocka_unit_test(test_call_fails),      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_cancel_and_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
