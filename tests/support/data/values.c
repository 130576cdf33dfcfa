/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firestore/value/json.h"

psprobe_value *test_value(const char *text) {
  psp_json *json = NULL;
  psprobe_value *value = NULL;
  psprobe_error error = {0};
  if (psp_json_parse(text, strlen(text), "test", &json, &error) != PSPROBE_OK ||
      psp_value_decode(json, &value, &error) != PSPROBE_OK)
    fail_msg("%s: %s", text, error.message);
  psp_json_free(json);
  return value;
}

char *test_value_json(const psprobe_value *value) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out};
  psp_value_encode(&w, value);
  assert_false(out.failed);
  return psp_buf_take(&out, NULL);
}

static void put_numbers(psprobe_value *map) {
  psprobe_value_set(map, "integer", psprobe_value_integer(42));
  psprobe_value_set(map, "integer_min", psprobe_value_integer(INT64_MIN));
  psprobe_value_set(map, "integer_max", psprobe_value_integer(INT64_MAX));
  psprobe_value_set(map, "double", psprobe_value_double(0.1));
  psprobe_value_set(map, "double_whole", psprobe_value_double(3));
  psprobe_value_set(map, "double_zero", psprobe_value_double(0));
  psprobe_value_set(map, "double_big", psprobe_value_double(1e21));
  psprobe_value_set(map, "double_small", psprobe_value_double(-1.5e-7));
  psprobe_value_set(map, "double_least", psprobe_value_double(5e-324));
  psprobe_value_set(map, "double_most", psprobe_value_double(1.7976931348623157e308));
  psprobe_value_set(map, "double_nan", psprobe_value_double((double)NAN));
  psprobe_value_set(map, "double_inf", psprobe_value_double((double)INFINITY));
  psprobe_value_set(map, "double_minus_inf", psprobe_value_double(-(double)INFINITY));
}

static void put_times(psprobe_value *map) {
  static const struct {
    const char *name;
    psprobe_timestamp time;
  } times[] = {
      {"time", {1704164645, 123456000}},
      {"time_milli", {1704164645, 100000000}},
      {"time_whole", {1704164645, 0}},
      {"time_epoch", {0, 0}},
      {"time_before", {-1, 999999000}},
      {"time_first", {INT64_C(-62135596800), 0}},
      {"time_last", {INT64_C(253402300799), 999999000}},
  };
  for (size_t i = 0; i < sizeof times / sizeof *times; i++)
    psprobe_value_set(map, times[i].name, psprobe_value_timestamp(times[i].time));
}

static void put_texts(psprobe_value *map, const char *project) {
  char name[256];
  snprintf(name, sizeof name, "projects/%s/databases/(default)/documents/c/d", project);
  psprobe_value_set(map, "string", psprobe_value_string("a\"\\/\xC3\xA9\xF0\x9F\x98\x80\n\t\x01"));
  psprobe_value_set(map, "string_empty", psprobe_value_string(""));
  psprobe_value_set(map, "string_zero", psprobe_value_string_n("a\0b", 3));
  psprobe_value_set(map, "bytes", psprobe_value_bytes("\xFB\xFF\x00\x01", 4));
  psprobe_value_set(map, "bytes_empty", psprobe_value_bytes("", 0));
  psprobe_value_set(map, "reference", psprobe_value_reference(name));
  psprobe_value_set(map, "geo", psprobe_value_geo_point(1.5, -2));
  psprobe_value_set(map, "geo_zero", psprobe_value_geo_point(0, 0));
  psprobe_value_set(map, "geo_edge", psprobe_value_geo_point(-90, 180));
}

static void put_lists(psprobe_value *map) {
  psprobe_value *array = psprobe_value_array(), *inner = psprobe_value_map();
  psprobe_value_set(inner, "k", psprobe_value_string("v"));
  psprobe_value_set(inner, "a-b.c", psprobe_value_array());
  psprobe_value_append(array, psprobe_value_integer(1));
  psprobe_value_append(array, psprobe_value_null());
  psprobe_value_append(array, inner);
  psprobe_value_set(map, "array", array);
  psprobe_value_set(map, "array_empty", psprobe_value_array());
  psprobe_value_set(map, "map_empty", psprobe_value_map());
  inner = psprobe_value_map();
  psprobe_value_set(inner, "null", psprobe_value_null());
  psprobe_value_set(inner, "deeper", psprobe_value_map());
  psprobe_value_set(map, "map", inner);
}

psprobe_value *test_every_type(const char *project) {
  psprobe_value *map = psprobe_value_map();
  assert_non_null(map);
  psprobe_value_set(map, "null", psprobe_value_null());
  psprobe_value_set(map, "true", psprobe_value_boolean(true));
  psprobe_value_set(map, "false", psprobe_value_boolean(false));
  put_numbers(map);
  put_times(map);
  put_texts(map, project);
  put_lists(map);
  psprobe_value_set(map, "\xC3\xA9 `x` \\.y", psprobe_value_string("a name to quote"));
  assert_int_equal(psprobe_value_count(map), 37);
  return map;
}

void test_code(psprobe_code code, psprobe_code expected, const psprobe_error *error) {
  if (code != expected)
    fail_msg("%s, not %s: %s", psprobe_code_name(code), psprobe_code_name(expected),
             error->message);
}

void test_ok(psprobe_code code, const psprobe_error *error) {
  test_code(code, PSPROBE_OK, error);
}
