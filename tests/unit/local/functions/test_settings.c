/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "local/functions/settings.h"

#define SECOND INT64_C(1000000000)

static const char *const program[] = {"/bin/true", "--flag", NULL};

static void test_defaults(void **state) {
  (void)state;
  psprobe_local_function_options options = {.argv = program};
  psp_function *function;
  assert_int_equal(psp_function_new(&options, &function, NULL), PSPROBE_OK);
  assert_string_equal(function->argv[1], "--flag");
  assert_null(function->argv[2]);
  assert_null(function->env[0]);
  assert_string_equal(function->name, "function");
  assert_int_equal(function->concurrency, 1);
  assert_int_equal(function->max_instances, 8);
  assert_int_equal(function->min_instances, 0);
  assert_int_equal(function->idle_ns, 15 * SECOND);
  assert_int_equal(function->start_ns, 10 * SECOND);
  assert_int_equal(function->grace_ns, 10 * SECOND);
  assert_int_equal(function->timeout_ns, 300 * SECOND);
  assert_int_equal(function->wait_ns, 10 * SECOND);
  psp_function_free(function);
  options.start_ns = 60 * SECOND; /* what takes so long to start is waited for */
  assert_int_equal(psp_function_new(&options, &function, NULL), PSPROBE_OK);
  assert_int_equal(function->wait_ns, 60 * SECOND);
  psp_function_free(function);
}

static void test_refused(void **state) {
  (void)state;
  static const char *const none[] = {NULL}, *const env[] = {"A=1", "B", NULL},
                           *const nameless[] = {"=1", NULL};
  static const struct {
    psprobe_local_function_options options;
    const char *says;
  } bad[] = {
      {{0}, "no program is given"},
      {{.argv = none}, "no program is given"},
      {{.argv = program, .max_instances = -1}, "/bin/true: concurrency, numbers of instances and"},
      {{.argv = program, .concurrency = -1}, "not negative"},
      {{.argv = program, .idle_ns = -1}, "not negative"},
      {{.argv = program, .wait_ns = -1}, "not negative"},
      {{.argv = program, .max_instances = 2, .min_instances = 3},
       "3 instances are to be kept, and "
       "there may be only 2"},
      {{.argv = program, .min_instances = 9}, "there may be only 8"},
      {{.argv = program, .name = ""}, "function \"\": it is no name"},
      {{.argv = program, .name = "a b"}, "function \"a b\": it is no name"},
      {{.argv = program, .name = "a\nb"}, "function \"a\\x0Ab\": it is no name"},
      {{.argv = program,
        .name = "sixty-four-letters-are-one-more-than-the-name-of-a-service-has-xx"},
       "is no name: 1 to 63"},
      {{.argv = program, .env = env}, "entry 2 of its environment is no NAME=value"},
      {{.argv = program, .env = nameless}, "entry 1"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    psp_function *function = NULL;
    psprobe_error error = {0};
    assert_int_equal(psp_function_new(&bad[i].options, &function, &error),
                     PSPROBE_INVALID_ARGUMENT);
    assert_null(function);
    if (strstr(error.message, bad[i].says) == NULL) fail_msg("%s", error.message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults),
                                     cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
