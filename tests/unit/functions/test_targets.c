/* SPDX-License-Identifier: MIT */
/** @file Which target is meant by a name and a type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "functions/targets.h"

static const psprobe_target targets[] = {{.name = "page", .kind = PSPROBE_TARGET_HTTP},
                                         {.name = "sum", .kind = PSPROBE_TARGET_TYPED},
                                         {.name = "on", .kind = PSPROBE_TARGET_MESSAGE},
                                         {.name = "on", .kind = PSPROBE_TARGET_EVENT},
                                         {.name = "other", .kind = PSPROBE_TARGET_HTTP}};
#define TARGETS (sizeof targets / sizeof *targets)

static void test_choice(void **state) {
  (void)state;
  static const struct {
    const char *name, *type;
    int index; /* -1: refused */
    psprobe_code code;
    const char *why;
  } cases[] = {
      {"sum", NULL, 1, PSPROBE_OK, NULL},
      {"sum", "http", 1, PSPROBE_OK, NULL},
      {"sum", "cloudevent", 1, PSPROBE_OK, NULL}, /* what it is stands in the program */
      {"on", NULL, 2, PSPROBE_OK, NULL},
      {"on", "cloudevent", 2, PSPROBE_OK, NULL},
      {"on", "event", 2, PSPROBE_OK, NULL},
      {NULL, "http", 0, PSPROBE_OK, NULL},
      {"", "typed", 1, PSPROBE_OK, NULL},
      {NULL, "event", 3, PSPROBE_OK, NULL},
      {NULL, "cloudevent", 2, PSPROBE_OK, NULL},
      {NULL, NULL, -1, PSPROBE_INVALID_ARGUMENT,
       "page (http), sum (typed), on (message), on (event), other (http)"},
      {"Page", NULL, -1, PSPROBE_NOT_FOUND, "page (http)"},
      {"page", "grpc", -1, PSPROBE_INVALID_ARGUMENT, "FUNCTION_SIGNATURE_TYPE"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const psprobe_target *target = NULL;
    psprobe_error error = {0};
    psprobe_code code =
        psp_target_choose(targets, TARGETS, cases[i].name, cases[i].type, &target, &error);
    assert_int_equal(code, cases[i].code);
    if (code == PSPROBE_OK)
      assert_ptr_equal(target, &targets[cases[i].index]);
    else if (strstr(error.message, cases[i].why) == NULL)
      fail_msg("%zu: %s", i, error.message);
  }
}

static void test_only_one(void **state) {
  (void)state;
  const psprobe_target *target = NULL;
  psprobe_error error = {0};
  assert_int_equal(psp_target_choose(targets, 1, NULL, NULL, &target, &error), PSPROBE_OK);
  assert_ptr_equal(target, targets);
  assert_int_equal(psp_target_choose(targets, 1, NULL, "event", &target, &error),
                   PSPROBE_NOT_FOUND);
  assert_int_equal(psp_target_choose(targets, 0, NULL, NULL, &target, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

/* A list that is longer than an error is cut, and nothing is written beyond it. */
static void test_many(void **state) {
  (void)state;
  psprobe_target many[100];
  const psprobe_target *target = NULL;
  psprobe_error error = {0};
  for (size_t i = 0; i < 100; i++)
    many[i] = (psprobe_target){.name = "a_rather_long_name"};
  assert_int_equal(psp_target_choose(many, 100, "x", NULL, &target, &error), PSPROBE_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice), cmocka_unit_test(test_only_one),
                                     cmocka_unit_test(test_many)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
