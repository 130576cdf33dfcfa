/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_client.h"
#include "files.h"
#include "firestore/aggregate.h"
#include "values.h"

#define COUNT(l) (sizeof(l) / sizeof *(l))
#define ROOT     FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents"

static const psprobe_aggregation three[] = {
    {.kind = PSPROBE_COUNT, .up_to = 5, .alias = "n"},
    {.kind = PSPROBE_SUM, .field = "m.`x-y`"},
    {.kind = PSPROBE_AVERAGE, .field = "a", .alias = "avg"}};

static void writes_the_request(void **state) {
  (void)state;
  psprobe_query query = {.collection = "c", .limit = 9, .read = {.read_time = {1704164645, 0}}};
  psp_buf out = {0};
  assert_int_equal(psp_aggregations_check(three, 3, NULL), PSPROBE_OK);
  assert_int_equal(psp_aggregate_encode(&out, &query, three, 3, NULL), PSPROBE_OK);
  assert_string_equal(
      out.data,
      "{\"structuredAggregationQuery\":{\"structuredQuery\":{\"from\":[{\"collectionId\":\"c\"}],"
      "\"limit\":9},\"aggregations\":[{\"alias\":\"n\",\"count\":{\"upTo\":\"5\"}},"
      "{\"sum\":{\"field\":{\"fieldPath\":\"m.`x-y`\"}}},"
      "{\"alias\":\"avg\",\"avg\":{\"field\":{\"fieldPath\":\"a\"}}}]},"
      "\"readTime\":\"2024-01-02T03:04:05Z\"}");
  psp_buf_free(&out);
}

static void refuses_what_is_none(void **state) {
  (void)state;
  const struct {
    psprobe_aggregation all[6];
    size_t count;
    const char *rule;
  } cases[] = {
      {{{0}}, 0, "0 aggregations, and the service takes 1 to 5"},
      {{{0}}, 6, "6 aggregations"},
      {{{.kind = (psprobe_aggregation_kind)9}}, 1, "unknown aggregation"},
      {{{.kind = PSPROBE_SUM}}, 1, "no field path"},
      {{{.kind = PSPROBE_AVERAGE, .field = "a-b"}}, 1, "field path"},
      {{{.kind = PSPROBE_COUNT, .field = "a"}}, 1, "a count has no field"},
      {{{.kind = PSPROBE_COUNT, .up_to = -1}}, 1, "goes up to 1"},
      {{{.alias = "__n__"}}, 1, "alias: names of the form"},
      {{{.alias = "n"}, {.alias = "n"}}, 2, "two aggregations of one alias"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    psprobe_error error = {0};
    psprobe_code code = psp_aggregations_check(cases[i].all, cases[i].count, &error);
    if (code != PSPROBE_INVALID_ARGUMENT || strstr(error.message, cases[i].rule) == NULL)
      fail_msg("%d, \"%s\", without \"%s\"", code, error.message, cases[i].rule);
  }
}

static void expect(fake_client *f, const char *answer) {
  fake_reply(fake_expect(f->fake, "POST", ROOT ":runAggregationQuery"), 200, NULL, answer);
}

static void reads_the_answer(void **state) {
  fake_client *f = *state;
  psp_buf captured = test_file("tests/data/firestore/run-aggregation.json");
  psprobe_query query = {.collection = "c"};
  psprobe_value *result = NULL;
  psprobe_error error = {0};
  int64_t count = 0;
  double average = 0;
  expect(f, captured.data);
  test_ok(psprobe_query_aggregate(f->client, &query, three, 3, &result, &error), &error);
  assert_true(psprobe_value_get_integer(psprobe_value_find(result, "count"), &count));
  assert_true(psprobe_value_get_double(psprobe_value_find(result, "avg"), &average));
  assert_true(count == 1 && average == 1234567);
  psprobe_value_free(result);
  psp_buf_free(&captured);
  /* An element without a result is progress. */
  expect(f, "[{\"readTime\":\"2024-01-01T00:00:00Z\"},{\"result\":{}}]");
  test_ok(psprobe_query_aggregate(f->client, &query, three, 3, &result, &error), &error);
  assert_int_equal(psprobe_value_count(result), 0);
  psprobe_value_free(result);
  static const char *const broken[] = {"[]", "[5]", "{}", "[{\"result\":5}]",
                                       "[{\"result\":{\"aggregateFields\":5}}]"};
  for (size_t i = 0; i < COUNT(broken); i++) {
    expect(f, broken[i]);
    test_code(psprobe_query_aggregate(f->client, &query, three, 3, &result, &error),
              PSPROBE_INTERNAL, &error);
    assert_non_null(strstr(error.message, "aggregation of collection c: "));
  }
  test_code(psprobe_query_aggregate(f->client, &query, three, 0, &result, &error),
            PSPROBE_INVALID_ARGUMENT, &error);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_the_request),
      cmocka_unit_test(refuses_what_is_none),
      cmocka_unit_test_setup_teardown(reads_the_answer, fake_client_setup, fake_client_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
