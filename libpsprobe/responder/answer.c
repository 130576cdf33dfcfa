/* SPDX-License-Identifier: MIT */
/** @file One message, from its coming in to the form in which it is answered. */
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "os/latch.h"
#include "responder/parts.h"

/* What psp_sender publishes as a message's data, and nothing larger. */
static bool id_in_data(const psprobe_message *message, char id[PSPROBE_ID_SIZE]) {
  static const char key[] = PSPROBE_ATTRIBUTE_ID;
  psp_json *json = NULL;
  uint64_t parsed[2];
  if (message->data_len < PSPROBE_ID_LENGTH || message->data_len > 256 ||
      psp_json_parse(message->data, message->data_len, "data", &json, NULL) != PSPROBE_OK)
    return false;
  const char *text = psp_json_string(psp_json_get(json, key));
  bool found = text != NULL && psp_id_parse(text, parsed);
  if (found) memcpy(id, text, PSPROBE_ID_SIZE);
  psp_json_free(json);
  return found;
}

bool psp_responder_probe_id(const psprobe_message *message, char id[PSPROBE_ID_SIZE]) {
  const char *text = psprobe_message_attribute(message, PSPROBE_ATTRIBUTE_ID);
  uint64_t parsed[2];
  if (text == NULL) return id_in_data(message, id);
  if (!psp_id_parse(text, parsed)) return false;
  memcpy(id, text, PSPROBE_ID_SIZE);
  return true;
}

static psprobe_code begin(const psp_answering *answering, const psprobe_message *message,
                          int64_t received_ns, uint64_t number, psprobe_error *error) {
  psp_event_facts facts;
  char id[PSPROBE_ID_SIZE];
  psp_facts_begin(&facts, &answering->responder->instance, message, received_ns, number);
  if (answering->responder->prefix == NULL)
    return psp_answer_by_document(answering, message, error);
  if (!psp_responder_probe_id(message, id))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message %s has no %s attribute of a prober",
                    message->message_id != NULL ? message->message_id : "without id",
                    PSPROBE_ATTRIBUTE_ID);
  return psp_answer_by_post(answering, id, &facts, error);
}

/* Only there to raise the rate of its topic. Its data says so too, for who gets no attributes. */
static bool is_filler(const psprobe_message *message) {
  char id[PSPROBE_ID_SIZE];
  bool says = psprobe_message_attribute(message, PSPROBE_ATTRIBUTE_FILLER) != NULL ||
              (message->data_len == strlen(PSPROBE_FILLER_DATA) &&
               memcmp(message->data, PSPROBE_FILLER_DATA, message->data_len) == 0);
  return says && !psp_responder_probe_id(message, id);
}

void psp_responder_begin(psprobe_responder *responder, const psprobe_message *message,
                         int64_t received_ns, uint64_t number, psp_answered *done, void *arg) {
  psp_answering answering = {responder, done, arg};
  psprobe_error error = {0};
  if (is_filler(message)) { /* an event of the process all the same: the next is not its first */
    psp_event_facts facts;
    psp_facts_begin(&facts, &responder->instance, message, received_ns, number);
    done(arg, PSPROBE_OK, NULL);
    return;
  }
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
                          : begin(&answering, message, received_ns, number, &error);
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
  psp_responder_begin(responder, message, received_ns, 0, on_answered, &w);
  psp_latch_wait(&w.over);
  psp_latch_destroy(&w.over);
  return w.code;
}
