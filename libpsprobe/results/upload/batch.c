/* SPDX-License-Identifier: MIT */
/**
 * @file One batch of rows, and runs, on its way to Firestore.
 *
 * A request that its sender has given up, or died over, can still arrive after a later one. So that
 * it brings no older state back, each write holds only for what its sender knew: that there is no
 * document, or that what there is was not changed since it was read, just before. Of two writes on
 * the same ground one is refused, and looks again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "firestore/get_many.h"
#include "firestore/write.h"
#include "results/upload/document.h"
#include "results/upload/run_document.h"
#include "results/upload/upload.h"

/* The writes of a batch, rows before runs, and what they borrow. */
typedef struct sending {
  const psp_uplink *link;
  const psp_outbox *outbox;
  int64_t patience_ns;
  size_t count;
  psprobe_write *writes; /* of those that need not wait; likewise told */
  psprobe_error *told;
  psprobe_error *outcomes;
  psprobe_value **documents;
  char **paths;
  psprobe_timestamp *changed; /* what there is; {0, 0}: nothing is */
  psp_mark *marks;
  psprobe_error unread; /* why nobody may look at what there is; code OK: somebody may */
} sending;

static bool is_row(const sending *s, size_t i) {
  return i < s->outbox->count;
}

static const psp_run *run_at(const sending *s, size_t i) {
  return s->outbox->due[i - s->outbox->count];
}

static int64_t uploaded_of(const sending *s, size_t i) {
  return is_row(s, i) ? s->outbox->rows[i].uploaded : run_at(s, i)->uploaded;
}

static bool waits(const sending *s, size_t i) {
  return s->unread.code != PSPROBE_OK && uploaded_of(s, i) > 0;
}

static const char *id_of(const sending *s, size_t i) {
  return is_row(s, i) ? s->outbox->rows[i].result.id : run_at(s, i)->run.id;
}

static bool reserve(sending *s) {
  size_t n = s->count;
  s->writes = calloc(n, sizeof *s->writes);
  s->told = calloc(n, sizeof *s->told);
  s->outcomes = calloc(n, sizeof *s->outcomes);
  s->documents = calloc(n, sizeof *s->documents);
  s->paths = calloc(n, sizeof *s->paths);
  s->changed = calloc(n, sizeof *s->changed);
  s->marks = calloc(n, sizeof *s->marks);
  return s->writes != NULL && s->told != NULL && s->outcomes != NULL && s->documents != NULL &&
         s->paths != NULL && s->changed != NULL && s->marks != NULL;
}

static void release(sending *s) {
  for (size_t i = 0; i < s->count; i++) {
    if (s->documents != NULL) psprobe_value_free(s->documents[i]);
    if (s->paths != NULL) free(s->paths[i]);
  }
  free(s->writes);
  free(s->told);
  free(s->outcomes);
  free(s->documents);
  free(s->paths);
  free(s->changed);
  free(s->marks);
}

static bool make_paths(sending *s) {
  const psp_collections *names = s->link->collections;
  bool good = true;
  for (size_t i = 0; good && i < s->count; i++) {
    psp_buf path = {0};
    psp_buf_printf(&path, "%s/%s", is_row(s, i) ? names->results : names->runs, id_of(s, i));
    s->paths[i] = psp_buf_take(&path, NULL);
    good = s->paths[i] != NULL;
  }
  return good;
}

/* Looks at what there is of those that were brought once. Who may not look may still create. */
static psprobe_code look(sending *s, psprobe_error *error) {
  const char **asked = calloc(s->count, sizeof *asked);
  psprobe_timestamp *found = calloc(s->count, sizeof *found);
  psprobe_code code = PSPROBE_OK;
  size_t count = 0, at = 0;
  if (asked == NULL || found == NULL) code = psp_fail_memory(error, "rows to upload");
  for (size_t i = 0; code == PSPROBE_OK && i < s->count; i++)
    if (uploaded_of(s, i) > 0) asked[count++] = s->paths[i];
  if (code == PSPROBE_OK && count > 0)
    code = psp_document_times(s->link->client, asked, count, s->patience_ns, s->link->stopper,
                              found, error);
  if (code == PSPROBE_PERMISSION_DENIED && error->from_service) {
    s->unread = *error;
    code = PSPROBE_OK;
  }
  for (size_t i = 0; code == PSPROBE_OK && i < s->count; i++)
    if (uploaded_of(s, i) > 0) s->changed[i] = found[at++];
  free(asked);
  free(found);
  return code;
}

static psprobe_value *row_document(const sending *s, size_t i) {
  const psp_stored_row *stored = &s->outbox->rows[i];
  const psprobe_row row = {.run = &psp_runs_find(&s->outbox->runs, stored->run)->run,
                           .result = stored->result,
                           .saved_wall_ns = stored->saved_ns};
  return psprobe_result_document(&row);
}

static psprobe_value *run_document(const sending *s, size_t i) {
  const psprobe_run *run = &run_at(s, i)->run;
  psprobe_value *summary =
      run->ended_wall_ns != 0 ? psp_run_summary(s->link->store, run, s->link->stopper) : NULL;
  return psp_run_document(run, summary);
}

/* A whole document where there is none; else a run's in its place, of a row what can change. */
static bool make_write(sending *s, size_t i, psprobe_write *write) {
  bool there = s->changed[i].seconds != 0 || s->changed[i].nanos != 0;
  s->documents[i] = is_row(s, i) ? row_document(s, i) : run_document(s, i);
  *write = (psprobe_write){.path = s->paths[i], .fields = s->documents[i]};
  write->precondition.must_not_exist = !there;
  write->precondition.update_time = s->changed[i];
  if (there && is_row(s, i)) {
    write->mask = psp_document_mask;
    write->mask_count = PSP_DOCUMENT_MASK;
  }
  return s->documents[i] != NULL;
}

static psprobe_code write_all(sending *s, psprobe_error *error) {
  size_t count = 0, at = 0;
  bool good = true;
  for (size_t i = 0; good && i < s->count; i++)
    if (!waits(s, i)) good = make_write(s, i, &s->writes[count++]);
  if (!good) return psp_fail_memory(error, "rows to upload");
  /* The plan repeats by itself, so one attempt is a call. */
  psprobe_code code = PSPROBE_OK;
  if (count > 0)
    code = psp_batch_write_until(s->link->client, s->writes, count, s->patience_ns,
                                 s->link->stopper, s->told, error);
  if (code != PSPROBE_OK && (count > 1 || !psp_row_refused(error))) return code;
  if (code != PSPROBE_OK) s->told[0] = *error;
  for (size_t i = 0; i < s->count; i++)
    s->outcomes[i] = waits(s, i) ? s->unread : s->told[at++];
  return PSPROBE_OK;
}

/* What there is was changed, made or deleted since it was read: that passes. */
static void settle_conflict(psprobe_error *outcome) {
  if (outcome->code == PSPROBE_FAILED_PRECONDITION || outcome->code == PSPROBE_ALREADY_EXISTS ||
      outcome->code == PSPROBE_NOT_FOUND)
    outcome->code = PSPROBE_ABORTED;
}

/* Turns outcomes into marks and counts them. */
static void judge(sending *s, psp_batch *batch) {
  for (size_t i = 0; i < s->count; i++) {
    psprobe_error *outcome = &s->outcomes[i];
    int64_t revision = is_row(s, i) ? s->outbox->rows[i].revision : run_at(s, i)->revision;
    s->marks[i] = psp_mark_of(revision, uploaded_of(s, i), outcome);
    if (s->marks[i] == PSP_MARK_NONE) {
      if (uploaded_of(s, i) > 0) settle_conflict(outcome);
      if (batch->again++ == 0) batch->failure = *outcome;
      continue;
    }
    batch->moved++;
    if (is_row(s, i) && s->marks[i] == PSP_MARK_NEWEST) batch->uploaded++;
    if (s->marks[i] != PSP_MARK_UNWELCOME || batch->refused++ > 0) continue;
    memcpy(batch->refused_id, id_of(s, i), sizeof batch->refused_id);
    batch->refusal = *outcome;
  }
}

psprobe_code psp_upload_send(const psp_uplink *link, const psp_plan_step *step,
                             const psp_outbox *outbox, psp_batch *batch, psprobe_error *error) {
  sending s = {.link = link,
               .outbox = outbox,
               .patience_ns = step->patience_ns,
               .count = outbox->count + outbox->due_count};
  *batch = (psp_batch){.rows = s.count};
  if (s.count == 0) return PSPROBE_OK;
  psprobe_code code =
      reserve(&s) && make_paths(&s) ? look(&s, error) : psp_fail_memory(error, "rows to upload");
  if (code == PSPROBE_OK) code = write_all(&s, error);
  if (code == PSPROBE_OK) {
    judge(&s, batch);
    if (batch->moved > 0) code = psp_outbox_mark(link->store, outbox, s.marks, error);
  }
  release(&s);
  return code;
}
