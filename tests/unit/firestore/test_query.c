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

#include "files.h"
#include "firestore/query.h"
#include "firestore/stream.h"
#include "values.h"

#define DATA     "tests/data/firestore/"
#define COUNT(l) (sizeof(l) / sizeof *(l))
#define NAME     "projects/p/databases/(default)/documents/c/d"

#define FROM          "{\"from\":[{\"collectionId\":\"c\"}],"
#define FIELD(f)      "\"field\":{\"fieldPath\":\"" f "\"}"
#define ORDER(f, dir) "{" FIELD(f) ",\"direction\":\"" dir "\"}"
#define BY_NAME       "\"orderBy\":[" ORDER("__name__", "ASCENDING") "]"
#define BY_N          "\"orderBy\":[" ORDER("n", "ASCENDING") "," ORDER("__name__", "ASCENDING") "]"
#define END           ",\"limit\":7}"
#define WHERE(op, v) \
  "\"where\":{\"fieldFilter\":{" FIELD("n") ",\"op\":\"" op "\",\"value\":" v "}},"
#define UNARY(op) "\"where\":{\"unaryFilter\":{" FIELD("n") ",\"op\":\"" op "\"}},"

/* The query as it is sent when seven more are wanted, after a document. */
static psprobe_code encode(psp_buf *out, const psprobe_query *query, const psprobe_document *after,
                           psprobe_error *error) {
  psprobe_order *orders = NULL;
  psp_query_rest rest = {.limit = 7, .after = after};
  psp_json_writer w = {.buf = out};
  rest.order_count = psp_query_orders(query, &orders);
  rest.orders = orders;
  psprobe_code code = psp_query_check(query, error);
  if (code == PSPROBE_OK) code = psp_query_encode(&w, query, &rest, error);
  free(orders);
  return code;
}

static void check(const psprobe_query *query, const psprobe_document *after, const char *body) {
  psp_buf out = {0};
  psprobe_error error = {0};
  if (encode(&out, query, after, &error) != PSPROBE_OK) fail_msg("%s", error.message);
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
    psprobe_query query = {.collection = "c",
                           .where = {.op = cases[i].op, .field = "n", .value = value}};
    check(&query, NULL, cases[i].body);
    psprobe_value_free(value);
  }
}

/* Every operator with parts, with an array, and without a value. */
static void writes_parts(void **state) {
  (void)state;
  psprobe_value *two = test_value(
      "{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},"
      "{\"stringValue\":\"x\"}]}}");
  psprobe_where either[] = {{.op = PSPROBE_IN, .field = "a", .value = two},
                            {.op = PSPROBE_ARRAY_CONTAINS_ANY, .field = "b", .value = two}};
  psprobe_value *one = psprobe_value_integer(1);
  psprobe_where both[] = {{.op = PSPROBE_OR, .parts = either, .part_count = 2},
                          {.op = PSPROBE_NOT_IN, .field = "z", .value = two},
                          {.op = PSPROBE_ARRAY_CONTAINS, .field = "c", .value = one},
                          {.op = PSPROBE_IS_NOT_NULL, .field = "y"},
                          {.op = PSPROBE_IS_NAN, .field = "x"}};
  psprobe_query query = {.collection = "c",
                         .where = {.op = PSPROBE_AND, .parts = both, .part_count = 5}};
#define LEAF(f, op, v) "{\"fieldFilter\":{" FIELD(f) ",\"op\":\"" op "\",\"value\":" v "}}"
#define SOLE(f, op)    "{\"unaryFilter\":{" FIELD(f) ",\"op\":\"" op "\"}}"
#define PARTS(op, all) "{\"compositeFilter\":{\"op\":\"" op "\",\"filters\":[" all "]}}"
#define ONE            "{\"integerValue\":\"1\"}"
#define TWO            "{\"arrayValue\":{\"values\":[" ONE ",{\"stringValue\":\"x\"}]}}"
#define EITHER         LEAF("a", "IN", TWO) "," LEAF("b", "ARRAY_CONTAINS_ANY", TWO)
#define REST           LEAF("z", "NOT_IN", TWO) "," LEAF("c", "ARRAY_CONTAINS", ONE)
#define UNARIES        SOLE("y", "IS_NOT_NULL") "," SOLE("x", "IS_NAN")
#define IMPLIED        ORDER("y", "ASCENDING") "," ORDER("z", "ASCENDING")
  check(&query, NULL,
        FROM "\"where\":" PARTS(
            "AND", PARTS("OR", EITHER) "," REST "," UNARIES) ",\"orderBy\":[" IMPLIED
                                                             "," ORDER("__name__",
                                                                       "ASCENDING") "]" END);
  psprobe_value_free(one);
  psprobe_value_free(two);
}

/* Fields of inequalities are added in the order of their names, each once, however it is quoted. */
static void adds_the_orders_that_are_implied(void **state) {
  (void)state;
  psprobe_value *one = psprobe_value_integer(1);
  psprobe_where both[] = {{.op = PSPROBE_GREATER, .field = "z", .value = one},
                          {.op = PSPROBE_LESS, .field = "`n`", .value = one},
                          {.op = PSPROBE_NOT_EQUAL, .field = "b", .value = one},
                          {.op = PSPROBE_LESS, .field = "z", .value = one},
                          {.op = PSPROBE_EQUAL, .field = "a", .value = one}};
  psprobe_order down = {.field = "n", .descending = true};
  psprobe_query query = {.collection = "c",
                         .where = {.op = PSPROBE_AND, .parts = both, .part_count = 5},
                         .orders = &down,
                         .order_count = 1};
  psprobe_order *orders = NULL;
  assert_int_equal(psp_query_orders(&query, &orders), 4);
  static const char *const fields[] = {"n", "b", "z", "__name__"};
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(orders[i].field, fields[i]);
    assert_true(orders[i].descending);
  }
  free(orders);
  psprobe_value_free(one);
}

static void writes_order_and_place(void **state) {
  (void)state;
  psprobe_value *fields = psprobe_value_map();
  psprobe_value_set(fields, "n", psprobe_value_integer(41));
  psprobe_document last = {.name = (char[]){NAME}, .fields = fields};
  psprobe_query query = {.collection = "c"};
#define AFTER "\"startAt\":{\"values\":["
#define NAMED "{\"referenceValue\":\"" NAME "\"}],\"before\":false}"
  check(&query, NULL, FROM BY_NAME END);
  query.offset = 20;
  check(&query, NULL, FROM BY_NAME ",\"offset\":20" END);
  check(&query, &last, FROM BY_NAME "," AFTER NAMED END);
  psprobe_order by_name = {"__name__", true}, by_n = {"n", true}, quoted = {"m.`x-y`", false};
  query = (psprobe_query){.collection = "c", .orders = &by_name, .order_count = 1};
  check(&query, NULL, FROM "\"orderBy\":[" ORDER("__name__", "DESCENDING") "]" END);
  query = (psprobe_query){.collection = "a/b/c", .orders = &by_n, .order_count = 1};
  check(&query, &last,
        FROM "\"orderBy\":[" ORDER("n", "DESCENDING") "," ORDER(
            "__name__", "DESCENDING") "]," AFTER "{\"integerValue\":\"41\"}," NAMED END);
  query.orders = &quoted;
  psp_buf out = {0};
  psprobe_error error = {0};
  assert_int_equal(encode(&out, &query, &last, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "no field m.`x-y`"));
  psp_buf_free(&out);
  psprobe_value_free(fields);
}

static void writes_cursors_and_masks(void **state) {
  (void)state;
  psprobe_value *one = psprobe_value_integer(1), *nine = psprobe_value_integer(9);
  const psprobe_value *from[] = {one}, *to[] = {nine};
  psprobe_order by_n = {.field = "n"};
  psprobe_query query = {.collection = "c",
                         .all_descendants = true,
                         .orders = &by_n,
                         .order_count = 1,
                         .start = {.values = from, .count = 1},
                         .end = {.values = to, .count = 1, .beyond = true}};
#define GROUP "\"from\":[{\"collectionId\":\"c\",\"allDescendants\":true}]," BY_N
#define AT(what, n, before) \
  ",\"" what "\":{\"values\":[{\"integerValue\":\"" n "\"}],\"before\":" before "}"
  check(&query, NULL, "{" GROUP AT("startAt", "1", "true") AT("endAt", "9", "true") END);
  query.start.beyond = true;
  query.end.beyond = false;
  static const char *const mask[] = {"a", "`b-c`"};
  query.read = (psprobe_read){.mask = mask, .mask_count = 2};
  check(&query, NULL,
        "{\"select\":{\"fields\":[{\"fieldPath\":\"a\"},{\"fieldPath\":\"`b-c`\"}]}," GROUP AT(
            "startAt", "1", "false") AT("endAt", "9", "false") END);
  query = (psprobe_query){.read = {.mask = mask}};
  check(&query, NULL,
        "{\"select\":{\"fields\":[{\"fieldPath\":\"__name__\"}]},"
        "\"from\":[{\"allDescendants\":true}]," BY_NAME END);
  psprobe_value_free(one);
  psprobe_value_free(nine);
}

static void refuses_what_is_no_query(void **state) {
  (void)state;
  psprobe_value *five = psprobe_value_integer(5), *bad = psprobe_value_geo_point(91, 0);
  psprobe_value *eleven = psprobe_value_array();
  for (int i = 0; i < 11; i++)
    psprobe_value_append(eleven, psprobe_value_integer(i));
  const psprobe_value *fives[] = {five, bad}, *two_fives[] = {five, five};
  psprobe_where none = {0}, many[] = {{.op = PSPROBE_IN, .field = "a", .value = eleven},
                                      {.op = PSPROBE_IN, .field = "b", .value = eleven}};
  psprobe_order nowhere = {.field = ""}, hundred[101];
  for (size_t i = 0; i < COUNT(hundred); i++)
    hundred[i] = (psprobe_order){.field = "a"};
  const struct {
    psprobe_query query;
    const char *rule;
  } cases[] = {
      {{.collection = "c/d"}, "odd number"},
      {{.collection = "c", .where = {.op = PSPROBE_EQUAL, .value = five}}, "no field path"},
      {{.collection = "c", .where = {.op = PSPROBE_EQUAL, .field = "n"}}, "where: the value"},
      {{.collection = "c", .where = {.op = PSPROBE_EQUAL, .field = "n", .value = bad}},
       "where: the value: a latitude"},
      {{.collection = "c", .where = {.op = PSPROBE_EQUAL, .field = "a-b", .value = five}},
       "where: field path"},
      {{.collection = "c", .where = {.op = (psprobe_filter_op)99, .field = "n", .value = five}},
       "unknown filter"},
      {{.collection = "c", .where = {.op = PSPROBE_IS_NULL, .field = "n", .value = five}},
       "has no value"},
      {{.collection = "c", .where = {.op = PSPROBE_IN, .field = "n", .value = five}},
       "IN takes an array of 1 to 30"},
      {{.collection = "c", .where = {.op = PSPROBE_NOT_IN, .field = "n", .value = eleven}},
       "NOT_IN takes an array of 1 to 10"},
      {{.collection = "c", .where = {.op = PSPROBE_AND}}, "one part or more"},
      {{.collection = "c", .where = {.op = PSPROBE_AND, .parts = &none, .part_count = 1}},
       "unknown filter"},
      {{.collection = "c", .where = {.op = PSPROBE_AND, .parts = many, .part_count = 2}},
       "more than 30 disjunctions"},
      {{.collection = "c", .orders = &nowhere, .order_count = 1}, "order by: field path"},
      {{.collection = "c", .start = {.values = two_fives, .count = 2}}, "start cursor: 2 values"},
      {{.collection = "c", .end = {.values = fives + 1, .count = 1}}, "end cursor: the value"},
      {{.collection = "c", .read = {.mask = &nowhere.field, .mask_count = 1}}, "field path"},
      {{.collection = "c", .limit = -1}, "a limit is"},
      {{.collection = "c", .limit = INT64_C(1) << 31}, "a limit is"},
      {{.collection = "c", .offset = -1}, "an offset is"},
      {{.collection = "c", .offset = INT64_C(1) << 31}, "an offset is"},
      {{.collection = "c", .orders = hundred, .order_count = 101}, "100 filters and orders"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psprobe_error error = {0};
    psprobe_code code = psp_query_check(&cases[i].query, &error);
    if (code != PSPROBE_INVALID_ARGUMENT || strstr(error.message, cases[i].rule) == NULL)
      fail_msg("%d, \"%s\", without \"%s\"", code, error.message, cases[i].rule);
  }
  psprobe_value_free(five);
  psprobe_value_free(bad);
  psprobe_value_free(eleven);
}

static psprobe_code count_one(void *arg, const psp_json *item, bool *enough, psprobe_error *error) {
  psprobe_document *document = NULL;
  psprobe_code code = psp_query_element(item, &document, error);
  (void)enough;
  *(int *)arg += document != NULL;
  psprobe_document_free(document);
  return code;
}

static int count_in_pieces(const char *text, size_t len, size_t piece) {
  int count = 0;
  psprobe_error error = {0};
  psp_firestore_items items = {.take = count_one, .arg = &count, .what = "a query"};
  psprobe_code code = psp_firestore_items_read(&items, text, len, piece, &error);
  if (code != PSPROBE_OK) assert_int_equal(code, PSPROBE_INTERNAL);
  return code == PSPROBE_OK ? count : -1;
}

/* How many documents an answer has, however it is cut; -1: it is broken. */
static int count_documents(const char *text, size_t len) {
  int count = count_in_pieces(text, len, len);
  assert_int_equal(count_in_pieces(text, len, 1), count);
  assert_int_equal(count_in_pieces(text, len, 7), count);
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
      {"", -1},
      {"[{\"done\":true}]]", -1},
      {"[{\"done\":true}] x", -1},
      {"[{\"done\":true},]", -1},
      {"[,{\"done\":true}]", -1},
      {"[{\"done\":true}{\"done\":true}]", -1},
      {"[{\"document\":{\"name\":\"a]\\\\\\\"}{\"}}]", 1},
      {"<html>]", -1},
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
  psp_buf body = test_file(DATA "batch-get.json");
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(body.data, body.len, "test", &json, NULL), PSPROBE_OK);
  psprobe_document *document = NULL;
  assert_int_equal(
      psp_document_decode(psp_json_get(psp_json_first(json), "found"), &document, NULL),
      PSPROBE_OK);
  assert_int_equal(psprobe_value_count(psprobe_document_fields(document)), 0);
  psprobe_document_free(document);
  psp_json_free(json);
  psp_buf_free(&body);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_filters),
      cmocka_unit_test(writes_order_and_place),
      cmocka_unit_test(writes_parts),
      cmocka_unit_test(writes_cursors_and_masks),
      cmocka_unit_test(adds_the_orders_that_are_implied),
      cmocka_unit_test(refuses_what_is_no_query),
      cmocka_unit_test(reads_answers),
      cmocka_unit_test(cut_short_it_is_broken),
      cmocka_unit_test(an_element_can_be_an_error),
      cmocka_unit_test(reads_other_arrays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
