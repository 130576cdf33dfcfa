/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_view.h"

/* In a block of its own size, so that a sanitizer sees a byte read too far. */
static psp_view parse_bytes(const char *text, size_t len, char **copy, const char **why) {
  *copy = malloc(len + (len == 0));
  memcpy(*copy, text, len);
  psp_view object;
  *why = NULL;
  if (psp_view_object(*copy, len, &object, why)) return object;
  assert_non_null(*why);
  return (psp_view){0};
}

static void test_accepted(void **state) {
  (void)state;
  static const char *const texts[] = {"{}",
                                      " \t\r\n{ } \n",
                                      "{\"a\":1}",
                                      "{\"a\":[],\"b\":{},\"c\":[[],{}]}",
                                      "{\"a\":-0.5e+10,\"b\":0,\"c\":1E5,\"d\":10.25}",
                                      "{\"a\":true,\"b\":false,\"c\":null}",
                                      "{\"\":\"\"}",
                                      "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"}",
                                      "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}",
                                      "{\"a\":{\"x\":1,\"x\":2}}",
                                      "{\"A\":1,\"a\":2}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char *copy;
    const char *why;
    if (parse_bytes(texts[i], strlen(texts[i]), &copy, &why).type != PSP_VIEW_OBJECT)
      fail_msg("%s: %s", texts[i], why);
    free(copy);
  }
}

static const struct {
  const char *text;
  const char *why;
} refused[] = {
    {"", "no JSON object"},
    {" ", "no JSON object"},
    {"[]", "no JSON object"},
    {"null", "no JSON object"},
    {"\"a\"", "no JSON object"},
    {"1", "no JSON object"},
    {"{", "name is missing"},
    {"{\"a\"", "colon"},
    {"{\"a\":", "ends too soon"},
    {"{\"a\":1", "ends too soon"},
    {"{\"a\":1,", "name is missing"},
    {"{\"a\":1,}", "name is missing"},
    {"{,}", "name is missing"},
    {"{\"a\":[1,]}", "value is missing"},
    {"{\"a\":[1 2]}", "comma"},
    {"{a:1}", "name is missing"},
    {"{'a':1}", "name is missing"},
    {"{\"a\":1}x", "follows the value"},
    {"{\"a\":1}{}", "follows the value"},
    {"{\"a\":1}//", "follows the value"},
    {"/**/{}", "no JSON object"},
    {"{\"a\":01}", "leading zero"},
    {"{\"a\":-01}", "leading zero"},
    {"{\"a\":1.}", "not a number"},
    {"{\"a\":.5}", "value is missing"},
    {"{\"a\":1e}", "not a number"},
    {"{\"a\":-}", "not a number"},
    {"{\"a\":+1}", "value is missing"},
    {"{\"a\":0x10}", "comma"},
    {"{\"a\":NaN}", "value is missing"},
    {"{\"a\":nul}", "value is missing"},
    {"{\"a\":True}", "value is missing"},
    {"{\"a\":\"\n\"}", "control character"},
    {"{\"a\":\"\x1f\"}", "control character"},
    {"{\"a\":\"\\x\"}", "bad"},
    {"{\"a\":\"\\u12\"}", "bad"},
    {"{\"a\":\"\\u12g4\"}", "bad"},
    {"{\"a\":\"\\u0000\"}", "zero byte"},
    {"{\"\\u0000\":1}", "zero byte"},
    {"{\"a\":\"\\ud800\"}", "surrogate"},
    {"{\"a\":\"\\udc00\"}", "surrogate"},
    {"{\"a\":\"\\ud800\\u0041\"}", "surrogate"},
    {"{\"a\":\"\\ud800x\"}", "surrogate"},
    {"{\"a\":\"b}", "inside a string"},
    {"{\"a\":\"b\\\"}", "inside a string"},
    {"{\"a\":1,\"a\":1}", "twice"},
    {"{\"a\":1,\"\\u0061\":1}", "twice"},
    {"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":1}", "twice"},
    {"{\"\\u00e9x\":1,\"b\":2,\"\xc3\xa9\\u0078\":1}", "twice"},
    {"\xef\xbb\xbf{}", "no JSON object"},
    {"{\"a\":\"\xff\"}", "UTF-8"},
    {"{\"a\":\"\xc0\x80\"}", "UTF-8"},
    {"{\"a\":\"\xed\xa0\x80\"}", "UTF-8"},
    {"{\v}", "name is missing"},
    {"{\"a\"\xc2\xa0:1}", "colon"},
};

static void test_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char *copy;
    const char *why;
    psp_view object = parse_bytes(refused[i].text, strlen(refused[i].text), &copy, &why);
    if (object.type != PSP_VIEW_NONE) fail_msg("%s was accepted", refused[i].text);
    if (strstr(why, refused[i].why) == NULL) fail_msg("%s: %s", refused[i].text, why);
    free(copy);
  }
  /* Zero bytes, also after the end. */
  static const char zero[] = "{}\0", inside[] = "{\"a\":\"\0\"}";
  char *copy;
  const char *why;
  assert_int_equal(parse_bytes(zero, sizeof zero, &copy, &why).type, PSP_VIEW_NONE);
  free(copy);
  assert_int_equal(parse_bytes(inside, sizeof inside - 1, &copy, &why).type, PSP_VIEW_NONE);
  free(copy);
}

static bool nested(int depth) {
  char text[512] = "{\"a\":";
  for (int i = 1; i < depth; i++)
    strcat(text, "[");
  strcat(text, "1");
  for (int i = 1; i < depth; i++)
    strcat(text, "]");
  strcat(text, "}");
  psp_view object;
  const char *why;
  return psp_view_object(text, strlen(text), &object, &why);
}

static bool members(int count) {
  char text[2048] = "{";
  for (int i = 0; i < count; i++) {
    char member[16] = "\"00\":0,";
    member[1] = (char)('0' + i / 10);
    member[2] = (char)('0' + i % 10);
    strcat(text, member);
  }
  text[strlen(text) - 1] = '}';
  psp_view object;
  const char *why;
  return psp_view_object(text, strlen(text), &object, &why);
}

static void test_bounds(void **state) {
  (void)state;
  assert_true(nested(PSP_VIEW_DEPTH));
  assert_false(nested(PSP_VIEW_DEPTH + 1));
  assert_true(members(PSP_VIEW_MEMBERS));
  assert_false(members(PSP_VIEW_MEMBERS + 1));
}

static psp_view parse(const char *text) {
  psp_view object;
  const char *why;
  if (!psp_view_object(text, strlen(text), &object, &why)) fail_msg("%s: %s", text, why);
  return object;
}

static void test_reading(void **state) {
  (void)state;
  psp_view object = parse(
      "{ \"x\\u0061\" : \"A\\u00e9\\ud83d\\ude00\\n\" ,\"n\":-12.5e1,\"t\":true,\"f\":false,"
      "\"z\":null,\"o\":{\"k\":[1,\"}]\\\"\",{}],\"m\":\"v\"},\"e\":\"\"}");
  psp_view text = psp_view_get(object, "xa");
  char out[16];
  assert_true(psp_view_string(text, out, sizeof out));
  assert_string_equal(out, "A\xc3\xa9\xf0\x9f\x98\x80\n");
  assert_int_equal(psp_view_length(text), 8);
  assert_true(psp_view_string(text, out, 9));
  assert_false(psp_view_string(text, out, 8));
  assert_true(psp_view_equals(text, "A\xc3\xa9\xf0\x9f\x98\x80\n"));
  assert_false(psp_view_equals(text, "A\xc3\xa9\xf0\x9f\x98\x80"));
  assert_false(psp_view_equals(text, "A\xc3\xa9\xf0\x9f\x98\x80\n\n"));
  assert_false(psp_view_equals(psp_view_get(object, "n"), "-12.5e1"));
  assert_true(psp_view_equals(psp_view_get(object, "e"), ""));
  double number;
  assert_true(psp_view_number(psp_view_get(object, "n"), &number));
  assert_true(number == -125);
  assert_false(psp_view_number(text, &number));
  assert_int_equal(psp_view_get(object, "t").type, PSP_VIEW_TRUE);
  assert_int_equal(psp_view_get(object, "f").type, PSP_VIEW_FALSE);
  assert_int_equal(psp_view_get(object, "z").type, PSP_VIEW_NULL);
  assert_int_equal(psp_view_get(object, "Z").type, PSP_VIEW_NONE);
  psp_view inner = psp_view_get(object, "o");
  assert_true(psp_view_equals(psp_view_get(inner, "m"), "v"));
  psp_view item, list = psp_view_get(inner, "k");
  psp_view_cursor cursor = {0};
  assert_true(psp_view_next(list, &cursor, &item));
  assert_int_equal(item.type, PSP_VIEW_NUMBER);
  assert_true(psp_view_next(list, &cursor, &item));
  assert_true(psp_view_equals(item, "}]\""));
  assert_true(psp_view_next(list, &cursor, &item));
  assert_int_equal(item.type, PSP_VIEW_OBJECT);
  assert_false(psp_view_next(list, &cursor, &item));
  assert_false(psp_view_next(list, &cursor, &item));
  /* What is not there can be asked for further. */
  assert_int_equal(psp_view_get(psp_view_get(object, "none"), "x").type, PSP_VIEW_NONE);
  assert_null(psp_view_strdup(inner));
}

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double number;
  } cases[] = {
      {"{\"n\":0}", 0},
      {"{\"n\":-0}", 0},
      {"{\"n\":1800003600}", 1800003600},
      {"{\"n\":1800003000.5}", 1800003000.5},
      {"{\"n\":1.8e9}", 1.8e9},
      {"{\"n\":18000036000e-1}", 1800003600},
      {"{\"n\":9223372036854775808}", 9223372036854775808.0},
      {"{\"n\":123456789012345678901234567890}", 123456789012345678901234567890.0},
      {"{\"n\":1e300}", 1e300},
      {"{\"n\":1e400}", INFINITY},
      {"{\"n\":-1e99999999999999}", -INFINITY},
      {"{\"n\":1e-99999999999999}", 0},
      {"{\"n\":0e99999}", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double number;
    assert_true(psp_view_number(psp_view_get(parse(cases[i].text), "n"), &number));
    double error =
        isinf(cases[i].number) ? number != cases[i].number : fabs(number - cases[i].number);
    if (error > fabs(cases[i].number) * 1e-14) fail_msg("%s is %.17g", cases[i].text, number);
  }
  int64_t whole;
  assert_true(psp_view_int64(psp_view_get(parse("{\"n\":3599}"), "n"), &whole));
  assert_int_equal(whole, 3599);
  assert_true(psp_view_int64(psp_view_get(parse("{\"n\":\"3599\"}"), "n"), &whole));
  assert_int_equal(whole, 3599);
  assert_false(psp_view_int64(psp_view_get(parse("{\"n\":1.5}"), "n"), &whole));
  assert_false(psp_view_int64(psp_view_get(parse("{\"n\":1e300}"), "n"), &whole));
  assert_false(psp_view_int64(psp_view_get(parse("{\"n\":\"1 \"}"), "n"), &whole));
  assert_false(psp_view_int64(psp_view_get(parse("{\"n\":true}"), "n"), &whole));
}

/* Every cut of a text is refused, and read no further than it goes. */
static void test_cut(void **state) {
  (void)state;
  static const char text[] =
      "{\"a\":[1.5e3,\"\\u00e9\\ud83d\\ude00\\n\",true,null],\"b\":{\"c\":\"\xc3\xa9\"}}";
  for (size_t len = 0; len < sizeof text - 1; len++) {
    char *copy;
    const char *why;
    assert_int_equal(parse_bytes(text, len, &copy, &why).type, PSP_VIEW_NONE);
    free(copy);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
      cmocka_unit_test(test_bounds),   cmocka_unit_test(test_reading),
      cmocka_unit_test(test_numbers),  cmocka_unit_test(test_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
