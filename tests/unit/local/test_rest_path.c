/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "local/rest.h"

static void test_paths(void **state) {
  (void)state;
  static const char *const verbs[] = {"publish", "runQuery", NULL};
  static const struct {
    const char *raw, *joined, *verb; /* joined NULL: refused */
    size_t count;
  } cases[] = {
      {"/", "", NULL, 1},
      {"", "", NULL, 1},
      {"/v1/projects/p/topics/t", "v1/projects/p/topics/t", NULL, 5},
      {"/v1/t:publish", "v1/t", "publish", 2},
      {"/v1/t:publish:publish", "v1/t:publish", "publish", 2},
      {"/v1/t:bogus", "v1/t:bogus", NULL, 2},
      {"/v1/t%3Apublish", "v1/t:publish", NULL, 2},
      {"/v1/t:publish/x", "v1/t:publish/x", NULL, 3},
      {"/a%20b/%C3%A9", "a b/\xc3\xa9", NULL, 2},
      {"/a/", "a/", NULL, 2},
      {"//", "/", NULL, 2},
      {"/a%25b", "a%b", NULL, 1},
      {"/a%2Fb", NULL, NULL, 0},
      {"/a%", NULL, NULL, 0},
      {"/a%zz", NULL, NULL, 0},
      {"/a%00", NULL, NULL, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_rest_path path;
    bool ok = psp_rest_path_parse(cases[i].raw, verbs, &path);
    if (ok != !!cases[i].joined) print_error("%s\n", cases[i].raw);
    assert_int_equal(ok, cases[i].joined != NULL);
    if (!ok) continue;
    assert_int_equal(path.count, cases[i].count);
    char *joined = psp_rest_path_join(&path, 0, path.count);
    assert_string_equal(joined, cases[i].joined);
    free(joined);
    if (cases[i].verb)
      assert_string_equal(path.verb, cases[i].verb);
    else
      assert_null(path.verb);
    psp_rest_path_free(&path);
  }
}

static void test_errors(void **state) {
  (void)state;
  static const struct {
    psprobe_code code;
    const char *message, *body;
  } cases[] = {
      {PSPROBE_NOT_FOUND, "Topic not found",
       "{\"error\":{\"code\":404,\"message\":\"Topic not found\",\"status\":\"NOT_FOUND\"}}"},
      {PSPROBE_UNIMPLEMENTED, NULL, "{\"error\":{\"code\":501,\"status\":\"UNIMPLEMENTED\"}}"},
      {PSPROBE_ABORTED, "a/b\n\"c\"",
       "{\"error\":{\"code\":409,\"message\":\"a\\/b\\n\\\"c\\\"\",\"status\":\"ABORTED\"}}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf body = {0};
    psp_rest_error_encode(&body, cases[i].code, cases[i].message);
    assert_string_equal(body.data, cases[i].body);
    psp_buf_free(&body);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths), cmocka_unit_test(test_errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
