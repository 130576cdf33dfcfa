/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#define TEXT_63 "a12345678901234567890123456789012345678901234567890123456789012"

static void test_source_names(void **state) {
  (void)state;
  static const struct {
    const char *name;
    bool good;
  } cases[] = {
      {"cloud_function", true},
      {"regular_service", true},
      {"a", true},
      {"a-b_c9", true},
      {TEXT_63, true},
      {TEXT_63 "3", false},
      {"", false},
      {NULL, false},
      {"1st", false},
      {"_x", false},
      {"-x", false},
      {"Cloud", false},
      {"cloudF", false},
      {"a b", false},
      {"a/b", false},
      {"a.b", false},
      {"a\n", false},
      {"\xc3\xa4", false},
      {"a%20", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_code code = psprobe_source_check(cases[i].name, &error);
    if (code != (cases[i].good ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT))
      fail_msg("source \"%s\"", cases[i].name == NULL ? "NULL" : cases[i].name);
    if (!cases[i].good) assert_non_null(strstr(error.message, "1 to 63"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_source_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
