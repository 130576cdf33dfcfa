/* SPDX-License-Identifier: MIT */
#include "grpc/rpc.h"

#include <stdlib.h>

#include "grpc/parts.h"

static const psp_rpc_events nobody;

void psp_rpc_append(psp_rpc_list *list, psp_rpc *rpc) {
  rpc->next = NULL;
  rpc->prev = list->last;
  if (list->last != NULL)
    list->last->next = rpc;
  else
    list->first = rpc;
  list->last = rpc;
}

void psp_rpc_unlink(psp_rpc_list *list, psp_rpc *rpc) {
  *(rpc->prev != NULL ? &rpc->prev->next : &list->first) = rpc->next;
  *(rpc->next != NULL ? &rpc->next->prev : &list->last) = rpc->prev;
  rpc->next = rpc->prev = NULL;
}

psp_rpc *psp_rpc_new(const psp_rpc_request *request) {
  psp_rpc *rpc = calloc(1, sizeof *rpc);
  if (rpc == NULL) return NULL;
  rpc->events = request->events;
  rpc->arg = request->arg;
  rpc->deadline_ns = request->deadline_ns;
  rpc->path = request->path;
  rpc->last = request->only;
  if (request->message != NULL && request->only) {
    psp_frame_head(rpc->body_head, request->len);
    rpc->body = request->message;
    rpc->body_len = request->len;
  } else if (request->message != NULL) {
    psp_frame_write(&rpc->out, request->message, request->len);
  }
  if (rpc->out.failed) {
    psp_rpc_free(rpc);
    return NULL;
  }
  if (request->fields != NULL) {
    rpc->given = *request->fields;
    *request->fields = (psp_fields){.first = NULL};
  }
  return rpc;
}

psp_rpc *psp_rpc_accept(psp_session *session, int32_t stream) {
  psp_rpc *rpc = calloc(1, sizeof *rpc);
  if (rpc == NULL) return NULL;
  rpc->session = session;
  rpc->stream = stream;
  rpc->window = session->first_window;
  rpc->events = &nobody;
  rpc->deadline_ns = INT64_MAX;
  rpc->in.max = session->options.max_message;
  psp_rpc_append(&session->calls, rpc);
  session->live++;
  return rpc;
}

void psp_rpc_count_sent(psp_rpc *rpc, size_t len) {
  if (rpc->meter != NULL) atomic_fetch_sub(&rpc->meter->unsent, len);
  if (!rpc->ended && rpc->events->sent != NULL) rpc->events->sent(rpc->arg, len);
}

void psp_rpc_count_held(psp_rpc *rpc) {
  const size_t held = rpc->ended ? 0 : psp_frames_len(&rpc->in);
  if (rpc->meter != NULL) atomic_fetch_add(&rpc->meter->held, held - rpc->held);
  rpc->held = held;
}

static void uncount(psp_rpc *rpc) {
  if (rpc->meter == NULL) return;
  atomic_fetch_sub(&rpc->meter->unsent, psp_rpc_unsent(rpc));
  atomic_fetch_sub(&rpc->meter->calls, 1);
  atomic_fetch_sub(&rpc->meter->held, rpc->held);
  rpc->held = 0;
}

void psp_rpc_free(psp_rpc *rpc) {
  if (rpc == NULL) return;
  if (!rpc->ended) uncount(rpc);
  psp_fields_clear(&rpc->given);
  psp_fields_clear(&rpc->head);
  psp_fields_clear(&rpc->end);
  psp_frames_clear(&rpc->in);
  psp_buf_free(&rpc->out);
  psp_buf_free(&rpc->message);
  free(rpc);
}

void psp_rpc_set_id(psp_rpc *rpc, uint64_t id) {
  rpc->id = id;
}
uint64_t psp_rpc_id(const psp_rpc *rpc) {
  return rpc->id;
}
void psp_rpc_set_events(psp_rpc *rpc, const psp_rpc_events *events, void *arg) {
  rpc->events = events;
  rpc->arg = arg;
}
int64_t psp_rpc_deadline(const psp_rpc *rpc) {
  return rpc->deadline_ns;
}
size_t psp_rpc_unsent(const psp_rpc *rpc) {
  const size_t all = rpc->body != NULL ? PSP_FRAME_HEAD + rpc->body_len : rpc->out.len;
  return all - rpc->out_at;
}

void psp_rpc_set_meter(psp_rpc *rpc, psp_rpc_meter *meter) {
  rpc->meter = meter;
  atomic_fetch_add(&meter->unsent, psp_rpc_unsent(rpc));
  atomic_fetch_add(&meter->calls, 1);
}

void psp_rpc_set_asked(psp_rpc *rpc, bool asked) {
  rpc->session->asked += (unsigned)asked - (unsigned)rpc->asked;
  rpc->asked = asked;
}

/* ---- its end ---- */

void psp_rpc_tell_end(psp_rpc *rpc, const psp_rpc_status *status) {
  if (rpc->ended) return;
  rpc->ended = true;
  rpc->last = true;
  if (rpc->session != NULL) {
    rpc->session->live--;
    psp_rpc_set_asked(rpc, false);
    rpc->session->sweep = true;
  }
  uncount(rpc);
  rpc->body = NULL;
  rpc->out.len = rpc->out_at = 0;
  if (rpc->events->end != NULL) rpc->events->end(rpc->arg, status);
  psp_buf_free(&rpc->out);
}

void psp_rpc_reset(psp_rpc *rpc, uint32_t error) {
  if (rpc->session != NULL && !rpc->closed)
    nghttp2_submit_rst_stream(rpc->session->http2, NGHTTP2_FLAG_NONE, rpc->stream, error);
}

void psp_rpc_abort(psp_rpc *rpc, psprobe_code code, const char *message) {
  if (rpc->ended) return;
  const psp_rpc_status status = {
      .code = code, .message = message, .untouched = rpc->session == NULL};
  psp_rpc_reset(rpc, NGHTTP2_CANCEL);
  psp_rpc_tell_end(rpc, &status);
}
