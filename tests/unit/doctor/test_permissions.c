/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/parts.h"

static void permissions_are_asked_and_read(void **state) {
  (void)state;
  psp_permissions may = {.names = {"pubsub.topics.publish", "pubsub.topics.get"}, .count = 2};
  psp_buf body = {0};
  psp_permissions_body(&may, &body);
  assert_string_equal(body.data,
                      "{\"permissions\":[\"pubsub.topics.publish\",\"pubsub.topics.get\"]}");
  psp_buf_free(&body);
  static const char some[] = "{\"permissions\":[\"pubsub.topics.publish\",\"other\",7]}";
  assert_int_equal(psp_permissions_read(&may, some, strlen(some), NULL), PSPROBE_OK);
  assert_true(may.granted[0] && !may.granted[1]);
  /* None is an empty object, and what was read before does not stay. */
  assert_int_equal(psp_permissions_read(&may, "{}", 2, NULL), PSPROBE_OK);
  assert_false(may.granted[0] || may.granted[1]);
  static const char *const bad[] = {"", "[]", "null", "{\"permissions\":\"all\"}", "<html>"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_not_equal(psp_permissions_read(&may, bad[i], strlen(bad[i]), NULL), PSPROBE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(permissions_are_asked_and_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
