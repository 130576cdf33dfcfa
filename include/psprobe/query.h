/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_QUERY_H
#define PSPROBE_QUERY_H
/**
 * @file
 * Firestore's queries. What holds for all calls (paths, codes, limits) stands in firestore.h.
 * Source: https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call; callbacks come on the thread that called.
 * Blocks: up to the client's timeout.
 */
#include <psprobe/document.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum psprobe_filter_op {
  PSPROBE_FILTER_NONE = 0,
  PSPROBE_EQUAL, /**< to null or NaN too: sent as PSPROBE_IS_NULL, PSPROBE_IS_NAN */
  PSPROBE_NOT_EQUAL,
  PSPROBE_LESS,
  PSPROBE_LESS_OR_EQUAL,
  PSPROBE_GREATER,
  PSPROBE_GREATER_OR_EQUAL,
  PSPROBE_ARRAY_CONTAINS,
  PSPROBE_ARRAY_CONTAINS_ANY, /**< of these the value is an array: of 1 to 30 */
  PSPROBE_IN,                 /**< of 1 to 30 */
  PSPROBE_NOT_IN,             /**< of 1 to 10 */
  PSPROBE_IS_NULL,            /**< of these there is no value */
  PSPROBE_IS_NOT_NULL,
  PSPROBE_IS_NAN,
  PSPROBE_IS_NOT_NAN,
  PSPROBE_AND, /**< of these there are parts */
  PSPROBE_OR
} psprobe_filter_op;

/** Which documents are found; zeroed: all. */
typedef struct psprobe_where {
  psprobe_filter_op op;
  const char *field;                 /**< a field path, or __name__ (with references) */
  const psprobe_value *value;        /**< what it is compared with */
  const struct psprobe_where *parts; /**< of PSPROBE_AND and PSPROBE_OR */
  size_t part_count;
} psprobe_where;

/** A place in the order of a query; zeroed: none. */
typedef struct psprobe_cursor {
  const psprobe_value *const *values; /**< one for each order, from the first on, or fewer */
  size_t count;
  bool beyond; /**< what stands right there is left out */
} psprobe_cursor;

/** A query; valid when zeroed. All borrowed. */
typedef struct psprobe_query {
  const char *collection; /**< a path; NULL: every document of the database */
  bool all_descendants;   /**< the collections of its id at any depth, below where it lies
                             ("collection   group") */
  psprobe_where where;
  const psprobe_order
      *orders; /**< then, in the last one's direction: by the fields of inequalities,
                    and by name. Documents without such a field are not found */
  size_t order_count;
  psprobe_cursor start, end;
  int64_t limit;  /**< 0: all */
  int64_t offset; /**< documents to skip; the service reads, and charges, them. A cursor is free */
  psprobe_read read; /**< its mask says what comes of each document */
} psprobe_query;

/**
 * Hands each document found to `each` as it comes, in bounded memory. An answer that breaks off is
 * asked for again from the last document's place in the order on, so that none is repeated or
 * hidden; where the mask leaves out what the order needs, the break is an error.
 * @param query what to find
 * @param each  called for each
 * @return PSPROBE_OK, also when `each` ended it; INVALID_ARGUMENT; FAILED_PRECONDITION for a query
 *         that needs an index of its own, with a link
 */
PSPROBE_API psprobe_code psprobe_query_run(psprobe_client *client, const psprobe_query *query,
                                           psprobe_document_each *each, void *arg,
                                           psprobe_error *error);

typedef enum psprobe_aggregation_kind {
  PSPROBE_COUNT = 0,
  PSPROBE_SUM,    /**< of the field's numbers; an integer as long as it can be one */
  PSPROBE_AVERAGE /**< of the field's numbers; a null where there are none */
} psprobe_aggregation_kind;

/** A number that the service makes of all documents found. */
typedef struct psprobe_aggregation {
  psprobe_aggregation_kind kind;
  const char *field; /**< a field path; of PSPROBE_COUNT none */
  int64_t up_to;     /**< of PSPROBE_COUNT: to count no further; 0: all */
  const char
      *alias; /**< its name in the result; NULL: "field_1" and so on, as the service counts */
} psprobe_aggregation;

/**
 * Has the service count, sum or average what a query finds.
 * @param query        what to find
 * @param aggregations 1 to 5
 * @param count        how many
 * @param result       receives a map of them by alias
 * @return PSPROBE_OK; INVALID_ARGUMENT; FAILED_PRECONDITION as psprobe_query_run has it
 * Ownership: psprobe_value_free.
 */
PSPROBE_API psprobe_code psprobe_query_aggregate(psprobe_client *client, const psprobe_query *query,
                                                 const psprobe_aggregation *aggregations,
                                                 size_t count, psprobe_value **result,
                                                 psprobe_error *error);

/**
 * Finds places that part what a query finds into about equal pieces, for several to read at once:
 * the first ends before the first point (a cursor that says `beyond`), the second starts at it and
 * ends before the second point, and so on.
 * @param query  of all descendants, in no order of its own, without filter, cursors, limit, offset
 * @param most   pieces wanted, at least 2; the service may give fewer
 * @param points receives an array of references to documents, in order: cursors of one value
 * @return PSPROBE_OK; INVALID_ARGUMENT; UNIMPLEMENTED: by emulators
 * Ownership: psprobe_value_free.
 */
PSPROBE_API psprobe_code psprobe_query_partition(psprobe_client *client, const psprobe_query *query,
                                                 int64_t most, psprobe_value **points,
                                                 psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
