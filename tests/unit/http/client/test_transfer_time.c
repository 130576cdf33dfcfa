/* SPDX-License-Identifier: MIT */
/** @file A request's time runs out at whatever instant of its life: that is one thing, and told as
 * one. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "http/client/transport.h"
#include "os/clock.h"
#include "raw_http.h"
#include "raw_server.h"

#define STAND_STILL_NS (100 * PSP_MS_NS)
#define LOOKS          30 /* more than a request takes */

/* In how many looks at the clock this machine stands still; and for how long it has by now. */
static atomic_int looks_left;
static _Atomic int64_t stood_still_ns;

/* In the place of libc's, for curl, too. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real(id, now);
  if (id != CLOCK_MONOTONIC) return result;
  if (atomic_load(&looks_left) > 0 && atomic_fetch_sub(&looks_left, 1) == 1)
    atomic_fetch_add(&stood_still_ns, STAND_STILL_NS);
  const int64_t ns =
      (int64_t)now->tv_sec * PSP_SECOND_NS + now->tv_nsec + atomic_load(&stood_still_ns);
  now->tv_sec = ns / PSP_SECOND_NS;
  now->tv_nsec = ns % PSP_SECOND_NS;
  return result;
}

static void say_nothing(void *arg, int fd, int nth) {
  (void)arg, (void)nth;
  raw_is_closed(fd);
}

static void test_over_at_any_instant(void **state) {
  (void)state;
  raw_server *server = raw_server_start(say_nothing, NULL);
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", raw_server_port(server));
  const psp_http_request request = {.method = "GET", .url = url, .timeout_ns = STAND_STILL_NS / 2};
  for (int looks = 1; looks <= LOOKS; looks++) {
    psp_http *http = NULL;
    psp_http_result result = {0};
    psprobe_error error = {0};
    assert_int_equal(psp_http_new(NULL, &http, NULL), PSPROBE_OK);
    atomic_store(&stood_still_ns, 0);
    atomic_store(&looks_left, looks);
    if (psp_http_call(http, &request, &result, &error) != PSPROBE_DEADLINE_EXCEEDED)
      fail_msg("over at look %d: %s: %s", looks, psprobe_code_name(error.code), error.message);
    assert_null(strstr(error.message, "resolve"));
    psp_http_result_free(&result);
    psp_http_free(http);
  }
  raw_server_stop(server);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_over_at_any_instant)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
