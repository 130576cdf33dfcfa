/* SPDX-License-Identifier: MIT */
/** @file What a call sends: its head, its messages, a server's status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "grpc/parts.h"
#include "grpc/timeout.h"

#define KEPT_SENT  ((size_t)64 << 10) /* bytes sent that may lie before those that are not */
#define DATA_HEAD  9                  /* RFC 9113, 4.1 */
#define OWN_FIELDS 9
#define FEW_FIELDS 6                  /* given, that need no memory */
#define END_FIELDS 3                  /* of a status at most */
#define MAX_DETAIL ((size_t)36 << 10) /* in base64 within the 64 KiB that nghttp2 takes */

/* What nghttp2 need not copy, since it is there as long as the session, or for ever. */
#define LASTING_NAME ((uint8_t)NGHTTP2_NV_FLAG_NO_COPY_NAME)
#define LASTING      ((uint8_t)(NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE))
#define FIXED(name, value)                                                                  \
  ((nghttp2_nv){(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, \
                LASTING})

static nghttp2_nv field(const char *name, const char *value, size_t len) {
  return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), len, NGHTTP2_NV_FLAG_NONE};
}

/* By a name that lasts. */
static nghttp2_nv text_field(const char *name, const char *value, uint8_t flags) {
  nghttp2_nv made = field(name, value, strlen(value));
  made.flags = flags;
  return made;
}

/* A server's status. @return how many fields */
static size_t put_end(const psp_rpc *rpc, nghttp2_nv *fields, char number[12]) {
  const psp_rpc_field *detail = rpc->given.first;
  size_t count = 0;
  snprintf(number, 12, "%d", (int)rpc->code);
  fields[count++] = text_field("grpc-status", number, LASTING_NAME);
  if (rpc->message.len > 0)
    fields[count++] = field("grpc-message", rpc->message.data, rpc->message.len);
  if (detail != NULL) fields[count++] = field(detail->name, detail->value, detail->len);
  return count;
}

void psp_rpc_set_detail(psp_rpc *rpc, const void *status, size_t len) {
  psp_buf text = {0};
  if (rpc->last || len > MAX_DETAIL || rpc->given.first != NULL) return;
  psp_base64_encode(&text, status, len);
  if (!text.failed) psp_fields_add(&rpc->given, "grpc-status-details-bin", text.data, text.len);
  psp_buf_free(&text);
}

static ssize_t end_body(psp_rpc *rpc, uint32_t *flags, size_t n) {
  nghttp2_nv fields[END_FIELDS];
  char number[12];
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  rpc->all_given = true;
  if (!rpc->session->options.server) return (ssize_t)n;
  *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  size_t count = put_end(rpc, fields, number);
  bool ok = nghttp2_submit_trailer(rpc->session->http2, rpc->stream, fields, count) == 0;
  return ok ? (ssize_t)n : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* nghttp2 asks how many bytes a DATA frame is to have, and then has it written. */
static ssize_t give(nghttp2_session *http2, int32_t stream, uint8_t *room, size_t size,
                    uint32_t *flags, nghttp2_data_source *source, void *arg) {
  (void)http2, (void)stream, (void)room, (void)arg;
  psp_rpc *rpc = source->ptr;
  size_t left = psp_rpc_unsent(rpc), n = left < size ? left : size;
  rpc->deferred = rpc->ended || (left == 0 && !rpc->last);
  if (rpc->deferred) return NGHTTP2_ERR_DEFERRED;
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  return n == left && rpc->last ? end_body(rpc, flags, n) : (ssize_t)n;
}

static void write_body(psp_buf *out, const psp_rpc *rpc, size_t len) {
  const size_t at = rpc->out_at, head = at < PSP_FRAME_HEAD ? PSP_FRAME_HEAD - at : 0;
  const size_t of_head = len < head ? len : head;
  if (of_head > 0) psp_buf_add(out, rpc->body_head + at, of_head);
  if (len > of_head) psp_buf_add(out, rpc->body + (at + of_head - PSP_FRAME_HEAD), len - of_head);
}

int psp_rpc_write_data(nghttp2_session *http2, nghttp2_frame *frame, const uint8_t *head,
                       size_t len, nghttp2_data_source *source, void *arg) {
  psp_session *session = arg;
  psp_rpc *rpc = source->ptr;
  (void)http2, (void)frame;
  if (!psp_buf_reserve(session->out, DATA_HEAD + len)) return NGHTTP2_ERR_CALLBACK_FAILURE;
  psp_buf_add(session->out, head, DATA_HEAD);
  if (rpc->body != NULL)
    write_body(session->out, rpc, len);
  else
    psp_buf_add(session->out, rpc->out.data + rpc->out_at, len);
  rpc->out_at += len;
  psp_rpc_count_sent(rpc, len);
  if (rpc->body == NULL && rpc->out_at == rpc->out.len) {
    psp_buf_reuse(&rpc->out);
    rpc->out_at = 0;
  }
  return NGHTTP2_ERR_PAUSE; /* whoever asked may have enough */
}

static void resume(psp_rpc *rpc) {
  if (!rpc->deferred || rpc->closed) return;
  rpc->deferred = false;
  nghttp2_session_resume_data(rpc->session->http2, rpc->stream);
}

/* Server: the head of the answer; `last`: which is its end too. */
static void answer(psp_rpc *rpc, bool last) {
  nghttp2_data_provider provider = {.source.ptr = rpc, .read_callback = give};
  nghttp2_nv fields[3 + END_FIELDS] = {FIXED(":status", "200"),
                                       FIXED("content-type", "application/grpc"),
                                       FIXED("grpc-accept-encoding", "identity")};
  char number[12];
  size_t count = 3 + (last ? put_end(rpc, fields + 3, number) : 0);
  rpc->answered = true;
  if (nghttp2_submit_response(rpc->session->http2, rpc->stream, fields, count,
                              last ? NULL : &provider) != 0)
    psp_rpc_abort(rpc, PSPROBE_INTERNAL, "HTTP/2 takes no answer: out of memory");
}

/* ---- a client's head ---- */

static size_t count_given(const psp_rpc *rpc) {
  size_t count = 0;
  for (const psp_rpc_field *given = rpc->given.first; given != NULL; given = given->next)
    count++;
  return count;
}

/* The given fields, binary ones in base64, which `encoded` holds. False: no memory. */
static bool put_given(const psp_rpc *rpc, nghttp2_nv *fields, psp_buf *encoded) {
  size_t room = 0;
  for (const psp_rpc_field *given = rpc->given.first; given != NULL; given = given->next)
    if (psp_field_is_binary(given->name)) room += PSP_BASE64_SIZE(given->len) + 1;
  /* All of it at once: what points into it must stay. */
  if (room > 0 && !psp_buf_reserve(encoded, room)) return false;
  for (const psp_rpc_field *given = rpc->given.first; given != NULL; given = given->next) {
    *fields = field(given->name, given->value, given->len);
    if (psp_field_is_binary(given->name)) {
      fields->value = (uint8_t *)encoded->data + encoded->len;
      psp_base64_encode(encoded, given->value, given->len);
      fields->valuelen = (size_t)(encoded->data + encoded->len - (char *)fields->value);
    }
    fields++;
  }
  return !encoded->failed;
}

static size_t put_own(const psp_rpc *rpc, nghttp2_nv *fields, char timeout[PSP_TIMEOUT_SIZE]) {
  const psp_session *session = rpc->session;
  size_t count = 0;
  fields[count++] = FIXED(":method", "POST");
  fields[count++] = session->options.tls ? FIXED(":scheme", "https") : FIXED(":scheme", "http");
  fields[count++] = text_field(":path", rpc->path, LASTING_NAME);
  fields[count++] = text_field(":authority", session->options.authority, LASTING);
  fields[count++] = FIXED("te", "trailers");
  fields[count++] = FIXED("content-type", "application/grpc");
  fields[count++] = FIXED("user-agent", "psprobe/" PSPROBE_VERSION);
  fields[count++] = FIXED("grpc-accept-encoding", "identity");
  int64_t left = rpc->deadline_ns - session->now_ns;
  /* Another one each time: it has no place in HPACK's table. */
  if (rpc->deadline_ns != INT64_MAX)
    fields[count++] = text_field("grpc-timeout", psp_timeout_write(timeout, left > 1 ? left : 1),
                                 LASTING_NAME | NGHTTP2_NV_FLAG_NO_INDEX);
  return count;
}

bool psp_rpc_submit(psp_rpc *rpc) {
  nghttp2_data_provider provider = {.source.ptr = rpc, .read_callback = give};
  const size_t count = count_given(rpc);
  nghttp2_nv room[OWN_FIELDS + FEW_FIELDS], *fields = room;
  if (count > FEW_FIELDS) fields = malloc((count + OWN_FIELDS) * sizeof *fields);
  psp_buf encoded = {0};
  char timeout[PSP_TIMEOUT_SIZE];
  bool ok = fields != NULL;
  if (ok) {
    size_t own = put_own(rpc, fields, timeout);
    ok = put_given(rpc, fields + own, &encoded);
    rpc->stream =
        ok ? nghttp2_submit_request(rpc->session->http2, NULL, fields, own + count, &provider, rpc)
           : -1;
    ok = rpc->stream > 0;
  }
  if (fields != room) free(fields);
  if (encoded.data != NULL) explicit_bzero(encoded.data, encoded.len);
  psp_buf_free(&encoded);
  if (ok) psp_fields_clear(&rpc->given);
  return ok;
}

/* ---- messages ---- */

void psp_rpc_send(psp_rpc *rpc, const void *message, size_t len) {
  if (rpc->last) return;
  if (rpc->out_at > KEPT_SENT && rpc->out_at > rpc->out.len / 2) {
    memmove(rpc->out.data, rpc->out.data + rpc->out_at, psp_rpc_unsent(rpc));
    rpc->out.len -= rpc->out_at;
    rpc->out_at = 0;
  }
  size_t before = rpc->out.len;
  psp_frame_write(&rpc->out, message, len);
  if (rpc->meter != NULL) atomic_fetch_add(&rpc->meter->unsent, rpc->out.len - before);
  if (rpc->out.failed)
    psp_rpc_abort(rpc, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: a message to send");
  else if (rpc->session != NULL && rpc->session->options.server && !rpc->answered)
    answer(rpc, false);
  else if (rpc->session != NULL)
    resume(rpc);
}

void psp_rpc_half_close(psp_rpc *rpc) {
  rpc->last = true;
  if (rpc->session != NULL) resume(rpc);
}

void psp_rpc_finish(psp_rpc *rpc, psprobe_code code, const char *message) {
  if (rpc->last) return;
  rpc->code = code;
  psp_rpc_set_asked(rpc, false);
  psp_rpc_message_write(&rpc->message, message);
  rpc->last = true;
  if (rpc->answered)
    resume(rpc);
  else
    answer(rpc, true);
}
