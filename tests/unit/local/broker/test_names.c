/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

static void test_names(void **state) {
  (void)state;
  static const struct {
    const char *name, *error;
  } cases[] = {
      {"projects/p/topics/abc", NULL},
      {"projects/example.com:pp/topics/a-_.~+%b", NULL},
      {"projects/p/topics/ab", "Invalid [topics] name: (name=projects/p/topics/ab)"},
      {"projects/p/topics/1abc", "Invalid [topics] name: (name=projects/p/topics/1abc)"},
      {"projects/p/topics/google", "Invalid [topics] name: (name=projects/p/topics/google)"},
      {"projects/p/topics/a:bc", "Invalid [topics] name: (name=projects/p/topics/a:bc)"},
      {"projects/p/subscriptions/abc",
       "Invalid [topics] name: (name=projects/p/subscriptions/abc)"},
      {"projects//topics/abc", "Invalid [topics] name: (name=projects//topics/abc)"},
      {"abc", "Invalid [topics] name: (name=abc)"},
      {NULL, "Invalid [topics] name: (name=)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_code code = psp_resource_check("topics", cases[i].name, &error);
    assert_int_equal(code, cases[i].error != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    if (cases[i].error != NULL) assert_string_equal(error.message, cases[i].error);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
