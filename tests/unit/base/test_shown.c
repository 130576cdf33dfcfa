/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/shown.h"

#define HEX_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const cases[][2] = {
    {"/etc/keys/psprobe.json", "/etc/keys/psprobe.json"},
    {"my-project", "my-project"},
    {"example.com:my-project", "example.com:my-project"},
    {"probe@my-project.iam.gserviceaccount.com", "probe@my-project.iam.gserviceaccount.com"},
    {"a\x1b[31m", "a\\x1B[31m"},
    {"{\"private_key\": \"x\"}", "(JSON (a key?), not shown)"},
    {"  [1]", "(JSON (a key?), not shown)"},
    {"'{\"a\": \"https://x\"}'", "(JSON (a key?), not shown)"},
    {"-----BEGIN PRIVATE KEY-----\nMII", "(PEM (a key?), not shown)"},
    {"ya29.a0Af", "(a token, not shown)"},
    {"eyJhbGciOi", "(a token, not shown)"},
    {HEX_64, "(something encoded (a key?), not shown)"},
    {"http://127.0.0.1:8085", "http://127.0.0.1:8085"},
    {"https://me:pass@host:1/x@y", "https://***@host:1/x@y"},
    {"https://me:p@ss@host", "https://***@host"},
    {"https://token@host/p?sig=abc#d", "https://***@host/p?***"},
    {"https://host?next=me@there", "https://host?***"},
    {"me:pass@proxy:3128", "***@proxy:3128"},
    {"host:80/?secret", "host:80/?***"},
    {"what?", "what?"},
};

static void test_settings(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[200];
    assert_string_equal(psp_setting_shown(out, sizeof out, cases[i][0]), cases[i][1]);
  }
}

/* However little room there is, no secret is in it. */
static void test_cut(void **state) {
  (void)state;
  for (size_t size = 1; size < 40; size++) {
    char out[40];
    psp_setting_shown(out, size, "https://me:geheim@host/path?sig=geheim");
    assert_true(strlen(out) < size);
    assert_null(strstr(out, "g"));
  }
}

static void test_refused(void **state) {
  (void)state;
  psprobe_error error = {0};
  assert_int_equal(psp_setting_refuse(&error, "endpoint", "https://me:hush@h", "it %s", "is odd"),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "endpoint \"https://***@h\": it is odd");
  psp_setting_refuse(&error, "name", NULL, "is missing");
  assert_string_equal(error.message, "name \"\": is missing");
  assert_int_equal(psp_setting_refuse(NULL, "name", "x", "no"), PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_settings),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
