/* SPDX-License-Identifier: MIT */
/** @file Every allocation of Firestore's codecs fails once: each then says so, and leaks nothing
 * (which the address sanitizer sees). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "files.h"
#include "firestore/path.h"
#include "firestore/query.h"
#include "firestore/write.h"
#include "values.h"

static psp_json *answer;
static psprobe_document *document;

static bool is_ok(psprobe_code code, const psprobe_error *error) {
  if (code == PSPROBE_OK) return true;
  if (code != PSPROBE_RESOURCE_EXHAUSTED) fail_msg("%s", error->message);
  assert_int_equal(error->code, code);
  assert_non_null(strstr(error->message, "out of memory"));
  return false;
}

static bool decode(void *arg) {
  (void)arg;
  psprobe_document *decoded = NULL;
  psprobe_error error = {0};
  bool done = is_ok(psp_document_decode(answer, &decoded, &error), &error);
  assert_int_equal(done, decoded != NULL);
  psprobe_document_free(decoded);
  return done;
}

static bool copy(void *arg) {
  (void)arg;
  psprobe_value *made = psp_value_copy(psprobe_document_fields(document));
  bool done = made != NULL;
  psprobe_value_free(made);
  return done;
}

/* As a caller builds: nested calls, each of which may get NULL. */
static bool build(void *arg) {
  (void)arg;
  psprobe_value *map = psprobe_value_map(), *array = psprobe_value_array();
  bool done = map != NULL && array != NULL;
  for (int i = 0; i < 40; i++) {
    char key[] = {(char)('A' + i), '\0'};
    done = psprobe_value_set(map, key, psprobe_value_integer(i)) && done;
    done = psprobe_value_append(array, psprobe_value_string(key)) && done;
  }
  done = psprobe_value_set(map, "array", array) && done;
  psprobe_value_free(map);
  return done;
}

/* The index is a help only: a map that gets none for want of memory is a map all the same. */
static void a_map_goes_without_its_index(void **state) {
  (void)state;
  for (long after = 0; after < 200; after++) {
    psprobe_value *map = psprobe_value_map();
    int stored = 0;
    failing_failed = false;
    failing_after = after;
    for (int i = 0; i < 40; i++) {
      char key[] = {(char)('A' + i), '\0'};
      stored += psprobe_value_set(map, key, psprobe_value_integer(i));
    }
    failing_after = -1;
    assert_int_equal(psprobe_value_count(map), stored);
    for (int i = 0; i < stored; i++) {
      const char *key = NULL;
      const psprobe_value *value = psprobe_value_at(map, (size_t)i, &key);
      assert_ptr_equal(value, psprobe_value_find(map, key));
    }
    psprobe_value_free(map);
  }
}

static bool encode_writes(void *arg) {
  (void)arg;
  static const char *const mask[] = {"a", "`b-c`"};
  psprobe_write writes[] = {
      {.path = "c/d", .fields = document->fields, .mask = mask, .mask_count = 2}, {.path = "c/e"}};
  psp_buf out = {0};
  psprobe_error error = {0};
  bool done = is_ok(psp_writes_encode(&out, "p", "(default)", writes, 2, &error), &error);
  psp_buf_free(&out);
  return done;
}

static bool encode_query(void *arg) {
  (void)arg;
  psprobe_query query = {.collection = "a/b/c",
                         .where = {.op = PSPROBE_LESS,
                                   .field = "int",
                                   .value = psprobe_value_find(document->fields, "double")}};
  psprobe_order *orders = NULL;
  psp_buf out = {0};
  psprobe_error error = {0};
  psp_json_writer w = {.buf = &out};
  psp_query_rest rest = {.after = document};
  rest.order_count = psp_query_orders(&query, &orders);
  rest.orders = orders;
  bool done = orders != NULL && is_ok(psp_query_check(&query, &error), &error) &&
              is_ok(psp_query_encode(&w, &query, &rest, &error), &error);
  free(orders);
  psp_buf_free(&out);
  return done;
}

static bool make_url(void *arg) {
  (void)arg;
  psp_buf url = {0};
  psp_path_url(&url, "p", "(default)", "c/a long id with spaces and a zero \xC0\x80 byte in it/e");
  bool done = !url.failed;
  psp_buf_free(&url);
  return done;
}

static void runs_out_cleanly(void **state) {
  (void)state;
  assert_in_range(failing_each(decode, NULL), 40, 1000);
  assert_in_range(failing_each(copy, NULL), 40, 1000);
  assert_in_range(failing_each(encode_writes, NULL), 5, 1000);
  assert_in_range(failing_each(encode_query, NULL), 3, 1000);
  assert_in_range(failing_each(make_url, NULL), 2, 1000);
}

static void building_runs_out_cleanly(void **state) {
  (void)state;
  long after = 0;
  do { /* not failing_each: the map's index may fail without harm */
    failing_failed = false;
    failing_after = after++;
    bool done = build(NULL);
    failing_after = -1;
    assert_true(done || failing_failed);
  } while (failing_failed);
  assert_in_range(after, 80, 1000);
}

static int set_up(void **state) {
  (void)state;
  psp_buf body = test_file("tests/data/firestore/document-all-types.json");
  assert_int_equal(psp_json_parse(body.data, body.len, "test", &answer, NULL), PSPROBE_OK);
  assert_int_equal(psp_document_decode(answer, &document, NULL), PSPROBE_OK);
  psp_buf_free(&body);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psprobe_document_free(document);
  psp_json_free(answer);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_out_cleanly),
      cmocka_unit_test(building_runs_out_cleanly),
      cmocka_unit_test(a_map_goes_without_its_index),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
