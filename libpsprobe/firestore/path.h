/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_PATH_H
#define PSP_FIRESTORE_PATH_H
/**
 * @file
 * Paths of documents and collections, resource names, and field paths. Pure.
 *
 * A path is what stands below the database's documents: "c/d". A name is the
 * whole: "projects/p/databases/(default)/documents/c/d". An id may hold a zero
 * byte; in zero-terminated paths and names it stands as C0 80, which no valid
 * UTF-8 holds (base/json.h does the same).
 * Source: https://cloud.google.com/firestore/quotas ("Collections, documents,
 * and fields")
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "firestore/value/value.h"

/** Bytes of a document's or collection's id (firebase.google.com/docs/firestore/quotas). */
#define PSP_DOCUMENT_ID_MAX 1500

/** UTF-8, in which C0 80 may stand for a zero byte. */
bool psp_name_utf8(const char *text, size_t len);

/** Whether the path can name a document (an even number of ids) or a collection (an odd one).
 * @return PSPROBE_OK, or INVALID_ARGUMENT that shows the path and the rule */
psprobe_code psp_document_path_check(const char *path, psprobe_error *error);
psprobe_code psp_collection_path_check(const char *path, psprobe_error *error);
/** The same for the collection that a setting names: each of its ids is a name (base/name.h). */
psprobe_code psp_collection_setting_check(const char *path, psprobe_error *error);
/** The same for one document id. */
psprobe_code psp_document_id_check(const char *id, psprobe_error *error);

/** The name of a document or collection; `path` NULL: what all documents are below. */
void psp_path_name(psp_buf *out, const char *project, const char *database, const char *path);
/** "/v1/" and the name, percent-encoded but for its slashes. */
void psp_path_url(psp_buf *out, const char *project, const char *database, const char *path);
/** As psp_percent_encode, with C0 80 as %00. Encodes the slash too. */
void psp_path_encode_id(psp_buf *out, const char *id);

/** A name or path with the zero bytes that C0 80 stands for. */
void psp_name_text(psp_buf *out, const char *name);
/** True for a document's full name, of whatever project. Zero bytes may stand as they are. */
bool psp_name_is_document(const char *name, size_t len);

/** 20 letters and digits, as Google's clients make ids. False: no random numbers. */
#define PSP_DOCUMENT_ID_SIZE 21
bool psp_document_id_new(char out[PSP_DOCUMENT_ID_SIZE]);

/**
 * Takes a field path apart: names joined by dots, one that is not
 * [a-zA-Z_][a-zA-Z_0-9]* in backquotes, with \` and \\ in them.
 * Source: google/firestore/v1/document.proto, "fields"
 *
 * @param names receives the names one after the other, each with a zero byte after it; may be
 *              NULL
 * @return PSPROBE_OK, or INVALID_ARGUMENT that shows the path, the rule and what to write instead
 */
psprobe_code psp_field_path_parse(const char *path, psp_buf *names, psprobe_error *error);
/** Writes one name as a field path, in backquotes where it needs them. */
void psp_field_path_quote(psp_buf *out, const char *name);
/** The same for a path. @return as psp_field_path_parse */
psprobe_code psp_value_find_path(const psprobe_value *map, const char *path,
                                 const psprobe_value **found, psprobe_error *error);

#endif
