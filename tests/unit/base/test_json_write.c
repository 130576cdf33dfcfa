/* SPDX-License-Identifier: MIT */
#include <locale.h>
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
#include "files.h"
#include "scratch.h"

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
    psp_buf body = test_file(cases[i].path), out = {0};
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

static void test_compact(void **state) {
  (void)state;
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "a\"b");
  psp_json_begin_array(&w);
  psp_json_put_int64(&w, INT64_MIN);
  psp_json_put_int64_text(&w, INT64_MAX);
  psp_json_put_bool(&w, true);
  psp_json_put_null(&w);
  psp_json_put_string(&w, NULL);
  psp_json_put_raw(&w, "{\"raw\":1}", 9);
  psp_json_begin_object(&w);
  psp_json_end_object(&w);
  psp_json_begin_array(&w);
  psp_json_end_array(&w);
  psp_json_end_array(&w);
  psp_json_put_key(&w, "c");
  psp_json_put_base64(&w, "\xFB\xFF\xFF", 3);
  psp_json_put_key(&w, "d");
  psp_json_put_bool(&w, false);
  psp_json_end_object(&w);
  assert_string_equal(out.data,
                      "{\"a\\\"b\":[-9223372036854775808,\"9223372036854775807\",true,null,null,"
                      "{\"raw\":1},{},[]],\"c\":\"+///\",\"d\":false}");
  psp_buf_free(&out);
}

static void test_escapes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t len;
    bool slash;
    const char *json;
  } cases[] = {
      {"", 0, false, "\"\""},
      {"\"\\\b\f\n\r\t", 7, false, "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
      {"a\0b", 3, false, "\"a\\u0000b\""},
      {"\x01\x1F\x7F", 3, false, "\"\\u0001\\u001f\x7F\""},
      {"a/b", 3, false, "\"a/b\""},
      {"a/b", 3, true, "\"a\\/b\""},
      {"é😀", 6, false, "\"é😀\""},
      {"a\xFF"
       "b\xC3",
       4, false,
       "\"a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf out = {0};
    psp_json_writer w = {.buf = &out, .escape_slash = cases[i].slash};
    psp_json_put_text(&w, cases[i].text, cases[i].len);
    assert_string_equal(out.data, cases[i].json);
    psp_json *json = NULL;
    assert_int_equal(psp_json_parse(out.data, out.len, "own", &json, NULL), PSPROBE_OK);
    psp_json_free(json);
    psp_buf_free(&out);
  }
}

static void test_doubles(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *compact, *pretty; /* pretty: as seen from Google's servers */
  } cases[] = {
      {1, "1", "1.0"},
      {-2, "-2", "-2.0"},
      {0, "0", "0.0"},
      {1.5, "1.5", "1.5"},
      {0.1, "0.1", "0.1"},
      {0.001, "0.001", "0.001"},
      {1e-4, "0.0001", "1.0E-4"},
      {1e7, "10000000", "1.0E7"},
      {1234567, "1234567", "1234567.0"},
      {123456789.123, "123456789.123", "1.23456789123E8"},
      {1e21, "1e21", "1.0E21"},
      {1.7976931348623157e308, "1.7976931348623157e308", "1.7976931348623157E308"},
      {0.30000000000000004, "0.30000000000000004", "0.30000000000000004"},
      {(double)NAN, "\"NaN\"", "\"NaN\""},
      {(double)INFINITY, "\"Infinity\"", "\"Infinity\""},
      {-(double)INFINITY, "\"-Infinity\"", "\"-Infinity\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf out = {0};
    psp_json_writer w = {.buf = &out};
    psp_json_put_double(&w, cases[i].value);
    assert_string_equal(out.data, cases[i].compact);
    psp_buf_reset(&out);
    w = (psp_json_writer){.buf = &out, .pretty = true};
    psp_json_put_double(&w, cases[i].value);
    assert_string_equal(out.data, cases[i].pretty);
    psp_buf_free(&out);
  }
}

/* What is written reads back as the same double, bit for bit. */
static void test_doubles_round_trip(void **state) {
  (void)state;
  uint64_t bits = 88172645463325252; /* xorshift64, Marsaglia 2003 */
  for (int i = 0; i < 20000; i++) {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    double value, back = 0;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    psp_buf out = {0};
    psp_json *json = NULL;
    psp_json_writer w = {.buf = &out, .pretty = i % 2};
    psp_json_put_double(&w, value);
    assert_int_equal(psp_json_parse(out.data, out.len, "own", &json, NULL), PSPROBE_OK);
    assert_true(psp_json_double(json, &back));
    if (memcmp(&value, &back, sizeof value) != 0) fail_msg("%a as %s", value, out.data);
    psp_json_free(json);
    psp_buf_free(&out);
  }
}

/* A locale with a decimal comma, made of that alone: machines that build have none as a rule. */
static bool set_comma(void **state) {
  char command[1000];
  const char *folder = *state;
  snprintf(command, sizeof command,
           "cd '%s' && printf 'LC_NUMERIC\\ndecimal_point \",\"\\nthousands_sep \"\"\\n"
           "grouping -1\\nEND LC_NUMERIC\\n' >comma && "
           "{ localedef -c --no-archive -i ./comma ./xx_XX 2>/dev/null; [ -d xx_XX ]; }",
           folder);
  if (system(command) != 0) return false;
  setenv("LOCPATH", folder, 1);
  return setlocale(LC_NUMERIC, "xx_XX") != NULL;
}

/* The decimal point of the program's locale never shows in JSON, nor is it read there. */
static void test_other_locale(void **state) {
  char command[600];
  if (!set_comma(state)) {
    print_message("no locale with a decimal comma can be made: there is no localedef\n");
    skip();
  }
  char comma[8];
  snprintf(comma, sizeof comma, "%.1f", 1.5);
  assert_string_equal(comma, "1,5");
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_json_put_double(&w, 1.5);
  assert_string_equal(out.data, "1.5");
  psp_json *json = NULL;
  double value = 0;
  assert_int_equal(psp_json_parse("2.25", 4, "x", &json, NULL), PSPROBE_OK);
  assert_true(psp_json_double(json, &value));
  assert_true(value == 2.25);
  psp_json_free(json);
  psp_buf_free(&out);
  setlocale(LC_NUMERIC, "C");
  snprintf(command, sizeof command, "rm -rf '%s'", scratch_file(state, "xx_XX"));
  assert_int_equal(system(command), 0);
}

static void test_members(void **state) {
  (void)state;
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "a", "b\"");
  psp_json_put_member(&w, "none", NULL);
  psp_json_put_member(&w, "c", "");
  psp_json_end_object(&w);
  assert_string_equal(out.data, "{\"a\":\"b\\\"\",\"c\":\"\"}");
  psp_buf_free(&out);
}

static void test_too_deep(void **state) {
  (void)state;
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  for (int i = 0; i < 1000; i++)
    psp_json_begin_array(&w);
  for (int i = 0; i < 1000; i++)
    psp_json_end_array(&w);
  assert_true(out.failed);
  psp_buf_free(&out);
}

static void test_error(void **state) {
  (void)state;
  static const char *const messages[] = {"no \"topic\"", NULL};
  static const char *const texts[] = {
      "{\"error\":{\"code\":404,\"message\":\"no \\\"topic\\\"\",\"status\":\"NOT_FOUND\"}}",
      "{\"error\":{\"code\":404,\"status\":\"NOT_FOUND\"}}"};
  for (int i = 0; i < 2; i++) {
    psp_buf out = {0};
    psp_json_writer w = {.buf = &out};
    psp_json_put_error(&w, 404, PSPROBE_NOT_FOUND, messages[i]);
    assert_string_equal(out.data, texts[i]);
    psp_buf_free(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_captured_bodies),
      cmocka_unit_test(test_compact),
      cmocka_unit_test(test_escapes),
      cmocka_unit_test(test_error),
      cmocka_unit_test(test_doubles),
      cmocka_unit_test(test_doubles_round_trip),
      cmocka_unit_test_setup_teardown(test_other_locale, scratch_setup, scratch_teardown),
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_too_deep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
