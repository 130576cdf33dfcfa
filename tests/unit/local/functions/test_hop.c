/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "local/functions/hop.h"

static void test_of_the_connection(void **state) {
  (void)state;
  static const char *const end[] = {
      "Connection",        "proxy-connection", "Keep-Alive",    "te", "Trailer", "Upgrade",
      "transfer-encoding", "Expect",           "content-length"};
  static const char *const go_on[] = {"Host",          "Date",        "Authorization",
                                      "Content-Type",  "traceparent", "ce-id",
                                      "Cache-Control", "E",           "Keep"};
  for (size_t i = 0; i < sizeof end / sizeof *end; i++)
    if (!psp_hop_ends(end[i], NULL)) fail_msg("%s goes on", end[i]);
  for (size_t i = 0; i < sizeof go_on / sizeof *go_on; i++)
    if (psp_hop_ends(go_on[i], "close")) fail_msg("%s ends", go_on[i]);
}

static void test_named_by_connection(void **state) {
  (void)state;
  assert_true(psp_hop_ends("X-Mine", "x-mine"));
  assert_true(psp_hop_ends("X-Mine", "close, X-MINE"));
  assert_true(psp_hop_ends("X-Mine", ",close ,\tx-mine,,keep-alive,"));
  assert_false(psp_hop_ends("X-Mine", "x-mine2, x, x-min"));
  assert_false(psp_hop_ends("X-Mine", ""));
  assert_false(psp_hop_ends("X-Mine", " , "));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_of_the_connection),
                                     cmocka_unit_test(test_named_by_connection)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
