/* SPDX-License-Identifier: MIT */
/** @file One batch of rows, and runs, on its way to Firestore. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "firestore/write.h"
#include "results/upload/document.h"
#include "results/upload/run_document.h"
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

static bool reserve(batch_writes *b, size_t n) {
  *b = (batch_writes){.writes = calloc(n, sizeof *b->writes),
                      .outcomes = calloc(n, sizeof *b->outcomes),
                      .documents = calloc(n, sizeof(psprobe_value *)),
                      .paths = calloc(n, sizeof *b->paths),
                      .marks = calloc(n, sizeof *b->marks)};
  return b->writes != NULL && b->outcomes != NULL && b->documents != NULL && b->paths != NULL &&
         b->marks != NULL;
}

/* The ith write: a whole document, without a condition. `document` is taken. */
static bool make_write(batch_writes *b, size_t i, const char *collection, const char *id,
                       psprobe_value *document) {
  psp_buf path = {0};
  psp_buf_printf(&path, "%s/%s", collection, id);
  b->paths[i] = psp_buf_take(&path, NULL);
  b->documents[i] = document;
  b->writes[i] = (psprobe_write){.path = b->paths[i], .fields = document};
  return b->paths[i] != NULL && document != NULL;
}

static bool make_row(batch_writes *b, size_t i, const psp_outbox *outbox, const char *collection) {
  const psp_stored_row *stored = &outbox->rows[i];
  psprobe_row row = {.run = &psp_runs_find(&outbox->runs, stored->run)->run,
                     .result = stored->result,
                     .saved_wall_ns = stored->saved_ns};
  if (!make_write(b, i, collection, stored->result.id, psprobe_result_document(&row))) return false;
  if (stored->uploaded == 0) {
    b->writes[i].precondition.must_not_exist = true;
    return true;
  }
  b->writes[i].precondition.must_exist = true;
  b->writes[i].mask = psp_document_mask;
  b->writes[i].mask_count = PSP_DOCUMENT_MASK;
  return true;
}

static bool make_run(batch_writes *b, size_t i, const psprobe_run *run, const psp_uplink *link) {
  psprobe_value *summary =
      run->ended_wall_ns != 0 ? psp_run_summary(link->store, run, link->stopper) : NULL;
  return make_write(b, i, link->collections->runs, run->id, psp_run_document(run, summary));
}

static bool make_writes(const psp_outbox *outbox, const psp_uplink *link, batch_writes *b) {
  bool good = reserve(b, outbox->count + outbox->due_count);
  for (size_t i = 0; good && i < outbox->count; i++)
    good = make_row(b, i, outbox, link->collections->results);
  for (size_t i = 0; good && i < outbox->due_count; i++)
    good = make_run(b, outbox->count + i, &outbox->due[i]->run, link);
  return good;
}

/* Turns outcomes into marks and counts them. */
static void judge(const psp_outbox *outbox, batch_writes *b, psp_batch *batch) {
  for (size_t i = 0; i < batch->rows; i++) {
    bool is_row = i < outbox->count;
    b->marks[i] =
        is_row ? psp_mark_of(&outbox->rows[i], &b->outcomes[i]) : psp_mark_of_run(&b->outcomes[i]);
    if (b->marks[i] == PSP_MARK_NONE) {
      if (batch->again++ == 0) batch->failure = b->outcomes[i];
      continue;
    }
    batch->moved++;
    if (is_row && b->marks[i] == PSP_MARK_NEWEST) batch->uploaded++;
    if (b->marks[i] != PSP_MARK_UNWELCOME) continue;
    if (batch->refused++ > 0) continue;
    memcpy(batch->refused_id,
           is_row ? outbox->rows[i].result.id : outbox->due[i - outbox->count]->run.id,
           sizeof batch->refused_id);
    batch->refusal = b->outcomes[i];
  }
}

/* Sends what was taken. */
static psprobe_code send_batch(const psp_uplink *link, const psp_outbox *outbox,
                               const psp_plan_step *step, psp_batch *batch, psprobe_error *error) {
  batch_writes b;
  /* The plan repeats by itself, so one attempt is a call. */
  psprobe_code code =
      make_writes(outbox, link, &b)
          ? psp_batch_write_until(link->client, b.writes, batch->rows, step->patience_ns,
                                  link->stopper, b.outcomes, error)
          : psp_fail_memory(error, "rows to upload");
  if (code != PSPROBE_OK && batch->rows == 1 && psp_row_refused(error)) {
    b.outcomes[0] = *error;
    code = PSPROBE_OK;
  }
  if (code == PSPROBE_OK) {
    judge(outbox, &b, batch);
    if (batch->moved > 0) code = psp_outbox_mark(link->store, outbox, b.marks, error);
  }
  free_writes(&b, batch->rows);
  return code;
}

psprobe_code psp_upload_batch(const psp_uplink *link, const psp_plan_step *step, psp_batch *batch,
                              psprobe_error *error) {
  psp_outbox outbox;
  *batch = (psp_batch){.last = step->after};
  psprobe_code code = psp_outbox_take(link->store, step->after, step->most, &outbox, error);
  if (code != PSPROBE_OK) return code;
  batch->rows = outbox.count + outbox.due_count;
  if (outbox.count > 0) batch->last = outbox.rows[outbox.count - 1].seq;
  if (batch->rows > 0) code = send_batch(link, &outbox, step, batch, error);
  psp_outbox_free(&outbox);
  return code;
}
