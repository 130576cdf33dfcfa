/* SPDX-License-Identifier: MIT */
/** @file What nghttp2 tells a session: frames that came and went. */
#include <stdio.h>

#include "grpc/parts.h"
#include "grpc/timeout.h"

static psp_rpc *rpc_of(nghttp2_session *http2, int32_t stream) {
  return nghttp2_session_get_stream_user_data(http2, stream);
}

static int on_begin(nghttp2_session *http2, const nghttp2_frame *frame, void *arg) {
  psp_session *s = arg;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  psp_rpc *rpc = psp_rpc_accept(s, frame->hd.stream_id);
  if (rpc == NULL) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return nghttp2_session_set_stream_user_data(http2, frame->hd.stream_id, rpc);
}

static int on_field(nghttp2_session *http2, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *arg) {
  const psp_session *s = arg;
  (void)flags;
  psp_rpc *rpc = rpc_of(http2, frame->hd.stream_id);
  if (rpc == NULL) return 0;
  bool trailer = s->options.server ? frame->headers.cat == NGHTTP2_HCAT_HEADERS : rpc->answered;
  psp_rpc_take_field(rpc, trailer, name, name_len, value, len);
  return 0;
}

/* Server: a request's head is whole. */
static void greet(psp_session *s, psp_rpc *rpc) {
  const psp_rpc_field *timeout = psp_fields_get(&rpc->head, "grpc-timeout");
  const psp_rpc_field *path = psp_fields_get(&rpc->head, ":path");
  int64_t ns = timeout != NULL ? psp_timeout_read(timeout->value) : -1;
  if (rpc->ended) return;
  if (ns >= 0 && ns < INT64_MAX - s->now_ns) rpc->deadline_ns = s->now_ns + ns;
  if (rpc->deadline_ns < s->due_ns) s->due_ns = rpc->deadline_ns;
  if (!psp_rpc_is_grpc(rpc) || path == NULL)
    psp_rpc_finish(rpc, PSPROBE_UNIMPLEMENTED, "this is no request of gRPC");
  else
    s->options.accept(s->options.arg, rpc, path->value);
}

static void on_goaway(psp_session *s, const nghttp2_goaway *frame) {
  s->leaving = true;
  if (frame->error_code == NGHTTP2_NO_ERROR) return;
  snprintf(s->why, sizeof s->why, "HTTP/2: the peer ends the connection (%s%s%.*s)",
           nghttp2_http2_strerror(frame->error_code), frame->opaque_data_len > 0 ? ": " : "",
           (int)(frame->opaque_data_len < 60 ? frame->opaque_data_len : 60),
           frame->opaque_data_len > 0 ? (const char *)frame->opaque_data : "");
}

/* A head, trailers, or a piece of a body. */
static void on_part(psp_session *s, psp_rpc *rpc, const nghttp2_frame *frame) {
  bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  bool head = frame->hd.type == NGHTTP2_HEADERS;
  if (head && s->options.server && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
    greet(s, rpc);
  else if (head && !s->options.server && !rpc->answered)
    psp_rpc_take_head(rpc, last);
  if (last) psp_rpc_take_last(rpc);
}

static int on_frame(nghttp2_session *http2, const nghttp2_frame *frame, void *arg) {
  psp_session *s = arg;
  bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
  psp_rpc *rpc = NULL;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
      s->answered = true;
      rpc = rpc_of(http2, frame->hd.stream_id);
      if (rpc != NULL) on_part(s, rpc, frame);
      break;
    case NGHTTP2_SETTINGS:
      s->greeted = true;
      break;
    case NGHTTP2_PING:
      if (ack && s->options.pong != NULL) s->options.pong(s->options.arg);
      break;
    case NGHTTP2_GOAWAY:
      on_goaway(s, &frame->goaway);
      break;
    default:
      break;
  }
  return 0;
}

static int on_data(nghttp2_session *http2, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t len, void *arg) {
  (void)flags, (void)arg;
  psp_rpc *rpc = rpc_of(http2, stream);
  /* One call that waits does not hold up the others: the window of all opens at once. */
  nghttp2_session_consume_connection(http2, len);
  if (rpc != NULL) psp_rpc_take_data(rpc, data, len);
  return 0;
}

static int on_close(nghttp2_session *http2, int32_t stream, uint32_t error, void *arg) {
  (void)arg;
  psp_rpc *rpc = rpc_of(http2, stream);
  if (rpc != NULL) psp_rpc_take_close(rpc, error);
  return 0;
}

static int on_sent(nghttp2_session *http2, const nghttp2_frame *frame, void *arg) {
  psp_session *s = arg;
  if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
    snprintf(s->why, sizeof s->why, "HTTP/2: the peer breaks its rules (%s%s)",
             nghttp2_http2_strerror(frame->goaway.error_code),
             frame->goaway.error_code == NGHTTP2_COMPRESSION_ERROR
                 ? ": a header field is longer than 64 KiB, or cannot be read"
                 : "");
  psp_rpc *rpc = frame->hd.type == NGHTTP2_HEADERS ? rpc_of(http2, frame->hd.stream_id) : NULL;
  bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (rpc == NULL || (s->options.server && !last)) return 0;
  rpc->sent = true;
  /* The client need not say the rest (RFC 9113, 8.1). */
  if (s->options.server && !rpc->remote_last) psp_rpc_reset(rpc, NGHTTP2_NO_ERROR);
  return 0;
}

void psp_session_set_callbacks(nghttp2_session_callbacks *callbacks) {
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, psp_rpc_write_data);
}
