/* SPDX-License-Identifier: MIT */
#include "firestore/query.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/path.h"

#define BY_NAME "__name__"

static bool is_inequality(psprobe_filter_op op) {
  return op != PSPROBE_FILTER_NONE && op != PSPROBE_EQUAL;
}

static psprobe_code check_filter(const psprobe_query *query, psprobe_error *error) {
  if (query->where_op == PSPROBE_FILTER_NONE) return PSPROBE_OK;
  if ((unsigned)query->where_op > PSPROBE_GREATER_OR_EQUAL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an unknown filter operator");
  psprobe_code code = psp_field_path_parse(query->where_field, NULL, error);
  if (code == PSPROBE_OK) code = psp_value_check(query->where_value, error);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "where");
  return code;
}

psprobe_code psp_query_check(const psprobe_query *query, psprobe_error *error) {
  psprobe_code code = psp_collection_path_check(query->collection, error);
  if (code == PSPROBE_OK) code = check_filter(query, error);
  if (code == PSPROBE_OK && query->order_by != NULL) {
    code = psp_field_path_parse(query->order_by, NULL, error);
    if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "order by");
  }
  if (code != PSPROBE_OK) return code;
  if (query->limit < 0) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a negative limit");
  if (query->offset < 0 || query->offset > INT32_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an offset is 0 to 2147483647");
  if (query->page_size < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a negative page size");
  return PSPROBE_OK;
}

/* The field that comes first in the query's order; NULL: by name alone. An
 * inequality orders by its field where the query does not say otherwise, as
 * the service does by itself (and has an index for). */
static const char *order_field(const psprobe_query *query) {
  const char *field = query->order_by;
  if (field == NULL && is_inequality(query->where_op)) field = query->where_field;
  return psp_text_equal(field, BY_NAME) ? NULL : field;
}

static void put_field(psp_json_writer *w, const char *path) {
  psp_json_begin_object_member(w, "field");
  psp_json_put_key(w, "fieldPath");
  psp_json_put_name(w, path);
  psp_json_end_object(w);
}

static void put_op(psp_json_writer *w, const char *op) {
  psp_json_put_member(w, "op", op);
}

static bool is_nan(const psprobe_value *value) {
  double number;
  return psprobe_value_get_double(value, &number) && isnan(number);
}

/* Whether something is null or NaN the service asks in a form of its own. */
static const char *unary_op(const psprobe_query *query) {
  bool equal = query->where_op == PSPROBE_EQUAL;
  if (!equal && query->where_op != PSPROBE_NOT_EQUAL) return NULL;
  if (query->where_value->type == PSPROBE_VALUE_NULL) return equal ? "IS_NULL" : "IS_NOT_NULL";
  if (is_nan(query->where_value)) return equal ? "IS_NAN" : "IS_NOT_NAN";
  return NULL;
}

static void put_where(psp_json_writer *w, const psprobe_query *query) {
  static const char *const ops[] = {
      [PSPROBE_EQUAL] = "EQUAL",          [PSPROBE_NOT_EQUAL] = "NOT_EQUAL",
      [PSPROBE_LESS] = "LESS_THAN",       [PSPROBE_LESS_OR_EQUAL] = "LESS_THAN_OR_EQUAL",
      [PSPROBE_GREATER] = "GREATER_THAN", [PSPROBE_GREATER_OR_EQUAL] = "GREATER_THAN_OR_EQUAL",
  };
  if (query->where_op == PSPROBE_FILTER_NONE) return;
  const char *unary = unary_op(query);
  psp_json_begin_object_member(w, "where");
  psp_json_begin_object_member(w, unary != NULL ? "unaryFilter" : "fieldFilter");
  if (unary != NULL) {
    put_op(w, unary);
    put_field(w, query->where_field);
  } else {
    put_field(w, query->where_field);
    put_op(w, ops[query->where_op]);
    psp_json_put_key(w, "value");
    psp_value_encode(w, query->where_value);
  }
  psp_json_end_object(w);
  psp_json_end_object(w);
}

static void put_order(psp_json_writer *w, const char *field, bool descending) {
  psp_json_begin_object(w);
  put_field(w, field);
  psp_json_put_member(w, "direction", descending ? "DESCENDING" : "ASCENDING");
  psp_json_end_object(w);
}

static void put_reference(psp_json_writer *w, const char *name) {
  psp_json_begin_object(w);
  psp_json_put_key(w, "referenceValue");
  psp_json_put_name(w, name);
  psp_json_end_object(w);
}

static void put_cursor(psp_json_writer *w, const psprobe_value *value, const char *name) {
  psp_json_begin_object_member(w, "startAt");
  psp_json_begin_array_member(w, "values");
  if (value != NULL) psp_value_encode(w, value);
  put_reference(w, name);
  psp_json_end_array(w);
  psp_json_put_bool_member(w, "before", false);
  psp_json_end_object(w);
}

static void put_query(psp_json_writer *w, const psprobe_query *query, const psp_query_page *page,
                      const psprobe_value *after) {
  const char *field = order_field(query);
  const char *slash = strrchr(query->collection, '/');
  psp_json_begin_object(w);
  psp_json_begin_array_member(w, "from");
  psp_json_begin_object(w);
  psp_json_put_key(w, "collectionId");
  psp_json_put_name(w, slash != NULL ? slash + 1 : query->collection);
  psp_json_end_object(w);
  psp_json_end_array(w);
  put_where(w, query);
  psp_json_begin_array_member(w, "orderBy");
  if (field != NULL) put_order(w, field, query->descending);
  put_order(w, BY_NAME, query->descending);
  psp_json_end_array(w);
  if (page->after != NULL) put_cursor(w, after, page->after->name);
  if (page->offset > 0) {
    psp_json_put_int64_member(w, "offset", page->offset);
  }
  psp_json_put_int64_member(w, "limit", page->limit);
  psp_json_end_object(w);
}

psprobe_code psp_query_encode(psp_buf *out, const psprobe_query *query, const psp_query_page *page,
                              psprobe_error *error) {
  psp_json_writer w = {.buf = out};
  const char *field = order_field(query);
  const psprobe_value *after = NULL;
  if (page->after != NULL && field != NULL) {
    psprobe_code code = psp_value_find_path(page->after->fields, field, &after, error);
    if (code != PSPROBE_OK) return code;
    if (after == NULL)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "document %.200s was found, and has no field %.100s to order by",
                      page->after->name, field);
  }
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "structuredQuery");
  put_query(&w, query, page, after);
  psp_json_end_object(&w);
  return out->failed ? psp_fail_memory(error, "a query") : PSPROBE_OK;
}

const psp_json *psp_query_first(const psp_json *answer) {
  return psp_json_is_array(answer) ? psp_json_first(answer) : answer;
}

psprobe_code psp_query_element(const psp_json *item, psprobe_document **document,
                               psprobe_error *error) {
  *document = NULL;
  if (!psp_json_is_object(item))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an element that is no object");
  const psp_json *found = psp_json_get(item, "document");
  return found != NULL ? psp_document_decode(found, document, error) : PSPROBE_OK;
}
