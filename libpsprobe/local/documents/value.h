/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_DOCUMENTS_VALUE_H
#define PSP_LOCAL_DOCUMENTS_VALUE_H
/**
 * @file
 * Values as Firestore takes them: read strictly, brought to the form in which
 * they come back, refused in the words of Google's emulator. Names, field paths
 * and masks likewise. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/error.h>

#include "base/json.h"
#include "firestore/value/value.h"

/** "Payload isn't valid for request." */
psprobe_code psp_documents_payload_invalid(psprobe_error *error);

/** What stands after "fields": a map; NULL or null: an empty one. Free with psprobe_value_free. */
psprobe_code psp_documents_fields_read(const psp_json *json, psprobe_value **map,
                                       psprobe_error *error);
/** One value: a filter's, a cursor's, a transform's. */
psprobe_code psp_documents_value_read(const psp_json *json, psprobe_value **value,
                                      psprobe_error *error);

/** Checks a document's full name. @param what "Document name", for the message */
psprobe_code psp_documents_name_check(const char *what, const char *name, psprobe_error *error);
/** Whether each id is short enough to be written. */
psprobe_code psp_documents_name_fits(const char *name, psprobe_error *error);
/** Checks what documents can be below: a database's documents, or a document. */
psprobe_code psp_documents_parent_check(const char *name, psprobe_error *error);
/** Checks one id. @param what "Resource id" or "Collection id" */
psprobe_code psp_documents_id_check(const char *what, const char *id, psprobe_error *error);

/** A field path, taken apart. */
typedef struct psp_documents_path {
  char **names; /**< into memory */
  size_t count;
  char *memory;
} psp_documents_path;
psprobe_code psp_documents_path_parse(const char *text, psp_documents_path *path,
                                      psprobe_error *error);
void psp_documents_path_free(psp_documents_path *path);
bool psp_documents_path_is_name(const psp_documents_path *path); /**< __name__ */
/** What it leads to in a map; NULL: nothing. */
const psprobe_value *psp_documents_path_find(const psprobe_value *map,
                                             const psp_documents_path *path);
/** Puts a value (taken, also on failure) at the path, at the end of its map, with maps made on the
 * way; NULL removes what is there. False: no memory. */
bool psp_documents_path_put(psprobe_value *map, const psp_documents_path *path,
                            psprobe_value *value);

/** Several paths. `set` tells an empty mask from none. */
typedef struct psp_documents_mask {
  bool set;
  psp_documents_path *paths;
  size_t count;
} psp_documents_mask;
psprobe_code psp_documents_mask_add(psp_documents_mask *mask, const char *text,
                                    psprobe_error *error);
void psp_documents_mask_free(psp_documents_mask *mask);
/** A map with what the mask names of `map`, in its order. NULL: no memory. */
psprobe_value *psp_documents_mask_pick(const psp_documents_mask *mask, const psprobe_value *map);

#endif
