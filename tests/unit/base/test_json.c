/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Parses a copy that ends where its bytes end, so that a look beyond is caught by sanitizers. */
static psprobe_code parse(const char *text, size_t len, psp_json **json, psprobe_error *error) {
  char *exact = malloc(len == 0 ? 1 : len);
  if (len > 0) memcpy(exact, text, len);
  psprobe_code code = psp_json_parse(exact, len, "test", json, error);
  free(exact);
  return code;
}

static psp_json *good(const char *text) {
  psp_json *json = NULL;
  psprobe_error error = {0};
  if (parse(text, strlen(text), &json, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return json;
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t at;
    const char *why;
  } cases[] = {
      {"", 0, "ends too soon"},
      {"  ", 2, "ends too soon"},
      {"{", 1, "name is missing"},
      {"[", 1, "ends too soon"},
      {"{\"a\":1", 6, "ends too soon"},
      {"{\"a\"", 4, "colon"},
      {"{\"a\":", 5, "ends too soon"},
      {"[1,]", 3, "not a number"},
      {"[1 2]", 3, "comma"},
      {"{\"a\":1,}", 7, "name is missing"},
      {"{a:1}", 1, "name is missing"},
      {"{1:1}", 1, "name is missing"},
      {"[1}", 2, "comma"},
      {"1 2", 2, "follows"},
      {"{}{}", 2, "follows"},
      {"\"abc", 4, "inside a string"},
      {"\"a\nb\"", 2, "control character"},
      {"\"a\tb\"", 2, "control character"},
      {"\"\\x\"", 2, "bad escape"},
      {"\"\\u12G4\"", 3, "\\u escape"},
      {"\"\\u12\"", 3, "\\u escape"},
      {"\"\\uD800\"", 7, "surrogate"},
      {"\"\\uD800x\"", 7, "surrogate"},
      {"\"\\uD800\\n\"", 7, "surrogate"},
      {"\"\\uD800\\uD800\"", 7, "surrogate"},
      {"\"\\uDC00\"", 7, "surrogate"},
      {"\"\xC0\x80\"", 1, "UTF-8"},
      {"\"a\xFF\"", 2, "UTF-8"},
      {"\"\xED\xA0\x80\"", 1, "UTF-8"},
      {"\xEF\xBB\xBF{}", 0, "not a number"}, /* a byte order mark */
      {"01", 1, "leading zero"},
      {"-", 0, "not a number"},
      {"+1", 0, "not a number"},
      {".5", 0, "not a number"},
      {"1.", 0, "not a number"},
      {"1e", 0, "not a number"},
      {"1e+", 0, "not a number"},
      {"0x10", 1, "follows"},
      {"NaN", 0, "not a number"},
      {"Infinity", 0, "not a number"},
      {"True", 0, "not a number"},
      {"tru", 0, "value is missing"},
      {"truex", 4, "follows"},
      {"nul", 0, "value is missing"},
      {"{} // x", 3, "follows"},
      {"\f{}", 0, "not a number"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psp_json *json = NULL;
    psprobe_error error = {0};
    char at[32];
    snprintf(at, sizeof at, "at byte %zu,", cases[i].at);
    if (parse(cases[i].text, strlen(cases[i].text), &json, &error) != PSPROBE_INVALID_ARGUMENT)
      fail_msg("took %s", cases[i].text);
    if (strstr(error.message, at) == NULL || strstr(error.message, cases[i].why) == NULL ||
        !psp_text_starts(error.message, "test is not good JSON"))
      fail_msg("%s: %s", cases[i].text, error.message);
    assert_null(json);
  }
}

static void test_cut_anywhere(void **state) {
  (void)state;
  static const char text[] =
      " {\"a\": [1, -2.5e+3, \"x\\u0041\\uD83D\\uDE00\", true, false, null, {}], \"b\": {\"c\": "
      "[]}}";
  psp_json *json = good(text);
  psp_json_free(json);
  for (size_t len = 0; len < sizeof text - 1; len++) {
    psprobe_error error = {0};
    if (parse(text, len, &json, &error) != PSPROBE_INVALID_ARGUMENT) fail_msg("took %zu", len);
  }
}

static void test_zero_bytes_in_the_text(void **state) {
  (void)state;
  psp_json *json = NULL;
  assert_int_equal(parse("{}\0", 3, &json, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(parse("\0{}", 3, &json, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(parse("\"a\0b\"", 5, &json, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(parse("[1,\0 2]", 7, &json, NULL), PSPROBE_INVALID_ARGUMENT);
}

static void nest(psp_buf *buf, int depth, bool objects) {
  for (int i = 0; i < depth; i++)
    psp_buf_text(buf, objects ? "{\"k\":" : "[");
  psp_buf_char(buf, '1');
  for (int i = 0; i < depth; i++)
    psp_buf_char(buf, objects ? '}' : ']');
}

static void test_depth(void **state) {
  (void)state;
  for (int objects = 0; objects < 2; objects++) {
    psp_buf buf = {0}, out = {0};
    psp_json *json = NULL;
    psprobe_error error = {0};
    nest(&buf, PSP_JSON_DEPTH, objects);
    assert_int_equal(parse(buf.data, buf.len, &json, &error), PSPROBE_OK);
    psp_json_writer w = {.buf = &out};
    psp_json_put_json(&w, json);
    assert_string_equal(out.data, buf.data);
    psp_json_free(json);
    psp_buf_reset(&buf);
    nest(&buf, PSP_JSON_DEPTH + 1, objects);
    assert_int_equal(parse(buf.data, buf.len, &json, &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "too deep"));
    psp_buf_reset(&buf);
    nest(&buf, 1000000, objects); /* would overflow the stack of a parser that recurses */
    assert_int_equal(parse(buf.data, buf.len, &json, &error), PSPROBE_INVALID_ARGUMENT);
    psp_buf_free(&buf);
    psp_buf_free(&out);
  }
}

static void test_members(void **state) {
  (void)state;
  psp_json *json =
      good("{\"a\":1,\"A\":2,\"dup\":1,\"snake_case\":\"s\",\"dup\":\"last\",\"n\":null}");
  int64_t value = 0;
  assert_true(psp_json_int64(psp_json_get(json, "a"), &value) && value == 1);
  assert_true(psp_json_int64(psp_json_get(json, "A"), &value) && value == 2);
  assert_string_equal(psp_json_string(psp_json_get(json, "dup")), "last");
  assert_string_equal(psp_json_string(psp_json_get2(json, "snakeCase", "snake_case")), "s");
  assert_null(psp_json_get(json, "b"));
  assert_true(psp_json_is_null(psp_json_get(json, "n")));
  assert_false(psp_json_is_null(psp_json_get(json, "b")));
  assert_int_equal(psp_json_count(json), 6);
  assert_string_equal(psp_json_key(psp_json_first(json)), "a");
  assert_string_equal(psp_json_key(psp_json_next(psp_json_first(json))), "A");
  psp_json_free(json);
}

static void test_missing_is_never_a_crash(void **state) {
  (void)state;
  int64_t whole;
  double number;
  bool truth;
  psp_buf out = {0};
  assert_false(psp_json_is_object(NULL) || psp_json_is_array(NULL) || psp_json_is_string(NULL) ||
               psp_json_is_number(NULL) || psp_json_is_bool(NULL) || psp_json_is_null(NULL));
  assert_null(psp_json_get(NULL, "x"));
  assert_null(psp_json_get2(NULL, "x", "y"));
  assert_null(psp_json_first(NULL));
  assert_null(psp_json_next(NULL));
  assert_null(psp_json_key(NULL));
  assert_null(psp_json_string(NULL));
  assert_int_equal(psp_json_count(NULL), 0);
  assert_false(psp_json_text(NULL, &out) || psp_json_int64(NULL, &whole) ||
               psp_json_double(NULL, &number) || psp_json_bool(NULL, &truth));
  psp_json_free(NULL);
  psp_json *array = good("[{\"x\":1}]");
  assert_string_equal(psp_json_key(psp_json_first(array)), "");
  assert_null(psp_json_get(array, "x")); /* an array has no members */
  psp_json_free(array);
}

static void test_strings(void **state) {
  (void)state;
  psp_json *json =
      good("[\"\",\"é\\u00e9\\uD83D\\uDE00\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"a\\u0000b\\u0000\"]");
  const psp_json *item = psp_json_first(json);
  psp_buf out = {0};
  assert_string_equal(psp_json_string(item), "");
  item = psp_json_next(item);
  assert_string_equal(psp_json_string(item), "éé😀\"\\/\b\f\n\r\t");
  item = psp_json_next(item);
  assert_true(psp_json_is_string(item));
  assert_null(psp_json_string(item)); /* no C string could hold it */
  assert_true(psp_json_text(item, &out));
  assert_int_equal(out.len, 4);
  assert_memory_equal(out.data, "a\0b\0", 5);
  psp_json_free(json);
  psp_buf_reset(&out);
  json = good("{\"k\\u0000\":\"v\",\"k\":\"w\"}"); /* the names stay two */
  assert_string_equal(psp_json_string(psp_json_get(json, "k")), "w");
  psp_json_writer w = {.buf = &out};
  psp_json_put_json(&w, json);
  assert_string_equal(out.data, "{\"k\\u0000\":\"v\",\"k\":\"w\"}");
  psp_json_free(json);
  psp_buf_free(&out);
}

static void test_int64(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool good;
    int64_t value;
  } cases[] = {
      {"0", true, 0},
      {"-0", true, 0},
      {"9223372036854775807", true, INT64_MAX},
      {"-9223372036854775808", true, INT64_MIN},
      {"9007199254740993", true, 9007199254740993}, /* no double */
      {"\"9223372036854775807\"", true, INT64_MAX},
      {"\"-5\"", true, -5},
      {"1.0", true, 1},
      {"1e3", true, 1000},
      {"1.5", false, 0},
      {"9223372036854775808", false, 0},
      {"-9223372036854775809", false, 0},
      {"1e19", false, 0},
      {"1e400", false, 0},
      {"\"1.5\"", false, 0},
      {"\"\"", false, 0},
      {"\"x\"", false, 0},
      {"\"5\\u0000\"", false, 0},
      {"true", false, 0},
      {"null", false, 0},
      {"[1]", false, 0},
      {"99999999999999999999999999999999999999999999999999999999999999999999999999999", false, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psp_json *json = good(cases[i].text);
    int64_t value = 77;
    bool is = psp_json_int64(json, &value);
    if (is != cases[i].good || value != (is ? cases[i].value : 77)) fail_msg("%s", cases[i].text);
    psp_json_free(json);
  }
}

static void test_double(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool good;
    double value;
  } cases[] = {
      {"1.5", true, 1.5},
      {"-2", true, -2},
      {"9007199254740992", true, 9007199254740992.0},
      {"1e308", true, 1e308},
      {"4.9E-324", true, 4.9E-324},
      {"\"1.5\"", true, 1.5},
      {"\"Infinity\"", true, (double)INFINITY},
      {"\"-Infinity\"", true, -(double)INFINITY},
      {"1e400", false, 0},
      {"-1e400", false, 0},
      {"\"1e400\"", false, 0},
      {"\"inf\"", false, 0},
      {"\"nan\"", false, 0},
      {"\"0x10\"", false, 0},
      {"\"1,5\"", false, 0},
      {"\"\"", false, 0},
      {"\" 1\"", false, 0},
      {"true", false, 0},
      {"0.1000000000000000055511151231257827021181583404541015625000000000000000000", true, 0.1},
      {"100000000000000000000000000000000000000000000000000000000000000000000000000000", true,
       1e77},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psp_json *json = good(cases[i].text);
    double value = 77;
    bool is = psp_json_double(json, &value);
    if (is != cases[i].good || value != (is ? cases[i].value : 77)) fail_msg("%s", cases[i].text);
    psp_json_free(json);
  }
  double nan = 0;
  psp_json *json = good("\"NaN\"");
  assert_true(psp_json_double(json, &nan) && isnan(nan));
  psp_json_free(json);
}

/* A number is a number however it is kept. */
static void test_number_types(void **state) {
  (void)state;
  static const char *const numbers[] = {"1", "1.5", "9223372036854775807", "-1E-5"};
  for (size_t i = 0; i < COUNT(numbers); i++) {
    psp_json *json = good(numbers[i]);
    psp_buf out = {0};
    assert_true(psp_json_is_number(json));
    assert_false(psp_json_is_string(json));
    assert_null(psp_json_string(json));
    assert_false(psp_json_text(json, &out));
    psp_json_writer w = {.buf = &out};
    psp_json_put_json(&w, json);
    assert_string_equal(out.data, numbers[i]);
    psp_json_free(json);
    psp_buf_free(&out);
  }
}

static void test_bool(void **state) {
  (void)state;
  psp_json *json = good("[true,false,\"true\"]");
  const psp_json *item = psp_json_first(json);
  bool value = false;
  assert_true(psp_json_bool(item, &value) && value);
  item = psp_json_next(item);
  assert_true(psp_json_bool(item, &value) && !value);
  assert_false(psp_json_bool(psp_json_next(item), &value));
  psp_json_free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_cut_anywhere),
      cmocka_unit_test(test_zero_bytes_in_the_text),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_missing_is_never_a_crash),
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_int64),
      cmocka_unit_test(test_double),
      cmocka_unit_test(test_number_types),
      cmocka_unit_test(test_bool),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
