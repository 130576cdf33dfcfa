/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_FIRESTORE_H
#define PSPROBE_FIRESTORE_H
/**
 * @file
 * Cloud Firestore over REST: values, documents, writes and queries.
 *
 * Documents are named by their path below the database ("pubsub_results/abc").
 * Source of the protocol: https://cloud.google.com/firestore/docs/reference/rest
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- values --------------------------------------------------------------- */

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
 * A value, and all values in it. Not thread-safe while it is changed.
 *
 * Anything can be built here. What the service would refuse is refused by the
 * call that sends it, with INVALID_ARGUMENT and the field's name: a field's
 * name that is empty, of the form `__x__` or longer than 1,500 bytes; arrays
 * and maps nested more than 20 deep; an array directly in an array; text that
 * is not UTF-8, or longer than 1,048,487 bytes; a timestamp outside the years
 * 0001 to 9999; a geo point that is none; a reference that is no document's
 * full name. Source: https://cloud.google.com/firestore/quotas
 */
typedef struct psprobe_value psprobe_value;

/* Each returns a new value, or NULL without memory. Texts and bytes are copied. */
PSPROBE_API psprobe_value *psprobe_value_null(void);
PSPROBE_API psprobe_value *psprobe_value_boolean(bool value);
PSPROBE_API psprobe_value *psprobe_value_integer(int64_t value);
PSPROBE_API psprobe_value *psprobe_value_double(double value);
/** Kept to the nanosecond here; the service cuts to microseconds. */
PSPROBE_API psprobe_value *psprobe_value_timestamp(psprobe_timestamp value);
PSPROBE_API psprobe_value *psprobe_value_string(const char *text);
/** UTF-8 of `len` bytes, zero bytes allowed. */
PSPROBE_API psprobe_value *psprobe_value_string_n(const char *text, size_t len);
PSPROBE_API psprobe_value *psprobe_value_bytes(const void *data, size_t len);
/** A document's full name, "projects/p/databases/(default)/documents/c/d". */
PSPROBE_API psprobe_value *psprobe_value_reference(const char *name);
PSPROBE_API psprobe_value *psprobe_value_geo_point(double latitude, double longitude);
PSPROBE_API psprobe_value *psprobe_value_array(void);
PSPROBE_API psprobe_value *psprobe_value_map(void);

/** Frees a value with all that is in it; NULL is fine. */
PSPROBE_API void psprobe_value_free(psprobe_value *value);

/**
 * Takes `item` to the end of `array`. `item` may be NULL (as the constructors
 * return without memory); it is freed on failure, so calls can be nested.
 * @return false without memory, or when `array` is no array
 */
PSPROBE_API bool psprobe_value_append(psprobe_value *array, psprobe_value *item);
/** Takes `item` into `map` under `key` (copied), in place of what was there. As above. */
PSPROBE_API bool psprobe_value_set(psprobe_value *map, const char *key, psprobe_value *item);

/** NULL is of type null. */
PSPROBE_API psprobe_value_type psprobe_value_get_type(const psprobe_value *value);
/* Each getter returns false, with the rest untouched, when the value is of another type. */
PSPROBE_API bool psprobe_value_get_boolean(const psprobe_value *value, bool *out);
PSPROBE_API bool psprobe_value_get_integer(const psprobe_value *value, int64_t *out);
PSPROBE_API bool psprobe_value_get_double(const psprobe_value *value, double *out);
PSPROBE_API bool psprobe_value_get_timestamp(const psprobe_value *value, psprobe_timestamp *out);
/** String or reference: zero-terminated, valid as long as the value; `len` may be NULL. */
PSPROBE_API bool psprobe_value_get_text(const psprobe_value *value, const char **text, size_t *len);
PSPROBE_API bool psprobe_value_get_bytes(const psprobe_value *value, const void **data,
                                         size_t *len);
PSPROBE_API bool psprobe_value_get_geo_point(const psprobe_value *value, double *latitude,
                                             double *longitude);
/** Of an array or a map; 0 for others. */
PSPROBE_API size_t psprobe_value_count(const psprobe_value *value);
/** Item `index` of an array or map (NULL past the end); `key` (may be NULL) receives a map's key.
 */
PSPROBE_API const psprobe_value *psprobe_value_at(const psprobe_value *value, size_t index,
                                                  const char **key);
/** The item under `key` of a map, or NULL. */
PSPROBE_API const psprobe_value *psprobe_value_find(const psprobe_value *map, const char *key);
/** Same type and content (NaN equals NaN; -0.0 equals 0.0; maps in any order). */
PSPROBE_API bool psprobe_value_equal(const psprobe_value *a, const psprobe_value *b);

/* ---- documents -------------------------------------------------------------- */

/** A document as read. */
typedef struct psprobe_document psprobe_document;
/** Its full name, "projects/p/databases/(default)/documents/c/d"; the document's. */
PSPROBE_API const char *psprobe_document_name(const psprobe_document *document);
/** A map; the document's. */
PSPROBE_API const psprobe_value *psprobe_document_fields(const psprobe_document *document);
PSPROBE_API psprobe_timestamp psprobe_document_create_time(const psprobe_document *document);
PSPROBE_API psprobe_timestamp psprobe_document_update_time(const psprobe_document *document);
PSPROBE_API void psprobe_document_free(psprobe_document *document);

/*
 * Where a call takes a path: ids joined by slashes, below the database,
 * "collection/id" or "collection/id/collection". Where it takes a field path:
 * names joined by dots ("sources.cloud_function"); a name that is not
 * [a-zA-Z_][a-zA-Z_0-9]* stands in backquotes, with ` and \ escaped by \.
 *
 * Every call blocks, up to the client's timeout, and tries again what Google's
 * own clients try again. After a second attempt a precondition can fail on what
 * the first one did, if its answer was lost. A code INTERNAL with http_status 0
 * is an answer that could not be read: a write may have happened.
 */

/** What must hold for a write to happen; zeroed: nothing. */
typedef struct psprobe_precondition {
  bool must_not_exist;
  bool must_exist;
  psprobe_timestamp update_time; /**< not {0, 0}: the document was last changed just then */
} psprobe_precondition;

/**
 * Creates `collection/id`.
 *
 * @param id       NULL: 20 random letters and digits, made here, so that a
 *                 repeated attempt cannot create two
 * @param fields   a map, borrowed
 * @param document receives what was stored; may be NULL
 * @return PSPROBE_OK; INVALID_ARGUMENT; ALREADY_EXISTS: somebody's, and that
 *         can be this very call's, when an attempt was carried out whose
 *         answer was lost. One who writes under an id of his own takes it for
 *         success
 */
PSPROBE_API psprobe_code psprobe_document_create(psprobe_client *client, const char *collection,
                                                 const char *id, const psprobe_value *fields,
                                                 psprobe_document **document, psprobe_error *error);
/** @return PSPROBE_OK; NOT_FOUND; … `document` receives it and is untouched on failure. */
PSPROBE_API psprobe_code psprobe_document_get(psprobe_client *client, const char *path,
                                              psprobe_document **document, psprobe_error *error);
/**
 * Writes the fields named in `mask` (field paths, `mask_count` of them;
 * one that `fields` lacks is deleted), or with mask NULL the whole document.
 * Creates it if absent unless the precondition says otherwise.
 *
 * @param document receives what was stored; may be NULL. After a write with an
 *                 update_time precondition, which goes as a commit, it is read
 *                 with a call of its own, and may be newer
 * @return PSPROBE_OK; NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION for a
 *         precondition on existence or time that did not hold; …
 */
PSPROBE_API psprobe_code psprobe_document_patch(psprobe_client *client, const char *path,
                                                const psprobe_value *fields,
                                                const char *const *mask, size_t mask_count,
                                                const psprobe_precondition *precondition,
                                                psprobe_document **document, psprobe_error *error);
/** One that is absent is success, unless the precondition says it must exist. */
PSPROBE_API psprobe_code psprobe_document_delete(psprobe_client *client, const char *path,
                                                 const psprobe_precondition *precondition,
                                                 psprobe_error *error);

/* ---- writes ------------------------------------------------------------------ */

/** One write of a commit: an update (fields) or, with fields NULL, a delete. All borrowed. */
typedef struct psprobe_write {
  const char *path;
  const psprobe_value *fields;
  const char *const *mask; /**< NULL: the whole document */
  size_t mask_count;
  psprobe_precondition precondition;
} psprobe_write;

/**
 * All of them or none, atomically; nothing for a count of 0. At most 10 MiB.
 *
 * @return PSPROBE_OK; ALREADY_EXISTS where one must not exist: as with
 *         psprobe_document_create, it can be this call's own; NOT_FOUND;
 *         FAILED_PRECONDITION; ABORTED (contention: begin anew); …
 */
PSPROBE_API psprobe_code psprobe_commit(psprobe_client *client, const psprobe_write *writes,
                                        size_t count, psprobe_error *error);
/**
 * Each on its own, at most 500, no document twice. `outcomes` (as many as
 * writes; may be NULL) receives each one's code, and whether it is worth
 * trying again; the return value is that of the call. When the call fails,
 * each outcome is its error.
 */
PSPROBE_API psprobe_code psprobe_batch_write(psprobe_client *client, const psprobe_write *writes,
                                             size_t count, psprobe_error *outcomes,
                                             psprobe_error *error);

/* ---- reading many -------------------------------------------------------------- */

/** One document of a listing, borrowed until it returns. False ends the listing. */
typedef bool psprobe_document_each(void *arg, const psprobe_document *document);

/** Every document of a collection, over all pages, by name. */
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
 * Hands each document found to `each`, page by page. A page begins after the
 * last document's place in the order, so that what is written meanwhile
 * neither repeats nor hides others. Documents without the order_by field are
 * not found, and some queries need an index of their own (FAILED_PRECONDITION,
 * with a link): both are the service's rules.
 */
PSPROBE_API psprobe_code psprobe_query_run(psprobe_client *client, const psprobe_query *query,
                                           psprobe_document_each *each, void *arg,
                                           psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
