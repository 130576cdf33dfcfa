/* SPDX-License-Identifier: MIT */
#include "local/documents/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/value/json.h"
#include "os/clock.h"
#include "sql/sql.h"

/* "psdo": what tells our files from others'
 * (https://www.sqlite.org/pragma.html#pragma_application_id) */
#define APPLICATION_ID 0x7073646f
#define SCHEMA_VERSION 1

typedef enum prepared { BEGIN, COMMIT, ROLLBACK, GET, PUT, REMOVE, STATEMENTS } prepared;

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET] = "SELECT fields, create_us, update_us FROM documents WHERE collection = ?1 AND id = ?2",
    [PUT] = "INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3, ?4, ?5)",
    [REMOVE] = "DELETE FROM documents WHERE collection = ?1 AND id = ?2",
};

struct psp_documents {
  pthread_mutex_t lock;
  sqlite3 *db;
  sqlite3_stmt *statements[STATEMENTS];
  int64_t last_us;
  bool writing; /* a transaction is open: the first write opens it */
};

static psprobe_code fail(psp_documents *documents, const char *what, psprobe_error *error) {
  return psp_fail(error, PSPROBE_INTERNAL, "documents: %s: %s", what,
                  sqlite3_errmsg(documents->db));
}

static int64_t pragma(sqlite3 *db, const char *text) {
  sqlite3_stmt *statement;
  int64_t value = -1;
  if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return value;
}

/* A new file gets our mark, another's is left alone. */
static psprobe_code check_file(sqlite3 *db, const char *path, psprobe_error *error) {
  int64_t tables = pragma(db, "SELECT count(*) FROM sqlite_master");
  if (tables < 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "open documents in %s: %s", path,
                    sqlite3_errmsg(db));
  if (tables == 0) return PSPROBE_OK;
  if (pragma(db, "PRAGMA application_id") != APPLICATION_ID)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "open documents in %s: it is a database of something else; name another file",
                    path);
  if (pragma(db, "PRAGMA user_version") != SCHEMA_VERSION)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "open documents in %s: it was written by another version of psprobe", path);
  return PSPROBE_OK;
}

/* The order of ids is that of their bytes, as Firestore's. A power cut may cost the latest commits
 * of a file (synchronous=NORMAL), a crash of the program nothing. */
static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4096;"
    "PRAGMA application_id=0x7073646f; PRAGMA user_version=1;"
    "CREATE TABLE IF NOT EXISTS documents (collection TEXT NOT NULL, id TEXT NOT NULL, fields TEXT "
    "NOT NULL, create_us INTEGER NOT NULL, update_us INTEGER NOT NULL, PRIMARY KEY (collection, "
    "id)) WITHOUT ROWID;";

psprobe_code psp_documents_new(const char *path, psp_documents **out, psprobe_error *error) {
  psp_documents *documents = calloc(1, sizeof *documents);
  if (documents == NULL) return psp_fail_memory(error, "documents");
  pthread_mutex_init(&documents->lock, NULL);
  psprobe_code code = PSPROBE_OK;
  if (sqlite3_open_v2(path != NULL ? path : ":memory:", &documents->db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK)
    code = psp_sql_fail(documents->db, path != NULL ? path : "memory", "open documents in", error);
  if (code == PSPROBE_OK) sqlite3_busy_timeout(documents->db, 5000);
  if (code == PSPROBE_OK && path != NULL) code = check_file(documents->db, path, error);
  if (code == PSPROBE_OK && sqlite3_exec(documents->db, schema, NULL, NULL, NULL) != SQLITE_OK)
    code = psp_fail(error, PSPROBE_UNAVAILABLE, "open documents in %s: %s",
                    path != NULL ? path : "memory", sqlite3_errmsg(documents->db));
  for (int i = 0; code == PSPROBE_OK && i < STATEMENTS; i++)
    if (sqlite3_prepare_v3(documents->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                           &documents->statements[i], NULL) != SQLITE_OK)
      code = fail(documents, "prepare", error);
  if (code != PSPROBE_OK)
    psp_documents_free(documents);
  else
    *out = documents;
  return code;
}

void psp_documents_free(psp_documents *documents) {
  if (documents == NULL) return;
  for (int i = 0; i < STATEMENTS; i++)
    sqlite3_finalize(documents->statements[i]);
  sqlite3_close(documents->db);
  pthread_mutex_destroy(&documents->lock);
  free(documents);
}

static psprobe_code run(psp_documents *documents, prepared which, psprobe_error *error) {
  sqlite3_stmt *statement = documents->statements[which];
  int result = sqlite3_step(statement);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return result == SQLITE_DONE ? PSPROBE_OK : fail(documents, texts[which], error);
}

void psp_documents_begin(psp_documents *documents) {
  pthread_mutex_lock(&documents->lock);
}

psprobe_code psp_documents_end(psp_documents *documents, bool keep, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (documents->writing && keep) code = run(documents, COMMIT, error);
  if (documents->writing && (!keep || code != PSPROBE_OK)) run(documents, ROLLBACK, NULL);
  documents->writing = false;
  pthread_mutex_unlock(&documents->lock);
  return code;
}

int64_t psp_documents_now(psp_documents *documents) {
  int64_t us = psprobe_clock_wall() / PSP_US_NS;
  if (us <= documents->last_us) us = documents->last_us + 1;
  documents->last_us = us;
  return us;
}

void psp_stored_document_free(psp_stored_document *document) {
  free(document->name);
  psprobe_value_free(document->fields);
  *document = (psp_stored_document){0};
}

/* Binds the two halves of a name, "…/c" and "d". */
static void bind_name(sqlite3_stmt *statement, const char *name) {
  const char *slash = strrchr(name, '/');
  sqlite3_bind_text(statement, 1, name, (int)(slash - name), SQLITE_STATIC);
  sqlite3_bind_text(statement, 2, slash + 1, -1, SQLITE_STATIC);
}

/* Reads fields, create_us and update_us from column `at` on. */
static psprobe_code read_row(sqlite3_stmt *statement, int at, psp_stored_document *out,
                             psprobe_error *error) {
  const char *text = (const char *)sqlite3_column_text(statement, at);
  size_t len = (size_t)sqlite3_column_bytes(statement, at);
  psp_json *json = NULL;
  psprobe_code code =
      psp_json_parse(text != NULL ? text : "", len, "stored document", &json, error);
  if (code == PSPROBE_OK) code = psp_fields_decode(json, &out->fields, error);
  psp_json_free(json);
  out->create_us = sqlite3_column_int64(statement, at + 1);
  out->update_us = sqlite3_column_int64(statement, at + 2);
  return code;
}

psprobe_code psp_documents_get(psp_documents *documents, const char *name, psp_stored_document *out,
                               psprobe_error *error) {
  sqlite3_stmt *statement = documents->statements[GET];
  *out = (psp_stored_document){0};
  bind_name(statement, name);
  int result = sqlite3_step(statement);
  psprobe_code code = PSPROBE_OK;
  if (result == SQLITE_DONE)
    code = PSPROBE_NOT_FOUND;
  else if (result != SQLITE_ROW)
    code = fail(documents, "get", error);
  else
    code = read_row(statement, 0, out, error);
  if (code == PSPROBE_OK && (out->name = psp_strdup(name)) == NULL)
    code = psp_fail_memory(error, "document");
  sqlite3_reset(statement);
  if (code != PSPROBE_OK) psp_stored_document_free(out);
  return code;
}

/* Reads need no transaction; what is written is one from its first write on. */
static psprobe_code begin_writing(psp_documents *documents, psprobe_error *error) {
  if (documents->writing) return PSPROBE_OK;
  psprobe_code code = run(documents, BEGIN, error);
  documents->writing = code == PSPROBE_OK;
  return code;
}

psprobe_code psp_documents_put(psp_documents *documents, const psp_stored_document *document,
                               psprobe_error *error) {
  psprobe_code code = begin_writing(documents, error);
  if (code != PSPROBE_OK) return code;
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psp_fields_encode(&w, document->fields);
  if (text.failed) {
    psp_buf_free(&text);
    return psp_fail_memory(error, "document");
  }
  sqlite3_stmt *statement = documents->statements[PUT];
  bind_name(statement, document->name);
  sqlite3_bind_text(statement, 3, text.data, (int)text.len, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 4, document->create_us);
  sqlite3_bind_int64(statement, 5, document->update_us);
  code = run(documents, PUT, error);
  psp_buf_free(&text);
  return code;
}

psprobe_code psp_documents_remove(psp_documents *documents, const char *name,
                                  psprobe_error *error) {
  psprobe_code code = begin_writing(documents, error);
  if (code != PSPROBE_OK) return code;
  bind_name(documents->statements[REMOVE], name);
  return run(documents, REMOVE, error);
}

/* Collections below "a/b" lie between "a/b/" and "a/b0" ('0' comes after '/'). */
static void bind_below(sqlite3_stmt *statement, const char *parent) {
  psp_buf text = {0};
  psp_buf_printf(&text, "%s/", parent);
  sqlite3_bind_text(statement, 1, text.data, (int)text.len, SQLITE_TRANSIENT);
  if (text.len) text.data[text.len - 1] = '0';
  sqlite3_bind_text(statement, 2, text.data, (int)text.len, SQLITE_TRANSIENT);
  psp_buf_free(&text);
}

psprobe_code psp_documents_wipe(psp_documents *documents, const char *root, psprobe_error *error) {
  sqlite3_stmt *statement;
  psprobe_code code = begin_writing(documents, error);
  if (code != PSPROBE_OK) return code;
  if (sqlite3_prepare_v2(documents->db,
                         "DELETE FROM documents WHERE collection > ?1 AND collection < ?2", -1,
                         &statement, NULL) != SQLITE_OK)
    return fail(documents, "wipe", error);
  bind_below(statement, root);
  if (sqlite3_step(statement) != SQLITE_DONE) code = fail(documents, "wipe", error);
  sqlite3_finalize(statement);
  return code;
}

/* Does a row's collection ("…/c") belong to what the scan asks for? Below its parent it is. */
static bool fits(const psp_documents_scan *scan, const char *collection) {
  const char *rest = collection + strlen(scan->parent) + 1;
  const char *id = strrchr(collection, '/') + 1;
  if (!scan->descendants && strchr(rest, '/') != NULL) return false;
  return scan->collection == NULL || strcmp(id, scan->collection) == 0;
}

static psprobe_code prepare_walk(psp_documents *documents, const psp_documents_scan *scan,
                                 sqlite3_stmt **statement, psprobe_error *error) {
  bool one = scan->collection != NULL && !scan->descendants;
  psp_buf text = {0}, name = {0};
  psp_buf_text(&text, "SELECT collection, id, fields, create_us, update_us FROM documents WHERE ");
  psp_buf_text(&text, one ? "collection = ?1" : "collection > ?1 AND collection < ?2");
  if (one && scan->after != NULL)
    psp_buf_text(&text, scan->descending ? " AND id < ?2" : " AND id > ?2");
  psp_buf_text(
      &text, scan->descending ? " ORDER BY collection DESC, id DESC" : " ORDER BY collection, id");
  if (one) psp_buf_printf(&name, "%s/%s", scan->parent, scan->collection);
  psprobe_code code = PSPROBE_OK;
  if (text.failed || name.failed)
    code = psp_fail_memory(error, "query");
  else if (sqlite3_prepare_v2(documents->db, text.data, -1, statement, NULL) != SQLITE_OK)
    code = fail(documents, "walk", error);
  else if (!one)
    bind_below(*statement, scan->parent);
  else
    sqlite3_bind_text(*statement, 1, name.data, -1, SQLITE_TRANSIENT);
  if (code == PSPROBE_OK && one && scan->after != NULL)
    sqlite3_bind_text(*statement, 2, scan->after, -1, SQLITE_TRANSIENT);
  psp_buf_free(&text);
  psp_buf_free(&name);
  return code;
}

psprobe_code psp_documents_walk(psp_documents *documents, const psp_documents_scan *scan,
                                psp_documents_each *each, void *arg, psprobe_error *error) {
  sqlite3_stmt *statement = NULL;
  psprobe_code code = prepare_walk(documents, scan, &statement, error);
  int result = SQLITE_DONE;
  bool more = true;
  while (code == PSPROBE_OK && more && (result = sqlite3_step(statement)) == SQLITE_ROW) {
    const char *collection = (const char *)sqlite3_column_text(statement, 0);
    if (collection == NULL || !fits(scan, collection)) continue;
    psp_stored_document document = {0};
    psp_buf name = {0};
    psp_buf_printf(&name, "%s/%s", collection, (const char *)sqlite3_column_text(statement, 1));
    code = read_row(statement, 2, &document, error);
    document.name = psp_buf_take(&name, NULL);
    if (code == PSPROBE_OK && document.name == NULL) code = psp_fail_memory(error, "document");
    if (code == PSPROBE_OK) more = each(arg, &document);
    psp_stored_document_free(&document);
  }
  if (code == PSPROBE_OK && result != SQLITE_ROW && result != SQLITE_DONE)
    code = fail(documents, "walk", error);
  sqlite3_finalize(statement);
  return code;
}

psprobe_code psp_documents_collections(psp_documents *documents, const char *parent,
                                       psp_documents_collection *each, void *arg,
                                       psprobe_error *error) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(documents->db,
                         "SELECT DISTINCT collection FROM documents WHERE collection > ?1 AND "
                         "collection < ?2 ORDER BY collection",
                         -1, &statement, NULL) != SQLITE_OK)
    return fail(documents, "collections", error);
  bind_below(statement, parent);
  psp_buf last = {0};
  int result;
  while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
    /* A collection deeper down shows that there is one here, even if its document is missing. */
    const char *id = (const char *)sqlite3_column_text(statement, 0) + strlen(parent) + 1;
    size_t len = strcspn(id, "/");
    if (last.data != NULL && last.len == len && memcmp(last.data, id, len) == 0) continue;
    psp_buf_reset(&last);
    psp_buf_add(&last, id, len);
    if (last.data != NULL) each(arg, last.data);
  }
  psprobe_code code = result == SQLITE_DONE ? PSPROBE_OK : fail(documents, "collections", error);
  psp_buf_free(&last);
  sqlite3_finalize(statement);
  return code;
}
