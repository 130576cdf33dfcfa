/* SPDX-License-Identifier: MIT */
/** @file One message, from its coming in to the form in which it is answered. */
#include "base/error.h"
#include "base/id.h"
#include "os/latch.h"
#include "responder/parts.h"

static psprobe_code begin(const psp_answering *answering, const psprobe_message *message,
                          int64_t received_ns, psprobe_error *error) {
  const char *id = psprobe_message_attribute(message, PSPROBE_ATTRIBUTE_ID);
  uint64_t parsed[2];
  if (answering->responder->prefix == NULL)
    return psp_answer_by_document(answering, message, error);
  if (id == NULL || !psp_id_parse(id, parsed))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message %s has no %s attribute of a prober",
                    message->message_id != NULL ? message->message_id : "without id",
                    PSPROBE_ATTRIBUTE_ID);
  return psp_answer_by_post(answering, id, received_ns, error);
}

void psp_responder_begin(psprobe_responder *responder, const psprobe_message *message,
                         int64_t received_ns, psp_answered *done, void *arg) {
  psp_answering answering = {responder, done, arg};
  psprobe_error error = {0};
  pthread_mutex_lock(&responder->lock);
  bool full = responder->limit > 0 && responder->taken == responder->limit;
  bool closing = responder->closing;
  if (!full) responder->active++;
  if (!full) responder->taken++;
  pthread_mutex_unlock(&responder->lock);
  if (full) { /* nothing has failed */
    psp_fail(&error, PSPROBE_UNAVAILABLE, "the responder has answered what it was to answer");
    done(arg, error.code, &error);
    return;
  }
  psprobe_code code = closing
                          ? psp_fail(&error, PSPROBE_UNAVAILABLE, "the responder is being stopped")
                          : begin(&answering, message, received_ns, &error);
  if (code != PSPROBE_OK) psp_answering_end(&answering, code, &error);
}

typedef struct waiting {
  psp_latch over;
  psprobe_code code;
  psprobe_error *error;
} waiting;

static void on_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  waiting *w = arg;
  w->code = code;
  if (code != PSPROBE_OK && w->error != NULL) *w->error = *error;
  psp_latch_post(&w->over);
}

psprobe_code psprobe_responder_answer(psprobe_responder *responder, const psprobe_message *message,
                                      int64_t received_ns, psprobe_error *error) {
  waiting w = {.error = error};
  psp_latch_init(&w.over);
  psp_responder_begin(responder, message, received_ns, on_answered, &w);
  psp_latch_wait(&w.over);
  psp_latch_destroy(&w.over);
  return w.code;
}
