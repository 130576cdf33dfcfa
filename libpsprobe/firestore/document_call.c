/* SPDX-License-Identifier: MIT */
/** @file The calls for one document. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "firestore/path.h"
#include "firestore/service.h"
#include "firestore/write.h"

/* A longer URL than this goes through fewer proxies: the write is sent as a commit's body. */
#define URL_MAX 4096

/* One call about a document, from its parts to the document that came back (where wanted). */
typedef struct task {
  psprobe_client *client;
  psp_firestore_root root;
  psp_buf url, body;
  char what[PSP_FIRESTORE_WHAT];
} task;

static void task_clear(task *t) {
  psp_buf_free(&t->url);
  psp_buf_free(&t->body);
}

static psprobe_code task_run(task *t, psp_firestore_kind kind, const char *method,
                             psprobe_document **document, psprobe_error *error) {
  psp_firestore_request request = {.kind = kind,
                                   .method = method,
                                   .path = &t->url,
                                   .body = t->body.data != NULL ? &t->body : NULL,
                                   .what = t->what};
  psp_json *answer = NULL;
  psprobe_code code = psp_firestore_call(t->client, &request, &answer, error);
  if (code == PSPROBE_OK && document != NULL) {
    code = psp_document_decode(answer, document, error);
    if (code != PSPROBE_OK) code = psp_firestore_bad_answer(code, t->what, error);
  }
  psp_json_free(answer);
  return code;
}

static psprobe_code failed_in(psprobe_code code, const char *what, psprobe_error *error) {
  if (error != NULL) psp_fail_in(error, "%s", what);
  return code;
}

static void put_fields(psp_buf *body, const psprobe_value *fields) {
  psp_json_writer w = {.buf = body};
  psp_document_encode(&w, NULL, fields);
}

static void put_query(psp_buf *url, const char *name, const char *value) {
  bool first = url->data != NULL && strchr(url->data, '?') == NULL;
  psp_buf_char(url, first ? '?' : '&');
  psp_buf_text(url, name);
  psp_buf_char(url, '=');
  psp_path_encode_id(url, value);
}

/* What no URL should carry: too long, or (Google's emulator takes the query apart after decoding
 * it, so that an escaped & is a separator there) not plain. */
static bool outgrows_url(const psp_buf *url) {
  const char *query = url->failed ? NULL : strchr(url->data, '?');
  return url->len > URL_MAX || (query != NULL && strstr(query, "%26") != NULL);
}

/* As a commit of one write. What is stored then has to be asked for. */
static psprobe_code run_commit(psprobe_client *client, const psprobe_write *write,
                               psprobe_document **document, psprobe_error *error) {
  psprobe_code code = psprobe_commit(client, write, 1, NULL, error);
  if (code == PSPROBE_OK && document != NULL)
    code = psprobe_document_get(client, write->path, NULL, document, error);
  return code;
}

/* ---- create ---- */

static psprobe_code create_write(psprobe_client *client, const char *collection, const char *id,
                                 const psprobe_write *write, psprobe_document **document,
                                 psprobe_error *error) {
  task t = {.client = client};
  snprintf(t.what, sizeof t.what, "create document %s", write->path);
  psprobe_code code =
      write->fields != NULL ? psp_write_check(write, error) : psp_fields_check(NULL, error);
  if (code != PSPROBE_OK) return failed_in(code, t.what, error);
  code = psp_firestore_root_of(client, &t.root, error);
  if (code != PSPROBE_OK) return code;
  psp_path_url(&t.url, t.root.project, t.root.database, collection);
  put_query(&t.url, "documentId", id);
  if (outgrows_url(&t.url)) {
    code = run_commit(client, write, document, error);
  } else {
    put_fields(&t.body, write->fields);
    code = task_run(&t, PSP_FIRESTORE_WRITE, "POST", document, error);
  }
  task_clear(&t);
  return code;
}

static psprobe_code create_named(psprobe_client *client, const char *collection, const char *id,
                                 const psprobe_value *fields, psprobe_document **document,
                                 psprobe_error *error) {
  psp_buf path = {0};
  psp_buf_printf(&path, "%s/%s", collection, id);
  psprobe_write write = {
      .path = path.data, .fields = fields, .precondition = {.must_not_exist = true}};
  psprobe_code code = path.failed ? psp_fail_memory(error, "create document")
                                  : create_write(client, collection, id, &write, document, error);
  psp_buf_free(&path);
  return code;
}

/* The id is made here and not by the service, so that a repeated attempt cannot make two; nobody
 * else has it, so that one which is there already is ours. */
static psprobe_code create_unnamed(psprobe_client *client, const char *collection,
                                   const psprobe_value *fields, psprobe_document **document,
                                   psprobe_error *error) {
  char id[PSP_DOCUMENT_ID_SIZE];
  if (!psp_document_id_new(id))
    return psp_fail(error, PSPROBE_UNAVAILABLE, "create document in %s: no random numbers",
                    collection);
  psprobe_code code = create_named(client, collection, id, fields, document, error);
  if (code != PSPROBE_ALREADY_EXISTS) return code;
  if (document == NULL) return PSPROBE_OK;
  psp_buf path = {0};
  psp_buf_printf(&path, "%s/%s", collection, id);
  code = path.failed ? psp_fail_memory(error, "create document")
                     : psprobe_document_get(client, path.data, NULL, document, error);
  psp_buf_free(&path);
  return code;
}

psprobe_code psprobe_document_create(psprobe_client *client, const char *collection, const char *id,
                                     const psprobe_value *fields, psprobe_document **document,
                                     psprobe_error *error) {
  psprobe_code code = psp_collection_path_check(collection, error);
  if (code == PSPROBE_OK && id != NULL) code = psp_document_id_check(id, error);
  if (code != PSPROBE_OK) return failed_in(code, "create document", error);
  if (id == NULL) return create_unnamed(client, collection, fields, document, error);
  return create_named(client, collection, id, fields, document, error);
}

/* ---- get ---- */

/* What get_by_batch receives. */
typedef struct kept {
  bool found;
  psprobe_document *document; /* NULL, though found: no memory */
} kept;

static bool keep(void *arg, size_t index, const psprobe_document *document) {
  kept *k = arg;
  (void)index;
  k->found = document != NULL;
  if (k->found) k->document = psp_document_copy(document);
  return true;
}

/* By batchGet, which has room for what a query cannot say: an empty mask, and (Google's emulator
 * reads it as 0) a time. */
static psprobe_code get_by_batch(task *t, const char *path, const psprobe_read *read,
                                 psprobe_document **document, psprobe_error *error) {
  kept k = {0};
  psprobe_code code = psprobe_document_get_many(t->client, &path, 1, read, keep, &k, error);
  if (code == PSPROBE_OK && !k.found)
    code = psp_fail(error, PSPROBE_NOT_FOUND, "%s: there is none", t->what);
  if (code == PSPROBE_OK && k.document == NULL) code = psp_fail_memory(error, t->what);
  if (code == PSPROBE_OK && document != NULL)
    *document = k.document;
  else
    psprobe_document_free(k.document);
  return code;
}

psprobe_code psprobe_document_get(psprobe_client *client, const char *path,
                                  const psprobe_read *read, psprobe_document **document,
                                  psprobe_error *error) {
  task t = {.client = client};
  psprobe_document *ignored = NULL;
  psprobe_code code = psp_document_path_check(path, error);
  if (code != PSPROBE_OK) return failed_in(code, "get document", error);
  snprintf(t.what, sizeof t.what, "get document %s", path);
  if (psp_read_is_special(read)) return get_by_batch(&t, path, read, document, error);
  code = psp_firestore_root_of(client, &t.root, error);
  if (code != PSPROBE_OK) return code;
  psp_path_url(&t.url, t.root.project, t.root.database, path);
  code = task_run(&t, PSP_FIRESTORE_READ, "GET", document != NULL ? document : &ignored, error);
  psprobe_document_free(ignored);
  task_clear(&t);
  return code;
}

/* ---- patch and delete ---- */

/* What a query cannot say: an empty mask, and (Google's emulator reads it as 0) an update time;
 * and what it should not. */
static bool needs_commit(const psprobe_write *write, const psp_buf *url) {
  const psprobe_timestamp *time = &write->precondition.update_time;
  return time->seconds != 0 || time->nanos != 0 || write->transform_count > 0 ||
         (write->mask != NULL && write->mask_count == 0) || outgrows_url(url);
}

static psprobe_code run_write(psprobe_client *client, const psprobe_write *write, const char *verb,
                              psprobe_document **document, psprobe_error *error) {
  task t = {.client = client};
  snprintf(t.what, sizeof t.what, "%s document %s", verb, write->path);
  psprobe_code code = psp_firestore_root_of(client, &t.root, error);
  if (code != PSPROBE_OK) return code;
  psp_path_url(&t.url, t.root.project, t.root.database, write->path);
  for (size_t i = 0; write->mask != NULL && i < write->mask_count && t.url.len <= URL_MAX; i++)
    put_query(&t.url, "updateMask.fieldPaths", write->mask[i]);
  if (write->precondition.must_exist || write->precondition.must_not_exist)
    put_query(&t.url, "currentDocument.exists", write->precondition.must_exist ? "true" : "false");
  if (needs_commit(write, &t.url)) {
    code = run_commit(client, write, document, error);
  } else if (write->fields != NULL) {
    put_fields(&t.body, write->fields);
    code = task_run(&t, PSP_FIRESTORE_WRITE, "PATCH", document, error);
  } else {
    code = task_run(&t, PSP_FIRESTORE_READ, "DELETE", NULL, error);
  }
  task_clear(&t);
  return code;
}

psprobe_code psprobe_document_patch(psprobe_client *client, const psprobe_write *write,
                                    psprobe_document **document, psprobe_error *error) {
  psprobe_code code = psp_fields_check(write->fields, error);
  if (code == PSPROBE_OK) code = psp_write_check(write, error);
  if (code != PSPROBE_OK) return failed_in(code, "patch document", error);
  return run_write(client, write, "patch", document, error);
}

psprobe_code psprobe_document_delete(psprobe_client *client, const char *path,
                                     const psprobe_precondition *precondition,
                                     psprobe_error *error) {
  psprobe_write write = {.path = path};
  if (precondition != NULL) write.precondition = *precondition;
  psprobe_code code = psp_write_check(&write, error);
  if (code != PSPROBE_OK) return failed_in(code, "delete document", error);
  return run_write(client, &write, "delete", NULL, error);
}
