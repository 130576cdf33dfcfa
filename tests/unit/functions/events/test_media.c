/* SPDX-License-Identifier: MIT */
/** @file Media types and their charsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "functions/events/media.h"

static void test_types(void **state) {
  (void)state;
  static const struct {
    const char *type;
    bool json, utf8;
  } cases[] = {
      {"application/json", true, true},
      {"Application/JSON ; charset=UTF-8", true, true},
      {"application/json; x=1; charset=\"utf-8\"", true, true},
      {"application/json;charset=us-ascii", true, true},
      {"application/json; charset=utf-16", true, false},
      {"application/json; charset=latin1", true, false},
      {"application/json; charset=", true, false},
      {"application/vnd.x+json", true, true},
      {"text/json", true, true},
      {"application/jsonp", false, true},
      {"text/plain", false, true},
      {"+json", false, true},
      {"", false, true},
      {NULL, false, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (psp_media_is_json(cases[i].type) != cases[i].json ||
        psp_media_is_utf8(cases[i].type) != cases[i].utf8)
      fail_msg("%s", cases[i].type != NULL ? cases[i].type : "none");
  }
  assert_true(psp_media_starts("APPLICATION/cloudevents+json", "application/cloudevents"));
  assert_false(psp_media_starts(NULL, "text/"));
  assert_false(psp_media_is(NULL, "text/plain"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_types)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
