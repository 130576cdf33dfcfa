/* SPDX-License-Identifier: MIT */
/** @file What a fetch tells of attempts that failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/fetch.h"
#include "fake_transport.h"

#define URL "https://token.example/token"

static int64_t no_time(void *arg) {
  (void)arg;
  return 0;
}

/* No answer to the last attempt: that the one before it had a 503 says more than that. */
static void test_what_was_before(void **state) {
  (void)state;
  psp_http *http = NULL;
  psp_fetcher fetcher;
  psp_answer answer = {.status = 0};
  psprobe_error error = {0};
  const psp_http_request request = {.method = "GET", .url = URL};
  const psp_fetch_limits limits = {.attempts = 3};
  const psp_clock clock = {.boot_ns = no_time, .wall_s = no_time};
  fake_transport *fake = fake_transport_new(&http);
  fake_in_order(fake);
  fake_reply(fake_expect(fake, "GET", URL), 503, NULL, "<html>");
  fake_call *late = fake_times(fake_expect(fake, "GET", URL), 2);
  fake_fail(late, PSPROBE_DEADLINE_EXCEEDED, "GET token.example: timed out");
  assert_int_equal(psp_fetcher_init(&fetcher, NULL, NULL, &clock, http, NULL), PSPROBE_OK);
  fetcher.first_wait_ns = 1;
  assert_int_equal(psp_fetch(&fetcher, &request, &limits, &answer, &error),
                   PSPROBE_DEADLINE_EXCEEDED);
  assert_string_equal(error.message, "GET token.example: timed out; before that: HTTP 503");
  psp_answer_free(&answer);
  psp_fetcher_clear(&fetcher);
  fake_transport_free(fake);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_was_before)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
