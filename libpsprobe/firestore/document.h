/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_DOCUMENT_H
#define PSP_FIRESTORE_DOCUMENT_H
/** @file Documents and preconditions in JSON. Pure. */
#include <psprobe/document.h>

#include "firestore/value/json.h"

struct psprobe_document {
  char *name; /**< full; a zero byte in an id stands as C0 80 */
  psprobe_value *fields;
  psprobe_timestamp create_time, update_time;
};

/** Reads google.firestore.v1.Document. @return PSPROBE_OK; INVALID_ARGUMENT; RESOURCE_EXHAUSTED */
psprobe_code psp_document_decode(const psp_json *json, psprobe_document **document,
                                 psprobe_error *error);
/** NULL: no memory. */
psprobe_document *psp_document_copy(const psprobe_document *document);
/** `{"name":…,"fields":{…}}`; `name` NULL leaves it out. Of fields that passed psp_fields_check. */
void psp_document_encode(psp_json_writer *w, const char *name, const psprobe_value *fields);

/** True when nothing is asked. NULL asks nothing. */
bool psp_precondition_empty(const psprobe_precondition *precondition);
/** @return PSPROBE_OK, or INVALID_ARGUMENT for what cannot hold together */
psprobe_code psp_precondition_check(const psprobe_precondition *precondition, psprobe_error *error);
/** `{"exists":false}` or `{"updateTime":…}`. Of one that is not empty. */
void psp_precondition_encode(psp_json_writer *w, const psprobe_precondition *precondition);
/** Each a good field path. `mask` NULL is fine. */
psprobe_code psp_mask_check(const char *const *mask, size_t count, psprobe_error *error);

/** `"fieldPaths":[…]` as the member `name`; nothing for NULL. */
void psp_mask_encode(psp_json_writer *w, const char *name, const char *const *mask, size_t count);
/** True when something else than the whole documents as they are now is asked for. NULL: false. */
bool psp_read_is_special(const psprobe_read *read);
/** `"transaction":…` or `"readTime":…` of what is read in one or as of a time; else nothing. */
void psp_read_encode(psp_json_writer *w, const psprobe_read *read);

/** An answer's string as such a name, to free(); NULL: no string, or no memory. */
char *psp_json_take_name(const psp_json *json);
/** Writes such a name. */
void psp_json_put_name(psp_json_writer *w, const char *name);

#endif
