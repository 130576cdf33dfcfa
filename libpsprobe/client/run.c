/* SPDX-License-Identifier: MIT */
/** @file Waiting for a call, and calling off one that is waited for. */
#include "base/error.h"
#include "client/parts.h"
#include "os/latch.h"

void psp_stopper_init(psp_stopper *stopper) {
  *stopper = (psp_stopper){.stopped = false};
  pthread_mutex_init(&stopper->lock, NULL);
}

void psp_stopper_destroy(psp_stopper *stopper) {
  pthread_mutex_destroy(&stopper->lock);
}

void psp_stopper_stop(psp_stopper *stopper) {
  pthread_mutex_lock(&stopper->lock);
  stopper->stopped = true;
  if (stopper->pending != NULL) psp_call_cancel(stopper->client, stopper->pending);
  pthread_mutex_unlock(&stopper->lock);
}

void psp_stopper_resume(psp_stopper *stopper) {
  pthread_mutex_lock(&stopper->lock);
  if (stopper->pending != NULL) psp_call_resume(stopper->client, stopper->pending);
  pthread_mutex_unlock(&stopper->lock);
}

psprobe_code psp_stopper_start(psp_stopper *s, psprobe_client *client, const psp_call *call,
                               psp_call_done *done, void *arg, psprobe_error *error) {
  psp_pending *pending = NULL;
  if (s == NULL) return psp_call_start(client, call, done, arg, NULL, error);
  s->over = false; /* nobody else looks at it before the call began */
  psprobe_code code = psp_call_start(client, call, done, arg, &pending, error);
  if (code != PSPROBE_OK) return code;
  pthread_mutex_lock(&s->lock);
  if (!s->over) {
    s->client = client;
    s->pending = pending;
    if (s->stopped) psp_call_cancel(client, pending);
  }
  pthread_mutex_unlock(&s->lock);
  return PSPROBE_OK;
}

/* Its handle is not valid any more once the callback returns. */
void psp_stopper_withdraw(psp_stopper *s) {
  if (s == NULL) return;
  pthread_mutex_lock(&s->lock);
  s->over = true;
  s->pending = NULL;
  pthread_mutex_unlock(&s->lock);
}

typedef struct waiting {
  psp_latch done;
  psp_stopper *stopper;
  psprobe_code code;
  psprobe_error *error;
  psp_buf *body;
} waiting;

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  waiting *w = arg;
  psp_stopper_withdraw(w->stopper);
  if (response == NULL) {
    w->code = error->code;
    if (w->error != NULL) *w->error = *error;
  } else if (w->body != NULL) {
    psp_buf_add(w->body, response->body, response->body_len);
    if (w->body->failed) w->code = psp_fail_memory(w->error, "answer");
  }
  psp_latch_post(&w->done);
}

psprobe_code psp_call_run_until(psprobe_client *client, const psp_call *call, psp_stopper *stopper,
                                psp_buf *body, psprobe_error *error) {
  waiting w = {.stopper = stopper, .error = error, .body = body};
  psp_latch_init(&w.done);
  psprobe_code code = psp_stopper_start(stopper, client, call, on_done, &w, error);
  if (code == PSPROBE_OK) {
    psp_latch_wait(&w.done);
    code = w.code;
  }
  psp_latch_destroy(&w.done);
  return code;
}

psprobe_code psp_call_run(psprobe_client *client, const psp_call *call, psp_buf *body,
                          psprobe_error *error) {
  return psp_call_run_until(client, call, NULL, body, error);
}
