/* SPDX-License-Identifier: MIT */
/** @file How calls end, and with the last of them the request: in its answer. */
#include <stdlib.h>

#include "functions/parts.h"

static void reply_failure(psp_exchange *exchange, psprobe_code code) {
  bool passing = code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED ||
                 code == PSPROBE_RESOURCE_EXHAUSTED || code == PSPROBE_ABORTED ||
                 code == PSPROBE_CANCELLED;
  psp_exchange_set_header(exchange, "X-Google-Status", "error");
  psp_exchange_reply_error(exchange, passing ? 503 : 500,
                           passing ? PSPROBE_UNAVAILABLE : PSPROBE_INTERNAL,
                           "the function failed; its log says why");
}

static void reply(psp_served *served) {
  psprobe_code code = (psprobe_code)atomic_load(&served->outcome);
  const psp_served_reply *r = &served->reply;
  if (code == PSPROBE_OK && r->lost) code = PSPROBE_RESOURCE_EXHAUSTED;
  if (code != PSPROBE_OK)
    reply_failure(served->exchange, code);
  else if (served->refusal.code != PSPROBE_OK)
    psp_exchange_reply_error(served->exchange, 400, PSPROBE_INVALID_ARGUMENT,
                             served->refusal.message);
  else if (r->status != 0)
    psp_exchange_reply(served->exchange, r->status, r->type, r->body != NULL ? r->body : "",
                       r->len);
  else /* the one status that acknowledges for both the service and its emulator */
    psp_exchange_reply(served->exchange, 204, NULL, NULL, 0);
}

void psp_served_free(psp_served *served) {
  psprobe_function *function = served->function;
  size_t events = served->events != NULL ? psprobe_events_count(served->events) : 0;
  for (size_t i = 0; served->calls != NULL && i < events; i++)
    psprobe_legacy_event_free(&served->calls[i].legacy);
  psprobe_events_free(served->events);
  free(served->calls);
  free(served->reply.type);
  free(served->reply.body);
  free(served);
  pthread_mutex_lock(&function->lock);
  function->active--;
  pthread_cond_broadcast(&function->changed);
  pthread_mutex_unlock(&function->lock);
}

void psp_served_end_call(psp_served *served) {
  if (atomic_fetch_sub(&served->left, 1) > 1) return;
  reply(served);
  psp_served_free(served);
}

void psprobe_call_end(psprobe_call *call, psprobe_code code, const psprobe_error *error) {
  psp_function_note(call, code, error);
  psp_served_end_call(call->served);
}
