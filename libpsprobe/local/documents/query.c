/* SPDX-License-Identifier: MIT */
#include "local/documents/query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/path.h"
#include "local/proto_fields.h"

void psp_local_query_free(psp_local_query *query) {
  free(query->collection);
  if (query->where != NULL) psp_filter_clear(query->where);
  free(query->where);
  for (size_t i = 0; i < query->order_count; i++)
    psp_documents_path_free(&query->orders[i].path);
  free(query->orders);
  psprobe_value_free(query->start.values);
  psprobe_value_free(query->end.values);
  psp_documents_mask_free(&query->select);
  *query = (psp_local_query){.limit = -1};
}

/* ---- orders ---- */

static psp_order *add_order(psp_local_query *query) {
  psp_order *orders = realloc(query->orders, (query->order_count + 1) * sizeof *orders);
  if (orders == NULL) return NULL;
  query->orders = orders;
  orders[query->order_count] = (psp_order){0};
  return &orders[query->order_count++];
}

static psprobe_code read_orders(const psp_json *json, psp_local_query *query,
                                psprobe_error *error) {
  typedef struct part {
    const psp_json *field, *direction;
  } part;
  static const psp_field fields[] = {{"field", psp_read_part, offsetof(part, field)},
                                     {"direction", psp_read_part, offsetof(part, direction)},
                                     {0}};
  psprobe_code code = PSPROBE_OK;
  if (json != NULL && !psp_json_is_array(json)) return psp_documents_payload_invalid(error);
  for (const psp_json *item = psp_json_first(json); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item)) {
    part found = {0};
    psp_order *order = add_order(query);
    if (order == NULL) return psp_fail_memory(error, "query");
    bool ok = psp_fields_read(item, fields, &found);
    order->descending = psp_enumerator_is(found.direction, "DESCENDING", 2);
    if (found.direction != NULL && !order->descending &&
        !psp_enumerator_is(found.direction, "ASCENDING", 1) &&
        !psp_enumerator_is(found.direction, "DIRECTION_UNSPECIFIED", 0))
      ok = false;
    int64_t number;
    if (!ok && found.direction != NULL && psp_json_int64(found.direction, &number))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Unrecognized ordering.");
    code = ok ? psp_field_reference_read(found.field, &order->path, error)
              : psp_documents_payload_invalid(error);
  }
  return code;
}

/* One clause of a listing's orderBy: "a", "a asc", "a desc". */
static bool read_clause(psp_local_query *query, char *clause) {
  char *state = NULL, *path = strtok_r(clause, " ", &state);
  char *direction = path != NULL ? strtok_r(NULL, " ", &state) : NULL;
  if (path == NULL || strtok_r(NULL, " ", &state) != NULL) return false;
  bool descending = direction != NULL && strcasecmp(direction, "desc") == 0;
  if (direction != NULL && !descending && strcasecmp(direction, "asc") != 0) return false;
  psp_order *order = add_order(query);
  if (order == NULL) return false;
  order->descending = descending;
  return psp_documents_path_parse(path, &order->path, NULL) == PSPROBE_OK;
}

psprobe_code psp_local_query_order(psp_local_query *query, const char *text, psprobe_error *error) {
  char *copy = psp_strdup(text), *at = copy;
  bool ok = copy != NULL;
  for (bool last = false; ok && !last;) {
    char *comma = strchr(at, ',');
    last = comma == NULL;
    if (comma != NULL) *comma = '\0';
    ok = read_clause(query, at);
    at = comma != NULL ? comma + 1 : at;
  }
  free(copy);
  if (ok) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid order by clause \"%s\".", text);
}

static bool is_inequality(psp_filter_kind kind) {
  return (kind >= PSP_WHERE_LESS && kind <= PSP_WHERE_GREATER_OR_EQUAL) ||
         kind == PSP_WHERE_NOT_EQUAL || kind == PSP_WHERE_NOT_IN || kind == PSP_WHERE_IS_NOT_NAN ||
         kind == PSP_WHERE_IS_NOT_NULL;
}

static bool same_path(const psp_documents_path *a, const psp_documents_path *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (strcmp(a->names[i], b->names[i]) != 0) return false;
  return true;
}

static psprobe_code imply_path(psp_local_query *query, const psp_documents_path *path,
                               bool descending, psprobe_error *error) {
  for (size_t i = 0; i < query->order_count; i++)
    if (same_path(&query->orders[i].path, path)) return PSPROBE_OK;
  psp_buf text = {0};
  for (size_t i = 0; i < path->count; i++) {
    if (i) psp_buf_char(&text, '.');
    psp_field_path_quote(&text, path->names[i]);
  }
  psp_order *order = text.failed ? NULL : add_order(query);
  psprobe_code code = psp_fail_memory(order != NULL ? NULL : error, "query");
  if (order != NULL) {
    order->descending = descending;
    code = psp_documents_path_parse(text.data, &order->path, error);
  }
  psp_buf_free(&text);
  return code;
}

static psprobe_code imply_filter(psp_local_query *query, const psp_filter *filter, bool descending,
                                 psprobe_error *error) {
  if (is_inequality(filter->kind)) return imply_path(query, &filter->path, descending, error);
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; i < filter->count && code == PSPROBE_OK; i++)
    code = imply_filter(query, &filter->parts[i], descending, error);
  return code;
}

/* Whether a filter looks at a field, and not at names alone. */
static bool filters_field(const psp_filter *filter) {
  for (size_t i = 0; i < filter->count; i++)
    if (filters_field(&filter->parts[i])) return true;
  bool composite = filter->kind == PSP_WHERE_AND || filter->kind == PSP_WHERE_OR;
  return !composite && !psp_documents_path_is_name(&filter->path);
}

/* What Google's emulator has no scan for. */
static psprobe_code check_orders(const psp_local_query *query, psprobe_error *error) {
  for (size_t i = 0; i + 1 < query->order_count; i++)
    if (psp_documents_path_is_name(&query->orders[i].path))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "order by clause cannot contain more fields after the key");
  bool by_name = query->order_count == 1;
  if (by_name && query->orders[0].descending &&
      !(query->where != NULL && filters_field(query->where)))
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "Firestore does not support descending key scans");
  return PSPROBE_OK;
}

static int by_path(const void *a, const void *b) {
  const psp_documents_path *first = &((const psp_order *)a)->path;
  const psp_documents_path *second = &((const psp_order *)b)->path;
  bool name = psp_documents_path_is_name(first), other = psp_documents_path_is_name(second);
  if (name != other) return (int)name - (int)other;
  for (size_t i = 0; i < first->count && i < second->count; i++) {
    int order = strcmp(first->names[i], second->names[i]);
    if (order != 0) return order;
  }
  return (first->count > second->count) - (first->count < second->count);
}

/* google/firestore/v1/query.proto, StructuredQuery.order_by: results come in the order of the
 * fields of inequalities, which are in the order of their names, then of their own names, in the
 * direction of the last order. */
psprobe_code psp_local_query_imply(psp_local_query *query, psprobe_error *error) {
  static char name[] = "__name__";
  char *names[] = {name};
  psp_documents_path path = {.names = names, .count = 1};
  size_t asked = query->order_count;
  bool descending = asked > 0 && query->orders[asked - 1].descending;
  psprobe_code code =
      query->where != NULL ? imply_filter(query, query->where, descending, error) : PSPROBE_OK;
  if (code == PSPROBE_OK) code = imply_path(query, &path, descending, error);
  if (query->order_count > asked)
    qsort(query->orders + asked, query->order_count - asked, sizeof *query->orders, by_path);
  return code != PSPROBE_OK ? code : check_orders(query, error);
}

/* ---- the rest ---- */

static psprobe_code read_cursor(const psp_json *json, const psp_local_query *query, psp_cursor *out,
                                psprobe_error *error) {
  typedef struct part {
    const psp_json *values;
    bool before;
  } part;
  static const psp_field fields[] = {{"values", psp_read_part, offsetof(part, values)},
                                     {"before", psp_read_bool, offsetof(part, before)},
                                     {0}};
  part found = {0};
  if (json == NULL) return PSPROBE_OK;
  if (!psp_fields_read(json, fields, &found) ||
      (found.values != NULL && !psp_json_is_array(found.values)))
    return psp_documents_payload_invalid(error);
  out->set = true;
  out->before = found.before;
  out->values = psprobe_value_array();
  if (psp_json_count(found.values) > query->order_count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Cursor has too many values.");
  size_t i = 0;
  for (const psp_json *item = psp_json_first(found.values); item != NULL;
       item = psp_json_next(item), i++) {
    psprobe_value *value = NULL;
    psprobe_code code = psp_documents_value_read(item, &value, error);
    if (code != PSPROBE_OK) return code;
    bool misfit = psp_documents_path_is_name(&query->orders[i].path) &&
                  value->type != PSPROBE_VALUE_REFERENCE;
    if (!psprobe_value_append(out->values, value)) return psp_fail_memory(error, "cursor");
    if (misfit)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "Cursor __key__ value is not a document reference.");
  }
  return out->values != NULL ? PSPROBE_OK : psp_fail_memory(error, "cursor");
}

static psprobe_code read_from(const psp_json *json, psp_local_query *query, psprobe_error *error) {
  static const psp_field fields[] = {
      {"collectionId", psp_read_text, offsetof(psp_local_query, collection)},
      {"allDescendants", psp_read_bool, offsetof(psp_local_query, descendants)},
      {0}};
  if (json != NULL && !psp_json_is_array(json)) return psp_documents_payload_invalid(error);
  if (psp_json_count(json) > 1)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "StructuredQuery.from cannot have more than one collection selector.");
  const psp_json *selector = psp_json_first(json);
  if (selector != NULL && !psp_fields_read(selector, fields, query))
    return psp_documents_payload_invalid(error);
  if (query->collection == NULL) {
    query->descendants = true; /* every document */
    return PSPROBE_OK;
  }
  if (strlen(query->collection) > 1500)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The query kind is longer than 1500 bytes.");
  return psp_documents_id_check("Collection id", query->collection, error);
}

static psprobe_code read_select(const psp_json *json, psp_local_query *query,
                                psprobe_error *error) {
  if (json == NULL) return PSPROBE_OK;
  const psp_json *list = psp_json_get(json, "fields");
  if (!psp_json_is_object(json) || (list != NULL && !psp_json_is_array(list)))
    return psp_documents_payload_invalid(error);
  query->select.set = true;
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(list); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item)) {
    const char *text = psp_json_string(psp_json_get2(item, "fieldPath", "field_path"));
    code = text != NULL ? psp_documents_mask_add(&query->select, text, error)
                        : psp_documents_payload_invalid(error);
  }
  return code;
}

/* The members of a query, as they lie in the JSON. */
typedef struct query_parts {
  const psp_json *from, *where, *orders, *start, *end, *select;
  int offset, limit;
} query_parts;

static psprobe_code read_parts(const query_parts *found, psp_local_query *out,
                               psprobe_error *error) {
  if (found->limit < -1) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "limit is negative");
  if (found->offset < 0) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "offset is negative");
  out->limit = found->limit;
  out->offset = found->offset;
  psprobe_code code = read_from(found->from, out, error);
  if (code == PSPROBE_OK && found->where != NULL) {
    out->where = calloc(1, sizeof *out->where);
    code = out->where != NULL ? psp_filter_read(found->where, out->where, error)
                              : psp_fail_memory(error, "query");
  }
  if (code == PSPROBE_OK) code = read_orders(found->orders, out, error);
  if (code == PSPROBE_OK) code = read_cursor(found->start, out, &out->start, error);
  if (code == PSPROBE_OK) code = read_cursor(found->end, out, &out->end, error);
  if (code == PSPROBE_OK) code = read_select(found->select, out, error);
  return code != PSPROBE_OK ? code : psp_local_query_imply(out, error);
}

/* Where no limit is given it stays -1, so one that is given as -1 is told apart here. */
static bool read_limit(const psp_json *json, void *out) {
  if (!psp_read_int32(json, out)) return false;
  if (*(int *)out < 0) *(int *)out = -2;
  return true;
}

psprobe_code psp_local_query_read(const psp_json *json, psp_local_query *out,
                                  psprobe_error *error) {
  static const psp_field fields[] = {{"from", psp_read_part, offsetof(query_parts, from)},
                                     {"where", psp_read_part, offsetof(query_parts, where)},
                                     {"orderBy", psp_read_part, offsetof(query_parts, orders)},
                                     {"startAt", psp_read_part, offsetof(query_parts, start)},
                                     {"endAt", psp_read_part, offsetof(query_parts, end)},
                                     {"select", psp_read_part, offsetof(query_parts, select)},
                                     {"offset", psp_read_int32, offsetof(query_parts, offset)},
                                     {"limit", read_limit, offsetof(query_parts, limit)},
                                     {0}};
  query_parts found = {.limit = -1};
  *out = (psp_local_query){.limit = -1};
  if (!psp_fields_read(json, fields, &found)) return psp_documents_payload_invalid(error);
  return read_parts(&found, out, error);
}
