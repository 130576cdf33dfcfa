/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "firestore/value/json.h"
#include "local/documents/value.h"
#include "shape.h"

static psp_json *parse(const char *text) {
  psp_json *json;
  psprobe_error error;
  if (psp_json_parse(text, strlen(text), "test", &json, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return json;
}

/* What comes back for {"v":VALUE}, as it is printed; or the error. */
static void check(const char *sent, const char *back, const char *refused) {
  psp_buf text = {0}, got = {0};
  psp_buf_printf(&text, "{\"v\":%s}", sent);
  psp_json *json = parse(text.data);
  psprobe_value *map = NULL;
  psprobe_error error = {0};
  psprobe_code code = psp_documents_fields_read(json, &map, &error);
  if ((code == PSPROBE_OK) != (refused == NULL)) print_error("%s: %s\n", sent, error.message);
  assert_int_equal(code, refused != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
  if (refused != NULL) {
    assert_string_equal(error.message, refused);
  } else {
    /* Compact but with Java's doubles, as the service prints them. */
    psp_json_writer w = {.buf = &got, .pretty = true};
    psp_value_encode(&w, psprobe_value_find(map, "v"));
    size_t n = 0;
    for (size_t i = 0; i < got.len; i++)
      if (got.data[i] != '\n' && got.data[i] != ' ') got.data[n++] = got.data[i];
    got.data[n] = '\0';
    assert_string_equal(got.data, back);
  }
  psprobe_value_free(map);
  psp_json_free(json);
  psp_buf_free(&text);
  psp_buf_free(&got);
}

#define PAYLOAD "Payload isn't valid for request."
#define UNSET   "Cannot convert firestore.v1.Value with type unset."

/* What is sent; what is stored, or NULL and why it is refused. */
static const char *const values[][3] = {
    {"{\"nullValue\":0}", "{\"nullValue\":null}", NULL},
    {"{\"nullValue\":\"x\"}", NULL, PAYLOAD},
    {"{\"booleanValue\":\"true\"}", "{\"booleanValue\":true}", NULL},
    {"{\"booleanValue\":1}", NULL, PAYLOAD},
    {"{\"integerValue\":5}", "{\"integerValue\":\"5\"}", NULL},
    {"{\"integerValue\":\"+5\"}", "{\"integerValue\":\"5\"}", NULL},
    {"{\"integerValue\":\"007\"}", "{\"integerValue\":\"7\"}", NULL},
    {"{\"integerValue\":\" 5\"}", NULL, PAYLOAD},
    {"{\"integerValue\":\"1e3\"}", "{\"integerValue\":\"1000\"}", NULL},
    {"{\"integerValue\":\"9223372036854775807\"}", "{\"integerValue\":\"9223372036854775807\"}",
     NULL},
    {"{\"integerValue\":\"9223372036854775808\"}", NULL, PAYLOAD},
    {"{\"integerValue\":5.5}", NULL, PAYLOAD},
    {"{\"integerValue\":\"\"}", NULL, PAYLOAD},
    {"{\"integerValue\":\"0x5\"}", NULL, PAYLOAD},
    {"{\"doubleValue\":1}", "{\"doubleValue\":1.0}", NULL},
    {"{\"doubleValue\":-0.0}", "{\"doubleValue\":0.0}", NULL},
    {"{\"doubleValue\":1e21}", "{\"doubleValue\":1.0E21}", NULL},
    {"{\"doubleValue\":\"NaN\"}", "{\"doubleValue\":\"NaN\"}", NULL},
    {"{\"doubleValue\":\"nan\"}", NULL, PAYLOAD},
    {"{\"doubleValue\":1e400}", NULL, PAYLOAD},
    {"{\"timestampValue\":\"2024-01-02T03:04:05.123456789Z\"}",
     "{\"timestampValue\":\"2024-01-02T03:04:05.123456Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-02T03:04:05.1+02:00\"}",
     "{\"timestampValue\":\"2024-01-02T01:04:05.100Z\"}", NULL},
    {"{\"timestampValue\":\"2020-01-01T00:00:60Z\"}",
     "{\"timestampValue\":\"2020-01-01T00:01:00Z\"}", NULL},
    {"{\"timestampValue\":\"2020-01-01\"}", NULL, PAYLOAD},
    {"{\"timestampValue\":5}", NULL, PAYLOAD},
    {"{\"stringValue\":5}", "{\"stringValue\":\"5\"}", NULL},
    {"{\"stringValue\":true}", "{\"stringValue\":\"true\"}", NULL},
    {"{\"string_value\":\"a/b\"}", "{\"stringValue\":\"a/b\"}", NULL},
    {"{\"stringValue\":{}}", NULL, PAYLOAD},
    {"{\"stringValue\":null}", NULL, UNSET},
    {"{\"bytesValue\":\"-_8\"}", "{\"bytesValue\":\"+/8=\"}", NULL},
    {"{\"bytesValue\":\"a*b\"}", NULL, PAYLOAD},
    {"{\"referenceValue\":\"projects/q/databases/d/documents/c/x\"}",
     "{\"referenceValue\":\"projects/q/databases/d/documents/c/x\"}", NULL},
    {"{\"referenceValue\":\"c/d\"}", NULL, "Resource name \"c/d\" lacks \"projects\" at index 0."},
    {"{\"referenceValue\":\"projects/p/databases/(default)/documents/c\"}", NULL,
     "Resource name \"projects/p/databases/(default)/documents/c\" lacks \"/\" at index 42."},
    {"{\"geoPointValue\":{\"latitude\":0,\"longitude\":0}}", "{\"geoPointValue\":{}}", NULL},
    {"{\"geoPointValue\":{\"latitude\":91}}", NULL,
     "Geo point latitude '91.0' outside permitted range -90.0 to 90.0."},
    {"{\"geoPointValue\":{\"longitude\":\"NaN\"}}", NULL,
     "Geo point longitude 'NaN' outside permitted range -180.0 to 180.0."},
    {"{\"arrayValue\":{\"values\":[]}}", "{\"arrayValue\":{}}", NULL},
    {"{\"arrayValue\":{\"values\":[{\"arrayValue\":{}}]}}", NULL,
     "Cannot convert an array value in an array value."},
    {"{\"arrayValue\":{\"values\":[{}]}}", NULL, UNSET},
    {"{\"arrayValue\":{\"values\":[null]}}", NULL, PAYLOAD},
    {"{\"arrayValue\":{\"bogus\":1}}", NULL, PAYLOAD},
    {"{\"arrayValue\":null}", NULL, UNSET},
    {"{\"mapValue\":{\"fields\":null}}", "{\"mapValue\":{}}", NULL},
    {"{\"mapValue\":[]}", NULL, PAYLOAD},
    {"{\"mapValue\":{\"fields\":{\"a\":null}}}", NULL, PAYLOAD},
    {"{\"mapValue\":{\"fields\":{\"\":{\"nullValue\":null}}}}", NULL,
     "Property v contains an invalid nested entity."},
    {"{\"mapValue\":{\"fields\":{\"__x__\":{\"nullValue\":null}}}}", NULL,
     "field name '__x__' is reserved."},
    {"{}", NULL, UNSET},
    {"{\"stringValue\":\"a\",\"integerValue\":\"5\"}", NULL, PAYLOAD},
    {"{\"bogus\":1}", NULL, PAYLOAD},
    {"5", NULL, PAYLOAD},
    {"null", NULL, PAYLOAD},
    {"[]", NULL, PAYLOAD},
    /* A payload that cannot be read is told before what cannot be stored. */
    {"{\"arrayValue\":{\"values\":[{},{\"integerValue\":5.5}]}}", NULL, PAYLOAD},
};

static void test_values(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    check(values[i][0], values[i][1], values[i][2]);
}

static void test_all_types_as_captured(void **state) {
  (void)state;
  psp_buf sent = test_file("tests/data/firestore/document-all-types.request.json");
  psp_buf back = test_file("tests/data/firestore/document-all-types.json"), got = {0};
  psp_json *json = parse(sent.data), *golden = parse(back.data);
  psprobe_value *map;
  assert_int_equal(psp_documents_fields_read(psp_json_get(json, "fields"), &map, NULL), PSPROBE_OK);
  psp_json_writer w = {.buf = &got, .pretty = true};
  psp_fields_encode(&w, map);
  psp_buf expected = {0};
  psp_json_writer e = {.buf = &expected, .pretty = true};
  psp_json_put_json(&e, psp_json_get(golden, "fields"));
  test_same_shape("all types", got.data, got.len, expected.data, expected.len);
  psprobe_value_free(map);
  psp_json_free(json);
  psp_json_free(golden);
  psp_buf_free(&sent);
  psp_buf_free(&back);
  psp_buf_free(&got);
  psp_buf_free(&expected);
}

static void test_field_names(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{\"\":{\"nullValue\":null}}", "The property.name is the empty string."},
      {"{\"__x__\":{\"nullValue\":null}}", "field name __x__ is reserved"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_json *json = parse(cases[i][0]);
    psprobe_value *map;
    psprobe_error error = {0};
    assert_int_equal(psp_documents_fields_read(json, &map, &error), PSPROBE_INVALID_ARGUMENT);
    assert_string_equal(error.message, cases[i][1]);
    psp_json_free(json);
  }
}

static void test_ids(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"a", NULL},
      {"__id7__", NULL},
      {"__x", NULL},
      {".", "Resource id \".\" is invalid because it is reserved."},
      {"__x__", "Resource id \"__x__\" is invalid because it is reserved."},
      {"a/b", "Resource id \"a/b\" is invalid because it contains \"/\"."},
      {"", "Resource id \"\" is invalid because it is empty."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_code code = psp_documents_id_check("Resource id", cases[i][0], &error);
    assert_int_equal(code, cases[i][1] != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    if (code != PSPROBE_OK) assert_string_equal(error.message, cases[i][1]);
  }
}

static psprobe_value *fields(const char *text) {
  psp_json *json = parse(text);
  psprobe_value *map;
  assert_int_equal(psp_documents_fields_read(json, &map, NULL), PSPROBE_OK);
  psp_json_free(json);
  return map;
}

static void is(const psprobe_value *map, const char *expected) {
  psp_buf got = {0};
  psp_json_writer w = {.buf = &got};
  psp_fields_encode(&w, map);
  assert_string_equal(got.data, expected);
  psp_buf_free(&got);
}

static void put(psprobe_value *map, const char *path, psprobe_value *value) {
  psp_documents_path parsed;
  assert_int_equal(psp_documents_path_parse(path, &parsed, NULL), PSPROBE_OK);
  assert_true(psp_documents_path_put(map, &parsed, value));
  psp_documents_path_free(&parsed);
}

static void test_put(void **state) {
  (void)state;
  psprobe_value *map = fields("{\"a\":{\"integerValue\":\"1\"},\"b\":{\"integerValue\":\"2\"}}");
  put(map, "a", psprobe_value_boolean(true)); /* moves to the end */
  is(map, "{\"b\":{\"integerValue\":\"2\"},\"a\":{\"booleanValue\":true}}");
  put(map, "b", NULL);
  put(map, "none.at.all", NULL);
  put(map, "a.x", NULL); /* a is no map */
  is(map, "{\"a\":{\"booleanValue\":true}}");
  put(map, "c.`d.e`", psprobe_value_null());
  put(map, "a.x", psprobe_value_null());
  is(map,
     "{\"c\":{\"mapValue\":{\"fields\":{\"d.e\":{\"nullValue\":null}}}},"
     "\"a\":{\"mapValue\":{\"fields\":{\"x\":{\"nullValue\":null}}}}}");
  psprobe_value_free(map);
  map = psprobe_value_map();
  for (int i = 0; i < 100; i++) { /* enough for the map to keep an index */
    char name[16];
    snprintf(name, sizeof name, "n%d", i);
    put(map, name, psprobe_value_integer(i));
  }
  for (int i = 0; i < 98; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%d", i);
    put(map, name, NULL);
  }
  is(map, "{\"n98\":{\"integerValue\":\"98\"},\"n99\":{\"integerValue\":\"99\"}}");
  psprobe_value_free(map);
}

static void test_pick(void **state) {
  (void)state;
  static const char document[] =
      "{\"b\":{\"mapValue\":{\"fields\":{\"x\":{\"integerValue\":\"1\"},\"y\":{\"nullValue\":null}}"
      "}"
      "},\"a\":{\"integerValue\":\"2\"}}";
  static const struct {
    const char *paths[3], *picked;
  } cases[] = {
      {{"a", "b.x"},
       "{\"b\":{\"mapValue\":{\"fields\":{\"x\":{\"integerValue\":\"1\"}}}},\"a\":{"
       "\"integerValue\":"
       "\"2\"}}"},
      {{"b", "b.x"},
       "{\"b\":{\"mapValue\":{\"fields\":{\"x\":{\"integerValue\":\"1\"},\"y\":{\"nullValue\":null}"
       "}"
       "}}}"},
      {{"b.z", "a.x", "none"}, "{}"},
      {{NULL}, "{}"},
  };
  psprobe_value *map = fields(document);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_documents_mask mask = {.set = true};
    for (int k = 0; k < 3 && cases[i].paths[k] != NULL; k++)
      assert_int_equal(psp_documents_mask_add(&mask, cases[i].paths[k], NULL), PSPROBE_OK);
    psprobe_value *picked = psp_documents_mask_pick(&mask, map);
    is(picked, cases[i].picked);
    psprobe_value_free(picked);
    psp_documents_mask_free(&mask);
  }
  psprobe_value_free(map);
}

static void test_bad_paths(void **state) {
  (void)state;
  static const char *const paths[] = {"a..b", ".a", "a.", "a-b", "`a", "1a"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    psp_documents_path path;
    psprobe_error error = {0};
    assert_int_equal(psp_documents_path_parse(paths[i], &path, &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "Unquoted property paths must match regex"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),      cmocka_unit_test(test_all_types_as_captured),
      cmocka_unit_test(test_field_names), cmocka_unit_test(test_ids),
      cmocka_unit_test(test_put),         cmocka_unit_test(test_pick),
      cmocka_unit_test(test_bad_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
