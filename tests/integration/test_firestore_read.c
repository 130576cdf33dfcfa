/* SPDX-License-Identifier: MIT */
/** @file Listings and queries over many pages, against Google's emulator or the stand-in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "target.h"
#include "values.h"

/* Document i is many/idIII {i, seventh: i / 7, m: {`x-y`: i % 2}}; the ids' order is not i's. */
#define MANY 640

static psprobe_client *client;

static const char *id_of(const psprobe_document *document) {
  return strrchr(psprobe_document_name(document), '/') + 1;
}

static int64_t integer(const psprobe_document *document, const char *key) {
  int64_t value = -1;
  psprobe_value_get_integer(psprobe_value_find(psprobe_document_fields(document), key), &value);
  return value;
}

static void write_batch(int from, int to) {
  static psprobe_write writes[MANY];
  static char paths[MANY][32];
  static psprobe_error outcomes[MANY];
  psprobe_error error = {0};
  size_t count = (size_t)(to - from);
  for (int i = from; i < to; i++) {
    psprobe_value *fields = psprobe_value_map(), *inner = psprobe_value_map();
    psprobe_value_set(inner, "x-y", psprobe_value_integer(i % 2));
    psprobe_value_set(fields, "i", psprobe_value_integer(i));
    psprobe_value_set(fields, "seventh", psprobe_value_integer(i / 7));
    psprobe_value_set(fields, "m", inner);
    snprintf(paths[i], sizeof paths[i], "many/id%03d", (i * 7) % MANY);
    writes[i - from] = (psprobe_write){.path = paths[i], .fields = fields};
  }
  test_ok(psprobe_batch_write(client, writes, count, outcomes, &error), &error);
  for (size_t i = 0; i < count; i++) {
    test_ok(outcomes[i].code, &outcomes[i]);
    psprobe_value_free((psprobe_value *)(uintptr_t)writes[i].fields);
  }
}

/* What came: how many, and whether each was in its place. */
typedef struct seen {
  int count;
  int most; /* then enough; 0: never */
  bool seen[MANY];
  char last_id[64];
  int64_t last;
  int direction;   /* of the ids, or of `key` */
  const char *key; /* NULL: in the order of the ids */
} seen;

static bool note(void *arg, const psprobe_document *document) {
  seen *s = arg;
  int64_t i = integer(document, "i");
  assert_in_range(i, 0, MANY - 1);
  assert_false(s->seen[i]);
  s->seen[i] = true;
  int order = s->count == 0 ? s->direction : strcmp(id_of(document), s->last_id);
  if (s->count > 0 && s->key != NULL) {
    int64_t value = integer(document, s->key);
    if (value != s->last) order = value > s->last ? 1 : -1;
  }
  assert_true(order * s->direction > 0);
  if (s->key != NULL) s->last = integer(document, s->key);
  snprintf(s->last_id, sizeof s->last_id, "%s", id_of(document));
  return ++s->count != s->most;
}

static void lists_all_of_them(void **state) {
  (void)state;
  psprobe_error error = {0};
  seen s = {.direction = 1};
  test_ok(psprobe_document_list(client, &(psprobe_listing){.collection = "many"}, note, &s, &error),
          &error);
  assert_int_equal(s.count, MANY);
  s = (seen){.direction = 1, .most = 200};
  test_ok(psprobe_document_list(client, &(psprobe_listing){.collection = "many"}, note, &s, &error),
          &error);
  assert_int_equal(s.count, 200);
  test_ok(
      psprobe_document_list(client, &(psprobe_listing){.collection = "nothing"}, note, &s, &error),
      &error);
  test_ok(psprobe_document_list(client, &(psprobe_listing){.collection = "many/id000/below"}, note,
                                &s, &error),
          &error);
  assert_int_equal(s.count, 200);
}

static void orders_a_query(void **state) {
  (void)state;
  psprobe_error error = {0};
  for (int way = 0; way < 3; way++) { /* up, down, by name (where there is no down) */
    psprobe_order order = {.field = "seventh", .descending = way == 1};
    psprobe_query query = {.collection = "many", .orders = &order, .order_count = way < 2};
    seen s = {.direction = way == 1 ? -1 : 1, .key = way < 2 ? order.field : NULL};
    test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
    assert_int_equal(s.count, MANY);
  }
}

static void keeps_limit_and_offset(void **state) {
  (void)state;
  static const struct {
    int64_t limit, offset;
    int count;
  } cases[] = {{100, 0, 100}, {0, 600, 40}, {10, 635, 5},  {5, 5, 5},    {0, 640, 0},
               {1, 2000, 0},  {1, 0, 1},    {640, 0, 640}, {641, 0, 640}};
  psprobe_order by_i = {.field = "i"};
  psprobe_error error = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    seen s = {.direction = 1, .key = "i"};
    psprobe_query query = {.collection = "many",
                           .orders = &by_i,
                           .order_count = 1,
                           .limit = cases[i].limit,
                           .offset = cases[i].offset};
    test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
    assert_int_equal(s.count, cases[i].count);
    if (s.count > 0) assert_int_equal(s.last, cases[i].offset + s.count - 1);
  }
  seen s = {.direction = 1, .most = 3};
  psprobe_query query = {.collection = "many"};
  test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
  assert_int_equal(s.count, 3);
}

static void filters(void **state) {
  (void)state;
  static const struct {
    psprobe_filter_op op;
    int count;
  } cases[] = {{PSPROBE_EQUAL, 7},     {PSPROBE_NOT_EQUAL, 633},
               {PSPROBE_LESS, 350},    {PSPROBE_LESS_OR_EQUAL, 357},
               {PSPROBE_GREATER, 283}, {PSPROBE_GREATER_OR_EQUAL, 290}};
  psprobe_error error = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (int number = 0; number < 2; number++) {
      psprobe_value *fifty = number ? psprobe_value_double(50) : psprobe_value_integer(50);
      psprobe_query query = {.collection = "many",
                             .where = {.op = cases[i].op, .field = "seventh", .value = fifty}};
      seen s = {.direction = 1, .key = cases[i].op == PSPROBE_EQUAL ? NULL : "seventh"};
      test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
      assert_int_equal(s.count, cases[i].count);
      psprobe_value_free(fifty);
    }
  }
}

static void filters_inside_maps(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_value *one = psprobe_value_integer(1), *text = psprobe_value_string("1");
  psprobe_query query = {.collection = "many",
                         .where = {.op = PSPROBE_EQUAL, .field = "m.`x-y`", .value = one}};
  seen s = {.direction = 1};
  test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
  assert_int_equal(s.count, MANY / 2);
  query.where.value = text; /* another type is another value, and in no order with it */
  s = (seen){.direction = 1};
  test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
  query.where.op = PSPROBE_LESS;
  test_ok(psprobe_query_run(client, &query, note, &s, &error), &error);
  assert_int_equal(s.count, 0);
  psprobe_value_free(one);
  psprobe_value_free(text);
}

/* The ids that came, one after the other. */
static bool spell(void *arg, const psprobe_document *document) {
  strcat(arg, id_of(document));
  strcat(arg, " ");
  return true;
}

static void spells(const psprobe_query *query, const char *ids) {
  char found[256] = "";
  psprobe_error error = {0};
  test_ok(psprobe_query_run(client, query, spell, found, &error), &error);
  assert_string_equal(found, ids);
}

/* Documents whose v is of every kind: what is found, and in which order. */
static void orders_every_type(void **state) {
  (void)state;
  static const char *const values[][2] = {
      {"a_map", "{\"mapValue\":{\"fields\":{\"a\":{\"nullValue\":null}}}}"},
      {"b_array", "{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"}]}}"},
      {"c_geo", "{\"geoPointValue\":{\"latitude\":1}}"},
      {"d_bytes", "{\"bytesValue\":\"AA==\"}"},
      {"e_text2", "{\"stringValue\":\"b\"}"},
      {"f_text1", "{\"stringValue\":\"a\"}"},
      {"g_time", "{\"timestampValue\":\"2024-01-02T03:04:05.5Z\"}"},
      {"h_int2", "{\"integerValue\":\"2\"}"},
      {"i_double", "{\"doubleValue\":1.5}"},
      {"j_int1", "{\"integerValue\":\"1\"}"},
      {"k_nan", "{\"doubleValue\":\"NaN\"}"},
      {"l_true", "{\"booleanValue\":true}"},
      {"m_null", "{\"nullValue\":null}"},
  };
  psprobe_error error = {0};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    psprobe_value *fields = psprobe_value_map();
    psprobe_value_set(fields, "v", test_value(values[i][1]));
    test_ok(psprobe_document_create(client, "kinds", values[i][0], fields, NULL, &error), &error);
    psprobe_value_free(fields);
  }
  psprobe_value *none = psprobe_value_map();
  test_ok(psprobe_document_create(client, "kinds", "n_without", none, NULL, &error), &error);
  psprobe_value_free(none);

  psprobe_order by_v = {.field = "v"};
  psprobe_query query = {.collection = "kinds", .orders = &by_v, .order_count = 1};
  spells(&query,
         "m_null l_true k_nan j_int1 i_double h_int2 g_time f_text1 e_text2 d_bytes c_geo "
         "b_array a_map ");
  by_v.descending = true;
  spells(&query,
         "a_map b_array c_geo d_bytes e_text2 f_text1 g_time h_int2 i_double j_int1 k_nan "
         "l_true m_null ");
  static const struct {
    psprobe_filter_op op;
    const char *value, *ids;
  } cases[] = {
      {PSPROBE_EQUAL, "{\"nullValue\":null}", "m_null "},
      {PSPROBE_EQUAL, "{\"doubleValue\":\"NaN\"}", "k_nan "},
      {PSPROBE_EQUAL, "{\"booleanValue\":true}", "l_true "},
      {PSPROBE_EQUAL, "{\"timestampValue\":\"2024-01-02T03:04:05.500Z\"}", "g_time "},
      {PSPROBE_EQUAL, "{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"}]}}", "b_array "},
      {PSPROBE_EQUAL, "{\"mapValue\":{}}", ""},
      {PSPROBE_GREATER, "{\"integerValue\":\"1\"}", "i_double h_int2 "},
      {PSPROBE_LESS, "{\"stringValue\":\"b\"}", "f_text1 "},
      {PSPROBE_GREATER_OR_EQUAL, "{\"bytesValue\":\"\"}", "d_bytes "},
      {PSPROBE_NOT_EQUAL, "{\"integerValue\":\"2\"}",
       "l_true k_nan j_int1 i_double g_time f_text1 e_text2 d_bytes c_geo b_array a_map "},
      {PSPROBE_NOT_EQUAL, "{\"nullValue\":null}",
       "l_true k_nan j_int1 i_double h_int2 g_time f_text1 e_text2 d_bytes c_geo b_array a_map "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_value *value = test_value(cases[i].value);
    psprobe_query where = {.collection = "kinds",
                           .where = {.op = cases[i].op, .field = "v", .value = value}};
    spells(&where, cases[i].ids);
    psprobe_value_free(value);
  }
}

static void by_name(void **state) {
  (void)state;
  psprobe_error error = {0};
  const char *project = NULL;
  char name[128];
  test_ok(psprobe_client_project(client, &project, &error), &error);
  snprintf(name, sizeof name, "projects/%s/databases/(default)/documents/many/id637", project);
  psprobe_value *reference = psprobe_value_reference(name);
  psprobe_query query = {.collection = "many",
                         .where = {.op = PSPROBE_GREATER, .field = "__name__", .value = reference}};
  spells(&query, "id638 id639 ");
  query.where.op = PSPROBE_EQUAL;
  spells(&query, "id637 ");
  psprobe_value_free(reference);
}

static void collections_are_apart(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_value *fields = psprobe_value_map();
  psprobe_value_set(fields, "v", psprobe_value_integer(1));
  static const char *const collections[] = {"apart", "apart/x/apart", "apart/x/other",
                                            "apart/y/apart"};
  for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
    char id[8];
    snprintf(id, sizeof id, "in%zu", i);
    test_ok(psprobe_document_create(client, collections[i], id, fields, NULL, &error), &error);
  }
  for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
    char id[8], listed[64] = "";
    snprintf(id, sizeof id, "in%zu ", i);
    spells(&(psprobe_query){.collection = collections[i]}, id);
    test_ok(psprobe_document_list(client, &(psprobe_listing){.collection = collections[i]}, spell,
                                  listed, &error),
            &error);
    assert_string_equal(listed, id);
  }
  psprobe_value_free(fields);
}

static int set_up(void **state) {
  (void)state;
  client = test_target_client(TEST_FIRESTORE);
  write_batch(0, 500);
  write_batch(500, MANY);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psprobe_client_free(client);
  return 0;
}

static int suite(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_all_of_them),
      cmocka_unit_test(orders_a_query),
      cmocka_unit_test(keeps_limit_and_offset),
      cmocka_unit_test(filters),
      cmocka_unit_test(filters_inside_maps),
      cmocka_unit_test(orders_every_type),
      cmocka_unit_test(by_name),
      cmocka_unit_test(collections_are_apart),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_on_targets(suite);
}
