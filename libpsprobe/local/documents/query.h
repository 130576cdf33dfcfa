/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_DOCUMENTS_QUERY_H
#define PSP_LOCAL_DOCUMENTS_QUERY_H
/** @file Structured queries: reading them, and running them over documents. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "base/json.h"
#include "local/documents/store.h"
#include "local/documents/value.h"

typedef enum psp_filter_kind {
  PSP_WHERE_AND = 1,
  PSP_WHERE_OR,
  PSP_WHERE_LESS,
  PSP_WHERE_LESS_OR_EQUAL,
  PSP_WHERE_GREATER,
  PSP_WHERE_GREATER_OR_EQUAL,
  PSP_WHERE_EQUAL,
  PSP_WHERE_NOT_EQUAL,
  PSP_WHERE_ARRAY_CONTAINS,
  PSP_WHERE_IN,
  PSP_WHERE_ARRAY_CONTAINS_ANY,
  PSP_WHERE_NOT_IN,
  PSP_WHERE_IS_NAN,
  PSP_WHERE_IS_NULL,
  PSP_WHERE_IS_NOT_NAN,
  PSP_WHERE_IS_NOT_NULL
} psp_filter_kind;

typedef struct psp_filter {
  psp_filter_kind kind;
  struct psp_filter *parts; /**< of AND and OR */
  size_t count;
  psp_documents_path path;
  psprobe_value *value;
} psp_filter;

typedef struct psp_order {
  psp_documents_path path;
  bool descending;
} psp_order;

/** Where results begin or end in their order. */
typedef struct psp_cursor {
  bool set, before;
  psprobe_value *values; /**< an array, of one value for each order or fewer */
} psp_cursor;

/** Valid when zeroed but for limit. */
typedef struct psp_local_query {
  char *collection; /**< NULL: all documents */
  bool descendants;
  psp_filter *where; /**< NULL: none */
  psp_order *orders; /**< as asked, then as implied; the last is __name__ */
  size_t order_count;
  psp_cursor start, end;
  int64_t offset;
  int64_t limit; /**< -1: none */
  psp_documents_mask select;
} psp_local_query;

/** Reads google.firestore.v1.StructuredQuery.Filter. psp_filter_clear `out` either way. Pure. */
psprobe_code psp_filter_read(const psp_json *json, psp_filter *out, psprobe_error *error);
void psp_filter_clear(psp_filter *filter); /**< what it holds */
/** Reads a FieldReference, {"fieldPath":"…"}; NULL is one to an empty path. Pure. */
psprobe_code psp_field_reference_read(const psp_json *json, psp_documents_path *path,
                                      psprobe_error *error);
/** Whether it is the enumerator: by its name, or by its number as proto3 allows and Google's own
 * REST clients send. */
bool psp_enumerator_is(const psp_json *json, const char *name, int64_t number);

void psp_local_query_free(psp_local_query *query);
/** Reads google.firestore.v1.StructuredQuery. Free `out` either way. Pure. */
psprobe_code psp_local_query_read(const psp_json *json, psp_local_query *out, psprobe_error *error);
/** Reads a listing's "a desc, b" into the orders of a query that has none. Pure. */
psprobe_code psp_local_query_order(psp_local_query *query, const char *text, psprobe_error *error);
/** Adds the orders that the query implies: fields of inequalities, and the name. Pure. */
psprobe_code psp_local_query_imply(psp_local_query *query, psprobe_error *error);

/** The documents found, in order. */
typedef struct psp_query_found {
  psp_stored_document *items;
  size_t count, cap;
} psp_query_found;
void psp_query_found_free(psp_query_found *found);

/** Runs it, between psp_documents_begin and _end. `parent` as in psp_documents_scan. */
psprobe_code psp_local_query_run(psp_documents *documents, const char *parent,
                                 const psp_local_query *query, psp_query_found *found,
                                 psprobe_error *error);

#endif
