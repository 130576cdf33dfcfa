/* SPDX-License-Identifier: MIT */
#include "local/documents/transactions.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/error.h"
#include "base/text.h"
#include "os/clock.h"

#define MARK    0x11 /* the first byte of an id, as in Google's emulator's; then a number */
#define ID_SIZE 9
#define IDLE_NS (60 * PSP_SECOND_NS)
#define MOST_NS (270 * PSP_SECOND_NS)

/* A document that was read; or, with a query, what it found. */
typedef struct reading {
  char *name; /* the document's, or the query's parent's */
  int64_t update_us;
  psp_local_query query;
  bool is_query;
  uint64_t digest;
} reading;

struct psp_transaction {
  uint64_t number;
  bool read_only;
  int64_t begun_ns, used_ns;
  reading *readings;
  size_t count, cap;
  UT_hash_handle hh;
};

struct psp_transactions {
  psp_transaction *open; /* by number, in the order of their beginning */
  uint64_t last;
};

psp_transactions *psp_transactions_new(void) {
  return calloc(1, sizeof(psp_transactions));
}

void psp_transactions_free(psp_transactions *transactions) {
  if (transactions == NULL) return;
  while (transactions->open != NULL)
    psp_transactions_close(transactions, transactions->open);
  free(transactions);
}

void psp_transactions_close(psp_transactions *transactions, psp_transaction *transaction) {
  if (transaction == NULL) return;
  HASH_DEL(transactions->open, transaction);
  for (size_t i = 0; i < transaction->count; i++) {
    free(transaction->readings[i].name);
    if (transaction->readings[i].is_query) psp_local_query_free(&transaction->readings[i].query);
  }
  free(transaction->readings);
  free(transaction);
}

static bool is_over(const psp_transaction *transaction, int64_t now_ns) {
  return now_ns - transaction->used_ns > IDLE_NS || now_ns - transaction->begun_ns > MOST_NS;
}

/* Those that were forgotten go when another begins. */
static void prune(psp_transactions *transactions, int64_t now_ns) {
  psp_transaction *each, *next;
  HASH_ITER(hh, transactions->open, each, next) {
    if (is_over(each, now_ns)) psp_transactions_close(transactions, each);
  }
}

psp_transaction *psp_transactions_open(psp_transactions *transactions, bool read_only,
                                       int64_t now_ns, psp_buf *id) {
  prune(transactions, now_ns);
  psp_transaction *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  *made = (psp_transaction){.number = ++transactions->last,
                            .read_only = read_only,
                            .begun_ns = now_ns,
                            .used_ns = now_ns};
  HASH_ADD(hh, transactions->open, number, sizeof made->number, made);
  psp_buf_char(id, MARK);
  for (int shift = 0; shift < 64; shift += 8)
    psp_buf_char(id, (char)(made->number >> shift & 0xff));
  return made;
}

/* 0: no id of ours. */
static uint64_t number_of(const psp_transactions *transactions, const psp_buf *id) {
  uint64_t number = 0;
  if (id->len != ID_SIZE || id->data[0] != MARK) return 0;
  for (int i = 0; i < 8; i++)
    number |= (uint64_t)(unsigned char)id->data[1 + i] << 8 * i;
  return number <= transactions->last ? number : 0;
}

psprobe_code psp_transactions_known(const psp_transactions *transactions, const psp_buf *id,
                                    psprobe_error *error) {
  if (number_of(transactions, id) != 0) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid transaction.");
}

psprobe_code psp_transactions_find(psp_transactions *transactions, const psp_buf *id,
                                   int64_t now_ns, psp_transaction **out, psprobe_error *error) {
  psprobe_code code = psp_transactions_known(transactions, id, error);
  if (code != PSPROBE_OK) return code;
  uint64_t number = number_of(transactions, id);
  HASH_FIND(hh, transactions->open, &number, sizeof number, *out);
  if (*out != NULL && is_over(*out, now_ns)) {
    psp_transactions_close(transactions, *out);
    *out = NULL;
  }
  if (*out == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Transaction is invalid or closed.");
  (*out)->used_ns = now_ns;
  return PSPROBE_OK;
}

bool psp_transaction_is_read_only(const psp_transaction *transaction) {
  return transaction->read_only;
}

/* ---- what was read ---- */

static reading *add_reading(psp_transaction *transaction, const char *name) {
  if (transaction->count == transaction->cap) {
    size_t cap = transaction->cap * 2 + 8;
    reading *readings = realloc(transaction->readings, cap * sizeof *readings);
    if (readings == NULL) return NULL;
    transaction->readings = readings;
    transaction->cap = cap;
  }
  reading *made = &transaction->readings[transaction->count];
  *made = (reading){.name = psp_strdup(name)};
  if (made->name == NULL) return NULL;
  transaction->count++;
  return made;
}

bool psp_transaction_note(psp_transaction *transaction, const char *name, int64_t update_us) {
  reading *made = add_reading(transaction, name);
  if (made != NULL) made->update_us = update_us;
  return made != NULL;
}

/* FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) of names and versions. */
static uint64_t digest_bytes(uint64_t digest, const void *data, size_t len) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < len; i++)
    digest = (digest ^ bytes[i]) * 1099511628211u;
  return digest;
}

static uint64_t digest_of(const psp_query_found *found) {
  uint64_t digest = 14695981039346656037u;
  for (size_t i = 0; i < found->count; i++) {
    const psp_stored_document *document = &found->items[i];
    digest = digest_bytes(digest, document->name, strlen(document->name) + 1);
    digest = digest_bytes(digest, &document->update_us, sizeof document->update_us);
  }
  return digest;
}

bool psp_transaction_note_query(psp_transaction *transaction, const char *parent,
                                psp_local_query *query, const psp_query_found *found) {
  reading *made = add_reading(transaction, parent);
  if (made == NULL) return false;
  made->is_query = true;
  made->query = *query;
  made->digest = digest_of(found);
  *query = (psp_local_query){.limit = -1};
  return true;
}

static psprobe_code check_query(const reading *r, psp_documents *documents, bool *same,
                                psprobe_error *error) {
  psp_query_found found = {0};
  psprobe_code code = psp_local_query_run(documents, r->name, &r->query, &found, error);
  if (code == PSPROBE_OK) *same = digest_of(&found) == r->digest;
  psp_query_found_free(&found);
  return code;
}

static psprobe_code check_document(const reading *r, psp_documents *documents, bool *same,
                                   psprobe_error *error) {
  psp_stored_document document = {0};
  psprobe_code code = psp_documents_get(documents, r->name, &document, error);
  if (code == PSPROBE_NOT_FOUND) code = PSPROBE_OK; /* then its time is 0 */
  *same = document.update_us == r->update_us;
  psp_stored_document_free(&document);
  return code;
}

psprobe_code psp_transaction_check(const psp_transaction *transaction, psp_documents *documents,
                                   psprobe_error *error) {
  for (size_t i = 0; i < transaction->count; i++) {
    const reading *r = &transaction->readings[i];
    bool same = false;
    psprobe_code code = r->is_query ? check_query(r, documents, &same, error)
                                    : check_document(r, documents, &same, error);
    if (code != PSPROBE_OK) return code;
    if (!same) return psp_fail(error, PSPROBE_ABORTED, "Transaction lock timeout.");
  }
  return PSPROBE_OK;
}
