/* SPDX-License-Identifier: MIT */
/** @file Queries over documents in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "local/documents/query.h"
#include "local/documents/write.h"

#define ROOT "projects/p/databases/(default)/documents"

static psp_documents *documents;

static psp_json *parse(const char *text) {
  psp_json *json;
  psprobe_error error;
  if (psp_json_parse(text, strlen(text), "test", &json, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return json;
}

static void put(const char *path, const char *fields) {
  psp_buf name = {0};
  psp_buf_printf(&name, ROOT "/%s", path);
  psp_stored_document document = {.name = name.data, .create_us = 1, .update_us = 1};
  psp_json *json = parse(fields);
  assert_int_equal(psp_documents_fields_read(json, &document.fields, NULL), PSPROBE_OK);
  assert_int_equal(psp_documents_put(documents, &document, NULL), PSPROBE_OK);
  psp_json_free(json);
  psprobe_value_free(document.fields);
  psp_buf_free(&name);
}

static int setup(void **state) {
  (void)state;
  assert_int_equal(psp_documents_new(NULL, &documents, NULL), PSPROBE_OK);
  psp_documents_begin(documents);
  for (int i = 1; i <= 5; i++) {
    char path[16], fields[200];
    snprintf(path, sizeof path, "q/d%d", i);
    snprintf(
        fields, sizeof fields,
        "{\"n\":{\"integerValue\":\"%d\"},\"p\":{\"integerValue\":\"%d\"},\"t\":{\"arrayValue\":"
        "{\"values\":[{\"integerValue\":\"%d\"}]}}}",
        i, i % 2, i);
    put(path, fields);
  }
  put("q/e1", "{\"n\":{\"stringValue\":\"s\"}}");
  put("q/e2", "{\"n\":{\"nullValue\":null}}");
  put("q/e3", "{\"n\":{\"doubleValue\":\"NaN\"}}");
  put("q/e4", "{\"z\":{\"nullValue\":null}}");
  put("q/e5", "{\"n\":{\"booleanValue\":true}}");
  put("q/d1/q/sub", "{\"n\":{\"integerValue\":\"1\"}}");
  put("r/d1", "{\"n\":{\"integerValue\":\"1\"}}");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_documents_end(documents, false, NULL);
  psp_documents_free(documents);
  return 0;
}

/* The ids that a query finds, "d1 d2"; or its error. */
static const char *run(const char *parent, const char *query) {
  static char text[512];
  psprobe_error error = {0};
  psp_local_query read = {.limit = -1};
  psp_query_found found = {0};
  psp_json *json = parse(query);
  psprobe_code code = psp_local_query_read(json, &read, &error);
  if (code == PSPROBE_OK) code = psp_local_query_run(documents, parent, &read, &found, &error);
  text[0] = '\0';
  for (size_t i = 0; code == PSPROBE_OK && i < found.count; i++) {
    const char *name = found.items[i].name + strlen(ROOT) + 1;
    if (strncmp(name, "q/", 2) == 0 && strchr(name + 2, '/') == NULL) name += 2;
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", name);
  }
  if (code != PSPROBE_OK) snprintf(text, sizeof text, "%s", error.message);
  psp_query_found_free(&found);
  psp_local_query_free(&read);
  psp_json_free(json);
  return text;
}

static void check(const char *rest, const char *expected) {
  psp_buf query = {0};
  psp_buf_printf(&query, "{\"from\":[{\"collectionId\":\"q\"}]%s}", rest);
  const char *got = run(ROOT, query.data);
  if (strcmp(got, expected) != 0) print_error("%s\n", rest);
  assert_string_equal(got, expected);
  psp_buf_free(&query);
}

#define WHERE(field, op, value)                                                       \
  ",\"where\":{\"fieldFilter\":{\"field\":{\"fieldPath\":\"" field "\"},\"op\":\"" op \
  "\""                                                                                \
  ",\"value\":" value "}}"
#define INT(n)      "{\"integerValue\":\"" #n "\"}"
#define REF(path)   "{\"referenceValue\":\"" ROOT "/" path "\"}"
#define LIST(a, b)  "{\"arrayValue\":{\"values\":[" a "," b "]}}"
#define ORDER(a)    ",\"orderBy\":[" a "]"
#define THEN        "," /* between two orders */
#define BY(field)   "{\"field\":{\"fieldPath\":\"" field "\"}}"
#define DOWN(field) "{\"field\":{\"fieldPath\":\"" field "\"},\"direction\":\"DESCENDING\"}"
#define UNARY(op)   ",\"where\":{\"unaryFilter\":{\"op\":\"" op "\",\"field\":{\"fieldPath\":\"n\"}}}"

/* As Google's emulator answers the same. */
static void test_filters(void **state) {
  (void)state;
  check("", "d1 d2 d3 d4 d5 e1 e2 e3 e4 e5");
  check(WHERE("n", "EQUAL", "{\"doubleValue\":3}"), "d3");
  check(WHERE("n", "NOT_EQUAL", INT(3)), "e5 e3 d1 d2 d4 d5 e1");
  check(WHERE("n", "GREATER_THAN", INT(3)), "d4 d5");
  check(WHERE("n", "GREATER_THAN_OR_EQUAL", INT(3)), "d3 d4 d5");
  check(WHERE("n", "LESS_THAN", INT(3)), "d1 d2");
  check(WHERE("n", "LESS_THAN", "{\"doubleValue\":2.5}"), "d1 d2");
  check(WHERE("n", "LESS_THAN_OR_EQUAL", "{\"stringValue\":\"zz\"}"), "e1");
  check(WHERE("n", "LESS_THAN", "{\"nullValue\":null}"), "");
  check(WHERE("n", "EQUAL", "{\"nullValue\":null}"), "");
  check(WHERE("n", "NOT_EQUAL", "{\"nullValue\":null}"), "");
  check(WHERE("n", "EQUAL", "{\"doubleValue\":\"NaN\"}"), "");
  check(WHERE("n", "IN", LIST(INT(3), "{\"stringValue\":\"s\"}")), "d3 e1");
  check(WHERE("n", "NOT_IN", LIST(INT(3), "{\"stringValue\":\"s\"}")), "e5 e3 d1 d2 d4 d5");
  check(WHERE("t", "ARRAY_CONTAINS", INT(3)), "d3");
  check(WHERE("t", "ARRAY_CONTAINS_ANY", LIST(INT(3), INT(4))), "d3 d4");
  check(UNARY("IS_NULL"), "e2");
  check(UNARY("IS_NOT_NULL"), "e5 e3 d1 d2 d3 d4 d5 e1");
  check(UNARY("IS_NAN"), "e3");
  check(UNARY("IS_NOT_NAN"), "e5 d1 d2 d3 d4 d5 e1");
  check(WHERE("__name__", "GREATER_THAN", REF("q/e2")), "e3 e4 e5");
  check(",\"where\":{\"compositeFilter\":{\"op\":\"AND\",\"filters\":[{\"fieldFilter\":{\"field\":"
        "{\"fieldPath\":\"p\"},\"op\":\"EQUAL\",\"value\":" INT(1) "}},{\"fieldFilter\":{\"field\":"
        "{\"fieldPath\":\"n\"},\"op\":\"GREATER_THAN\",\"value\":" INT(1) "}}]}}",
        "d3 d5");
  check(",\"where\":{\"compositeFilter\":{\"op\":\"OR\",\"filters\":[{\"fieldFilter\":{\"field\":"
        "{\"fieldPath\":\"n\"},\"op\":\"EQUAL\",\"value\":" INT(5) "}},{\"fieldFilter\":{\"field\":"
        "{\"fieldPath\":\"n\"},\"op\":\"EQUAL\",\"value\":" INT(2) "}}]}}",
        "d2 d5");
}

static void test_orders(void **state) {
  (void)state;
  check(ORDER(BY("n")), "e2 e5 e3 d1 d2 d3 d4 d5 e1");
  check(ORDER(DOWN("n")) ",\"limit\":3,\"offset\":1", "d5 d4 d3");
  check(ORDER(BY("p") THEN DOWN("n")), "d4 d2 d5 d3 d1");
  check(ORDER(BY("p")), "d2 d4 d1 d3 d5");
  check(ORDER(DOWN("p")), "d5 d3 d1 d4 d2"); /* names in the last order's direction */
  check(ORDER(DOWN("__name__")), "Firestore does not support descending key scans");
  check(WHERE("n", "GREATER_THAN", INT(2)) ORDER(BY("p")), "d4 d3 d5");
  check(",\"limit\":2", "d1 d2");
  check(",\"limit\":2,\"offset\":9", "e5");
  check(",\"limit\":0", "");
  check(",\"offset\":100", "");
}

static void test_cursors(void **state) {
  (void)state;
  check(ORDER(BY("n")) ",\"startAt\":{\"values\":[" INT(3) "],\"before\":true}", "d3 d4 d5 e1");
  check(ORDER(BY("n")) ",\"startAt\":{\"values\":[" INT(3) "]},\"endAt\":{\"values\":[" INT(
            5) "],\"before\":true}",
        "d4");
  check(ORDER(BY("n")) ",\"endAt\":{\"values\":[" INT(1) "]}", "e2 e5 e3 d1");
  check(ORDER(BY("n") THEN BY("__name__")) ",\"startAt\":{\"values\":[" INT(3) "," REF(
            "q/d3") "]},\"limit\":2",
        "d4 d5");
  check(ORDER(BY("__name__")) ",\"startAt\":{\"values\":[" REF("q/d3") "]},\"limit\":2", "d4 d5");
  check(ORDER(BY("__name__")) ",\"startAt\":{\"values\":[" REF(
            "q/d3") "],\"before\":true},\"limit\":2",
        "d3 d4");
  check(",\"startAt\":{\"values\":[]}", "");
}

static void test_refused(void **state) {
  (void)state;
  check(",\"limit\":-1", "limit is negative");
  check(",\"offset\":-1", "offset is negative");
  check(",\"limit\":{\"value\":1}", "Payload isn't valid for request.");
  check(",\"bogus\":1", "Payload isn't valid for request.");
  check(",\"where\":{}", "Unknown Filter type.");
  check(WHERE("n", "BOGUS", INT(1)), "Payload isn't valid for request.");
  check(WHERE("n", "OPERATOR_UNSPECIFIED", INT(1)), "Unknown FieldFilter operator.");
  check(WHERE("n", "EQUAL", "{}"), "Cannot convert firestore.v1.Value with type unset.");
  check(WHERE("n", "IN", INT(1)), "'IN' requires an ArrayValue.");
  check(WHERE("n", "IN", "{\"arrayValue\":{}}"), "'IN' requires an non-empty ArrayValue.");
  check(WHERE("__name__", "EQUAL", INT(1)), "__key__ filter value must be a Key");
  check(",\"startAt\":{\"values\":[" INT(1) "]}", "Cursor has too many values.");
  check(ORDER(BY("__name__")) ",\"startAt\":{\"values\":[" INT(1) "]}",
        "Cursor __key__ value is not a document reference.");
  assert_string_equal(run(ROOT, "{\"from\":[{\"collectionId\":\"q\"},{\"collectionId\":\"r\"}]}"),
                      "StructuredQuery.from cannot have more than one collection selector.");
}

static void test_where_from(void **state) {
  (void)state;
  assert_string_equal(run(ROOT "/q/d1", "{\"from\":[{\"collectionId\":\"q\"}]}"), "q/d1/q/sub");
  assert_string_equal(
      run(ROOT, "{\"from\":[{\"collectionId\":\"q\",\"allDescendants\":true}],\"limit\":3}"),
      "d1 q/d1/q/sub d2");
  assert_string_equal(run(ROOT, "{\"from\":[{\"collectionId\":\"none\"}]}"), "");
  assert_string_equal(run(ROOT, "{\"limit\":2,\"offset\":10}"), "e5 r/d1");
}

static void test_list_orders(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t count;
    bool first_down;
  } cases[] = {{"a", 1, false},        {"a desc", 1, true},  {"a asc,b desc", 2, false},
               {"a desc, b", 2, true}, {"a desc,", 0, 0},    {"a sideways", 0, 0},
               {"a..b", 0, 0},         {"a desc desc", 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_local_query query = {.limit = -1};
    psprobe_error error;
    psprobe_code code = psp_local_query_order(&query, cases[i].text, &error);
    assert_int_equal(code, cases[i].count ? PSPROBE_OK : PSPROBE_INVALID_ARGUMENT);
    if (code != PSPROBE_OK) assert_non_null(strstr(error.message, "Invalid order by clause"));
    if (code == PSPROBE_OK) assert_int_equal(query.order_count, cases[i].count);
    if (code == PSPROBE_OK) assert_int_equal(query.orders[0].descending, cases[i].first_down);
    psp_local_query_free(&query);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
      cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
      cmocka_unit_test_setup_teardown(test_cursors, setup, teardown),
      cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_where_from, setup, teardown),
      cmocka_unit_test(test_list_orders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
