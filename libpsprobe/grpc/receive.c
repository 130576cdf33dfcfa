/* SPDX-License-Identifier: MIT */
/** @file What comes for a call: its head, messages, the end, the close of its stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grpc/parts.h"
#include "os/clock.h"

#define SOON_NS (2 * PSP_SECOND_NS)

/* ---- heads ---- */

static bool is_status(const uint8_t *name, size_t len) {
  return len == 7 && memcmp(name, ":status", 7) == 0;
}

void psp_rpc_take_field(psp_rpc *rpc, bool trailer, const uint8_t *name, size_t name_len,
                        const uint8_t *value, size_t len) {
  psp_fields *fields = trailer ? &rpc->end : &rpc->head;
  if (rpc->ended) return;
  if (is_status(name, name_len))
    rpc->http_status = atoi((const char *)value); /* three digits: nghttp2 looks */
  else if (fields->size + name_len + len + 32 > rpc->session->options.max_fields)
    psp_rpc_abort(rpc, PSPROBE_RESOURCE_EXHAUSTED, "the header fields are too large");
  else if (!psp_fields_take(fields, (const char *)name, name_len, (const char *)value, len))
    psp_rpc_abort(rpc, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: header fields");
}

bool psp_rpc_is_grpc(const psp_rpc *rpc) {
  const psp_rpc_field *type = psp_fields_get(&rpc->head, "content-type");
  if (type == NULL || !psp_text_starts(type->value, "application/grpc")) return false;
  return type->value[16] == 0 || strchr("+;", type->value[16]) != NULL;
}

/* An answer of something else, on the way or in its place. */
static void refuse_head(psp_rpc *rpc) {
  char why[80];
  bool ok = rpc->http_status == 200;
  snprintf(why, sizeof why, "an answer that is not gRPC's: HTTP status %d%s", rpc->http_status,
           ok ? ", and another content type" : "");
  psp_rpc_abort(rpc, ok ? PSPROBE_UNKNOWN : psp_rpc_code_from_http(rpc->http_status), why);
}

void psp_rpc_take_head(psp_rpc *rpc, bool last) {
  if (rpc->http_status / 100 == 1) {
    psp_fields_clear(&rpc->head);
    return;
  }
  rpc->answered = true;
  if (last || rpc->ended) return;
  if (rpc->http_status != 200 || !psp_rpc_is_grpc(rpc))
    refuse_head(rpc);
  else if (rpc->events->head != NULL)
    rpc->events->head(rpc->arg, &rpc->head);
}

/* ---- the end ---- */

/* Client: all is there, and was told. */
static void conclude(psp_rpc *rpc) {
  psp_rpc_status status = {.message = ""};
  char why[80];
  const psp_fields *trailers = rpc->end.first != NULL ? &rpc->end : &rpc->head;
  if (!psp_rpc_status_read(trailers, &rpc->message, &status)) {
    bool ok = rpc->http_status == 200;
    snprintf(why, sizeof why, "an answer without a status of gRPC (HTTP status %d)",
             rpc->http_status);
    status.code = ok ? PSPROBE_INTERNAL : psp_rpc_code_from_http(rpc->http_status);
    status.message = why;
  } else if (status.code == PSPROBE_OK && psp_frames_len(&rpc->in) > 0) {
    status = (psp_rpc_status){.code = PSPROBE_INTERNAL, .message = "it ends within a message"};
  }
  if (!rpc->all_given) psp_rpc_reset(rpc, NGHTTP2_CANCEL);
  psp_rpc_tell_end(rpc, &status);
}

/* Server: what cannot be taken is answered. Nothing more is told of it but its end. */
static void refuse(psp_rpc *rpc, psprobe_code code, const char *why) {
  if (!rpc->session->options.server) {
    psp_rpc_abort(rpc, code, why);
    return;
  }
  rpc->deaf = true;
  psp_frames_clear(&rpc->in);
  psp_rpc_count_held(rpc);
  psp_rpc_finish(rpc, code, why);
}

static void take_all_told(psp_rpc *rpc) {
  if (!rpc->session->options.server) {
    conclude(rpc);
  } else if (psp_frames_len(&rpc->in) > 0) {
    refuse(rpc, PSPROBE_INTERNAL, "the request ends within a message");
  } else {
    rpc->deaf = true;
    if (rpc->events->half_closed != NULL) rpc->events->half_closed(rpc->arg);
  }
}

/* ---- messages ---- */

/* Gives the window back, of what the application has taken. */
static void consume(psp_rpc *rpc) {
  if (!rpc->closed && rpc->unconsumed > 0)
    nghttp2_session_consume_stream(rpc->session->http2, rpc->stream, rpc->unconsumed);
  rpc->unconsumed = 0;
}

static void tell(psp_rpc *rpc, const char *message, size_t len) {
  if (!rpc->last) psp_rpc_set_asked(rpc, true);
  rpc->telling = true;
  if (rpc->events->message != NULL) rpc->events->message(rpc->arg, message, len);
  rpc->telling = false;
}

/* Server: all requests that are not whole come to more than is held. */
static bool holds_too_much(const psp_rpc *rpc) {
  const psp_session_options *options = &rpc->session->options;
  return options->server && rpc->meter != NULL && rpc->held > 0 &&
         atomic_load(&rpc->meter->held) > options->max_held;
}

/* What is no message. */
static void refuse_frame(psp_rpc *rpc, psp_frame frame) {
  if (frame == PSP_FRAME_COMPRESSED)
    refuse(rpc, rpc->session->options.server ? PSPROBE_UNIMPLEMENTED : PSPROBE_INTERNAL,
           "a compressed message, where no compression was agreed on");
  else if (frame == PSP_FRAME_BROKEN)
    refuse(rpc, PSPROBE_INTERNAL, "a message's flag is none of gRPC's");
  else if (frame == PSP_FRAME_TOO_LONG)
    refuse(rpc, PSPROBE_RESOURCE_EXHAUSTED, "a message is longer than is taken");
  else if (frame == PSP_FRAME_NO_MEMORY)
    refuse(rpc, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: a message");
}

/* Tells the messages that are there, then the end. */
static void drain(psp_rpc *rpc) {
  const char *message;
  size_t len;
  psp_frame frame = PSP_FRAME_MESSAGE;
  while (frame == PSP_FRAME_MESSAGE && !rpc->paused && !rpc->ended && !rpc->deaf) {
    frame = psp_frames_next(&rpc->in, &message, &len);
    if (frame == PSP_FRAME_MESSAGE) tell(rpc, message, len);
  }
  psp_rpc_count_held(rpc);
  if (rpc->paused || rpc->ended || rpc->deaf) return;
  consume(rpc);
  if (frame != PSP_FRAME_MORE)
    refuse_frame(rpc, frame);
  else if (rpc->remote_last)
    take_all_told(rpc);
  else if (holds_too_much(rpc))
    refuse(rpc, PSPROBE_UNAVAILABLE, "more is sent at once than is held: try again");
}

/* A window that is filled soon becomes twice as large. On a slow line it stays small: what lies in
 * that is old before it comes, and answers to others wait behind it. */
static void widen(psp_rpc *rpc, size_t len) {
  const psp_session *s = rpc->session;
  const uint32_t most = s->options.window;
  if (rpc->filled == 0) rpc->filling_ns = s->now_ns;
  rpc->filled += len;
  if (rpc->filled < rpc->window || rpc->paused) return;
  rpc->filled = 0;
  if (s->now_ns - rpc->filling_ns > SOON_NS || rpc->window == most) return;
  rpc->window = rpc->window < most / 2 ? 2 * rpc->window : most;
  nghttp2_session_set_local_window_size(s->http2, NGHTTP2_FLAG_NONE, rpc->stream,
                                        (int32_t)rpc->window);
}

void psp_rpc_take_data(psp_rpc *rpc, const uint8_t *data, size_t len) {
  if (rpc->ended || rpc->deaf) return;
  rpc->unconsumed += len;
  widen(rpc, len);
  rpc->heard_ns = rpc->session->now_ns;
  psp_frames_add(&rpc->in, data, len);
  drain(rpc);
}

void psp_rpc_take_last(psp_rpc *rpc) {
  rpc->remote_last = true;
  drain(rpc);
}

void psp_rpc_pause(psp_rpc *rpc, bool paused) {
  rpc->paused = paused;
  if (!paused && !rpc->telling && rpc->session != NULL) drain(rpc);
}

/* ---- the close ---- */

/* A deadline that the peer has kept too may come as its cancelling. */
static psprobe_code code_of(const psp_rpc *rpc, uint32_t error) {
  bool late = rpc->deadline_ns <= rpc->session->now_ns;
  return error == NGHTTP2_CANCEL && late ? PSPROBE_DEADLINE_EXCEEDED
                                         : psp_rpc_code_from_reset(error);
}

void psp_rpc_take_close(psp_rpc *rpc, uint32_t error) {
  rpc->closed = true;
  rpc->session->sweep = true;
  char why[80];
  psp_rpc_status status = {.message = why};
  if (rpc->session->options.server) {
    status.code = rpc->sent ? PSPROBE_OK : PSPROBE_CANCELLED;
    status.message = rpc->sent ? "" : "the client has given it up";
  } else if (rpc->remote_last) {
    return; /* its messages and its end wait to be told */
  } else {
    status.code = code_of(rpc, error);
    status.untouched = error == NGHTTP2_REFUSED_STREAM || !rpc->sent;
    snprintf(why, sizeof why, "the server has reset it (%s)", nghttp2_http2_strerror(error));
  }
  psp_rpc_tell_end(rpc, &status);
}
