/* SPDX-License-Identifier: MIT */
/** @file Parting what a query finds into pieces (partitionQuery). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/query.h"
#include "firestore/service.h"

/* What comes page by page. */
typedef struct parting {
  char what[PSP_FIRESTORE_WHAT];
  psprobe_value *points; /* an array of references */
  char *token;
} parting;

static psprobe_code encode(psp_buf *body, const psprobe_query *query, int64_t most,
                           const char *token, psprobe_error *error) {
  static const psprobe_order by_name = {.field = "__name__"};
  psprobe_query ordered = *query;
  ordered.orders = &by_name;
  ordered.order_count = 1;
  psp_json_writer w = {.buf = body};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "structuredQuery");
  psprobe_code code = psp_query_encode(&w, &ordered, NULL, error);
  psp_json_put_key(&w, "partitionCount");
  psp_json_put_int64_text(&w, most - 1); /* the points between so many pieces */
  if (token != NULL) psp_json_put_member(&w, "pageToken", token);
  psp_read_encode(&w, &query->read);
  psp_json_end_object(&w);
  return code;
}

/* A cursor of one value, a document's name. */
static psprobe_code take_point(parting *p, const psp_json *item, psprobe_error *error) {
  const psp_json *values = psp_json_get(item, "values");
  psprobe_value *value = NULL;
  if (psp_json_count(values) != 1)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a partition without its place");
  psprobe_code code = psp_value_decode(psp_json_first(values), &value, error);
  if (code != PSPROBE_OK) return code;
  if (psprobe_value_get_type(value) != PSPROBE_VALUE_REFERENCE) {
    psprobe_value_free(value);
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a partition whose place is no document");
  }
  return psprobe_value_append(p->points, value) ? PSPROBE_OK : psp_fail_memory(error, p->what);
}

static psprobe_code take_page(parting *p, const psp_json *answer, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  const psp_json *item = psp_json_first(psp_json_get(answer, "partitions"));
  for (; item != NULL && code == PSPROBE_OK; item = psp_json_next(item))
    code = take_point(p, item, error);
  if (code != PSPROBE_OK) return psp_firestore_bad_answer(code, p->what, error);
  return psp_firestore_next_page(answer, &p->token, p->what, error);
}

static psprobe_code fetch(parting *p, psprobe_client *client, const psp_buf *url,
                          const psprobe_query *query, int64_t most, psprobe_error *error) {
  psp_json *answer = NULL;
  psp_buf body = {0};
  psp_firestore_request request = {
      .kind = PSP_FIRESTORE_QUERY, .method = "POST", .path = url, .body = &body, .what = p->what};
  psprobe_code code = encode(&body, query, most, p->token, error);
  if (code == PSPROBE_OK) code = psp_firestore_call(client, &request, &answer, error);
  if (code == PSPROBE_OK) code = take_page(p, answer, error);
  psp_json_free(answer);
  psp_buf_free(&body);
  return code;
}

static int by_name(const void *a, const void *b) {
  return psp_value_compare(*(psprobe_value *const *)a, *(psprobe_value *const *)b);
}

static psprobe_code check(const psprobe_query *query, int64_t most, psprobe_error *error) {
  bool plain = query->where.op == PSPROBE_FILTER_NONE && query->order_count == 0 &&
               query->start.count == 0 && query->end.count == 0 && query->limit == 0 &&
               query->offset == 0;
  if (!query->all_descendants || query->collection == NULL || !plain)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "only a query of all descendants of a collection's name is parted, without "
                    "filter, order, cursors, limit and offset");
  if (most >= 2) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "it takes two pieces or more to part it");
}

psprobe_code psprobe_query_partition(psprobe_client *client, const psprobe_query *query,
                                     int64_t most, psprobe_value **points, psprobe_error *error) {
  psp_buf url = {0};
  parting p = {.points = psprobe_value_array()};
  psp_query_name(p.what, "partition", query);
  psprobe_code code = p.points != NULL ? check(query, most, error) : psp_fail_memory(error, p.what);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "%s", p.what);
  if (code == PSPROBE_OK)
    code = psp_query_begin(client, query, p.what, ":partitionQuery", &url, error);
  if (code == PSPROBE_OK) {
    do
      code = fetch(&p, client, &url, query, most, error);
    while (code == PSPROBE_OK && p.token != NULL);
  }
  if (code == PSPROBE_OK &&
      psprobe_value_count(p.points) > 0) /* pages come sorted one by one, not together */
    qsort(p.points->as.list.items, p.points->as.list.count, sizeof *p.points->as.list.items,
          by_name);
  if (code == PSPROBE_OK)
    *points = p.points;
  else
    psprobe_value_free(p.points);
  free(p.token);
  psp_buf_free(&url);
  return code;
}
