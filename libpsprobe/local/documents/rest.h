/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_DOCUMENTS_REST_H
#define PSP_LOCAL_DOCUMENTS_REST_H
/** @file Firestore's REST over documents: what its routes share, and the server. */
#include <psprobe/error.h>
#include <psprobe/log.h>

#include "local/documents/query.h"
#include "local/documents/store.h"
#include "local/documents/transactions.h"
#include "local/documents/write.h"
#include "local/rest.h"

typedef struct psp_documents_host psp_documents_host;

/** Starts it. `listen` as psp_server_options.listen, `path` as psp_documents_new. */
psprobe_code psp_documents_host_new(const char *listen, const char *path,
                                    const psprobe_logger *logger, psp_documents_host **host,
                                    psprobe_error *error);
void psp_documents_host_free(psp_documents_host *host); /**< NULL is fine */
int psp_documents_host_port(const psp_documents_host *host);

/* ---- for its parts ---- */

/** One request, for the time of its handler. */
typedef struct psp_documents_request {
  psp_documents *documents;
  psp_transactions *transactions;
  psp_exchange *exchange;
  psp_rest_path path;
  char *name;     /**< "projects/P/databases/D/documents/…", as far as the path goes */
  char *root;     /**< "projects/P/databases/D/documents" */
  psp_json *json; /**< the body; NULL: none */
  bool admin;     /**< "Authorization: Bearer owner" */
} psp_documents_request;

/** Answers. */
typedef void psp_documents_route(psp_documents_request *request);

psp_documents_route psp_documents_create, psp_documents_read, psp_documents_list,
    psp_documents_patch, psp_documents_delete;
psp_documents_route psp_documents_commit, psp_documents_batch_write, psp_documents_batch_get,
    psp_documents_run_query, psp_documents_run_aggregation, psp_documents_begin_transaction,
    psp_documents_rollback, psp_documents_list_collections, psp_documents_clear;

/** As of when a request reads, as its body says; one of these, or none. */
typedef struct psp_documents_when {
  char *transaction;                 /**< an id as base64; to free() */
  const psp_json *begin, *read_time; /**< options of a transaction that begins with it */
} psp_documents_when;

/** A request with an array as its answer, between enter and leave. Zeroed before. */
typedef struct psp_documents_session {
  psp_transaction *transaction; /**< that it is part of, or NULL */
  psp_buf begun;                /**< its id, when it begins here */
  int64_t now;
  psp_buf out;
  psp_json_writer w;
  bool entered, any; /**< there is an element */
} psp_documents_session;

/** Finds or begins the transaction. Between psp_documents_begin and _end. */
psprobe_code psp_documents_join(psp_documents_request *request, const psp_documents_when *when,
                                psp_documents_session *session, psprobe_error *error);
/** Begins with the documents, the transaction and the array. psp_documents_leave either way. */
psprobe_code psp_documents_enter(psp_documents_request *request, const psp_documents_when *when,
                                 psp_documents_session *session, psprobe_error *error);
/** Ends all that, and answers: with the array, or the error. */
void psp_documents_leave(psp_documents_request *request, psp_documents_session *session,
                         psprobe_code code, const psprobe_error *error);

/** Answers with an error: `message` where it is not empty (freed), else the error's own. */
void psp_documents_refuse(psp_documents_request *request, const psprobe_error *error,
                          psp_buf *message);
/** The query's parameters of this name (camelCase or snake_case), as a mask. */
psprobe_code psp_documents_query_mask(const psp_documents_request *request, const char *name,
                                      const char *other, psp_documents_mask *mask,
                                      psprobe_error *error);
/** A query parameter under either of two names, or NULL. */
const char *psp_documents_query_text(const psp_documents_request *request, const char *name,
                                     const char *other);
/** Does one write as a commit of its own. `stored` receives the document as it is then. */
psprobe_code psp_documents_write_one(psp_documents_request *request, const psp_local_write *write,
                                     psp_stored_document *stored, psp_buf *message,
                                     psprobe_error *error);

/** Writes a document as JSON; `mask` may be NULL or not set. */
void psp_documents_encode(psp_json_writer *w, const psp_stored_document *document,
                          const psp_documents_mask *mask);
void psp_documents_put_time(psp_json_writer *w, const char *key, int64_t us);
/** The result of a write: {"updateTime":…,"transformResults":[…]}. */
void psp_documents_result_encode(psp_json_writer *w, const psp_write_result *result);

#endif
