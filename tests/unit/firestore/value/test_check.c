/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firestore/value/value.h"
#include "values.h"

#define NAME "projects/p/databases/(default)/documents/"

/* A document {name: value}; takes the value. */
static psprobe_value *document(const char *name, psprobe_value *value) {
  psprobe_value *fields = psprobe_value_map();
  assert_true(psprobe_value_set(fields, name, value));
  return fields;
}

/* `rule` NULL: it is fine. Else a part of the message. */
static void check(psprobe_value *fields, const char *rule) {
  psprobe_error error = {0};
  psprobe_code code = psp_fields_check(fields, &error);
  assert_int_equal(code, psp_fields_check(fields, NULL));
  if (rule == NULL) {
    if (code != PSPROBE_OK) fail_msg("refused: %s", error.message);
  } else if (code != PSPROBE_INVALID_ARGUMENT || strstr(error.message, rule) == NULL) {
    fail_msg("%d, \"%s\", without \"%s\"", code, error.message, rule);
  }
  psprobe_value_free(fields);
}

static void every_type_can_be_stored(void **state) {
  (void)state;
  check(test_every_type("p"), NULL);
  check(psprobe_value_map(), NULL);
}

static void fields_are_a_map(void **state) {
  (void)state;
  check(psprobe_value_string("x"), "a document's fields are a map, not a string");
  check(psprobe_value_array(), "not an array");
  check(NULL, "not nothing");
}

static void names_of_fields(void **state) {
  (void)state;
  char longest[1502];
  memset(longest, 'a', sizeof longest);
  longest[1500] = '\0';
  static const char *const fine[] = {"a",  "a-b", "a.b",      " ",   "`", "__x",       "x__",
                                     "__", "___", "\xC3\xA9", "a/b", "0", "a\xC0\x80."};
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
    check(document(fine[i], psprobe_value_null()), NULL);
  check(document(longest, psprobe_value_null()), NULL);
  longest[1500] = 'a';
  longest[1501] = '\0';
  check(document(longest, psprobe_value_null()), "1500 bytes");
  check(document("", psprobe_value_null()), "empty");
  check(document("__x__", psprobe_value_null()), "field __x__: names of the form __x__");
  check(document("____", psprobe_value_null()), "Firestore's own");
  check(document("\xFF", psprobe_value_null()), "UTF-8");
  check(document("\xC0\x81", psprobe_value_null()), "UTF-8");
  check(document("a", document("b", document("", psprobe_value_null()))), "field a.b.: ");
}

static psprobe_value *nested(int depth, bool arrays, psprobe_value *inner) {
  for (int i = 0; i < depth; i++) {
    psprobe_value *outer = arrays && i % 2 ? psprobe_value_array() : psprobe_value_map();
    if (arrays && i % 2)
      psprobe_value_append(outer, inner);
    else
      psprobe_value_set(outer, "k", inner);
    inner = outer;
  }
  return inner;
}

static void nesting(void **state) {
  (void)state;
  check(document("v", nested(20, false, psprobe_value_null())), NULL);
  check(document("v", nested(20, true, psprobe_value_null())), NULL);
  check(document("v", nested(21, false, psprobe_value_null())), "nested more than 20 deep");
  check(document("v", nested(21, true, psprobe_value_null())), "field v.k[0].k[0]");
  check(document("v", nested(20, false, psprobe_value_array())), "nested more than 20 deep");
  check(document("v", nested(1000000, true, psprobe_value_null())), "nested more than 20 deep");
  psprobe_value *array = psprobe_value_array();
  psprobe_value_append(array, psprobe_value_integer(1));
  psprobe_value_append(array, psprobe_value_array());
  check(document("v", array), "field v[1]: an array cannot stand directly in an array");
}

static void ranges(void **state) {
  (void)state;
  static const struct {
    psprobe_timestamp time;
    const char *rule;
  } times[] = {
      {{INT64_C(-62135596800), 0}, NULL},
      {{INT64_C(253402300799), 999999999}, NULL},
      {{INT64_C(-62135596801), 0}, "0001 to 9999"},
      {{INT64_C(253402300800), 0}, "0001 to 9999"},
      {{0, -1}, "nanoseconds"},
      {{0, 1000000000}, "nanoseconds"},
  };
  for (size_t i = 0; i < sizeof times / sizeof *times; i++)
    check(document("t", psprobe_value_timestamp(times[i].time)), times[i].rule);
  check(document("g", psprobe_value_geo_point(90, 180)), NULL);
  check(document("g", psprobe_value_geo_point(-90, -180)), NULL);
  check(document("g", psprobe_value_geo_point(90.1, 0)), "latitude");
  check(document("g", psprobe_value_geo_point(0, -180.1)), "longitude");
  check(document("g", psprobe_value_geo_point((double)NAN, 0)), "latitude");
  check(document("g", psprobe_value_geo_point(0, (double)INFINITY)), "longitude");
}

static void texts(void **state) {
  (void)state;
  char *most = malloc(PSP_VALUE_TEXT_MAX + 1);
  assert_non_null(most);
  memset(most, 'x', PSP_VALUE_TEXT_MAX + 1);
  check(document("s", psprobe_value_string_n(most, PSP_VALUE_TEXT_MAX)), NULL);
  check(document("s", psprobe_value_string_n(most, PSP_VALUE_TEXT_MAX + 1)), "1048487");
  check(document("s", psprobe_value_bytes(most, PSP_VALUE_TEXT_MAX + 1)), "1048487");
  free(most);
  check(document("s", psprobe_value_string("\xED\xA0\x80")), "field s: not UTF-8");
  check(document("s", psprobe_value_bytes("\xFF", 1)), NULL);
  check(document("r", psprobe_value_reference(NAME "c/d")), NULL);
  check(document("r", psprobe_value_reference(NAME "c/d/e/f")), NULL);
  static const char *const no_document[] = {"",
                                            "c/d",
                                            NAME,
                                            NAME "c",
                                            NAME "c/d/e",
                                            NAME "c//e/f",
                                            NAME "c/",
                                            "projects/p/databases",
                                            "projects//databases/d/documents/c/d",
                                            "projects/p/database/d/documents/c/d",
                                            "/projects/p/databases/d/documents/c/d",
                                            "projects/p/databases/d/documents"};
  for (size_t i = 0; i < sizeof no_document / sizeof *no_document; i++)
    check(document("r", psprobe_value_reference(no_document[i])), "a document's full name");
}

static void a_lone_value(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_value *bad = psprobe_value_geo_point(91, 0);
  assert_int_equal(psp_value_check(bad, &error), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message, "the value: a latitude is -90 to 90");
  assert_int_equal(psp_value_check(NULL, &error), PSPROBE_INVALID_ARGUMENT);
  psprobe_value_free(bad);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_can_be_stored),
      cmocka_unit_test(fields_are_a_map),
      cmocka_unit_test(names_of_fields),
      cmocka_unit_test(nesting),
      cmocka_unit_test(ranges),
      cmocka_unit_test(texts),
      cmocka_unit_test(a_lone_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
