/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "client/internal.h"

typedef struct waiting {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool over;
  psprobe_code code;
  psprobe_error *error;
  psp_buf *body;
} waiting;

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  waiting *w = arg;
  pthread_mutex_lock(&w->lock);
  if (response == NULL) {
    w->code = error->code;
    if (w->error != NULL) *w->error = *error;
  } else if (w->body != NULL) {
    psp_buf_add(w->body, response->body, response->body_len);
    if (w->body->failed) w->code = psp_fail_memory(w->error, "answer");
  }
  w->over = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->lock);
}

psprobe_code psp_call_run(psprobe_client *client, const psp_call *call, psp_buf *body,
                          psprobe_error *error) {
  waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER,
               .changed = PTHREAD_COND_INITIALIZER,
               .error = error,
               .body = body};
  psprobe_code code = psp_call_start(client, call, on_done, &w, NULL, error);
  if (code == PSPROBE_OK) {
    pthread_mutex_lock(&w.lock);
    while (!w.over)
      pthread_cond_wait(&w.changed, &w.lock);
    pthread_mutex_unlock(&w.lock);
    code = w.code;
  }
  pthread_cond_destroy(&w.changed);
  pthread_mutex_destroy(&w.lock);
  return code;
}
