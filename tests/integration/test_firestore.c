/* SPDX-License-Identifier: MIT */
/** @file Single documents and commits, against Google's emulator or the stand-in
 * (support/servers/target.h). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "target.h"
#include "values.h"

static psprobe_client *client;

/* {n: n}; the caller's. */
static psprobe_value *numbered(int64_t n) {
  psprobe_value *fields = psprobe_value_map();
  assert_true(psprobe_value_set(fields, "n", psprobe_value_integer(n)));
  return fields;
}

static psprobe_code create(const char *collection, const char *id, int64_t n,
                           psprobe_error *error) {
  psprobe_value *fields = numbered(n);
  psprobe_code code = psprobe_document_create(client, collection, id, fields, NULL, error);
  psprobe_value_free(fields);
  return code;
}

/* The n of a document; -1: it is not there. */
static int64_t n_of(const char *path) {
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  int64_t n = -2;
  psprobe_code code = psprobe_document_get(client, path, NULL, &document, &error);
  if (code == PSPROBE_NOT_FOUND) return -1;
  test_ok(code, &error);
  psprobe_value_get_integer(psprobe_value_find(psprobe_document_fields(document), "n"), &n);
  psprobe_document_free(document);
  return n;
}

static psprobe_timestamp update_time(const char *path) {
  psprobe_document *document = NULL;
  psprobe_error error = {0};
  test_ok(psprobe_document_get(client, path, NULL, &document, &error), &error);
  psprobe_timestamp time = psprobe_document_update_time(document);
  psprobe_document_free(document);
  return time;
}

static bool same_time(psprobe_timestamp a, psprobe_timestamp b) {
  return a.seconds == b.seconds && a.nanos == b.nanos;
}

/* The document's, which are freed with it. */
static void take_fields(psprobe_document *document, const psprobe_value *fields) {
  char *is = test_value_json(psprobe_document_fields(document));
  if (!psprobe_value_equal(psprobe_document_fields(document), fields)) fail_msg("%s", is);
  free(is);
  psprobe_document_free(document);
}

static void stores_every_type(void **state) {
  (void)state;
  const char *project = NULL;
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  test_ok(psprobe_client_project(client, &project, &error), &error);
  psprobe_value *fields = test_every_type(project);
  test_ok(psprobe_document_create(client, "types", "all", fields, &document, &error), &error);
  assert_true(psprobe_document_create_time(document).seconds > 1700000000);
  assert_true(
      same_time(psprobe_document_create_time(document), psprobe_document_update_time(document)));
  assert_true(same_time(psprobe_document_update_time(document), update_time("types/all")));
  take_fields(document, fields);
  test_ok(psprobe_document_get(client, "types/all", NULL, &document, &error), &error);
  take_fields(document, fields);
  test_ok(psprobe_document_patch(client, &(psprobe_write){.path = "types/again", .fields = fields},
                                 &document, &error),
          &error);
  take_fields(document, fields);
  psprobe_write write = {.path = "types/committed", .fields = fields};
  test_ok(psprobe_commit(client, &write, 1, NULL, &error), &error);
  test_ok(psprobe_document_get(client, "types/committed", NULL, &document, &error), &error);
  take_fields(document, fields);
  psprobe_value_free(fields);
}

/* What the service changes: nanoseconds are cut, and a document may be 20 levels deep. */
static void stores_what_it_must_change(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  psprobe_value *fields = psprobe_value_map(), *expected = psprobe_value_map();
  psprobe_value_set(fields, "t", psprobe_value_timestamp((psprobe_timestamp){1, 123456999}));
  psprobe_value_set(expected, "t", psprobe_value_timestamp((psprobe_timestamp){1, 123456000}));
  for (int side = 0; side < 2; side++) {
    psprobe_value *deep = psprobe_value_string("bottom");
    for (int i = 0; i < 20; i++) {
      psprobe_value *outer = i % 2 ? psprobe_value_map() : psprobe_value_array();
      bool done = i % 2 ? psprobe_value_set(outer, "k", deep) : psprobe_value_append(outer, deep);
      assert_true(done);
      deep = outer;
    }
    psprobe_value_set(side ? expected : fields, "deep", deep);
  }
  test_ok(psprobe_document_create(client, "types", "changed", fields, &document, &error), &error);
  take_fields(document, expected);
  psprobe_value_free(fields);
  psprobe_value_free(expected);
}

static psprobe_code create_of_size(const char *id, size_t first, size_t second,
                                   psprobe_error *error) {
  char *text = malloc(1 << 20);
  psprobe_value *fields = psprobe_value_map();
  assert_non_null(text);
  memset(text, 'x', 1 << 20);
  psprobe_value_set(fields, "a", psprobe_value_string_n(text, first));
  psprobe_value_set(fields, "b", psprobe_value_string_n(text, second));
  free(text);
  psprobe_code code = psprobe_document_create(client, "big", id, fields, NULL, error);
  psprobe_value_free(fields);
  return code;
}

/* 1,048,576 bytes, names and overhead counted. */
static void stores_up_to_a_mebibyte(void **state) {
  (void)state;
  psprobe_error error = {0};
  test_ok(create_of_size("one", 1048487, 0, &error), &error);
  test_ok(create_of_size("two", 524250, 524250, &error), &error);
  test_code(create_of_size("too", 524290, 524290, &error), PSPROBE_INVALID_ARGUMENT, &error);
  assert_non_null(strstr(error.message, "1048576 bytes"));
}

static void creates_once(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  test_ok(create("once", "a", 1, &error), &error);
  test_code(create("once", "a", 2, &error), PSPROBE_ALREADY_EXISTS, &error);
  assert_int_equal(error.http_status, 409);
  assert_int_equal(n_of("once/a"), 1);
  psprobe_value *fields = numbered(3);
  test_ok(psprobe_document_create(client, "once", NULL, fields, &document, &error), &error);
  assert_non_null(strstr(psprobe_document_name(document), "/documents/once/"));
  take_fields(document, fields);
  psprobe_value_free(fields);
}

static void takes_any_id(void **state) {
  (void)state;
  static const char *const ids[] = {
      "a b",     "a:b", "x:commit", "a?b#c",   "100%",      "\xC3\xA9\xF0\x9F\x98\x80",
      "a+b&c=d", "..x", "__x",      "__id7__", "(default)", "a\"'`\\"};
  psprobe_error error = {0};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    char path[64];
    snprintf(path, sizeof path, "any ids/%s", ids[i]);
    test_ok(create("any ids", ids[i], (int64_t)i, &error), &error);
    assert_int_equal(n_of(path), i);
  }
  /* In a document that is not there, and apart from the collection of the same name. */
  test_ok(create("nobody/none/once", "a", 7, &error), &error);
  assert_int_equal(n_of("nobody/none/once/a"), 7);
  assert_int_equal(n_of("nobody/none"), -1);
}

static void absent_is_told(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  test_code(psprobe_document_get(client, "nowhere/none", NULL, &document, &error),
            PSPROBE_NOT_FOUND, &error);
  assert_int_equal(error.http_status, 404);
  assert_non_null(strstr(error.message, "get document nowhere/none: NOT_FOUND"));
  assert_null(document);
}

static void patches_what_the_mask_names(void **state) {
  (void)state;
  static const char *const mask[] = {"a", "gone", "m.`x-y`"};
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  psprobe_value *before = test_value(
      "{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"1\"},\"gone\":{\"nullValue\":null},"
      "\"kept\":{\"booleanValue\":true},\"m\":{\"mapValue\":{\"fields\":{\"x-y\":"
      "{\"integerValue\":\"1\"},\"z\":{\"integerValue\":\"1\"}}}}}}}");
  psprobe_value *change = test_value(
      "{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"2\"},\"other\":{\"nullValue\":null},"
      "\"m\":{\"mapValue\":{\"fields\":{\"x-y\":{\"stringValue\":\"2\"},"
      "\"w\":{\"integerValue\":\"2\"}}}}}}}");
  psprobe_value *after = test_value(
      "{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"2\"},\"kept\":{\"booleanValue\":true},"
      "\"m\":{\"mapValue\":{\"fields\":{\"x-y\":{\"stringValue\":\"2\"},"
      "\"z\":{\"integerValue\":\"1\"}}}}}}}");
  test_ok(psprobe_document_patch(client, &(psprobe_write){.path = "patch/a", .fields = before},
                                 NULL, &error),
          &error);
  test_ok(psprobe_document_patch(
              client,
              &(psprobe_write){.path = "patch/a", .fields = change, .mask = mask, .mask_count = 3},
              &document, &error),
          &error);
  take_fields(document, after);
  /* The same in a commit; and one whose mask is empty changes nothing. */
  psprobe_write writes[] = {{.path = "patch/b", .fields = before},
                            {.path = "patch/b", .fields = change, .mask = mask, .mask_count = 3},
                            {.path = "patch/b", .fields = change, .mask = mask, .mask_count = 0}};
  test_ok(psprobe_commit(client, writes, 3, NULL, &error), &error);
  test_ok(psprobe_document_get(client, "patch/b", NULL, &document, &error), &error);
  take_fields(document, after);
  test_ok(psprobe_document_patch(
              client,
              &(psprobe_write){.path = "patch/a", .fields = change, .mask = mask, .mask_count = 0},
              &document, &error),
          &error);
  take_fields(document, after);
  /* Without a mask the whole document. */
  test_ok(psprobe_document_patch(client, &(psprobe_write){.path = "patch/a", .fields = change},
                                 &document, &error),
          &error);
  take_fields(document, change);
  psprobe_value_free(before);
  psprobe_value_free(change);
  psprobe_value_free(after);
}

static void preconditions_hold(void **state) {
  (void)state;
  psprobe_precondition exists = {.must_exist = true}, absent = {.must_not_exist = true};
  psprobe_precondition wrong = {.update_time = {1704164645, 123456000}};
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  psprobe_value *one = numbered(1), *two = numbered(2);
  test_code(psprobe_document_patch(
                client, &(psprobe_write){.path = "pre/a", .fields = one, .precondition = exists},
                NULL, &error),
            PSPROBE_NOT_FOUND, &error);
  test_ok(psprobe_document_patch(
              client, &(psprobe_write){.path = "pre/a", .fields = one, .precondition = absent},
              NULL, &error),
          &error);
  test_code(psprobe_document_patch(
                client, &(psprobe_write){.path = "pre/a", .fields = two, .precondition = absent},
                NULL, &error),
            PSPROBE_ALREADY_EXISTS, &error);
  test_code(psprobe_document_patch(
                client, &(psprobe_write){.path = "pre/a", .fields = two, .precondition = wrong},
                NULL, &error),
            PSPROBE_FAILED_PRECONDITION, &error);
  assert_int_equal(n_of("pre/a"), 1);
  psprobe_precondition right = {.update_time = update_time("pre/a")};
  test_ok(psprobe_document_patch(
              client, &(psprobe_write){.path = "pre/a", .fields = two, .precondition = right},
              &document, &error),
          &error);
  take_fields(document, two);
  test_code(psprobe_document_delete(client, "pre/a", &right, &error), PSPROBE_FAILED_PRECONDITION,
            &error);
  right.update_time = update_time("pre/a");
  test_ok(psprobe_document_delete(client, "pre/a", &right, &error), &error);
  test_code(psprobe_document_delete(client, "pre/a", &exists, &error), PSPROBE_NOT_FOUND, &error);
  test_ok(psprobe_document_delete(client, "pre/a", NULL, &error), &error);
  assert_int_equal(n_of("pre/a"), -1);
  psprobe_value_free(one);
  psprobe_value_free(two);
}

static void commits_all_or_none(void **state) {
  (void)state;
  psprobe_error error = {0};
  psprobe_value *one = numbered(1), *two = numbered(2);
  test_ok(create("commit", "old", 0, &error), &error);
  psprobe_write writes[] = {
      {.path = "commit/new", .fields = one, .precondition = {.must_not_exist = true}},
      {.path = "commit/old", .fields = two, .precondition = {.must_not_exist = true}},
      {.path = "commit/none"}};
  test_code(psprobe_commit(client, writes, 3, NULL, &error), PSPROBE_ALREADY_EXISTS, &error);
  assert_int_equal(n_of("commit/new"), -1);
  assert_int_equal(n_of("commit/old"), 0);
  writes[1].precondition = (psprobe_precondition){.must_exist = true};
  test_ok(psprobe_commit(client, writes, 3, NULL, &error), &error);
  assert_int_equal(n_of("commit/new"), 1);
  assert_int_equal(n_of("commit/old"), 2);
  writes[0] = (psprobe_write){.path = "commit/new"};
  writes[1] =
      (psprobe_write){.path = "commit/old", .precondition = {.update_time = {1704164645, 0}}};
  test_code(psprobe_commit(client, writes, 2, NULL, &error), PSPROBE_FAILED_PRECONDITION, &error);
  assert_int_equal(n_of("commit/new"), 1);
  writes[1].precondition = (psprobe_precondition){.update_time = update_time("commit/old")};
  test_ok(psprobe_commit(client, writes, 2, NULL, &error), &error);
  assert_int_equal(n_of("commit/new"), -1);
  assert_int_equal(n_of("commit/old"), -1);
  psprobe_value_free(one);
  psprobe_value_free(two);
}

static void batches_each_on_its_own(void **state) {
  (void)state;
  psprobe_error outcomes[4], error = {0};
  psprobe_value *one = numbered(1), *two = numbered(2);
  test_ok(create("batch", "old", 0, &error), &error);
  psprobe_write writes[] = {
      {.path = "batch/new", .fields = one, .precondition = {.must_not_exist = true}},
      {.path = "batch/old", .fields = two, .precondition = {.must_not_exist = true}},
      {.path = "batch/none"},
      {.path = "batch/absent", .fields = two, .precondition = {.must_exist = true}}};
  test_ok(psprobe_batch_write(client, writes, 4, outcomes, &error), &error);
  test_code(outcomes[0].code, PSPROBE_OK, &outcomes[0]);
  test_code(outcomes[1].code, PSPROBE_ALREADY_EXISTS, &outcomes[1]);
  assert_non_null(strstr(outcomes[1].message, "write 2 of 4, batch/old: ALREADY_EXISTS"));
  test_code(outcomes[2].code, PSPROBE_OK, &outcomes[2]);
  test_code(outcomes[3].code, PSPROBE_NOT_FOUND, &outcomes[3]);
  assert_int_equal(n_of("batch/new"), 1);
  assert_int_equal(n_of("batch/old"), 0);
  assert_int_equal(n_of("batch/absent"), -1);
  psprobe_write twice[] = {writes[0], writes[0]};
  test_code(psprobe_batch_write(client, twice, 2, outcomes, &error), PSPROBE_INVALID_ARGUMENT,
            &error);
  psprobe_value_free(one);
  psprobe_value_free(two);
}

#define RACERS 40

static pthread_barrier_t start;

static void *race(void *arg) {
  int64_t number = (int64_t)(intptr_t)arg;
  psprobe_error error = {0};
  pthread_barrier_wait(&start);
  psprobe_code code = create("race", "one", number, &error);
  return (void *)(intptr_t)code;
}

static void one_of_many_creates(void **state) {
  (void)state;
  pthread_t threads[RACERS];
  int64_t winner = -1;
  assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
  for (int i = 0; i < RACERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, race, (void *)(intptr_t)i), 0);
  for (int i = 0; i < RACERS; i++) {
    void *result = NULL;
    assert_int_equal(pthread_join(threads[i], &result), 0);
    psprobe_code code = (psprobe_code)(intptr_t)result;
    assert_true(code == PSPROBE_OK || code == PSPROBE_ALREADY_EXISTS);
    if (code != PSPROBE_OK) continue;
    assert_int_equal(winner, -1);
    winner = i;
  }
  assert_int_equal(n_of("race/one"), winner);
  pthread_barrier_destroy(&start);
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
      cmocka_unit_test(stores_every_type),
      cmocka_unit_test(stores_what_it_must_change),
      cmocka_unit_test(stores_up_to_a_mebibyte),
      cmocka_unit_test(creates_once),
      cmocka_unit_test(takes_any_id),
      cmocka_unit_test(absent_is_told),
      cmocka_unit_test(patches_what_the_mask_names),
      cmocka_unit_test(preconditions_hold),
      cmocka_unit_test(commits_all_or_none),
      cmocka_unit_test(batches_each_on_its_own),
      cmocka_unit_test(one_of_many_creates),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(void) {
  return test_on_targets(suite);
}
