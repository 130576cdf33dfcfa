/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "firestore/value/value.h"
#include "values.h"

#define NAME "projects/p/databases/d/documents/"

/* In Firestore's order; those on one line are equal in it. */
static const char *const in_order[][2] = {
    {"{\"nullValue\":null}", NULL},
    {"{\"booleanValue\":false}", NULL},
    {"{\"booleanValue\":true}", NULL},
    {"{\"doubleValue\":\"NaN\"}", NULL},
    {"{\"doubleValue\":\"-Infinity\"}", NULL},
    {"{\"doubleValue\":-9.3e18}", NULL},
    {"{\"integerValue\":\"-9223372036854775808\"}", "{\"doubleValue\":-9223372036854775808}"},
    {"{\"integerValue\":\"-9223372036854775807\"}", NULL},
    {"{\"doubleValue\":-1.5}", NULL},
    {"{\"integerValue\":\"-1\"}", "{\"doubleValue\":-1}"},
    {"{\"doubleValue\":-0.5}", NULL},
    {"{\"integerValue\":\"0\"}", "{\"doubleValue\":-0.0}"},
    {"{\"doubleValue\":4.9e-324}", NULL},
    {"{\"integerValue\":\"1\"}", "{\"doubleValue\":1}"},
    {"{\"integerValue\":\"9007199254740992\"}", "{\"doubleValue\":9007199254740992}"},
    {"{\"integerValue\":\"9007199254740993\"}", NULL},
    {"{\"integerValue\":\"9223372036854775807\"}", NULL},
    {"{\"doubleValue\":9223372036854775808}", NULL},
    {"{\"doubleValue\":\"Infinity\"}", NULL},
    {"{\"timestampValue\":\"0001-01-01T00:00:00Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-01T00:00:00Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-01T00:00:00.000001Z\"}", NULL},
    {"{\"stringValue\":\"\"}", NULL},
    {"{\"stringValue\":\"a\"}", NULL},
    {"{\"stringValue\":\"a\\u0000\"}", NULL},
    {"{\"stringValue\":\"ab\"}", NULL},
    {"{\"stringValue\":\"b\"}", NULL},
    {"{\"stringValue\":\"\\uffff\"}", NULL},
    {"{\"stringValue\":\"\\ud83d\\ude00\"}", NULL}, /* by UTF-8, not UTF-16 */
    {"{\"bytesValue\":\"\"}", NULL},
    {"{\"bytesValue\":\"AA==\"}", NULL},
    {"{\"bytesValue\":\"/w==\"}", NULL},
    {"{\"referenceValue\":\"" NAME "a/b\"}", NULL},
    {"{\"referenceValue\":\"" NAME "a/b/c/d\"}", NULL},
    {"{\"referenceValue\":\"" NAME "a/b!\"}", NULL}, /* by segment: '!' is before '/' */
    {"{\"geoPointValue\":{\"latitude\":-1}}", NULL},
    {"{\"geoPointValue\":{}}", NULL},
    {"{\"geoPointValue\":{\"longitude\":1}}", NULL},
    {"{\"arrayValue\":{}}", NULL},
    {"{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"}]}}", NULL},
    {"{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{\"nullValue\":null}]}}", NULL},
    {"{\"arrayValue\":{\"values\":[{\"integerValue\":\"2\"}]}}", NULL},
    {"{\"mapValue\":{}}", NULL},
    {"{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"1\"}}}}", NULL},
    {"{\"mapValue\":{\"fields\":{\"b\":{\"integerValue\":\"0\"},\"a\":{\"integerValue\":\"1\"}}}}",
     "{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"1\"},\"b\":{\"integerValue\":\"0\"}}}}"},
    {"{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"2\"}}}}", NULL},
    {"{\"mapValue\":{\"fields\":{\"b\":{\"integerValue\":\"0\"}}}}", NULL},
};

#define COUNT (sizeof in_order / sizeof *in_order)

static int sign(int n) {
  return (n > 0) - (n < 0);
}

static void compare(size_t i, size_t j, const char *other) {
  psprobe_value *a = test_value(in_order[i][0]), *b = test_value(other);
  int order = sign(psp_value_compare(a, b)), back = sign(psp_value_compare(b, a));
  int expected = (i > j) - (i < j);
  if (order != expected || back != -expected)
    fail_msg("%s against %s: %d, %d", in_order[i][0], other, order, back);
  psprobe_value_free(a);
  psprobe_value_free(b);
}

static void orders_as_firestore_does(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT; i++) {
    for (size_t j = 0; j < COUNT; j++) {
      compare(i, j, in_order[j][0]);
      if (in_order[j][1] != NULL) compare(i, j, in_order[j][1]);
    }
  }
}

/* Equality looks at the type too; all else that is one in the order is equal. */
static void equal_is_of_one_type(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT; i++) {
    for (size_t j = 0; j < COUNT; j++) {
      psprobe_value *a = test_value(in_order[i][0]), *b = test_value(in_order[j][0]);
      assert_int_equal(psprobe_value_equal(a, b), i == j);
      psprobe_value_free(a);
      psprobe_value_free(b);
    }
  }
  psprobe_value *integer = psprobe_value_integer(3), *number = psprobe_value_double(3);
  assert_int_equal(psp_value_compare(integer, number), 0);
  assert_false(psprobe_value_equal(integer, number));
  assert_false(psprobe_value_equal(integer, NULL));
  assert_false(psprobe_value_equal(NULL, NULL));
  psprobe_value_free(integer);
  psprobe_value_free(number);
  psprobe_value *zero = psprobe_value_double(0.0), *minus = psprobe_value_double(-0.0);
  assert_true(psprobe_value_equal(zero, minus));
  psprobe_value_free(zero);
  psprobe_value_free(minus);
}

static void maps_are_equal_in_any_order(void **state) {
  (void)state;
  psprobe_value *a = psprobe_value_map(), *b = psprobe_value_map();
  char key[16];
  for (int i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "k%d", i);
    psprobe_value_set(a, key, psprobe_value_integer(i));
    snprintf(key, sizeof key, "k%d", 99 - i);
    psprobe_value_set(b, key, psprobe_value_integer(99 - i));
  }
  assert_true(psprobe_value_equal(a, b));
  assert_int_equal(psp_value_compare(a, b), 0);
  psprobe_value_set(b, "k50", psprobe_value_integer(51));
  assert_false(psprobe_value_equal(a, b));
  assert_true(psp_value_compare(a, b) < 0);
  psprobe_value_free(a);
  psprobe_value_free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(orders_as_firestore_does),
      cmocka_unit_test(equal_is_of_one_type),
      cmocka_unit_test(maps_are_equal_in_any_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
