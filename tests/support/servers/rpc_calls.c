/* SPDX-License-Identifier: MIT */
#include "rpc_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/wait.h"

#define PATIENCE_NS (60 * PSP_SECOND_NS)

static void on_message(void *arg, const void *data, size_t len) {
  rpc_wait *call = arg;
  pthread_mutex_lock(&call->lock);
  call->count++;
  call->bytes += len;
  psp_buf_reset(&call->last);
  psp_buf_add(&call->last, data, len);
  pthread_cond_broadcast(&call->changed);
  pthread_mutex_unlock(&call->lock);
}

static void on_end(void *arg, const psp_rpc_status *status) {
  rpc_wait *call = arg;
  call->code = status->code;
  call->from_peer = status->from_peer;
  call->untouched = status->untouched;
  snprintf(call->message, sizeof call->message, "%s", status->message);
  if (status->details != NULL) psp_buf_add(&call->detail, status->details, status->details_len);
  psp_latch_post(&call->ended);
}

static const psp_rpc_events events = {.message = on_message, .end = on_end};

psprobe_code rpc_wait_begin(rpc_wait *call, psp_channel *channel, const char *path,
                            const char *message, int64_t deadline_ns) {
  *call = (rpc_wait){.channel = channel};
  psp_latch_init(&call->ended);
  pthread_mutex_init(&call->lock, NULL);
  psp_cond_init(&call->changed);
  return psp_channel_begin(channel,
                           &(psp_rpc_request){.path = path,
                                              .deadline_ns = deadline_ns,
                                              .message = message,
                                              .len = message != NULL ? strlen(message) : 0,
                                              .only = message != NULL,
                                              .events = &events,
                                              .arg = call},
                           &call->id, NULL);
}

void rpc_wait_messages(rpc_wait *call, unsigned count) {
  int64_t until_ns = psprobe_clock_monotonic() + PATIENCE_NS;
  pthread_mutex_lock(&call->lock);
  while (call->count < count && psp_cond_wait_until(&call->changed, &call->lock, until_ns)) {
  }
  bool there = call->count >= count;
  pthread_mutex_unlock(&call->lock);
  assert_true(there);
}

psprobe_code rpc_wait_end(rpc_wait *call) {
  assert_true(psp_latch_wait_until(&call->ended, psprobe_clock_monotonic() + PATIENCE_NS));
  return call->code;
}

void rpc_wait_free(rpc_wait *call) {
  psp_latch_destroy(&call->ended);
  pthread_cond_destroy(&call->changed);
  pthread_mutex_destroy(&call->lock);
  psp_buf_free(&call->last);
  psp_buf_free(&call->detail);
}

psprobe_code rpc_unary(psp_channel *channel, const char *path, const char *message,
                       char answer[256]) {
  rpc_wait call;
  assert_int_equal(rpc_wait_begin(&call, channel, path, message, INT64_MAX), PSPROBE_OK);
  psprobe_code code = rpc_wait_end(&call);
  snprintf(answer, 256, "%s", call.last.data != NULL ? call.last.data : call.message);
  rpc_wait_free(&call);
  return code;
}
