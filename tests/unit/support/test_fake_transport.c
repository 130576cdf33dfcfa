/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_transport.h"

static int call(psp_http *http, const char *method, const char *url) {
  psp_http_request request = {.method = method, .url = url};
  psp_http_result result = {0};
  psprobe_code code = psp_http_call(http, &request, &result, NULL);
  int status = result.status;
  psp_http_result_free(&result);
  return code == PSPROBE_OK ? status : -(int)code;
}

static void test_match(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  fake_reply(fake_expect(fake, "GET", "http://h/a*c"), 201, NULL, NULL);
  fake_reply(fake_times(fake_expect(fake, "GET", "http://h/*"), 2), 202, NULL, NULL);
  fake_reply(fake_times(fake_expect(fake, "PUT", "*"), 0), 203, NULL, NULL);
  fake_call *never = fake_times(fake_expect(fake, "DELETE", "*"), 0);
  assert_int_equal(call(http, "GET", "http://h/b"), 202);
  assert_int_equal(call(http, "GET", "http://h/a/b/c"), 201);
  assert_int_equal(call(http, "GET", "http://h/ac"), 202); /* the first is met already */
  assert_int_equal(call(http, "PUT", "http://h/x"), 203);
  assert_int_equal(call(http, "PUT", "http://h/y"), 203);
  assert_int_equal(fake_count(never), 0);
  assert_int_equal(fake_request_count(fake), 5);
  psp_http_free(http);
  fake_transport_free(fake);
}

static void echo(void *arg, const psp_http_request *request, fake_answer *answer) {
  answer->status = 200 + (*(int *)arg)++;
  answer->headers = "X-Twice: yes\nOther:none";
  psp_buf_text(&answer->body, request->url);
}

typedef struct looked {
  sem_t done;
  int status;
} looked;

static void look(void *arg, const psp_http_response *response, const psprobe_error *error) {
  looked *l = arg;
  if (error == NULL && strcmp(psp_http_header(response, "x-twice"), "yes") == 0 &&
      strcmp(psp_http_header(response, "other"), "none") == 0 &&
      strcmp(response->body, "http://h/?1") == 0)
    l->status = response->status;
  sem_post(&l->done);
}

static void test_answer_later(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  int calls = 0;
  looked l = {0};
  sem_init(&l.done, 0, 0);
  fake_call *handled = fake_expect(fake, "GET", "http://h/?1");
  psp_http_request request = {.method = "GET", .url = "http://h/?1"};
  assert_int_equal(psp_http_send(http, &request, look, &l, NULL, NULL), PSPROBE_OK);
  fake_wait(handled, 1); /* it came, and waits for its answer */
  assert_int_equal(sem_trywait(&l.done), -1);
  fake_handle(handled, echo, &calls);
  sem_wait(&l.done);
  assert_int_equal(l.status, 200);
  psp_http_free(http);
  fake_transport_free(fake);
  sem_destroy(&l.done);
}

static void test_order(void **state) {
  (void)state;
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  fake_in_order(fake);
  fake_reply(fake_expect(fake, "GET", "http://h/1"), 201, NULL, NULL);
  fake_reply(fake_expect(fake, "GET", "http://h/*"), 202, NULL, NULL);
  fake_fail(fake_expect(fake, "GET", "http://h/*"), PSPROBE_ABORTED, "no");
  assert_int_equal(call(http, "GET", "http://h/1"), 201);
  assert_int_equal(call(http, "GET", "http://h/1"), 202);
  assert_int_equal(call(http, "GET", "http://h/1"), -PSPROBE_ABORTED);
  psp_http_free(http);
  fake_transport_free(fake);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_match),
                                     cmocka_unit_test(test_answer_later),
                                     cmocka_unit_test(test_order)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
