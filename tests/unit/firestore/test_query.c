/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "firestore/query.h"
#include "firestore/service.h"
#include "values.h"

#define DATA     "tests/data/firestore/"
#define COUNT(l) (sizeof(l) / sizeof *(l))
#define NAME     "projects/p/databases/(default)/documents/c/d"

#define FROM          "{\"structuredQuery\":{\"from\":[{\"collectionId\":\"c\"}],"
#define FIELD(f)      "\"field\":{\"fieldPath\":\"" f "\"}"
#define ORDER(f, dir) "{" FIELD(f) ",\"direction\":\"" dir "\"}"
#define BY_NAME       "\"orderBy\":[" ORDER("__name__", "ASCENDING") "]"
#define BY_N          "\"orderBy\":[" ORDER("n", "ASCENDING") "," ORDER("__name__", "ASCENDING") "]"
#define END           ",\"limit\":7}}"
#define WHERE(op, v) \
  "\"where\":{\"fieldFilter\":{" FIELD("n") ",\"op\":\"" op "\",\"value\":" v "}},"
#define UNARY(op) "\"where\":{\"unaryFilter\":{\"op\":\"" op "\"," FIELD("n") "}},"

static void check(const psprobe_query *query, const psprobe_document *after, int64_t offset,
                  const char *body) {
  psp_buf out = {0};
  psprobe_error error = {0};
  psp_query_page page = {.limit = 7, .offset = offset, .after = after};
  if (psp_query_check(query, &error) != PSPROBE_OK ||
      psp_query_encode(&out, query, &page, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_string_equal(out.data, body);
  psp_buf_free(&out);
}

static void writes_filters(void **state) {
  (void)state;
  static const struct {
    psprobe_filter_op op;
    const char *value, *body;
  } cases[] = {
      {PSPROBE_EQUAL, "{\"integerValue\":\"5\"}",
       FROM WHERE("EQUAL", "{\"integerValue\":\"5\"}") BY_NAME END},
      {PSPROBE_NOT_EQUAL, "{\"stringValue\":\"x\"}",
       FROM WHERE("NOT_EQUAL", "{\"stringValue\":\"x\"}") BY_N END},
      {PSPROBE_LESS, "{\"doubleValue\":1.5}",
       FROM WHERE("LESS_THAN", "{\"doubleValue\":1.5}") BY_N END},
      {PSPROBE_LESS_OR_EQUAL, "{\"booleanValue\":true}",
       FROM WHERE("LESS_THAN_OR_EQUAL", "{\"booleanValue\":true}") BY_N END},
      {PSPROBE_GREATER, "{\"timestampValue\":\"2024-01-02T03:04:05Z\"}",
       FROM WHERE("GREATER_THAN", "{\"timestampValue\":\"2024-01-02T03:04:05Z\"}") BY_N END},
      {PSPROBE_GREATER_OR_EQUAL, "{\"mapValue\":{}}",
       FROM WHERE("GREATER_THAN_OR_EQUAL", "{\"mapValue\":{}}") BY_N END},
      {PSPROBE_EQUAL, "{\"nullValue\":null}", FROM UNARY("IS_NULL") BY_NAME END},
      {PSPROBE_NOT_EQUAL, "{\"nullValue\":null}", FROM UNARY("IS_NOT_NULL") BY_N END},
      {PSPROBE_EQUAL, "{\"doubleValue\":\"NaN\"}", FROM UNARY("IS_NAN") BY_NAME END},
      {PSPROBE_NOT_EQUAL, "{\"doubleValue\":\"NaN\"}", FROM UNARY("IS_NOT_NAN") BY_N END},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psprobe_value *value = test_value(cases[i].value);
    psprobe_query query = {
        .collection = "c", .where_field = "n", .where_op = cases[i].op, .where_value = value};
    check(&query, NULL, 0, cases[i].body);
    psprobe_value_free(value);
  }
}

static void writes_order_and_place(void **state) {
  (void)state;
  psprobe_value *fields = psprobe_value_map();
  psprobe_value_set(fields, "n", psprobe_value_integer(41));
  psprobe_document last = {.name = (char[]){NAME}, .fields = fields};
  psprobe_query plain = {.collection = "c"};
  check(&plain, NULL, 0, FROM BY_NAME END);
  check(&plain, NULL, 20, FROM BY_NAME ",\"offset\":20" END);
  check(&plain, &last, 0,
        FROM BY_NAME ",\"startAt\":{\"values\":[{\"referenceValue\":\"" NAME
                     "\"}],\"before\":false}" END);
  psprobe_query by_name = {.collection = "c", .order_by = "__name__", .descending = true};
  check(&by_name, NULL, 0, FROM "\"orderBy\":[" ORDER("__name__", "DESCENDING") "]" END);
  psprobe_query by_n = {.collection = "a/b/c", .order_by = "n", .descending = true};
  check(&by_n, &last, 0,
        FROM "\"orderBy\":[" ORDER("n", "DESCENDING") "," ORDER("__name__", "DESCENDING")
             "],\"startAt\":{\"values\":[{\"integerValue\":\"41\"},{\"referenceValue\":\"" NAME
             "\"}],\"before\":false}" END);
  psprobe_query quoted = {.collection = "c", .order_by = "m.`x-y`"};
  psp_buf out = {0};
  psprobe_error error = {0};
  psp_query_page page = {.limit = 1, .after = &last};
  assert_int_equal(psp_query_encode(&out, &quoted, &page, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "no field m.`x-y`"));
  psp_buf_free(&out);
  psprobe_value_free(fields);
}

static void refuses_what_is_no_query(void **state) {
  (void)state;
  psprobe_value *five = psprobe_value_integer(5), *bad = psprobe_value_geo_point(91, 0);
  const struct {
    psprobe_query query;
    const char *rule;
  } cases[] = {
      {{0}, "no path"},
      {{.collection = "c/d"}, "odd number"},
      {{.collection = "c", .where_op = PSPROBE_EQUAL, .where_value = five}, "no field path"},
      {{.collection = "c", .where_op = PSPROBE_EQUAL, .where_field = "n"}, "where: the value"},
      {{.collection = "c", .where_op = PSPROBE_EQUAL, .where_field = "n", .where_value = bad},
       "where: the value: a latitude"},
      {{.collection = "c", .where_op = PSPROBE_EQUAL, .where_field = "a-b", .where_value = five},
       "where: field path"},
      {{.collection = "c",
        .where_op = (psprobe_filter_op)99,
        .where_field = "n",
        .where_value = five},
       "unknown filter"},
      {{.collection = "c", .order_by = ""}, "order by: field path"},
      {{.collection = "c", .limit = -1}, "negative limit"},
      {{.collection = "c", .offset = -1}, "offset"},
      {{.collection = "c", .offset = INT64_C(1) << 31}, "offset"},
      {{.collection = "c", .page_size = -1}, "page size"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psprobe_error error = {0};
    psprobe_code code = psp_query_check(&cases[i].query, &error);
    if (code != PSPROBE_INVALID_ARGUMENT || strstr(error.message, cases[i].rule) == NULL)
      fail_msg("%d, \"%s\", without \"%s\"", code, error.message, cases[i].rule);
  }
  psprobe_value_free(five);
  psprobe_value_free(bad);
}

/* How many documents an answer has; -1: it is broken. */
static int count_documents(const char *text, size_t len) {
  psp_json *json = NULL;
  int count = 0;
  if (psp_json_parse(text, len, "test", &json, NULL) != PSPROBE_OK) return -1;
  for (const psp_json *item = psp_query_first(json); item != NULL; item = psp_json_next(item)) {
    psprobe_document *document = NULL;
    if (psp_query_element(item, &document, NULL) != PSPROBE_OK) {
      count = -1;
      break;
    }
    count += document != NULL;
    psprobe_document_free(document);
  }
  psp_json_free(json);
  return count;
}

static void reads_answers(void **state) {
  (void)state;
  psp_buf some = test_file(DATA "run-query.json"), none = test_file(DATA "run-query-empty.json");
  assert_int_equal(count_documents(some.data, some.len), 1);
  assert_int_equal(count_documents(none.data, none.len), 0);
  static const struct {
    const char *text;
    int count;
  } cases[] = {
      {"[]", 0},
      {"[\n\n]\n", 0},
      {"[{\"transaction\":\"AA==\"},{\"document\":{\"name\":\"x\"}},{\"skippedResults\":5}]", 1},
      {"{\"document\":{\"name\":\"x\"},\"readTime\":\"2024-01-01T00:00:00Z\"}", 1},
      {"{}", 0},
      {"[5]", -1},
      {"5", -1},
      {"[[]]", -1},
      {"[{\"document\":5}]", -1},
      {"[{\"document\":{}}]", -1},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_int_equal(count_documents(cases[i].text, strlen(cases[i].text)), cases[i].count);
  psp_buf_free(&some);
  psp_buf_free(&none);
}

static void feed(const char *text, size_t len, void *arg) {
  if (count_documents(text, len) >= 0) ++*(int *)arg;
}

static void cut_short_it_is_broken(void **state) {
  (void)state;
  int taken = 0;
  psp_buf body = test_file(DATA "run-query.json");
  test_prefixes(&body, feed, &taken);
  assert_int_equal(taken, 1); /* without the newline */
  psp_buf_free(&body);
}

/* A stream that fails midway says so in an element. */
static void an_element_can_be_an_error(void **state) {
  (void)state;
  static const struct {
    const char *item;
    psprobe_code code;
  } cases[] = {
      {"{\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}",
       PSPROBE_UNAVAILABLE},
      {"{\"error\":{\"code\":400,\"message\":\"no index\",\"status\":\"FAILED_PRECONDITION\"}}",
       PSPROBE_FAILED_PRECONDITION},
      {"{\"error\":{}}", PSPROBE_INTERNAL},
      {"{\"error\":5}", PSPROBE_INTERNAL},
      {"{\"error\":{\"code\":200}}", PSPROBE_INTERNAL},
      {"{\"document\":{}}", PSPROBE_OK},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psp_json *json = NULL;
    psprobe_error error = {0};
    assert_int_equal(psp_json_parse(cases[i].item, strlen(cases[i].item), "test", &json, NULL),
                     PSPROBE_OK);
    assert_int_equal(psp_firestore_item_error(json, "query of c", &error), cases[i].code);
    assert_int_equal(error.code, cases[i].code);
    if (cases[i].code != PSPROBE_OK) assert_non_null(strstr(error.message, "query of c: "));
    psp_json_free(json);
  }
}

/* The other captured array answers are arrays of elements too. */
static void reads_other_arrays(void **state) {
  (void)state;
  psp_buf body = test_file(DATA "run-aggregation.json");
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(body.data, body.len, "test", &json, NULL), PSPROBE_OK);
  const psp_json *fields =
      psp_json_get(psp_json_get(psp_query_first(json), "result"), "aggregateFields");
  psprobe_value *map = NULL;
  int64_t count = 0;
  double average = 0;
  assert_int_equal(psp_fields_decode(fields, &map, NULL), PSPROBE_OK);
  assert_true(psprobe_value_get_integer(psprobe_value_find(map, "count"), &count));
  assert_true(psprobe_value_get_double(psprobe_value_find(map, "avg"), &average));
  assert_true(count == 1 && average == 1234567);
  psprobe_value_free(map);
  psp_json_free(json);
  psp_buf_free(&body);
  body = test_file(DATA "batch-get.json");
  assert_int_equal(psp_json_parse(body.data, body.len, "test", &json, NULL), PSPROBE_OK);
  psprobe_document *document = NULL;
  assert_int_equal(
      psp_document_decode(psp_json_get(psp_query_first(json), "found"), &document, NULL),
      PSPROBE_OK);
  assert_int_equal(psprobe_value_count(psprobe_document_fields(document)), 0);
  psprobe_document_free(document);
  psp_json_free(json);
  psp_buf_free(&body);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_filters),           cmocka_unit_test(writes_order_and_place),
      cmocka_unit_test(refuses_what_is_no_query), cmocka_unit_test(reads_answers),
      cmocka_unit_test(cut_short_it_is_broken),   cmocka_unit_test(an_element_can_be_an_error),
      cmocka_unit_test(reads_other_arrays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
