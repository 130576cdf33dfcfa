/* SPDX-License-Identifier: MIT */
/** @file Transactions, aggregations and all of a query, against Google's emulator or the stand-in
 * (support/servers/target.h). */
#include <pthread.h>
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

#define WORKERS 2

static psprobe_client *client;

static void put(const char *path, const char *json) {
  psprobe_value *map = test_value(json);
  psprobe_error error = {0};
  psprobe_write write = {.path = path, .fields = map};
  test_ok(psprobe_document_patch(client, &write, NULL, &error), &error);
  psprobe_value_free(map);
}

#define MAP(f)    "{\"mapValue\":{\"fields\":{" f "}}}"
#define INT(k, n) "\"" k "\":{\"integerValue\":\"" n "\"}"

static int64_t n_of(const char *path, const psprobe_read *read) {
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  int64_t n = -1;
  test_ok(psprobe_document_get(client, path, read, &document, &error), &error);
  psprobe_value_get_integer(psprobe_value_find(psprobe_document_fields(document), "n"), &n);
  psprobe_document_free(document);
  return n;
}

/* ---- transactions ---- */

static psprobe_code add_one(void *arg, psprobe_transaction *t, psprobe_error *error) {
  psprobe_document *document = NULL;
  psprobe_read read = {.transaction = t};
  int64_t n = 0;
  (void)arg;
  psprobe_code code = psprobe_document_get(client, "tx/counter", &read, &document, error);
  if (code != PSPROBE_OK) return code;
  psprobe_value_get_integer(psprobe_value_find(psprobe_document_fields(document), "n"), &n);
  psprobe_document_free(document);
  psprobe_value *fields = psprobe_value_map();
  psprobe_value_set(fields, "n", psprobe_value_integer(n + 1));
  psprobe_write write = {.path = "tx/counter", .fields = fields};
  code = psprobe_transaction_write(t, &write, 1, error);
  psprobe_value_free(fields);
  return code;
}

/* On Google's emulator each conflict takes two seconds. */
static int turns(void) {
  return strcmp(test_target(), "google") == 0 ? 2 : 25;
}

static void *work(void *arg) {
  psprobe_transaction_options options = {.attempts = 100};
  psprobe_error *error = arg;
  for (int i = 0; i < turns() && error->code == PSPROBE_OK; i++)
    psprobe_transaction_run(client, &options, add_one, NULL, NULL, error);
  return NULL;
}

/* What each adds to what it read is there in the end: none overwrote another. */
static void nothing_is_lost_in_contention(void **state) {
  (void)state;
  pthread_t threads[WORKERS];
  psprobe_error errors[WORKERS] = {0};
  put("tx/counter", MAP(INT("n", "0")));
  for (int i = 0; i < WORKERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, work, &errors[i]), 0);
  for (int i = 0; i < WORKERS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < WORKERS; i++)
    test_ok(errors[i].code, &errors[i]);
  assert_int_equal(n_of("tx/counter", NULL), WORKERS * turns());
}

static void a_rollback_leaves_nothing(void **state) {
  (void)state;
  psprobe_transaction *t = NULL;
  psprobe_write write = {.path = "tx/kept"};
  psprobe_error error = {0};
  put("tx/kept", MAP(INT("n", "7")));
  test_ok(psprobe_transaction_begin(client, NULL, &t, &error), &error);
  assert_int_equal(n_of("tx/kept", &(psprobe_read){.transaction = t}), 7);
  test_ok(psprobe_transaction_write(t, &write, 1, &error), &error);
  test_ok(psprobe_transaction_rollback(t, &error), &error);
  psprobe_transaction_free(t);
  assert_int_equal(n_of("tx/kept", NULL), 7);
}

static bool count_one(void *arg, const psprobe_document *document) {
  (void)document;
  ++*(int *)arg;
  return true;
}

/* Two that read the same: the one that comes too late is told, whichever that is. */
static void one_of_two_is_aborted(void **state) {
  (void)state;
  psprobe_transaction *t[2] = {NULL, NULL};
  psprobe_code codes[2];
  psprobe_error error = {0};
  psprobe_value *fields = psprobe_value_map();
  psprobe_write write = {.path = "both/a", .fields = fields};
  put("both/a", MAP(INT("n", "1")));
  for (int i = 0; i < 2; i++) {
    int found = 0;
    test_ok(psprobe_transaction_begin(client, NULL, &t[i], &error), &error);
    psprobe_query query = {.collection = "both", .read = {.transaction = t[i]}};
    test_ok(psprobe_query_run(client, &query, count_one, &found, &error), &error);
    assert_int_equal(found, 1);
    test_ok(psprobe_transaction_write(t[i], &write, 1, &error), &error);
  }
  for (int i = 0; i < 2; i++)
    codes[i] = psprobe_transaction_commit(t[i], NULL, &error);
  assert_true((codes[0] == PSPROBE_ABORTED) != (codes[1] == PSPROBE_ABORTED));
  assert_true((codes[0] == PSPROBE_OK) != (codes[1] == PSPROBE_OK));
  psprobe_transaction_free(t[0]);
  psprobe_transaction_free(t[1]);
  psprobe_value_free(fields);
}

/* ---- reading ---- */

static bool spell(void *arg, const psprobe_document *document) {
  strcat(strcat(arg, strrchr(psprobe_document_name(document), '/') + 1), " ");
  return true;
}

static void finds(const psprobe_query *query, const char *ids) {
  char found[256] = "";
  psprobe_error error = {0};
  test_ok(psprobe_query_run(client, query, spell, found, &error), &error);
  assert_string_equal(found, ids);
}

static void says_all_that_a_query_can(void **state) {
  (void)state;
  put("q/a", MAP(INT("n", "1") "," INT(
                 "m", "9") ",\"l\":{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"}]}}"));
  put("q/b", MAP(INT("n", "2") "," INT(
                 "m", "8") ",\"l\":{\"arrayValue\":{\"values\":[{\"integerValue\":\"2\"}]}}"));
  put("q/c", MAP(INT("n", "3") "," INT("m", "7") ",\"x\":{\"nullValue\":null}"));
  put("q/a/q/d", MAP(INT("n", "4") "," INT("m", "6") ",\"x\":{\"doubleValue\":\"NaN\"}"));
  psprobe_value *one = psprobe_value_integer(1), *three = psprobe_value_integer(3);
  psprobe_value *list = test_value(
      "{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{\"integerValue\":\"3\"}]}}");
  psprobe_where parts[] = {{.op = PSPROBE_EQUAL, .field = "n", .value = one},
                           {.op = PSPROBE_IS_NULL, .field = "x"}};
  const psprobe_value *from[] = {one}, *to[] = {three};
  psprobe_order by_m = {.field = "m"}, by_n = {.field = "n", .descending = true};
  static const char *const mask[] = {"n"};
  finds(&(psprobe_query){.collection = "q", .where = {PSPROBE_IN, "n", list, NULL, 0}}, "a c ");
  finds(&(psprobe_query){.collection = "q", .where = {PSPROBE_NOT_IN, "n", list, NULL, 0}}, "b ");
  finds(&(psprobe_query){.collection = "q", .where = {PSPROBE_ARRAY_CONTAINS, "l", one, NULL, 0}},
        "a ");
  finds(&(psprobe_query){.collection = "q",
                         .where = {PSPROBE_ARRAY_CONTAINS_ANY, "l", list, NULL, 0}},
        "a ");
  finds(&(psprobe_query){.collection = "q", .where = {PSPROBE_OR, NULL, NULL, parts, 2}}, "a c ");
  finds(&(psprobe_query){.collection = "q", .where = {PSPROBE_AND, NULL, NULL, parts, 2}}, "");
  finds(
      &(psprobe_query){
          .collection = "q", .all_descendants = true, .orders = &by_m, .order_count = 1},
      "d c b a ");
  finds(&(psprobe_query){.collection = "q",
                         .all_descendants = true,
                         .where = {PSPROBE_IS_NAN, "x", NULL, NULL, 0}},
        "d ");
  psprobe_query between = {.collection = "q",
                           .orders = &by_n,
                           .order_count = 1,
                           .start = {.values = to, .count = 1, .beyond = true},
                           .end = {.values = from, .count = 1}};
  finds(&between, "b a ");
  between.start.beyond = false;
  between.end.beyond = true;
  between.read = (psprobe_read){.mask = mask, .mask_count = 1};
  finds(&between, "c b ");
  between.limit = 1;
  between.offset = 1;
  finds(&between, "b ");
  psprobe_value_free(one);
  psprobe_value_free(three);
  psprobe_value_free(list);
}

static void counts_sums_and_averages(void **state) {
  (void)state;
  psprobe_query query = {.collection = "sums"};
  psprobe_aggregation all[] = {{.kind = PSPROBE_COUNT, .alias = "n"},
                               {.kind = PSPROBE_SUM, .field = "n", .alias = "sum"},
                               {.kind = PSPROBE_AVERAGE, .field = "n", .alias = "mean"},
                               {.kind = PSPROBE_COUNT, .up_to = 2}};
  psprobe_value *result = NULL,
                *expected = test_value(MAP(INT("n", "3") "," INT(
                    "sum", "7") ",\"mean\":{\"doubleValue\":2.3333333333333335}," INT("field_1",
                                                                                      "2")));
  psprobe_error error = {0};
  put("sums/a", MAP(INT("n", "1")));
  put("sums/b", MAP(INT("n", "2")));
  put("sums/c", MAP(INT("n", "4")));
  test_ok(psprobe_query_aggregate(client, &query, all, 4, &result, &error), &error);
  assert_true(psprobe_value_equal(result, expected));
  psprobe_value_free(result);
  psprobe_value_free(expected);
}

static bool note(void *arg, size_t index, const psprobe_document *document) {
  ((char *)arg)[index] = document != NULL ? '+' : '-';
  return true;
}

static void reads_many_with_a_mask(void **state) {
  (void)state;
  static const char *const paths[] = {"many/b", "many/none", "many/a", "many/b"};
  char seen[5] = "????";
  psprobe_error error = {0};
  put("many/a", MAP(INT("n", "1")));
  put("many/b", MAP(INT("n", "2")));
  test_ok(psprobe_document_get_many(client, paths, 4, NULL, note, seen, &error), &error);
  assert_string_equal(seen, "+-++");
  static const char *const other[] = {"m"};
  assert_int_equal(n_of("many/a", &(psprobe_read){.mask = other, .mask_count = 1}), -1);
}

static bool spell_id(void *arg, const char *id) {
  strcat(strcat(arg, id), " ");
  return true;
}

static void lists_collections_and_in_an_order(void **state) {
  (void)state;
  char ids[64] = "", listed[64] = "";
  psprobe_error error = {0};
  psprobe_order down = {.field = "n", .descending = true};
  put("dir/a/one/x", MAP(INT("n", "1")));
  put("dir/a/two/x", MAP(INT("n", "1")));
  put("dir/b", MAP(INT("n", "1")));
  put("dir/c", MAP(INT("n", "2")));
  test_ok(psprobe_collection_list(client, "dir/a", spell_id, ids, &error), &error);
  assert_string_equal(ids, "one two ");
  psprobe_listing listing = {
      .collection = "dir", .orders = &down, .order_count = 1, .page_size = 1};
  test_ok(psprobe_document_list(client, &listing, spell, listed, &error), &error);
  assert_string_equal(listed, "c b ");
}

/* ---- writing ---- */

static void transforms_fields(void **state) {
  (void)state;
  psprobe_value *five = psprobe_value_integer(5), *two = psprobe_value_integer(2);
  psprobe_value *list = test_value(
      "{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{\"integerValue\":\"3\"}]}}");
  psprobe_transform each[] = {
      {"n", PSPROBE_INCREMENT, five},     {"n", PSPROBE_MINIMUM, two},
      {"top", PSPROBE_MAXIMUM, five},     {"l", PSPROBE_APPEND_MISSING, list},
      {"gone", PSPROBE_REMOVE_ALL, list}, {"at", PSPROBE_SERVER_TIME, NULL}};
  psprobe_write writes[] = {{.path = "t/a", .transforms = each, .transform_count = 6},
                            {.path = "t/b", .verify = true, .precondition = {.must_exist = true}}};
  psprobe_written *written = NULL;
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  int64_t n = 0;
  put("t/a",
      MAP(INT("n", "1") "," INT(
          "kept", "1") ",\"gone\":{\"arrayValue\":{\"values\":[{\"integerValue\":\"3\"}]}}"));
  test_code(psprobe_commit(client, writes, 2, NULL, &error), PSPROBE_NOT_FOUND, &error);
  put("t/b", MAP(""));
  test_ok(psprobe_commit(client, writes, 2, &written, &error), &error);
  assert_true(psprobe_value_get_integer(psprobe_written_transform(written, 0, 0), &n) && n == 6);
  assert_true(psprobe_value_get_integer(psprobe_written_transform(written, 0, 1), &n) && n == 2);
  assert_int_equal(psprobe_value_get_type(psprobe_written_transform(written, 0, 5)),
                   PSPROBE_VALUE_TIMESTAMP);
  assert_true(psprobe_written_time(written).seconds > 1700000000);
  psprobe_written_free(written);
  test_ok(psprobe_document_get(client, "t/a", NULL, &document, &error), &error);
  const psprobe_value *fields = psprobe_document_fields(document);
  assert_int_equal(psprobe_value_count(fields), 6);
  assert_true(psprobe_value_equal(psprobe_value_find(fields, "l"), list));
  assert_int_equal(psprobe_value_count(psprobe_value_find(fields, "gone")), 0);
  psprobe_document_free(document);
  psprobe_value_free(five);
  psprobe_value_free(two);
  psprobe_value_free(list);
}

static int set_up(void **state) {
  (void)state;
  client = test_target_client(TEST_FIRESTORE);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psprobe_client_free(client);
  return 0;
}

static int suite(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_lost_in_contention),
      cmocka_unit_test(a_rollback_leaves_nothing),
      cmocka_unit_test(one_of_two_is_aborted),
      cmocka_unit_test(says_all_that_a_query_can),
      cmocka_unit_test(counts_sums_and_averages),
      cmocka_unit_test(reads_many_with_a_mask),
      cmocka_unit_test(lists_collections_and_in_an_order),
      cmocka_unit_test(transforms_fields),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_on_targets(suite);
}
