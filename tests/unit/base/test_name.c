/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

#include "base/name.h"

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

static void test_names(void **state) {
  (void)state;
  static const struct {
    const char *name, *fault; /* NULL: a good one */
  } cases[] = {
      {"cloud_function", NULL},
      {"Cloud Function", NULL},
      {"größe, \"x\" `y` %2F #1 @all", NULL},
      {"a.b", NULL},
      {"...", NULL},
      {"__", NULL},
      {"😀", NULL},
      {"", "is empty"},
      {" a", "begins or ends with a space"},
      {"a ", "begins or ends with a space"},
      {"a\n", "cannot be seen"},
      {"a\tb", "cannot be seen"},
      {"a\x1b[31m", "cannot be seen"},
      {"a\xC2\x85", "cannot be seen"},
      {"a\xE2\x80\xAE"
       "b",
       "cannot be seen"},
      {"a\xEF\xBB\xBF", "cannot be seen"},
      {"gr\xF6\xDF"
       "e",
       "is not UTF-8"},
      {"a/b", "holds a /"},
      {".", "is a path's"},
      {"..", "is a path's"},
      {"__a__", "is reserved"},
      {"____", "is reserved"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    const char *name = cases[i].name;
    psprobe_code code = psp_name_check("run", name, strlen(name), &error);
    if (code != (cases[i].fault == NULL ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT))
      fail_msg("%s", name);
    if (cases[i].fault == NULL) continue;
    assert_non_null(strstr(error.message, cases[i].fault));
    assert_int_equal(strncmp(error.message, "run \"", 5), 0);
  }
}

static void test_length(void **state) {
  (void)state;
  char name[PSP_NAME_MAX + 2];
  memset(name, 'a', sizeof name);
  assert_int_equal(psp_name_check("source", name, PSP_NAME_MAX, NULL), PSPROBE_OK);
  assert_int_equal(psp_name_check("source", name, PSP_NAME_MAX + 1, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_name_check("source", "a\0b", 3, NULL), PSPROBE_INVALID_ARGUMENT);
}

static void test_twice(void **state) {
  (void)state;
  static const char *const others[] = {"a", "b"};
  psprobe_error error = {0};
  assert_int_equal(psp_name_check_source("c", others, 2, NULL), PSPROBE_OK);
  assert_int_equal(psp_name_check_source("b", others, 1, NULL), PSPROBE_OK);
  assert_int_equal(psp_name_check_source("b", others, 2, &error), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "source \"b\": it is named twice");
  assert_int_equal(psp_name_check_source("a/", others, 2, NULL), PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_source_names),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_length),
      cmocka_unit_test(test_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
