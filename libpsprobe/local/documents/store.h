/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_DOCUMENTS_STORE_H
#define PSP_LOCAL_DOCUMENTS_STORE_H
/**
 * @file
 * Documents in SQLite: by full name, values as JSON. What documents mean
 * (writes, queries) is above; here they are kept.
 */
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "firestore/value/value.h"

typedef struct psp_documents psp_documents;

/** @param path a file; NULL: in memory. @return FAILED_PRECONDITION: the file is not ours, or a
 * newer version's; UNAVAILABLE: cannot be opened */
psprobe_code psp_documents_new(const char *path, psp_documents **documents, psprobe_error *error);
void psp_documents_free(psp_documents *documents); /**< NULL is fine */

/**
 * Begins: one thread at a time from here to psp_documents_end. Every call
 * below stands between them.
 */
void psp_documents_begin(psp_documents *documents);
/** Keeps what was written, or none of it. */
psprobe_code psp_documents_end(psp_documents *documents, bool keep, psprobe_error *error);

/** Unix time in microseconds, later than any it gave before: the version of what is written. */
int64_t psp_documents_now(psp_documents *documents);

typedef struct psp_stored_document {
  char *name;
  psprobe_value *fields;
  int64_t create_us, update_us;
} psp_stored_document;
void psp_stored_document_free(psp_stored_document *document); /**< what it holds */

/** @return NOT_FOUND: none such (no message is made) */
psprobe_code psp_documents_get(psp_documents *documents, const char *name, psp_stored_document *out,
                               psprobe_error *error);
psprobe_code psp_documents_put(psp_documents *documents, const psp_stored_document *document,
                               psprobe_error *error);
psprobe_code psp_documents_remove(psp_documents *documents, const char *name, psprobe_error *error);
/** Removes all below "projects/p/databases/d/documents". */
psprobe_code psp_documents_wipe(psp_documents *documents, const char *root, psprobe_error *error);

/** Which documents. */
typedef struct psp_documents_scan {
  const char *parent;     /**< "projects/…/documents", or a document's name */
  const char *collection; /**< its id; NULL: any */
  bool descendants;       /**< at any depth below the parent */
  const char *after;      /**< an id: begin beyond it. Of one collection only */
  bool descending;
} psp_documents_scan;
/** Takes the document (and may keep what it holds: then it zeroes it). False ends the scan. */
typedef bool psp_documents_each(void *arg, psp_stored_document *document);
/** In the order of ids within a collection, of names over several. */
psprobe_code psp_documents_walk(psp_documents *documents, const psp_documents_scan *scan,
                                psp_documents_each *each, void *arg, psprobe_error *error);

/** Receives the id of a collection directly below a parent. */
typedef void psp_documents_collection(void *arg, const char *id);
psprobe_code psp_documents_collections(psp_documents *documents, const char *parent,
                                       psp_documents_collection *each, void *arg,
                                       psprobe_error *error);

#endif
