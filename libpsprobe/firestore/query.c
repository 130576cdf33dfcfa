/* SPDX-License-Identifier: MIT */
#include "firestore/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/filter.h"
#include "firestore/path.h"
#include "firestore/service.h"

#define BY_NAME    "__name__"
#define WEIGHT_MAX 100 /* https://cloud.google.com/firestore/quotas, "in a query" */

/* ---- checking ---- */

static psprobe_code check_orders(const psprobe_query *query, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < query->order_count; i++)
    code = psp_field_path_parse(query->orders[i].field, NULL, error);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "order by");
  return code;
}

static psprobe_code check_cursor(const psprobe_cursor *cursor, size_t orders, const char *name,
                                 psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < cursor->count; i++)
    code = psp_value_check(cursor->values[i], error);
  if (code == PSPROBE_OK && cursor->count > orders)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%zu values, and it is ordered by %zu fields",
                    cursor->count, orders);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "%s cursor", name);
  return code;
}

static psprobe_code check_cursors(const psprobe_query *query, psprobe_error *error) {
  psprobe_order *orders = NULL;
  size_t count = psp_query_orders(query, &orders);
  free(orders);
  if (orders == NULL) return psp_fail_memory(error, "a query");
  psprobe_code code = check_cursor(&query->start, count, "start", error);
  return code == PSPROBE_OK ? check_cursor(&query->end, count, "end", error) : code;
}

static psprobe_code check_numbers(const psprobe_query *query, size_t leaves, psprobe_error *error) {
  if (query->limit < 0 || query->limit > INT32_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a limit is 0 to 2147483647");
  if (query->offset < 0 || query->offset > INT32_MAX)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an offset is 0 to 2147483647");
  if (leaves + query->order_count <= WEIGHT_MAX) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "more than 100 filters and orders, the service's limit");
}

psprobe_code psp_query_check(const psprobe_query *query, psprobe_error *error) {
  size_t leaves = 0;
  psprobe_code code =
      query->collection != NULL ? psp_collection_path_check(query->collection, error) : PSPROBE_OK;
  if (code == PSPROBE_OK) code = psp_filter_check(&query->where, &leaves, error);
  if (code == PSPROBE_OK) code = check_orders(query, error);
  if (code == PSPROBE_OK) code = check_numbers(query, leaves, error);
  if (code == PSPROBE_OK) code = check_cursors(query, error);
  if (code == PSPROBE_OK) code = psp_mask_check(query->read.mask, query->read.mask_count, error);
  return code;
}

/* ---- beginning ---- */

void psp_query_name(char *what, const char *verb, const psprobe_query *query) {
  snprintf(what, PSP_FIRESTORE_WHAT, "%s of %s%s", verb,
           query->collection != NULL ? "collection " : "every document",
           query->collection != NULL ? query->collection : "");
}

/* The verb is called on what the query's collections lie below: the database, or a document. */
psprobe_code psp_query_begin(psprobe_client *client, const psprobe_query *query, const char *what,
                             const char *verb, psp_buf *url, psprobe_error *error) {
  psp_firestore_root root;
  psp_buf parent = {0};
  psprobe_code code = psp_query_check(query, error);
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "%s", what);
  if (code == PSPROBE_OK) code = psp_firestore_root_of(client, &root, error);
  if (code != PSPROBE_OK) return code;
  const char *slash = query->collection != NULL ? strrchr(query->collection, '/') : NULL;
  if (slash != NULL) psp_buf_add(&parent, query->collection, (size_t)(slash - query->collection));
  psp_path_url(url, root.project, root.database, parent.data);
  psp_buf_text(url, verb);
  if (parent.failed) url->failed = true;
  psp_buf_free(&parent);
  return PSPROBE_OK;
}

/* ---- orders ---- */

static size_t count_leaves(const psprobe_where *filter) {
  size_t count = filter->op != PSPROBE_FILTER_NONE;
  for (size_t i = 0; i < filter->part_count; i++)
    count += count_leaves(&filter->parts[i]);
  return count;
}

/* Whether two paths name one field, however they are quoted. */
static bool same_field(const char *a, const char *b) {
  psp_buf first = {0}, second = {0};
  psp_field_path_parse(a, &first, NULL);
  psp_field_path_parse(b, &second, NULL);
  bool same =
      first.len == second.len && first.len > 0 && memcmp(first.data, second.data, first.len) == 0;
  psp_buf_free(&first);
  psp_buf_free(&second);
  return same;
}

static bool has_order(const psprobe_order *orders, size_t count, const char *field) {
  for (size_t i = 0; i < count; i++)
    if (same_field(orders[i].field, field)) return true;
  return false;
}

static size_t add_inequalities(const psprobe_where *filter, psprobe_order *orders, size_t count) {
  if (psp_filter_is_inequality(filter->op) && !has_order(orders, count, filter->field))
    orders[count++] = (psprobe_order){.field = filter->field};
  for (size_t i = 0; i < filter->part_count; i++)
    count = add_inequalities(&filter->parts[i], orders, count);
  return count;
}

static int by_field(const void *a, const void *b) {
  const psprobe_order *first = a, *second = b;
  bool name = psp_text_equal(first->field, BY_NAME), other = psp_text_equal(second->field, BY_NAME);
  return name != other ? (int)name - (int)other : strcmp(first->field, second->field);
}

size_t psp_query_orders(const psprobe_query *query, psprobe_order **out) {
  size_t asked = query->order_count;
  psprobe_order *orders = calloc(asked + count_leaves(&query->where) + 1, sizeof *orders);
  *out = orders;
  if (orders == NULL) return 0;
  if (asked > 0) memcpy(orders, query->orders, asked * sizeof *orders);
  size_t count = add_inequalities(&query->where, orders, asked);
  if (!has_order(orders, count, BY_NAME)) orders[count++] = (psprobe_order){.field = BY_NAME};
  qsort(orders + asked, count - asked, sizeof *orders, by_field);
  for (size_t i = asked; i < count; i++)
    orders[i].descending = asked > 0 && orders[asked - 1].descending;
  return count;
}

/* ---- writing ---- */

static void put_from(psp_json_writer *w, const psprobe_query *query) {
  const char *slash = query->collection != NULL ? strrchr(query->collection, '/') : NULL;
  psp_json_begin_array_member(w, "from");
  psp_json_begin_object(w);
  if (query->collection != NULL) {
    psp_json_put_key(w, "collectionId");
    psp_json_put_name(w, slash != NULL ? slash + 1 : query->collection);
  }
  if (query->all_descendants || query->collection == NULL)
    psp_json_put_bool_member(w, "allDescendants", true);
  psp_json_end_object(w);
  psp_json_end_array(w);
}

static void put_reference(psp_json_writer *w, const char *name) {
  psp_json_begin_object(w);
  psp_json_put_key(w, "fieldPath");
  psp_json_put_name(w, name);
  psp_json_end_object(w);
}

/* An empty mask is said by the name, which every document has. */
static void put_select(psp_json_writer *w, const psprobe_read *read) {
  if (read->mask == NULL) return;
  psp_json_begin_object_member(w, "select");
  psp_json_begin_array_member(w, "fields");
  for (size_t i = 0; i < read->mask_count; i++)
    put_reference(w, read->mask[i]);
  if (read->mask_count == 0) put_reference(w, BY_NAME);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_orders(psp_json_writer *w, const psprobe_order *orders, size_t count) {
  if (count == 0) return;
  psp_json_begin_array_member(w, "orderBy");
  for (size_t i = 0; i < count; i++) {
    psp_json_begin_object(w);
    psp_json_put_field(w, orders[i].field);
    psp_json_put_member(w, "direction", orders[i].descending ? "DESCENDING" : "ASCENDING");
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
}

/* What "before" means: a start that leaves out begins after its values, an end that does, before.
 */
static void put_cursor(psp_json_writer *w, const psprobe_cursor *cursor, bool start) {
  if (cursor->count == 0) return;
  psp_json_begin_object_member(w, start ? "startAt" : "endAt");
  psp_json_begin_array_member(w, "values");
  for (size_t i = 0; i < cursor->count; i++)
    psp_value_encode(w, cursor->values[i]);
  psp_json_end_array(w);
  psp_json_put_bool_member(w, "before", start != cursor->beyond);
  psp_json_end_object(w);
}

/* The place right after a document. */
static psprobe_code put_after(psp_json_writer *w, const psp_query_rest *rest,
                              psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  psp_json_begin_object_member(w, "startAt");
  psp_json_begin_array_member(w, "values");
  for (size_t i = 0; code == PSPROBE_OK && i < rest->order_count; i++) {
    const char *field = rest->orders[i].field;
    const psprobe_value *value = NULL;
    if (psp_text_equal(field, BY_NAME)) {
      psp_json_begin_object(w);
      psp_json_put_key(w, "referenceValue");
      psp_json_put_name(w, rest->after->name);
      psp_json_end_object(w);
      continue;
    }
    code = psp_value_find_path(rest->after->fields, field, &value, error);
    if (code == PSPROBE_OK && value == NULL)
      code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "document %.200s came, and no field %.100s to order by", rest->after->name,
                      field);
    if (code == PSPROBE_OK) psp_value_encode(w, value);
  }
  psp_json_end_array(w);
  psp_json_put_bool_member(w, "before", false);
  psp_json_end_object(w);
  return code;
}

static psprobe_code put_places(psp_json_writer *w, const psprobe_query *query,
                               const psp_query_rest *rest, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  bool goes_on = rest != NULL && rest->after != NULL;
  int64_t limit = rest != NULL ? rest->limit : query->limit;
  if (goes_on)
    code = put_after(w, rest, error);
  else
    put_cursor(w, &query->start, true);
  put_cursor(w, &query->end, false);
  if (query->offset > 0 && !goes_on) psp_json_put_int64_member(w, "offset", query->offset);
  if (limit > 0) psp_json_put_int64_member(w, "limit", limit);
  return code;
}

psprobe_code psp_query_encode(psp_json_writer *w, const psprobe_query *query,
                              const psp_query_rest *rest, psprobe_error *error) {
  psp_json_begin_object(w);
  put_select(w, &query->read);
  put_from(w, query);
  if (query->where.op != PSPROBE_FILTER_NONE) {
    psp_json_put_key(w, "where");
    psp_filter_encode(w, &query->where);
  }
  if (rest != NULL)
    put_orders(w, rest->orders, rest->order_count);
  else
    put_orders(w, query->orders, query->order_count);
  psprobe_code code = put_places(w, query, rest, error);
  psp_json_end_object(w);
  if (code != PSPROBE_OK) return code;
  return w->buf->failed ? psp_fail_memory(error, "a query") : PSPROBE_OK;
}

/* ---- reading ---- */

psprobe_code psp_query_element(const psp_json *item, psprobe_document **document,
                               psprobe_error *error) {
  *document = NULL;
  if (!psp_json_is_object(item))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an element that is no object");
  const psp_json *found = psp_json_get(item, "document");
  return found != NULL ? psp_document_decode(found, document, error) : PSPROBE_OK;
}
