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
  static const struct {
    const char *raw, *joined; /* joined NULL: refused */
    size_t count;
    const char *verb; /* that it ends in */
  } cases[] = {
      {"/", "", 1, NULL},
      {"", "", 1, NULL},
      {"/v1/projects/p/topics/t", "v1/projects/p/topics/t", 5, NULL},
      {"/v1/t:publish", "v1/t:publish", 2, "publish"},
      {"/v1/t:publish:publish", "v1/t:publish:publish", 2, "publish"},
      {"/v1/t%3Apublish", "v1/t:publish", 2, "publish"},
      {"/v1/t%3apublish", "v1/t:publish", 2, "publish"},
      {"/v1/t:publish/x", "v1/t:publish/x", 3, NULL},
      {"/v1/tpublish", "v1/tpublish", 2, NULL},
      {"/a%20b/%C3%A9", "a b/\xc3\xa9", 2, NULL},
      {"/a/", "a/", 2, NULL},
      {"//", "/", 2, NULL},
      {"/a%25b", "a%b", 1, NULL},
      {"/a%2Fb", "a/b", 2, NULL},
      {"/v1%2fa%2Fb/c", "v1/a/b/c", 4, NULL},
      {"/a%", NULL, 0, NULL},
      {"/a%zz", NULL, 0, NULL},
      {"/a%00", NULL, 0, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_rest_path path;
    bool ok = psp_rest_path_parse(cases[i].raw, &path);
    if (ok != (cases[i].joined != NULL)) fail_msg("%s", cases[i].raw);
    if (!ok) continue;
    assert_int_equal(path.count, cases[i].count);
    char *joined = psp_rest_path_join(&path, 0, path.count);
    assert_string_equal(joined, cases[i].joined);
    free(joined);
    assert_true(psp_rest_path_has_verb(&path, NULL));
    assert_int_equal(psp_rest_path_has_verb(&path, "publish"), cases[i].verb != NULL);
    psp_rest_path_free(&path);
  }
}

static void test_verb_is_cut(void **state) {
  (void)state;
  psp_rest_path path;
  assert_true(psp_rest_path_parse("/c/x:commit:commit", &path));
  psp_rest_path_cut_verb(&path, NULL);
  psp_rest_path_cut_verb(&path, "publish");
  assert_string_equal(path.segments[1], "x:commit:commit");
  psp_rest_path_cut_verb(&path, "commit");
  assert_string_equal(path.segments[1], "x:commit");
  psp_rest_path_free(&path);
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
    psp_rest_error_encode(&body, cases[i].code, cases[i].message, NULL);
    assert_string_equal(body.data, cases[i].body);
    psp_buf_free(&body);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths),
                                     cmocka_unit_test(test_verb_is_cut),
                                     cmocka_unit_test(test_errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
