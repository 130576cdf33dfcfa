/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firestore/value/json.h"
#include "values.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define NAME        "projects/p/databases/(default)/documents/c/d"

/* What is read, and how it is written: NULL, the same. */
static const char *const readable[][2] = {
    {"{\"nullValue\":null}", NULL},
    {"{\"nullValue\":\"NULL_VALUE\"}", "{\"nullValue\":null}"},
    {"{\"nullValue\":0}", "{\"nullValue\":null}"},
    {"{\"booleanValue\":true}", NULL},
    {"{\"booleanValue\":false}", NULL},
    {"{\"booleanValue\":\"true\"}", "{\"booleanValue\":true}"},
    {"{\"boolean_value\":false}", "{\"booleanValue\":false}"},
    {"{\"integerValue\":\"5\"}", NULL},
    {"{\"integerValue\":5}", "{\"integerValue\":\"5\"}"},
    {"{\"integerValue\":5.0}", "{\"integerValue\":\"5\"}"},
    {"{\"integerValue\":\"-9223372036854775808\"}", NULL},
    {"{\"integerValue\":9223372036854775807}", "{\"integerValue\":\"9223372036854775807\"}"},
    {"{\"doubleValue\":1.5}", NULL},
    {"{\"doubleValue\":1}", NULL},
    {"{\"doubleValue\":1.0E21}", "{\"doubleValue\":1e21}"},
    {"{\"doubleValue\":4.9E-324}", "{\"doubleValue\":5e-324}"},
    {"{\"doubleValue\":0.1}", NULL},
    {"{\"doubleValue\":\"1.5\"}", "{\"doubleValue\":1.5}"},
    {"{\"doubleValue\":\"NaN\"}", NULL},
    {"{\"doubleValue\":\"Infinity\"}", NULL},
    {"{\"doubleValue\":\"-Infinity\"}", NULL},
    {"{\"timestampValue\":\"2024-01-02T03:04:05Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-02T03:04:05.100Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-02T03:04:05.123456Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-02T03:04:05.123456789Z\"}", NULL},
    {"{\"timestampValue\":\"2024-01-02T03:04:05.1+02:00\"}",
     "{\"timestampValue\":\"2024-01-02T01:04:05.100Z\"}"},
    {"{\"timestampValue\":\"0001-01-01T00:00:00Z\"}", NULL},
    {"{\"timestampValue\":\"9999-12-31T23:59:59.999999Z\"}", NULL},
    {"{\"stringValue\":\"\"}", NULL},
    {"{\"stringValue\":\"a\\u0000b\"}", NULL},
    {"{\"stringValue\":\"\\\"\\\\/\\n\"}", NULL},
    {"{\"stringValue\":\"\\u00e9\\ud83d\\ude00\"}",
     "{\"stringValue\":\"\xC3\xA9\xF0\x9F\x98\x80\"}"},
    {"{\"bytesValue\":\"\"}", NULL},
    {"{\"bytesValue\":\"+/8=\"}", NULL},
    {"{\"bytesValue\":\"-_8\"}", "{\"bytesValue\":\"+/8=\"}"},
    {"{\"referenceValue\":\"" NAME "\"}", NULL},
    {"{\"geoPointValue\":{}}", NULL},
    {"{\"geoPointValue\":{\"latitude\":1.5,\"longitude\":-2}}", NULL},
    {"{\"geoPointValue\":{\"longitude\":-2.0}}", "{\"geoPointValue\":{\"longitude\":-2}}"},
    {"{\"geoPointValue\":{\"latitude\":0,\"longitude\":-0.0}}", "{\"geoPointValue\":{}}"},
    {"{\"arrayValue\":{}}", NULL},
    {"{\"arrayValue\":{\"values\":[]}}", "{\"arrayValue\":{}}"},
    {"{\"arrayValue\":{\"values\":null}}", "{\"arrayValue\":{}}"},
    {"{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{\"arrayValue\":{}}]}}", NULL},
    {"{\"mapValue\":{}}", NULL},
    {"{\"mapValue\":{\"fields\":{}}}", "{\"mapValue\":{}}"},
    {"{\"mapValue\":{\"fields\":{\"b\":{\"nullValue\":null},\"a\":{\"mapValue\":{}}}}}", NULL},
    {"{\"mapValue\":{\"fields\":{\"a\\u0000\":{\"nullValue\":null}}}}", NULL},
    {"{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":1},\"a\":{\"integerValue\":2}}}}",
     "{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"2\"}}}}"},
};

static void reads_and_writes(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(readable); i++) {
    psprobe_value *value = test_value(readable[i][0]);
    char *json = test_value_json(value);
    assert_string_equal(json, readable[i][readable[i][1] != NULL ? 1 : 0]);
    psprobe_value *again = test_value(json);
    assert_true(psprobe_value_equal(value, again));
    psprobe_value_free(again);
    psprobe_value_free(value);
    free(json);
  }
}

static psprobe_code decode(const char *text, size_t len, psprobe_value **value,
                           psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_code code = psp_json_parse(text, len, "test", &json, error);
  if (code == PSPROBE_OK) code = psp_value_decode(json, value, error);
  psp_json_free(json);
  return code;
}

static const char *const unreadable[] = {
    "{}",
    "null",
    "5",
    "\"x\"",
    "[]",
    "[{\"integerValue\":\"5\"}]",
    "{\"stringValue\":\"a\",\"integerValue\":\"5\"}",
    "{\"colourValue\":\"red\"}",
    "{\"stringvalue\":\"red\"}",
    "{\"nullValue\":\"x\"}",
    "{\"nullValue\":1}",
    "{\"nullValue\":{}}",
    "{\"booleanValue\":1}",
    "{\"booleanValue\":null}",
    "{\"booleanValue\":\"True\"}",
    "{\"integerValue\":5.5}",
    "{\"integerValue\":\"\"}",
    "{\"integerValue\":\" 5\"}",
    "{\"integerValue\":\"0x5\"}",
    "{\"integerValue\":\"9223372036854775808\"}",
    "{\"integerValue\":9223372036854775808}",
    "{\"integerValue\":true}",
    "{\"integerValue\":[]}",
    "{\"integerValue\":null}",
    "{\"doubleValue\":\"nan\"}",
    "{\"doubleValue\":\"inf\"}",
    "{\"doubleValue\":\"\"}",
    "{\"doubleValue\":null}",
    "{\"doubleValue\":{}}",
    "{\"timestampValue\":5}",
    "{\"timestampValue\":null}",
    "{\"timestampValue\":{\"seconds\":5}}",
    "{\"timestampValue\":\"\"}",
    "{\"timestampValue\":\"2024-01-02\"}",
    "{\"timestampValue\":\"2024-01-02t03:04:05z\"}",
    "{\"timestampValue\":\"2024-01-02 03:04:05Z\"}",
    "{\"timestampValue\":\"2024-01-02T03:04:05\"}",
    "{\"timestampValue\":\"10000-01-02T03:04:05Z\"}",
    "{\"timestampValue\":\"2024-02-30T03:04:05Z\"}",
    "{\"timestampValue\":\"2024-01-02T03:04:05Z\\u0000\"}",
    "{\"stringValue\":null}",
    "{\"stringValue\":{}}",
    "{\"bytesValue\":\"a*b\"}",
    "{\"bytesValue\":5}",
    "{\"referenceValue\":5}",
    "{\"geoPointValue\":null}",
    "{\"geoPointValue\":[1,2]}",
    "{\"geoPointValue\":{\"latitude\":true}}",
    "{\"geoPointValue\":{\"latitude\":\"north\"}}",
    "{\"arrayValue\":null}",
    "{\"arrayValue\":[]}",
    "{\"arrayValue\":{\"values\":{}}}",
    "{\"arrayValue\":{\"values\":[{}]}}",
    "{\"arrayValue\":{\"values\":[null]}}",
    "{\"mapValue\":null}",
    "{\"mapValue\":[]}",
    "{\"mapValue\":{\"fields\":[]}}",
    "{\"mapValue\":{\"fields\":{\"a\":5}}}",
    "{\"mapValue\":{\"fields\":{\"a\":{\"b\":{\"integerValue\":\"5\"}}}}}",
};

static void refuses_what_is_no_value(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(unreadable); i++) {
    psprobe_value *value = NULL;
    psprobe_error error = {0};
    psprobe_code code = decode(unreadable[i], strlen(unreadable[i]), &value, &error);
    if (code != PSPROBE_INVALID_ARGUMENT || error.code != code || !*error.message || value != NULL)
      fail_msg("%s: %d, \"%s\"", unreadable[i], code, error.message);
    assert_int_equal(decode(unreadable[i], strlen(unreadable[i]), &value, NULL), code);
  }
}

static void tells_where_it_went_wrong(void **state) {
  (void)state;
  const char *text =
      "{\"mapValue\":{\"fields\":{\"outer\":{\"mapValue\":{\"fields\":"
      "{\"inner\":{\"integerValue\":\"x\"}}}}}}}";
  psprobe_value *value = NULL;
  psprobe_error error = {0};
  assert_int_equal(decode(text, strlen(text), &value, &error), PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message,
                      "field outer: field inner: integerValue that is not an integer");
}

/* Every JSON value in the place of every value's content: never a crash, and what is taken is
 * written in a form that reads back the same. */
static void survives_type_confusion(void **state) {
  (void)state;
  static const char *const types[] = {"nullValue",   "booleanValue",   "integerValue",
                                      "doubleValue", "timestampValue", "stringValue",
                                      "bytesValue",  "referenceValue", "geoPointValue",
                                      "arrayValue",  "mapValue"};
  static const char *const contents[] = {"null",
                                         "true",
                                         "0",
                                         "-1",
                                         "1.5",
                                         "1e400",
                                         "\"\"",
                                         "\"AAAA\"",
                                         "\"2024-01-02T03:04:05Z\"",
                                         "\"\\u0000\"",
                                         "[]",
                                         "[[]]",
                                         "[{\"nullValue\":null}]",
                                         "{}",
                                         "{\"values\":[]}",
                                         "{\"values\":[[]]}",
                                         "{\"fields\":{}}",
                                         "{\"fields\":[]}",
                                         "{\"fields\":{\"\":{}}}",
                                         "{\"latitude\":{}}",
                                         "{\"latitude\":1e400}"};
  char text[128];
  int taken = 0;
  for (size_t i = 0; i < COUNT(types); i++) {
    for (size_t j = 0; j < COUNT(contents); j++) {
      psprobe_value *value = NULL;
      snprintf(text, sizeof text, "{\"%s\":%s}", types[i], contents[j]);
      if (decode(text, strlen(text), &value, NULL) != PSPROBE_OK) continue;
      char *json = test_value_json(value);
      psprobe_value *again = test_value(json);
      assert_true(psprobe_value_equal(value, again));
      psprobe_value_free(value);
      psprobe_value_free(again);
      free(json);
      taken++;
    }
  }
  assert_in_range(taken, 30, 60);
}

/* As deep as the service lets a document be inside an answer of runQuery; and far beyond. */
static void reads_as_deep_as_there_is(void **state) {
  (void)state;
  for (int depth = 1; depth <= 100000; depth = depth < 20 ? 20 : depth * 10) {
    psp_buf text = {0};
    for (int i = 0; i < depth; i++)
      psp_buf_text(&text,
                   i % 2 ? "{\"mapValue\":{\"fields\":{\"k\":" : "{\"arrayValue\":{\"values\":[");
    psp_buf_text(&text, "{\"geoPointValue\":{\"latitude\":1}}");
    for (int i = depth; i-- > 0;)
      psp_buf_text(&text, i % 2 ? "}}}" : "]}}");
    assert_false(text.failed);
    psprobe_value *value = NULL;
    psprobe_error error = {0};
    psprobe_code code = decode(text.data, text.len, &value, &error);
    assert_int_equal(code, depth <= 20 ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT);
    if (depth > 20) assert_non_null(strstr(error.message, "deep"));
    psprobe_value_free(value);
    psp_buf_free(&text);
  }
}

static void writes_every_type(void **state) {
  (void)state;
  psprobe_value *map = test_every_type("p");
  char *json = test_value_json(map);
  psprobe_value *again = test_value(json);
  assert_true(psprobe_value_equal(map, again));
  psprobe_value_free(map);
  psprobe_value_free(again);
  free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_and_writes),          cmocka_unit_test(refuses_what_is_no_value),
      cmocka_unit_test(tells_where_it_went_wrong), cmocka_unit_test(survives_type_confusion),
      cmocka_unit_test(reads_as_deep_as_there_is), cmocka_unit_test(writes_every_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
