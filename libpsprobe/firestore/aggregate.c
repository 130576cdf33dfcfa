/* SPDX-License-Identifier: MIT */
#include "firestore/aggregate.h"

#include "base/error.h"
#include "base/text.h"
#include "firestore/filter.h"
#include "firestore/path.h"
#include "firestore/stream.h"

/* https://cloud.google.com/firestore/docs/reference/rest/v1/RunAggregationQuery */
#define AGGREGATIONS_MAX 5

static psprobe_code check_one(const psprobe_aggregation *a, psprobe_error *error) {
  const char *why = NULL;
  if ((unsigned)a->kind > PSPROBE_AVERAGE)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an unknown aggregation");
  if (a->alias != NULL && !psp_field_name_check(a->alias, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "alias: %s", why);
  if (a->kind != PSPROBE_COUNT) return psp_field_path_parse(a->field, NULL, error);
  if (a->up_to >= 0 && a->field == NULL) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "a count has no field, and goes up to 1 or more");
}

psprobe_code psp_aggregations_check(const psprobe_aggregation *aggregations, size_t count,
                                    psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (count == 0 || count > AGGREGATIONS_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "%zu aggregations, and the service takes 1 to 5", count);
  for (size_t i = 0; code == PSPROBE_OK && i < count; i++) {
    code = check_one(&aggregations[i], error);
    for (size_t j = 0; code == PSPROBE_OK && j < i && aggregations[i].alias != NULL; j++)
      if (psp_text_equal(aggregations[i].alias, aggregations[j].alias))
        code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "two aggregations of one alias");
  }
  return code;
}

static void put_one(psp_json_writer *w, const psprobe_aggregation *a) {
  static const char *const names[] = {
      [PSPROBE_COUNT] = "count", [PSPROBE_SUM] = "sum", [PSPROBE_AVERAGE] = "avg"};
  psp_json_begin_object(w);
  if (a->alias != NULL) psp_json_put_member(w, "alias", a->alias);
  psp_json_begin_object_member(w, names[a->kind]);
  if (a->kind != PSPROBE_COUNT) psp_json_put_field(w, a->field);
  if (a->up_to > 0) {
    psp_json_put_key(w, "upTo");
    psp_json_put_int64_text(w, a->up_to);
  }
  psp_json_end_object(w);
  psp_json_end_object(w);
}

psprobe_code psp_aggregate_encode(psp_buf *out, const psprobe_query *query,
                                  const psprobe_aggregation *aggregations, size_t count,
                                  psprobe_error *error) {
  psp_json_writer w = {.buf = out};
  psp_json_begin_object(&w);
  psp_json_begin_object_member(&w, "structuredAggregationQuery");
  psp_json_put_key(&w, "structuredQuery");
  psprobe_code code = psp_query_encode(&w, query, NULL, error);
  psp_json_begin_array_member(&w, "aggregations");
  for (size_t i = 0; i < count; i++)
    put_one(&w, &aggregations[i]);
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  psp_read_encode(&w, &query->read);
  psp_json_end_object(&w);
  if (code != PSPROBE_OK) return code;
  return out->failed ? psp_fail_memory(error, "a query") : PSPROBE_OK;
}

/* `result` receives NULL for progress without one. */
static psprobe_code read_element(const psp_json *item, psprobe_value **result,
                                 psprobe_error *error) {
  *result = NULL;
  const psp_json *found = psp_json_get(item, "result");
  if (!psp_json_is_object(item) || (found != NULL && !psp_json_is_object(found)))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an element that is no object");
  if (found == NULL) return PSPROBE_OK;
  return psp_fields_decode(psp_json_get2(found, "aggregateFields", "aggregate_fields"), result,
                           error);
}

static psprobe_code take(void *arg, const psp_json *item, bool *enough, psprobe_error *error) {
  psprobe_value **result = arg, *found = NULL;
  psprobe_code code = read_element(item, &found, error);
  *enough = found != NULL;
  if (found != NULL) *result = found;
  return code;
}

static psprobe_code run(psprobe_client *client, const psp_buf *url, const psp_buf *body,
                        const char *what, psprobe_value **result, psprobe_error *error) {
  psp_firestore_items items = {.take = take, .arg = result, .what = what};
  psp_firestore_request request = {
      .kind = PSP_FIRESTORE_QUERY, .method = "POST", .path = url, .body = body, .what = what};
  psprobe_code code = psp_firestore_stream(client, &request, &items, error);
  if (code == PSPROBE_OK && *result == NULL)
    code = psp_firestore_bad_answer(
        psp_fail(error, PSPROBE_INVALID_ARGUMENT, "there is no result in it"), what, error);
  return code;
}

psprobe_code psprobe_query_aggregate(psprobe_client *client, const psprobe_query *query,
                                     const psprobe_aggregation *aggregations, size_t count,
                                     psprobe_value **result, psprobe_error *error) {
  char what[PSP_FIRESTORE_WHAT];
  psp_buf url = {0}, body = {0};
  psprobe_value *found = NULL;
  psp_query_name(what, "aggregation", query);
  psprobe_code code = psp_query_begin(client, query, what, ":runAggregationQuery", &url, error);
  if (code == PSPROBE_OK) {
    code = psp_aggregations_check(aggregations, count, error);
    if (code == PSPROBE_OK) code = psp_aggregate_encode(&body, query, aggregations, count, error);
    if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "%s", what);
  }
  if (code == PSPROBE_OK) code = run(client, &url, &body, what, &found, error);
  if (code == PSPROBE_OK) *result = found;
  psp_buf_free(&url);
  psp_buf_free(&body);
  return code;
}
