/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_DOCUMENTS_TRANSACTIONS_H
#define PSP_LOCAL_DOCUMENTS_TRANSACTIONS_H
/**
 * @file
 * Transactions, optimistic: each notes what it read, and is ABORTED where that is not so any more,
 * when it reads on and when it commits. So each sees one state of the documents, the first of two
 * that conflict commits, and nobody waits. Guarded by the documents' lock: every call stands
 * between psp_documents_begin and _end.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "local/documents/query.h"
#include "local/documents/store.h"

typedef struct psp_transactions psp_transactions; /**< those that are open */
typedef struct psp_transaction psp_transaction;

psp_transactions *psp_transactions_new(void);               /**< NULL: no memory */
void psp_transactions_free(psp_transactions *transactions); /**< NULL is fine */

/** Opens one. `id` receives its bytes. @param now_ns monotonic, as everywhere here */
psp_transaction *psp_transactions_open(psp_transactions *transactions, bool read_only,
                                       int64_t now_ns, psp_buf *id);
/** Finds one that is open: not for more than 270 s, nor left alone for 60 (Firestore's quotas).
 * @return PSPROBE_OK; INVALID_ARGUMENT: its time is over, it was closed, or never was */
psprobe_code psp_transactions_find(psp_transactions *transactions, const psp_buf *id,
                                   int64_t now_ns, psp_transaction **transaction,
                                   psprobe_error *error);
/** Whether the bytes are of one that is or was. */
psprobe_code psp_transactions_known(const psp_transactions *transactions, const psp_buf *id,
                                    psprobe_error *error);
void psp_transactions_close(psp_transactions *transactions, psp_transaction *transaction);

bool psp_transaction_is_read_only(const psp_transaction *transaction);
/** Notes that a document was read. @param update_us 0: there was none. False: no memory */
bool psp_transaction_note(psp_transaction *transaction, const char *name, int64_t update_us);
/** Notes that a query, which it takes and empties, found these. False: no memory */
bool psp_transaction_note_query(psp_transaction *transaction, const char *parent,
                                psp_local_query *query, const psp_query_found *found);
/** Whether all that it read is still so. @return PSPROBE_OK; ABORTED; what the documents say */
psprobe_code psp_transaction_check(const psp_transaction *transaction, psp_documents *documents,
                                   psprobe_error *error);

#endif
