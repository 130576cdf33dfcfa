/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/verify/verifier.h"
#include "base/buf.h"
#include "fake_transport.h"
#include "keys.h"

static void test_options(void **state) {
  (void)state;
  static const char *const empty[] = {""};
  const struct {
    psprobe_verifier_options options;
    const char *why;
  } cases[] = {
      {{.audience = NULL}, "needs an audience"},
      {{.audience = ""}, "needs an audience"},
      {{.audience = "x", .leeway_s = 301}, "leeway"},
      {{.audience = "x", .leeway_s = -1}, "leeway"},
      {{.audience = "x", .emails = empty, .email_count = 1}, "e-mail"},
      {{.audience = "x", .jwks_url = "http://www.googleapis.com/x"}, "must be https"},
      {{.audience = "x", .jwks_url = "www.googleapis.com"}, "must begin with"},
      {{.audience = "x", .jwks_url = "http://h/?key=hush"}, "\"http://h/?***\""},
      {{.audience = "x", .jwks_url = "https://me:hush@h/"}, "\"https://***@h/\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_verifier *verifier = NULL;
    psprobe_error error;
    assert_int_equal(psprobe_verifier_new(&cases[i].options, &verifier, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].why) == NULL) fail_msg("%s", error.message);
    assert_null(verifier);
  }
  assert_int_equal(psprobe_verifier_new(NULL, NULL, NULL), PSPROBE_INVALID_ARGUMENT);
  psprobe_verifier_free(NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
