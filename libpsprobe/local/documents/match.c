/* SPDX-License-Identifier: MIT */
/** @file Runs queries. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/documents/query.h"

/* ---- filters ---- */

static psprobe_value_type class_of(const psprobe_value *value) {
  return value->type == PSPROBE_VALUE_DOUBLE ? PSPROBE_VALUE_INTEGER : value->type;
}

static bool is_nan(const psprobe_value *value) {
  return value->type == PSPROBE_VALUE_DOUBLE && isnan(value->as.number);
}

/* null and NaN equal nothing, as in SQL; IS_NULL and IS_NAN find them. */
static bool equal(const psprobe_value *a, const psprobe_value *b) {
  return a->type != PSPROBE_VALUE_NULL && !is_nan(a) && psp_value_compare(a, b) == 0;
}

static bool in(const psprobe_value *item, const psprobe_value *array) {
  const psprobe_value *each;
  for (size_t i = 0; (each = psprobe_value_at(array, i, NULL)) != NULL; i++)
    if (equal(item, each)) return true;
  return false;
}

static bool contains_any(const psprobe_value *array, const psprobe_value *wanted) {
  const psprobe_value *each;
  if (array->type != PSPROBE_VALUE_ARRAY) return false;
  for (size_t i = 0; (each = psprobe_value_at(array, i, NULL)) != NULL; i++)
    if (in(each, wanted)) return true;
  return false;
}

static bool contains(const psprobe_value *array, const psprobe_value *wanted) {
  const psprobe_value *each;
  if (array->type != PSPROBE_VALUE_ARRAY) return false;
  for (size_t i = 0; (each = psprobe_value_at(array, i, NULL)) != NULL; i++)
    if (equal(each, wanted)) return true;
  return false;
}

/* Only values of one type are less or greater than each other. */
static bool inequality(psp_filter_kind kind, const psprobe_value *value,
                       const psprobe_value *other) {
  if (class_of(value) != class_of(other) || value->type == PSPROBE_VALUE_NULL || is_nan(value) ||
      is_nan(other))
    return false;
  int order = psp_value_compare(value, other);
  switch (kind) {
    case PSP_WHERE_LESS:
      return order < 0;
    case PSP_WHERE_LESS_OR_EQUAL:
      return order <= 0;
    case PSP_WHERE_GREATER:
      return order > 0;
    default:
      return order >= 0;
  }
}

static bool holds(const psp_filter *filter, const psprobe_value *value) {
  bool is_null = value->type == PSPROBE_VALUE_NULL;
  switch (filter->kind) {
    case PSP_WHERE_EQUAL:
      return equal(value, filter->value);
    case PSP_WHERE_NOT_EQUAL:
      return !is_null && filter->value->type != PSPROBE_VALUE_NULL && !equal(value, filter->value);
    case PSP_WHERE_ARRAY_CONTAINS:
      return contains(value, filter->value);
    case PSP_WHERE_IN:
      return in(value, filter->value);
    case PSP_WHERE_ARRAY_CONTAINS_ANY:
      return contains_any(value, filter->value);
    case PSP_WHERE_NOT_IN:
      return !is_null && !in(value, filter->value);
    case PSP_WHERE_IS_NAN:
      return is_nan(value);
    case PSP_WHERE_IS_NULL:
      return is_null;
    case PSP_WHERE_IS_NOT_NAN:
      return !is_null && !is_nan(value);
    case PSP_WHERE_IS_NOT_NULL:
      return !is_null;
    default:
      return inequality(filter->kind, value, filter->value);
  }
}

/* A field of a document; its name as a reference that lies in `room`. NULL: it has none such. */
static const psprobe_value *field_of(const psp_stored_document *document,
                                     const psp_documents_path *path, psprobe_value *room) {
  if (!psp_documents_path_is_name(path)) return psp_documents_path_find(document->fields, path);
  *room = (psprobe_value){.type = PSPROBE_VALUE_REFERENCE,
                          .as.text = {document->name, strlen(document->name)}};
  return room;
}

/* Whether a document is what the filter looks for. Pure. */
static bool filter_matches(const psp_filter *filter, const psp_stored_document *document) {
  bool any = filter->kind == PSP_WHERE_OR;
  if (!any && filter->kind != PSP_WHERE_AND) {
    psprobe_value room;
    const psprobe_value *value = field_of(document, &filter->path, &room);
    return value != NULL && holds(filter, value);
  }
  for (size_t i = 0; i < filter->count; i++)
    if (filter_matches(&filter->parts[i], document) == any) return any;
  return !any;
}

/* ---- order ---- */

static bool has_orders(const psp_local_query *query, const psp_stored_document *document) {
  psprobe_value room;
  for (size_t i = 0; i < query->order_count; i++)
    if (field_of(document, &query->orders[i].path, &room) == NULL) return false;
  return true;
}

/* The order of two documents, and of a document and a cursor's values. Pure. */
static int compare_documents(const psp_local_query *query, const psp_stored_document *a,
                             const psp_stored_document *b) {
  psprobe_value room_a, room_b;
  for (size_t i = 0; i < query->order_count; i++) {
    const psp_order *order = &query->orders[i];
    int compared =
        psp_value_compare(field_of(a, &order->path, &room_a), field_of(b, &order->path, &room_b));
    if (compared) return order->descending ? -compared : compared;
  }
  return 0;
}

static int compare_cursor(const psp_local_query *query, const psp_stored_document *document,
                          const psp_cursor *cursor) {
  psprobe_value room;
  const psprobe_value *value;
  for (size_t i = 0; (value = psprobe_value_at(cursor->values, i, NULL)) != NULL; i++) {
    const psp_order *order = &query->orders[i];
    int compared = psp_value_compare(field_of(document, &order->path, &room), value);
    if (compared) return order->descending ? -compared : compared;
  }
  return 0;
}

/* ---- running ---- */

void psp_query_found_free(psp_query_found *found) {
  for (size_t i = 0; i < found->count; i++)
    psp_stored_document_free(&found->items[i]);
  free(found->items);
  *found = (psp_query_found){0};
}

typedef struct search {
  const psp_local_query *query;
  psp_query_found *found;
  size_t enough; /* documents come in their order, and more than this are not asked for */
  bool failed;
} search;

static bool consider(void *arg, psp_stored_document *document) {
  search *state = arg;
  const psp_local_query *query = state->query;
  psp_query_found *found = state->found;
  if ((query->where != NULL && !filter_matches(query->where, document)) ||
      !has_orders(query, document))
    return true;
  if (query->start.set) {
    int at = compare_cursor(query, document, &query->start);
    if (at < 0 || (at == 0 && !query->start.before)) return true;
  }
  if (query->end.set) {
    int at = compare_cursor(query, document, &query->end);
    if (at > 0 || (at == 0 && query->end.before)) return true;
  }
  if (found->count == found->cap) {
    size_t cap = found->cap * 2 + 16;
    psp_stored_document *items = realloc(found->items, cap * sizeof *items);
    if (items == NULL) return !(state->failed = true);
    found->items = items;
    found->cap = cap;
  }
  found->items[found->count++] = *document;
  *document = (psp_stored_document){0};
  return found->count < state->enough;
}

static int by_orders(const void *a, const void *b, void *state) {
  return compare_documents(((const search *)state)->query, a, b);
}

/* The id after which a collection's documents can begin, or NULL. */
static const char *begin_after(const psp_local_query *query, const psp_documents_scan *scan) {
  const psprobe_value *first = psprobe_value_at(query->start.values, 0, NULL);
  const char *name;
  if (!query->start.set || query->start.before || first == NULL || scan->descendants ||
      scan->collection == NULL || !psprobe_value_get_text(first, &name, NULL))
    return NULL;
  size_t len = strlen(scan->parent), id_len = strlen(scan->collection);
  if (strncmp(name, scan->parent, len) != 0 || name[len] != '/' ||
      strncmp(name + len + 1, scan->collection, id_len) != 0 || name[len + 1 + id_len] != '/')
    return NULL;
  const char *id = name + len + id_len + 2;
  return strchr(id, '/') != NULL ? NULL : id;
}

psprobe_code psp_local_query_run(psp_documents *documents, const char *parent,
                                 const psp_local_query *query, psp_query_found *found,
                                 psprobe_error *error) {
  psp_documents_scan scan = {
      .parent = parent, .collection = query->collection, .descendants = query->descendants};
  search state = {.query = query, .found = found, .enough = SIZE_MAX};
  *found = (psp_query_found){0};
  if (query->limit == 0) return PSPROBE_OK;
  /* By name alone within a collection, documents come out of the table in order. */
  bool in_order = query->order_count == 1 && !query->descendants;
  if (in_order) {
    scan.descending = query->orders[0].descending;
    scan.after = begin_after(query, &scan);
    if (query->limit > 0) state.enough = (size_t)(query->offset + query->limit);
  }
  psprobe_code code = psp_documents_walk(documents, &scan, consider, &state, error);
  if (code == PSPROBE_OK && state.failed) code = psp_fail_memory(error, "query");
  if (code != PSPROBE_OK) {
    psp_query_found_free(found);
    return code;
  }
  if (!in_order && found->count)
    qsort_r(found->items, found->count, sizeof *found->items, by_orders, &state);
  size_t skip = (size_t)query->offset < found->count ? (size_t)query->offset : found->count;
  for (size_t i = 0; i < skip; i++)
    psp_stored_document_free(&found->items[i]);
  found->count -= skip;
  if (skip) memmove(found->items, found->items + skip, found->count * sizeof *found->items);
  while (query->limit >= 0 && found->count > (size_t)query->limit)
    psp_stored_document_free(&found->items[--found->count]);
  return PSPROBE_OK;
}
