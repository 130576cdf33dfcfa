/* SPDX-License-Identifier: MIT */
#include "client/flow.h"

#include "base/error.h"

#define ROOM ((size_t)64 << 10) /* the part that finds more than this waits */

/* Between the thread that drives the client and the one that takes the answer. */
typedef struct flow {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  psp_buf came; /* and not yet taken */
  bool held;    /* a part waits with the client */
  bool over;
  psp_stopper stopper;
  psprobe_code code;
  psprobe_error error;
} flow;

static bool on_part(void *arg, const char *data, size_t len) {
  flow *f = arg;
  pthread_mutex_lock(&f->lock);
  f->held = f->came.len > 0 && f->came.len + len > ROOM;
  if (!f->held) psp_buf_add(&f->came, data, len);
  pthread_cond_signal(&f->changed);
  bool taken = !f->held;
  pthread_mutex_unlock(&f->lock);
  return taken;
}

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  flow *f = arg;
  psp_stopper_withdraw(&f->stopper);
  pthread_mutex_lock(&f->lock);
  f->over = true;
  if (response == NULL) {
    f->code = error->code;
    f->error = *error;
  }
  pthread_cond_signal(&f->changed);
  pthread_mutex_unlock(&f->lock);
}

/* Waits for bytes, which it exchanges for the room of the last ones. False: there come no more. */
static bool await(flow *f, psp_buf *taken) {
  psp_buf_reset(taken);
  pthread_mutex_lock(&f->lock);
  while (f->came.len == 0 && !f->came.failed && !f->over)
    pthread_cond_wait(&f->changed, &f->lock);
  psp_buf swap = *taken;
  *taken = f->came;
  f->came = swap;
  bool held = f->held;
  f->held = false;
  pthread_mutex_unlock(&f->lock);
  if (held) psp_stopper_resume(&f->stopper);
  return taken->len > 0 || taken->failed;
}

static void await_end(flow *f) {
  pthread_mutex_lock(&f->lock);
  while (!f->over)
    pthread_cond_wait(&f->changed, &f->lock);
  pthread_mutex_unlock(&f->lock);
}

static psprobe_code take_all(flow *f, const psp_call *call, psp_flow_take *take, void *arg,
                             psprobe_error *error) {
  psp_buf taken = {0};
  psprobe_code code = PSPROBE_OK;
  bool enough = false;
  while (!enough && code == PSPROBE_OK && await(f, &taken)) {
    if (taken.failed)
      code = psp_fail_memory(error, call->what);
    else
      enough = !take(arg, taken.data, taken.len);
  }
  psp_buf_free(&taken);
  if (enough || code != PSPROBE_OK) psp_stopper_stop(&f->stopper);
  await_end(f);
  if (enough || code != PSPROBE_OK) return code;
  if (f->code != PSPROBE_OK && error != NULL) *error = f->error;
  return f->code;
}

psprobe_code psp_call_flow(psprobe_client *client, const psp_call *call, psp_flow_take *take,
                           void *arg, psprobe_error *error) {
  flow f = {.code = PSPROBE_OK};
  psp_call parted = *call;
  parted.part = on_part;
  parted.part_arg = &f;
  pthread_mutex_init(&f.lock, NULL);
  pthread_cond_init(&f.changed, NULL);
  psp_stopper_init(&f.stopper);
  psprobe_code code = psp_stopper_start(&f.stopper, client, &parted, on_done, &f, error);
  if (code == PSPROBE_OK) code = take_all(&f, call, take, arg, error);
  psp_buf_free(&f.came);
  psp_stopper_destroy(&f.stopper);
  pthread_cond_destroy(&f.changed);
  pthread_mutex_destroy(&f.lock);
  return code;
}
