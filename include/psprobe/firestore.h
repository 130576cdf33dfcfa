/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_FIRESTORE_H
#define PSPROBE_FIRESTORE_H
/**
 * @file
 * Cloud Firestore over REST: values, documents, writes and queries.
 *
 * Documents are named by their path below the database ("pubsub_results/abc").
 * Source of the protocol: https://cloud.google.com/firestore/docs/reference/rest
 *
 * Where a call takes a path: ids joined by slashes, below the database, "collection/id" or
 * "collection/id/collection". Where it takes a field path: names joined by dots
 * ("sources.cloud_function"); a name that is not [a-zA-Z_][a-zA-Z_0-9]* stands in backquotes, with
 * ` and \ escaped by \.
 *
 * Besides the codes that a call names it can return what the client's calls can: UNAVAILABLE,
 * DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION
 * (no project), CANCELLED, ABORTED, UNKNOWN; and INTERNAL, with http_status 0 for an answer that
 * could not be read: a write may have happened. It tries again what Google's own clients try
 * again; after a second attempt a precondition can fail on what the first one did, if its answer
 * was lost.
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call; a value is one thread's at a time while it is changed.
 * Blocks: values never; calls up to the client's timeout.
 */
#include <psprobe/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- values ---- */

typedef enum psprobe_value_type {
  PSPROBE_VALUE_NULL,
  PSPROBE_VALUE_BOOLEAN,
  PSPROBE_VALUE_INTEGER,
  PSPROBE_VALUE_DOUBLE,
  PSPROBE_VALUE_TIMESTAMP,
  PSPROBE_VALUE_STRING,
  PSPROBE_VALUE_BYTES,
  PSPROBE_VALUE_REFERENCE,
  PSPROBE_VALUE_GEO_POINT,
  PSPROBE_VALUE_ARRAY,
  PSPROBE_VALUE_MAP
} psprobe_value_type;

/**
 * A value, and all values in it. Anything can be built here. What the service would refuse is
 * refused by the call that sends it, with INVALID_ARGUMENT and the field's name: a field's name
 * that is empty, of the form `__x__` or longer than 1,500 bytes; arrays and maps nested more than
 * 20 deep; an array directly in an array; text that is not UTF-8, or longer than 1,048,487 bytes; a
 * timestamp outside the years 0001 to 9999; a geo point that is none; a reference that is no
 * document's full name. Source: https://cloud.google.com/firestore/quotas
 */
typedef struct psprobe_value psprobe_value;

/** Makes a null. @return a new value; NULL without memory. Ownership: psprobe_value_free. */
PSPROBE_API psprobe_value *psprobe_value_null(void);
/** Makes a boolean. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_boolean(bool value);
/** Makes an integer. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_integer(int64_t value);
/** Makes a double. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_double(double value);
/** Makes a timestamp, kept to the nanosecond here; the service cuts to microseconds.
 * @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_timestamp(psprobe_timestamp value);
/** Makes a string. @param text copied. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_string(const char *text);
/** Makes a string. @param text UTF-8, zero bytes allowed, copied. @param len its bytes.
 * @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_string_n(const char *text, size_t len);
/** Makes bytes. @param data copied. @param len how many. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_bytes(const void *data, size_t len);
/** Makes a reference. @param name a document's full name,
 * "projects/p/databases/(default)/documents/c/d", copied. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_reference(const char *name);
/** Makes a geo point. @param latitude, longitude in degrees. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_geo_point(double latitude, double longitude);
/** Makes an empty array. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_array(void);
/** Makes an empty map. @return as psprobe_value_null */
PSPROBE_API psprobe_value *psprobe_value_map(void);

/** Frees a value with all that is in it. NULL is fine. */
PSPROBE_API void psprobe_value_free(psprobe_value *value);

/**
 * Puts an item at the end of an array.
 * @param item may be NULL (as the makers return without memory), so that calls can be nested
 * @return true; false without memory, without an item, or when `array` is no array
 * Ownership: takes `item`, and frees it on failure.
 */
PSPROBE_API bool psprobe_value_append(psprobe_value *array, psprobe_value *item);
/**
 * Puts an item into a map, in place of what was there.
 * @param key  copied
 * @param item may be NULL, as above
 * @return true; false without memory, without an item, or when `map` is no map
 * Ownership: as psprobe_value_append.
 */
PSPROBE_API bool psprobe_value_set(psprobe_value *map, const char *key, psprobe_value *item);

/** Tells what a value is. @return its type; null for NULL */
PSPROBE_API psprobe_value_type psprobe_value_get_type(const psprobe_value *value);
/** Reads a boolean. @param out receives it. @return true; false, with `out` untouched, for another
 * type */
PSPROBE_API bool psprobe_value_get_boolean(const psprobe_value *value, bool *out);
/** Reads an integer. @param out receives it. @return as psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_integer(const psprobe_value *value, int64_t *out);
/** Reads a double. @param out receives it. @return as psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_double(const psprobe_value *value, double *out);
/** Reads a timestamp. @param out receives it. @return as psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_timestamp(const psprobe_value *value, psprobe_timestamp *out);
/** Reads a string or a reference. @param text receives it, zero-terminated. @param len its bytes;
 * may be NULL. @return as psprobe_value_get_boolean. Ownership: the value's. */
PSPROBE_API bool psprobe_value_get_text(const psprobe_value *value, const char **text, size_t *len);
/** Reads bytes. @param data receives them. @param len how many. @return as
 * psprobe_value_get_boolean. Ownership: the value's. */
PSPROBE_API bool psprobe_value_get_bytes(const psprobe_value *value, const void **data,
                                         size_t *len);
/** Reads a geo point. @param latitude, longitude receive it, in degrees. @return as
 * psprobe_value_get_boolean */
PSPROBE_API bool psprobe_value_get_geo_point(const psprobe_value *value, double *latitude,
                                             double *longitude);
/** Counts what is in an array or a map. @return how many; 0 for other types */
PSPROBE_API size_t psprobe_value_count(const psprobe_value *value);
/** Looks at an item of an array or a map. @param index from 0. @param key receives a map's key; may
 * be NULL. @return the item; NULL past the end. Ownership: the value's. */
PSPROBE_API const psprobe_value *psprobe_value_at(const psprobe_value *value, size_t index,
                                                  const char **key);
/** Finds an item of a map. @param key its own. @return the item, or NULL. Ownership: the map's. */
PSPROBE_API const psprobe_value *psprobe_value_find(const psprobe_value *map, const char *key);
/** Compares type and content (NaN equals NaN; -0.0 equals 0.0; maps in any order).
 * @param a, b may be NULL. @return true when they are the same */
PSPROBE_API bool psprobe_value_equal(const psprobe_value *a, const psprobe_value *b);

/* ---- documents ---- */

/** A document as read. */
typedef struct psprobe_document psprobe_document;
/** Names a document. @return its full name, "projects/p/databases/(default)/documents/c/d".
 * Ownership: the document's. */
PSPROBE_API const char *psprobe_document_name(const psprobe_document *document);
/** Shows what is in a document. @return a map. Ownership: the document's. */
PSPROBE_API const psprobe_value *psprobe_document_fields(const psprobe_document *document);
/** Tells when a document was made. @return the service's time */
PSPROBE_API psprobe_timestamp psprobe_document_create_time(const psprobe_document *document);
/** Tells when a document was last changed. @return the service's time */
PSPROBE_API psprobe_timestamp psprobe_document_update_time(const psprobe_document *document);
/** Frees a document. NULL is fine. */
PSPROBE_API void psprobe_document_free(psprobe_document *document);

/** What must hold for a write to happen; zeroed: nothing. */
typedef struct psprobe_precondition {
  bool must_not_exist;
  bool must_exist;
  psprobe_timestamp update_time; /**< not {0, 0}: the document was last changed just then */
} psprobe_precondition;

/** One write: an update (fields) or, with fields NULL, a delete. All borrowed. */
typedef struct psprobe_write {
  const char *path;
  const psprobe_value *fields; /**< a map */
  const char *const *mask; /**< field paths that are written, or deleted where `fields` lacks them;
                              NULL: the whole document */
  size_t mask_count;
  psprobe_precondition precondition;
} psprobe_write;

/**
 * Creates `collection/id`.
 * @param collection a path
 * @param id         NULL: 20 random letters and digits, made here, so that a repeated attempt
 *                   cannot create two
 * @param fields     a map
 * @param document   receives what was stored; may be NULL
 * @return PSPROBE_OK; INVALID_ARGUMENT; ALREADY_EXISTS: somebody's, and that can be this very
 *         call's, when an attempt was carried out whose answer was lost. One who writes under an id
 *         of his own takes it for success
 */
PSPROBE_API psprobe_code psprobe_document_create(psprobe_client *client, const char *collection,
                                                 const char *id, const psprobe_value *fields,
                                                 psprobe_document **document, psprobe_error *error);
/**
 * Reads a document.
 * @param path     a document's
 * @param document receives it; may be NULL; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT; NOT_FOUND
 */
PSPROBE_API psprobe_code psprobe_document_get(psprobe_client *client, const char *path,
                                              psprobe_document **document, psprobe_error *error);
/**
 * Updates a document, and creates it if it is absent unless the precondition says otherwise.
 * @param write    has fields
 * @param document receives what was stored; may be NULL. After a write that goes as a commit (an
 *                 update_time, an empty mask, a long path), it is read with a call of its own, and
 *                 may be newer
 * @return PSPROBE_OK; INVALID_ARGUMENT; NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION for a
 *         precondition that did not hold
 */
PSPROBE_API psprobe_code psprobe_document_patch(psprobe_client *client, const psprobe_write *write,
                                                psprobe_document **document, psprobe_error *error);
/**
 * Deletes a document.
 * @param path         a document's
 * @param precondition may be NULL
 * @return PSPROBE_OK, also for one that is absent, unless it must exist; INVALID_ARGUMENT;
 *         NOT_FOUND; FAILED_PRECONDITION
 */
PSPROBE_API psprobe_code psprobe_document_delete(psprobe_client *client, const char *path,
                                                 const psprobe_precondition *precondition,
                                                 psprobe_error *error);

/* ---- many writes ---- */

/**
 * Carries out all writes or none, atomically. At most 10 MiB
 * (https://cloud.google.com/firestore/quotas).
 * @param writes in the order in which they apply
 * @param count  how many; 0: nothing happens
 * @return PSPROBE_OK; INVALID_ARGUMENT; ALREADY_EXISTS where one must not exist: as with
 *         psprobe_document_create, it can be this call's own; NOT_FOUND; FAILED_PRECONDITION;
 *         ABORTED (contention: begin anew)
 */
PSPROBE_API psprobe_code psprobe_commit(psprobe_client *client, const psprobe_write *writes,
                                        size_t count, psprobe_error *error);
/**
 * Carries out each write on its own, at most 500, no document twice.
 * @param writes   in any order
 * @param count    how many; 0: nothing happens
 * @param outcomes as many as writes, may be NULL: receives each one's code, and whether it is worth
 *                 trying again. When the call fails, each is its error
 * @return PSPROBE_OK: the call was answered; INVALID_ARGUMENT
 */
PSPROBE_API psprobe_code psprobe_batch_write(psprobe_client *client, const psprobe_write *writes,
                                             size_t count, psprobe_error *outcomes,
                                             psprobe_error *error);

/* ---- reading many ---- */

/**
 * One document of a listing.
 * @param document borrowed until it returns
 * @return false to end the listing
 */
typedef bool psprobe_document_each(void *arg, const psprobe_document *document);

/**
 * Hands every document of a collection to `each`, over all pages, by name.
 * @param collection a path
 * @param each       called on this thread
 * @return PSPROBE_OK, also when `each` ended it; INVALID_ARGUMENT
 */
PSPROBE_API psprobe_code psprobe_document_list(psprobe_client *client, const char *collection,
                                               psprobe_document_each *each, void *arg,
                                               psprobe_error *error);

typedef enum psprobe_filter_op {
  PSPROBE_FILTER_NONE = 0,
  PSPROBE_EQUAL,
  PSPROBE_NOT_EQUAL,
  PSPROBE_LESS,
  PSPROBE_LESS_OR_EQUAL,
  PSPROBE_GREATER,
  PSPROBE_GREATER_OR_EQUAL
} psprobe_filter_op;

/** A simple query; valid when zeroed but for the collection. All borrowed. */
typedef struct psprobe_query {
  const char *collection;
  const char *where_field; /**< a field path */
  psprobe_filter_op where_op;
  const psprobe_value *where_value;
  const char *order_by; /**< a field path; NULL: by name, or by the field of an inequality */
  bool descending;      /**< with an order_by: by name alone the service goes upwards only */
  int64_t limit;        /**< 0: all */
  int64_t offset;       /**< documents to skip */
  int page_size;        /**< documents a call; 0: 300 */
} psprobe_query;

/**
 * Hands each document found to `each`, page by page. A page begins after the last document's place
 * in the order, so that what is written meanwhile neither repeats nor hides others. Documents
 * without the order_by field are not found (the service's rule).
 * @param query what to find
 * @param each  called on this thread
 * @return PSPROBE_OK, also when `each` ended it; INVALID_ARGUMENT; FAILED_PRECONDITION for a query
 *         that needs an index of its own, with a link
 */
PSPROBE_API psprobe_code psprobe_query_run(psprobe_client *client, const psprobe_query *query,
                                           psprobe_document_each *each, void *arg,
                                           psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
