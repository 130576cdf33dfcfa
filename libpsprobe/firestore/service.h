/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_SERVICE_H
#define PSP_FIRESTORE_SERVICE_H
/** @file One call of the Firestore service and its answer as JSON. */
#include "base/json.h"
#include "client/call.h"

/** Room for what a call is called in messages; a path can be longer and is cut. */
#define PSP_FIRESTORE_WHAT 300

/** The most that a listing gives at a time; Google's emulator stops at 150. */
#define PSP_FIRESTORE_PAGE 300

/**
 * What kind of call it is: how long an attempt may take and what is tried
 * again. Source: the retry settings that Google's clients are published with
 * (firestore client_config.json).
 */
typedef enum psp_firestore_kind {
  PSP_FIRESTORE_READ = 0, /**< get, list, and delete */
  PSP_FIRESTORE_QUERY,
  PSP_FIRESTORE_WRITE, /**< create, patch, commit */
  PSP_FIRESTORE_BATCH
} psp_firestore_kind;

psp_retry_policy psp_firestore_retry(psp_firestore_kind kind);

/** Where names and URLs point. Valid as long as the client. */
typedef struct psp_firestore_root {
  const char *project, *database;
} psp_firestore_root;
psprobe_code psp_firestore_root_of(psprobe_client *client, psp_firestore_root *root,
                                   psprobe_error *error);

/** All borrowed. */
typedef struct psp_firestore_request {
  psp_firestore_kind kind;
  const char *method;
  const psp_buf *path; /**< with query */
  const psp_buf *body; /**< NULL: none */
  const char *what;
  int64_t once_ns;      /**< one attempt of so long, not repeated; 0: as its kind is */
  psp_stopper *stopper; /**< what can end the wait; NULL: nothing */
} psp_firestore_request;

/** The call that it is, which borrows from it; fails when its parts did for want of memory. */
psprobe_code psp_firestore_prepare(const psp_firestore_request *request, psp_call *call,
                                   psprobe_error *error);

/**
 * Calls and waits. `answer` receives the parsed answer, to free, and may be
 * NULL when nobody wants it. A body that no answer can be read from is
 * INTERNAL.
 */
psprobe_code psp_firestore_call(psprobe_client *client, const psp_firestore_request *request,
                                psp_json **answer, psprobe_error *error);

/** Room for an answer ran out, or memory: fewer documents at a time may fit. */
bool psp_firestore_too_large(const psprobe_error *error);

/** Takes the token of the next page from an answer, in place of this page's; NULL: there is none.
 * One that does not move would go on for ever: INTERNAL. */
psprobe_code psp_firestore_next_page(const psp_json *answer, char **token, const char *what,
                                     psprobe_error *error);

/** For answers that decode to something else than they should: INTERNAL, "what: …". */
psprobe_code psp_firestore_bad_answer(psprobe_code code, const char *what, psprobe_error *error);

/**
 * The error in an item of an array answer (`{"error":{…}}`: how streams end
 * that fail midway), read into `error`; PSPROBE_OK when the item is none. Pure.
 */
psprobe_code psp_firestore_item_error(const psp_json *item, const char *what, psprobe_error *error);

#endif
