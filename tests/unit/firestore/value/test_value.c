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

#include "firestore/value/value.h"
#include "values.h"

static void keeps_every_type(void **state) {
  (void)state;
  psprobe_value *map = test_every_type("p");
  bool truth = false;
  int64_t integer = 0;
  double number = 0, longitude = 0;
  psprobe_timestamp time;
  const char *text;
  const void *data;
  size_t len;
  assert_true(psprobe_value_get_boolean(psprobe_value_find(map, "true"), &truth) && truth);
  assert_true(psprobe_value_get_integer(psprobe_value_find(map, "integer_min"), &integer));
  assert_true(integer == INT64_MIN);
  assert_true(psprobe_value_get_double(psprobe_value_find(map, "double_nan"), &number));
  assert_true(isnan(number));
  assert_true(psprobe_value_get_timestamp(psprobe_value_find(map, "time"), &time));
  assert_true(time.seconds == 1704164645 && time.nanos == 123456000);
  assert_true(psprobe_value_get_text(psprobe_value_find(map, "string_zero"), &text, &len));
  assert_int_equal(len, 3);
  assert_memory_equal(text, "a\0b", 4);
  assert_true(psprobe_value_get_text(psprobe_value_find(map, "reference"), &text, NULL));
  assert_string_equal(text, "projects/p/databases/(default)/documents/c/d");
  assert_true(psprobe_value_get_bytes(psprobe_value_find(map, "bytes"), &data, &len));
  assert_int_equal(len, 4);
  assert_memory_equal(data, "\xFB\xFF\x00\x01", 4);
  assert_true(psprobe_value_get_geo_point(psprobe_value_find(map, "geo"), &number, &longitude));
  assert_true(number == 1.5 && longitude == -2);
  assert_int_equal(psprobe_value_count(psprobe_value_find(map, "array")), 3);
  assert_int_equal(psprobe_value_get_type(psprobe_value_find(map, "null")), PSPROBE_VALUE_NULL);
  psprobe_value_free(map);
}

/* Every getter on every type: true for its own only, and then alone writes. */
static void check_getters(const psprobe_value *value, psprobe_value_type type) {
  bool truth;
  int64_t integer = 77;
  double number = 77;
  psprobe_timestamp time = {77, 7};
  const char *text = "77";
  const void *data = "77";
  size_t len;
  assert_int_equal(psprobe_value_get_boolean(value, &truth), type == PSPROBE_VALUE_BOOLEAN);
  assert_int_equal(psprobe_value_get_integer(value, &integer), type == PSPROBE_VALUE_INTEGER);
  if (type != PSPROBE_VALUE_INTEGER) assert_int_equal(integer, 77);
  assert_int_equal(psprobe_value_get_double(value, &number), type == PSPROBE_VALUE_DOUBLE);
  if (type != PSPROBE_VALUE_DOUBLE) assert_true(number == 77);
  assert_int_equal(psprobe_value_get_timestamp(value, &time), type == PSPROBE_VALUE_TIMESTAMP);
  if (type != PSPROBE_VALUE_TIMESTAMP) assert_int_equal(time.seconds, 77);
  bool is_text = type == PSPROBE_VALUE_STRING || type == PSPROBE_VALUE_REFERENCE;
  assert_int_equal(psprobe_value_get_text(value, &text, &len), is_text);
  if (!is_text) assert_string_equal(text, "77");
  assert_int_equal(psprobe_value_get_bytes(value, &data, &len), type == PSPROBE_VALUE_BYTES);
  if (type != PSPROBE_VALUE_BYTES) assert_string_equal(data, "77");
  assert_int_equal(psprobe_value_get_geo_point(value, &number, &number),
                   type == PSPROBE_VALUE_GEO_POINT);
}

static void getters_refuse_other_types(void **state) {
  (void)state;
  psprobe_value *map = test_every_type("p");
  for (size_t i = 0; i < psprobe_value_count(map); i++) {
    const psprobe_value *value = psprobe_value_at(map, i, NULL);
    psprobe_value_type type = psprobe_value_get_type(value);
    check_getters(value, type);
    if (type == PSPROBE_VALUE_ARRAY || type == PSPROBE_VALUE_MAP) continue;
    assert_int_equal(psprobe_value_count(value), 0);
    assert_null(psprobe_value_at(value, 0, NULL));
    assert_null(psprobe_value_find(value, "a"));
  }
  assert_null(psprobe_value_at(map, psprobe_value_count(map), NULL));
  psprobe_value_free(map);
}

static void takes_what_it_is_given(void **state) {
  (void)state;
  psprobe_value *map = psprobe_value_map(), *array = psprobe_value_array();
  /* Under the address sanitizer these also show that refused items are freed. */
  assert_false(psprobe_value_append(map, psprobe_value_null()));
  assert_false(psprobe_value_append(NULL, psprobe_value_null()));
  assert_false(psprobe_value_append(array, NULL));
  assert_false(psprobe_value_append(array, array));
  assert_false(psprobe_value_set(array, "a", psprobe_value_null()));
  assert_false(psprobe_value_set(map, NULL, psprobe_value_null()));
  assert_false(psprobe_value_set(map, "a", NULL));
  assert_false(psprobe_value_set(map, "a", map));
  assert_int_equal(psprobe_value_count(map) + psprobe_value_count(array), 0);
  assert_true(psprobe_value_set(map, "a", array));
  assert_true(psprobe_value_append(array, psprobe_value_integer(1)));
  assert_int_equal(psprobe_value_count(psprobe_value_find(map, "a")), 1);
  assert_null(psprobe_value_string(NULL));
  assert_null(psprobe_value_reference(NULL));
  psprobe_value_free(map);
  psprobe_value_free(NULL);
}

static void a_key_is_there_once(void **state) {
  (void)state;
  psprobe_value *map = psprobe_value_map();
  char key[32];
  enum { KEYS = 5000 };
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < KEYS; i++) {
      snprintf(key, sizeof key, "key_%d", i);
      assert_true(psprobe_value_set(map, key, psprobe_value_integer(i + round * KEYS)));
    }
  }
  assert_int_equal(psprobe_value_count(map), KEYS);
  for (int i = 0; i < KEYS; i++) {
    int64_t found = -1;
    const char *name = NULL;
    snprintf(key, sizeof key, "key_%d", i);
    assert_true(psprobe_value_get_integer(psprobe_value_find(map, key), &found));
    assert_int_equal(found, i + KEYS);
    assert_ptr_equal(psprobe_value_at(map, (size_t)i, &name), psprobe_value_find(map, key));
    assert_string_equal(name, key);
  }
  assert_null(psprobe_value_find(map, "key_5000"));
  assert_null(psprobe_value_find(map, ""));
  assert_null(psprobe_value_find(map, NULL));
  psprobe_value_free(map);
}

static psprobe_value *nested(int depth, psprobe_value *inner) {
  for (int i = 0; i < depth; i++) {
    psprobe_value *outer = i % 2 ? psprobe_value_map() : psprobe_value_array();
    bool done = i % 2 ? psprobe_value_set(outer, "k", inner) : psprobe_value_append(outer, inner);
    assert_true(done);
    inner = outer;
  }
  return inner;
}

static void frees_what_is_deeper_than_the_stack(void **state) {
  (void)state;
  psprobe_value *value = nested(1000000, psprobe_value_string("x"));
  assert_int_equal(psprobe_value_count(value), 1);
  assert_false(psprobe_value_equal(value, value));
  assert_null(psp_value_copy(value));
  psprobe_value_free(value);
}

static void copies_all_of_it(void **state) {
  (void)state;
  psprobe_value *map = test_every_type("p");
  psprobe_value *copy = psp_value_copy(map);
  assert_true(psprobe_value_equal(map, copy));
  psprobe_value_free(map);
  char *json = test_value_json(copy); /* nothing of the original is in it */
  assert_non_null(strstr(json, "a name to quote"));
  free(json);
  psprobe_value_free(copy);
  assert_null(psp_value_copy(NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_every_type),
      cmocka_unit_test(getters_refuse_other_types),
      cmocka_unit_test(takes_what_it_is_given),
      cmocka_unit_test(a_key_is_there_once),
      cmocka_unit_test(frees_what_is_deeper_than_the_stack),
      cmocka_unit_test(copies_all_of_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
