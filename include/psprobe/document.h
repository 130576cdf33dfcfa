/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_DOCUMENT_H
#define PSPROBE_DOCUMENT_H
/**
 * @file
 * Firestore's documents, one by one, by their names, and by collection. What holds for all calls
 * (paths, codes, limits) stands in firestore.h.
 *
 * Ownership: what is given is borrowed until the call returns; what is received is the caller's.
 * Threading: any thread may call; callbacks come on the thread that called.
 * Blocks: calls up to the client's timeout; what only looks at a document never.
 */
#include <psprobe/value.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* ---- one ---- */

/** What must hold for a write to happen; zeroed: nothing. */
typedef struct psprobe_precondition {
  bool must_not_exist;
  bool must_exist;
  psprobe_timestamp update_time; /**< not {0, 0}: the document was last changed just then */
} psprobe_precondition;

/** See transaction.h. */
typedef struct psprobe_transaction psprobe_transaction;

/** How documents are read; zeroed: whole, as they are now. All borrowed. */
typedef struct psprobe_read {
  const char *const *mask; /**< field paths that come; NULL: all; none of them: names alone */
  size_t mask_count;
  psprobe_timestamp read_time; /**< not {0, 0}: as they were then, at most an hour ago (seven days,
                                    at whole minutes, with point-in-time recovery) */
  const psprobe_transaction *transaction; /**< NULL: none. Then without a time of its own */
} psprobe_read;

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
 * @param read     NULL: whole, as it is now
 * @param document receives it; may be NULL; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT; NOT_FOUND
 */
PSPROBE_API psprobe_code psprobe_document_get(psprobe_client *client, const char *path,
                                              const psprobe_read *read, psprobe_document **document,
                                              psprobe_error *error);
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

/* ---- many ---- */

/**
 * What became of one of the paths that were asked for.
 * @param index    of the path
 * @param document borrowed until it returns; NULL: there is none such
 * @return false to end the reading
 */
typedef bool psprobe_document_got(void *arg, size_t index, const psprobe_document *document);
/**
 * Reads documents by their paths, in one call (batchGet), and hands each on as it comes: in any
 * order, all as they were at one time unless the answer broke off and the rest was asked for anew.
 * @param paths documents', one given twice is handed on twice
 * @param count how many; 0: nothing happens
 * @param read  NULL: whole, as they are now
 * @param each  called once for each path, found or missing
 * @return PSPROBE_OK, also when `each` ended it; INVALID_ARGUMENT
 */
PSPROBE_API psprobe_code psprobe_document_get_many(psprobe_client *client, const char *const *paths,
                                                   size_t count, const psprobe_read *read,
                                                   psprobe_document_got *each, void *arg,
                                                   psprobe_error *error);

/**
 * One document of a listing or of a query.
 * @param document borrowed until it returns
 * @return false to end it
 */
typedef bool psprobe_document_each(void *arg, const psprobe_document *document);

/** By what documents are ordered. */
typedef struct psprobe_order {
  const char *field; /**< a field path, or __name__ */
  bool descending;
} psprobe_order;

/** A listing; valid when zeroed but for the collection. All borrowed. */
typedef struct psprobe_listing {
  const char *collection;      /**< a path */
  const psprobe_order *orders; /**< documents without such a field are not listed; NULL: by name.
                                    With one, it goes as a query */
  size_t order_count;
  const char *const *mask; /**< as psprobe_read's, but for an empty one */
  size_t mask_count;
  bool show_missing; /**< also those that are not there and have others below them: without times or
                          fields. Not with orders */
  int page_size;     /**< documents a call; 0: 300 */
} psprobe_listing;

/**
 * Hands every document of a collection to `each`, over all pages. As of a time, or in a
 * transaction: psprobe_query_run.
 * @param listing what to list
 * @param each    called for each
 * @return PSPROBE_OK, also when `each` ended it; INVALID_ARGUMENT
 */
PSPROBE_API psprobe_code psprobe_document_list(psprobe_client *client,
                                               const psprobe_listing *listing,
                                               psprobe_document_each *each, void *arg,
                                               psprobe_error *error);

/**
 * One collection of a listing.
 * @param id its own, borrowed until it returns
 * @return false to end it
 */
typedef bool psprobe_collection_each(void *arg, const char *id);
/**
 * Hands the id of every collection below a document, or of the database, to `each`.
 * @param document a path; NULL: the database's own
 * @param each     called for each
 * @return PSPROBE_OK, also when `each` ended it; INVALID_ARGUMENT
 */
PSPROBE_API psprobe_code psprobe_collection_list(psprobe_client *client, const char *document,
                                                 psprobe_collection_each *each, void *arg,
                                                 psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
