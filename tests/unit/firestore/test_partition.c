/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "fake_client.h"
#include "values.h"

#define URL \
  FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents:partitionQuery"
#define NAME      "projects/p/databases/(default)/documents/c/"
#define POINT(id) "{\"values\":[{\"referenceValue\":\"" NAME id "\"}],\"before\":true}"
#define QUERY                                                                                      \
  "{\"structuredQuery\":{\"from\":[{\"collectionId\":\"c\",\"allDescendants\":true}],\"orderBy\":" \
  "["                                                                                              \
  "{\"field\":{\"fieldPath\":\"__name__\"},\"direction\":\"ASCENDING\"}]},\"partitionCount\":"     \
  "\"3\""

static int set_up(void **state) {
  int status = fake_client_setup(state);
  fake_in_order(((fake_client *)*state)->fake);
  return status;
}

static fake_call *expect(fake_client *f, const char *answer) {
  fake_call *call = fake_expect(f->fake, "POST", URL);
  fake_reply(call, 200, NULL, answer);
  return call;
}

static const psprobe_query group = {.collection = "c", .all_descendants = true};

/* Pages are sorted each for itself; together they are sorted here. */
static void gives_the_points_in_order(void **state) {
  fake_client *f = *state;
  psprobe_value *points = NULL;
  psprobe_error error = {0};
  const char *first = NULL;
  fake_call *one =
      expect(f, "{\"partitions\":[" POINT("m") "," POINT("x") "],\"nextPageToken\":\"t\"}");
  fake_call *two = expect(f, "{\"partitions\":[" POINT("b") "]}");
  test_ok(psprobe_query_partition(f->client, &group, 4, &points, &error), &error);
  assert_string_equal(fake_request(one, 0)->body, QUERY "}");
  assert_string_equal(fake_request(two, 0)->body, QUERY ",\"pageToken\":\"t\"}");
  assert_int_equal(psprobe_value_count(points), 3);
  assert_true(psprobe_value_get_text(psprobe_value_at(points, 0, NULL), &first, NULL));
  assert_string_equal(first, NAME "b");
  psprobe_value_free(points);
  expect(f, "{}");
  test_ok(psprobe_query_partition(f->client, &group, 4, &points, &error), &error);
  assert_int_equal(psprobe_value_count(points), 0);
  psprobe_value_free(points);
}

static void refuses_what_cannot_be_parted(void **state) {
  fake_client *f = *state;
  psprobe_value *points = NULL;
  psprobe_error error = {0};
  static const psprobe_query others[] = {
      {.collection = "c"},
      {.all_descendants = true},
      {.collection = "c", .all_descendants = true, .limit = 1},
      {.collection = "c", .all_descendants = true, .where = {.op = PSPROBE_IS_NULL, .field = "a"}}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    test_code(psprobe_query_partition(f->client, &others[i], 4, &points, &error),
              PSPROBE_INVALID_ARGUMENT, &error);
  test_code(psprobe_query_partition(f->client, &group, 1, &points, &error),
            PSPROBE_INVALID_ARGUMENT, &error);
  static const char *const broken[] = {"{\"partitions\":[{}]}", "{\"partitions\":[5]}",
                                       "{\"partitions\":[{\"values\":[{\"nullValue\":null}]}]}",
                                       "{\"partitions\":[{\"values\":[5]}]}"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    expect(f, broken[i]);
    test_code(psprobe_query_partition(f->client, &group, 4, &points, &error), PSPROBE_INTERNAL,
              &error);
  }
  fake_reply(fake_expect(f->fake, "POST", URL), 501, NULL,
             "{\"error\":{\"code\":501,\"status\":\"UNIMPLEMENTED\"}}");
  test_code(psprobe_query_partition(f->client, &group, 4, &points, &error), PSPROBE_UNIMPLEMENTED,
            &error);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(gives_the_points_in_order, set_up, fake_client_teardown),
      cmocka_unit_test_setup_teardown(refuses_what_cannot_be_parted, set_up, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
