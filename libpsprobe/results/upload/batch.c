/* SPDX-License-Identifier: MIT */
/** @file One batch of rows on its way to Firestore. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "firestore/write.h"
#include "results/upload/document.h"
#include "results/upload/upload.h"

/* The writes of a batch and what they borrow. */
typedef struct batch_writes {
  psprobe_write *writes;
  psprobe_error *outcomes;
  psprobe_value **documents;
  char **paths;
  psp_mark *marks;
} batch_writes;

static void free_writes(batch_writes *b, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (b->documents != NULL) psprobe_value_free(b->documents[i]);
    if (b->paths != NULL) free(b->paths[i]);
  }
  free(b->writes);
  free(b->outcomes);
  free(b->documents);
  free(b->paths);
  free(b->marks);
}

static bool make_writes(const psp_outbox *outbox, const char *collection, batch_writes *b) {
  size_t n = outbox->count;
  *b = (batch_writes){.writes = calloc(n, sizeof *b->writes),
                      .outcomes = calloc(n, sizeof *b->outcomes),
                      .documents = calloc(n, sizeof(psprobe_value *)),
                      .paths = calloc(n, sizeof *b->paths),
                      .marks = calloc(n, sizeof *b->marks)};
  if (b->writes == NULL || b->outcomes == NULL || b->documents == NULL || b->paths == NULL ||
      b->marks == NULL)
    return false;
  for (size_t i = 0; i < n; i++) {
    const psp_stored_row *stored = &outbox->rows[i];
    psp_buf path = {0};
    psprobe_row row = {.run = &psp_runs_find(&outbox->runs, stored->run)->run,
                       .result = stored->result,
                       .saved_wall_ns = stored->saved_ns};
    psp_buf_printf(&path, "%s/%s", collection, stored->result.id);
    b->paths[i] = psp_buf_take(&path, NULL);
    b->documents[i] = psprobe_result_document(&row);
    if (b->paths[i] == NULL || b->documents[i] == NULL) return false;
    b->writes[i] = (psprobe_write){.path = b->paths[i], .fields = b->documents[i]};
    if (stored->uploaded == 0) {
      b->writes[i].precondition.must_not_exist = true;
    } else {
      b->writes[i].precondition.must_exist = true;
      b->writes[i].mask = psp_document_mask;
      b->writes[i].mask_count = PSP_DOCUMENT_MASK;
    }
  }
  return true;
}

/* Turns outcomes into marks and counts them. */
static void judge(const psp_outbox *outbox, batch_writes *b, psp_batch *batch) {
  for (size_t i = 0; i < outbox->count; i++) {
    const psp_stored_row *row = &outbox->rows[i];
    b->marks[i] = psp_mark_of(row, &b->outcomes[i]);
    if (b->marks[i] == PSP_MARK_NONE) {
      if (batch->again++ == 0) batch->failure = b->outcomes[i];
      continue;
    }
    batch->moved++;
    if (b->marks[i] == PSP_MARK_NEWEST) batch->uploaded++;
    if (b->marks[i] != PSP_MARK_UNWELCOME) continue;
    if (batch->refused++ > 0) continue;
    memcpy(batch->refused_id, row->result.id, sizeof batch->refused_id);
    batch->refusal = b->outcomes[i];
  }
}

psprobe_code psp_upload_batch(psprobe_store *store, psprobe_client *client, psp_stopper *stopper,
                              const char *collection, const psp_plan_step *step, psp_batch *batch,
                              psprobe_error *error) {
  psp_outbox outbox;
  batch_writes b;
  *batch = (psp_batch){0};
  psprobe_code code = psp_outbox_take(store, step->after, step->most, &outbox, error);
  if (code != PSPROBE_OK) return code;
  batch->rows = outbox.count;
  if (outbox.count == 0) {
    psp_outbox_free(&outbox);
    return PSPROBE_OK;
  }
  batch->last = outbox.rows[outbox.count - 1].seq;
  /* The plan repeats by itself, so one attempt is a call. */
  code = make_writes(&outbox, collection, &b)
             ? psp_batch_write_until(client, b.writes, outbox.count, step->patience_ns, stopper,
                                     b.outcomes, error)
             : psp_fail_memory(error, "rows to upload");
  if (code != PSPROBE_OK && outbox.count == 1 && psp_row_refused(error)) {
    b.outcomes[0] = *error;
    code = PSPROBE_OK;
  }
  if (code == PSPROBE_OK) {
    judge(&outbox, &b, batch);
    if (batch->moved > 0) code = psp_outbox_mark(store, &outbox, b.marks, error);
  }
  free_writes(&b, outbox.count);
  psp_outbox_free(&outbox);
  return code;
}
