/* SPDX-License-Identifier: MIT */
/* Reads queries. */
#include "local/documents_query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/path.h"
#include "local/fields.h"

enum { MAX_IN = 30, MAX_DEPTH = 16 };

static void filter_clear(psp_filter *filter) {
  for (size_t i = 0; i < filter->count; i++)
    filter_clear(&filter->parts[i]);
  free(filter->parts);
  psp_documents_path_free(&filter->path);
  psprobe_value_free(filter->value);
}

void psp_local_query_free(psp_local_query *query) {
  free(query->collection);
  if (query->where) filter_clear(query->where);
  free(query->where);
  for (size_t i = 0; i < query->order_count; i++)
    psp_documents_path_free(&query->orders[i].path);
  free(query->orders);
  psprobe_value_free(query->start.values);
  psprobe_value_free(query->end.values);
  psp_documents_mask_free(&query->select);
  *query = (psp_local_query){.limit = -1};
}

/* {"fieldPath":"…"} */
static psprobe_code read_field(const psp_json *json, psp_documents_path *path,
                               psprobe_error *error) {
  const char *text = json ? psp_json_string(psp_json_get2(json, "fieldPath", "field_path")) : "";
  if (!text || (json && psp_json_count(json) != 1)) return psp_documents_payload_invalid(error);
  return psp_documents_path_parse(text, path, error);
}

/* ---- filters ---- */

/* An enumerator of google.firestore.v1.StructuredQuery: its name, or its number as proto3 allows
 * and Google's own REST clients send. */
typedef struct enumerator {
  const char *name;
  int64_t number;
  psp_filter_kind kind;
} enumerator;

static const enumerator field_ops[] = {{"LESS_THAN", 1, PSP_WHERE_LESS},
                                       {"LESS_THAN_OR_EQUAL", 2, PSP_WHERE_LESS_OR_EQUAL},
                                       {"GREATER_THAN", 3, PSP_WHERE_GREATER},
                                       {"GREATER_THAN_OR_EQUAL", 4, PSP_WHERE_GREATER_OR_EQUAL},
                                       {"EQUAL", 5, PSP_WHERE_EQUAL},
                                       {"NOT_EQUAL", 6, PSP_WHERE_NOT_EQUAL},
                                       {"ARRAY_CONTAINS", 7, PSP_WHERE_ARRAY_CONTAINS},
                                       {"IN", 8, PSP_WHERE_IN},
                                       {"ARRAY_CONTAINS_ANY", 9, PSP_WHERE_ARRAY_CONTAINS_ANY},
                                       {"NOT_IN", 10, PSP_WHERE_NOT_IN},
                                       {0}};
static const enumerator unary_ops[] = {{"IS_NAN", 2, PSP_WHERE_IS_NAN},
                                       {"IS_NULL", 3, PSP_WHERE_IS_NULL},
                                       {"IS_NOT_NAN", 4, PSP_WHERE_IS_NOT_NAN},
                                       {"IS_NOT_NULL", 5, PSP_WHERE_IS_NOT_NULL},
                                       {0}};
static const enumerator composite_ops[] = {{"AND", 1, PSP_WHERE_AND}, {"OR", 2, PSP_WHERE_OR}, {0}};

static bool is_enumerator(const psp_json *json, const char *name, int64_t number) {
  int64_t given;
  return psp_text_equal(psp_json_string(json), name) ||
         (psp_json_int64(json, &given) && given == number);
}

/* `name` receives what the operator is called. */
static psprobe_code read_op(const psp_json *json, const enumerator *ops, const char *what,
                            psp_filter_kind *kind, const char **name, psprobe_error *error) {
  int64_t number;
  bool none = !json || is_enumerator(json, "OPERATOR_UNSPECIFIED", 0);
  while (!none && ops->name && !is_enumerator(json, ops->name, ops->number))
    ops++;
  if (none || (!ops->name && psp_json_int64(json, &number)))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s operator.", what);
  if (!ops->name) return psp_documents_payload_invalid(error);
  *kind = ops->kind;
  *name = ops->name;
  return PSPROBE_OK;
}

/* The members of any of the three kinds of filter. */
typedef struct members {
  const psp_json *op, *field, *value, *filters;
} members;

static bool read_members(const psp_json *json, members *out) {
  static const psp_field fields[] = {{"op", psp_read_part, offsetof(members, op)},
                                     {"field", psp_read_part, offsetof(members, field)},
                                     {"value", psp_read_part, offsetof(members, value)},
                                     {"filters", psp_read_part, offsetof(members, filters)},
                                     {0}};
  *out = (members){0};
  return psp_fields_read(json, fields, out);
}

static psprobe_code check_operand(const psp_filter *filter, const char *op, psprobe_error *error) {
  bool several = filter->kind == PSP_WHERE_IN || filter->kind == PSP_WHERE_NOT_IN ||
                 filter->kind == PSP_WHERE_ARRAY_CONTAINS_ANY;
  bool is_name = psp_documents_path_is_name(&filter->path);
  if (!several && is_name && filter->value->type != PSPROBE_VALUE_REFERENCE)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "__key__ filter value must be a Key");
  if (!several) return PSPROBE_OK;
  if (filter->value->type != PSPROBE_VALUE_ARRAY)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' requires an ArrayValue.", op);
  size_t count = psprobe_value_count(filter->value);
  if (count == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' requires an non-empty ArrayValue.", op);
  if (count > MAX_IN)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' supports up to %d comparison values.",
                    op, MAX_IN);
  return PSPROBE_OK;
}

static psprobe_code read_comparison(const members *found, psp_filter *out, psprobe_error *error) {
  const char *op = NULL;
  psprobe_code code = read_op(found->op, field_ops, "Unknown FieldFilter", &out->kind, &op, error);
  if (!code) code = read_field(found->field, &out->path, error);
  if (!code && !found->value)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Cannot convert firestore.v1.Value with type unset.");
  if (!code) code = psp_documents_value_read(found->value, &out->value, error);
  return code ? code : check_operand(out, op, error);
}

static psprobe_code read_filter(const psp_json *json, psp_filter *out, int depth,
                                psprobe_error *error);

static psprobe_code read_composite(const members *found, psp_filter *out, int depth,
                                   psprobe_error *error) {
  const char *op = NULL;
  psprobe_code code =
      read_op(found->op, composite_ops, "Unsupported CompositeFilter", &out->kind, &op, error);
  size_t count = psp_json_count(found->filters);
  if (!code && count == 0 && out->kind == PSP_WHERE_OR)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Composite filter must have at least one sub-filter.");
  if (code || count == 0) return code;
  if (!psp_json_is_array(found->filters) || depth > MAX_DEPTH)
    return psp_documents_payload_invalid(error);
  out->parts = calloc(count, sizeof *out->parts);
  if (!out->parts) return psp_fail_memory(error, "filter");
  for (const psp_json *item = psp_json_first(found->filters); item && !code;
       item = psp_json_next(item))
    code = read_filter(item, &out->parts[out->count++], depth + 1, error);
  return code;
}

static psprobe_code read_filter(const psp_json *json, psp_filter *out, int depth,
                                psprobe_error *error) {
  const psp_json *content = psp_json_first(json);
  members found;
  if (!psp_json_is_object(json) || psp_json_count(json) > 1)
    return psp_documents_payload_invalid(error);
  if (!content) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Unknown Filter type.");
  const char *kind = psp_json_key(content);
  if (!read_members(content, &found)) return psp_documents_payload_invalid(error);
  if (psp_field_is(kind, "fieldFilter")) return read_comparison(&found, out, error);
  if (psp_field_is(kind, "compositeFilter")) return read_composite(&found, out, depth, error);
  if (!psp_field_is(kind, "unaryFilter")) return psp_documents_payload_invalid(error);
  const char *op = NULL;
  psprobe_code code = read_op(found.op, unary_ops, "Unknown UnaryFilter", &out->kind, &op, error);
  return code ? code : read_field(found.field, &out->path, error);
}

/* ---- orders ---- */

static psp_order *add_order(psp_local_query *query) {
  psp_order *orders = realloc(query->orders, (query->order_count + 1) * sizeof *orders);
  if (!orders) return NULL;
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
  if (json && !psp_json_is_array(json)) return psp_documents_payload_invalid(error);
  for (const psp_json *item = psp_json_first(json); item && !code; item = psp_json_next(item)) {
    part found = {0};
    psp_order *order = add_order(query);
    if (!order) return psp_fail_memory(error, "query");
    bool ok = psp_fields_read(item, fields, &found);
    order->descending = is_enumerator(found.direction, "DESCENDING", 2);
    if (found.direction && !order->descending && !is_enumerator(found.direction, "ASCENDING", 1) &&
        !is_enumerator(found.direction, "DIRECTION_UNSPECIFIED", 0))
      ok = false;
    int64_t number;
    if (!ok && found.direction && psp_json_int64(found.direction, &number))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Unrecognized ordering.");
    code = ok ? read_field(found.field, &order->path, error) : psp_documents_payload_invalid(error);
  }
  return code;
}

/* One clause of a listing's orderBy: "a", "a asc", "a desc". */
static bool read_clause(psp_local_query *query, char *clause) {
  char *state = NULL, *path = strtok_r(clause, " ", &state);
  char *direction = path ? strtok_r(NULL, " ", &state) : NULL;
  if (!path || strtok_r(NULL, " ", &state)) return false;
  bool descending = direction && strcasecmp(direction, "desc") == 0;
  if (direction && !descending && strcasecmp(direction, "asc") != 0) return false;
  psp_order *order = add_order(query);
  if (!order) return false;
  order->descending = descending;
  return psp_documents_path_parse(path, &order->path, NULL) == PSPROBE_OK;
}

psprobe_code psp_local_query_order(psp_local_query *query, const char *text, psprobe_error *error) {
  char *copy = psp_strdup(text), *at = copy;
  bool ok = copy != NULL;
  for (bool last = false; ok && !last;) {
    char *comma = strchr(at, ',');
    last = !comma;
    if (comma) *comma = '\0';
    ok = read_clause(query, at);
    at = comma ? comma + 1 : at;
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
  psprobe_code code = psp_fail_memory(order ? NULL : error, "query");
  if (order) {
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
  for (size_t i = 0; i < filter->count && !code; i++)
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
  if (by_name && query->orders[0].descending && !(query->where && filters_field(query->where)))
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "Firestore does not support descending key scans");
  return PSPROBE_OK;
}

/* https://firebase.google.com/docs/firestore/query-data/order-limit-data: results come in the order
 * of an inequality's field, then of their names, in the direction of the last order. */
psprobe_code psp_local_query_imply(psp_local_query *query, psprobe_error *error) {
  static char name[] = "__name__";
  char *names[] = {name};
  psp_documents_path path = {.names = names, .count = 1};
  bool descending = query->order_count && query->orders[query->order_count - 1].descending;
  psprobe_code code =
      query->where ? imply_filter(query, query->where, descending, error) : PSPROBE_OK;
  if (!code) code = imply_path(query, &path, descending, error);
  return code ? code : check_orders(query, error);
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
  if (!json) return PSPROBE_OK;
  if (!psp_fields_read(json, fields, &found) || (found.values && !psp_json_is_array(found.values)))
    return psp_documents_payload_invalid(error);
  out->set = true;
  out->before = found.before;
  out->values = psprobe_value_array();
  if (psp_json_count(found.values) > query->order_count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Cursor has too many values.");
  size_t i = 0;
  for (const psp_json *item = psp_json_first(found.values); item; item = psp_json_next(item), i++) {
    psprobe_value *value = NULL;
    psprobe_code code = psp_documents_value_read(item, &value, error);
    if (code) return code;
    bool misfit = psp_documents_path_is_name(&query->orders[i].path) &&
                  value->type != PSPROBE_VALUE_REFERENCE;
    if (!psprobe_value_append(out->values, value)) return psp_fail_memory(error, "cursor");
    if (misfit)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "Cursor __key__ value is not a document reference.");
  }
  return out->values ? PSPROBE_OK : psp_fail_memory(error, "cursor");
}

static psprobe_code read_from(const psp_json *json, psp_local_query *query, psprobe_error *error) {
  static const psp_field fields[] = {
      {"collectionId", psp_read_text, offsetof(psp_local_query, collection)},
      {"allDescendants", psp_read_bool, offsetof(psp_local_query, descendants)},
      {0}};
  if (json && !psp_json_is_array(json)) return psp_documents_payload_invalid(error);
  if (psp_json_count(json) > 1)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "StructuredQuery.from cannot have more than one collection selector.");
  const psp_json *selector = psp_json_first(json);
  if (selector && !psp_fields_read(selector, fields, query))
    return psp_documents_payload_invalid(error);
  if (!query->collection) {
    query->descendants = true; /* every document */
    return PSPROBE_OK;
  }
  if (strlen(query->collection) > 1500)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The query kind is longer than 1500 bytes.");
  return psp_documents_id_check("Collection id", query->collection, error);
}

static psprobe_code read_select(const psp_json *json, psp_local_query *query,
                                psprobe_error *error) {
  if (!json) return PSPROBE_OK;
  const psp_json *list = psp_json_get(json, "fields");
  if (!psp_json_is_object(json) || (list && !psp_json_is_array(list)))
    return psp_documents_payload_invalid(error);
  query->select.set = true;
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(list); item && !code; item = psp_json_next(item)) {
    const char *text = psp_json_string(psp_json_get2(item, "fieldPath", "field_path"));
    code = text ? psp_documents_mask_add(&query->select, text, error)
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
  if (!code && found->where) {
    out->where = calloc(1, sizeof *out->where);
    code = out->where ? read_filter(found->where, out->where, 0, error)
                      : psp_fail_memory(error, "query");
  }
  if (!code) code = read_orders(found->orders, out, error);
  if (!code) code = read_cursor(found->start, out, &out->start, error);
  if (!code) code = read_cursor(found->end, out, &out->end, error);
  if (!code) code = read_select(found->select, out, error);
  return code ? code : psp_local_query_imply(out, error);
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
