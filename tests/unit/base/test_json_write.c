/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static psp_buf read_file(const char *path) {
  psp_buf buf = {0};
  char chunk[4096];
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
    psp_buf_add(&buf, chunk, n);
  fclose(file);
  return buf;
}

/* What Google's emulators answered comes out again byte for byte. */
static void test_captured_bodies(void **state) {
  (void)state;
  static const struct {
    const char *path;
    bool pretty, slash;
  } cases[] = {
      {"tests/data/firestore/document-all-types.json", true, false},
      {"tests/data/firestore/commit-transforms.json", true, false},
      {"tests/data/firestore/batch-write.json", true, false},
      {"tests/data/firestore/run-aggregation.json", true, false},
      {"tests/data/firestore/run-query.json", true, false},
      {"tests/data/firestore/batch-get.json", true, false},
      {"tests/data/firestore/error-404-commit-missing.json", false, true},
      {"tests/data/firestore/error-409-commit-exists.json", false, true},
      {"tests/data/pubsub/empty-object.json", true, false},
      {"tests/data/pubsub/publish.json", true, false},
      {"tests/data/pubsub/pull-three.json", true, false},
      {"tests/data/pubsub/subscription-pull-all-fields.json", true, false},
      {"tests/data/pubsub/error-404-topic.json", false, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf body = read_file(cases[i].path), out = {0};
    psp_json *json = NULL;
    psprobe_error error = {0};
    print_message("%s\n", cases[i].path);
    assert_int_equal(psp_json_parse(body.data, body.len, "body", &json, &error), PSPROBE_OK);
    psp_json_writer w = {.buf = &out, .pretty = cases[i].pretty, .escape_slash = cases[i].slash};
    psp_json_put_json(&w, json);
    assert_string_equal(out.data, body.data);
    assert_int_equal(out.len, body.len);
    psp_json_free(json);
    psp_buf_free(&body);
    psp_buf_free(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_captured_bodies)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
