/* SPDX-License-Identifier: MIT */
#include "local/pubsub/streaming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "grpc/frames.h"
#include "local/pubsub/acks.h"
#include "local/pubsub/stream_request.h"
#include "local/wire.h"

#define MOST_OUT 10000 /* where the client names no limit */
#define AT_ONCE  100   /* in an answer, as with Google's emulator */
/* Bytes that may wait for the client's window, with their leases running: what is more stays with
 * the subscription, as with the service. */
#define MOST_UNSENT ((size_t)64 << 10)

/* Held by the server until its end, and by the pull that is under way. */
typedef struct stream {
  psp_broker_waiter pull;
  atomic_int holders;
  atomic_bool gone;
  psp_broker_host *host;
  uint64_t id;
  char *subscription; /* NULL: its first request has not come */
  int deadline_s;
  atomic_bool exactly_once, ordered;
  psp_broker_flow *flow;
  atomic_size_t unsent;
  bool waits; /* for these to go, before it pulls again; with the host locked */
} stream;

static void let_go(stream *s) {
  if (atomic_fetch_sub(&s->holders, 1) != 1) return;
  psp_broker_host_lock(s->host);
  psp_broker_flow_end(s->flow);
  psp_broker_host_unlock(s->host);
  free(s->subscription);
  free(s);
}

static void finish(stream *s, psprobe_code code, const char *message) {
  atomic_store(&s->gone, true);
  psp_rpc_server_finish(psp_broker_host_grpc(s->host), s->id, code, message);
}

/* ---- answers ---- */

static void put_properties(const stream *s, psp_buf *out) {
  psp_buf part = {0};
  if (s->exactly_once) psp_wire_put_int(&part, 1, 1);
  if (s->ordered) psp_wire_put_int(&part, 2, 1);
  psp_wire_put_bytes(out, 4, part.data, part.len);
  psp_buf_free(&part);
}

static void put_time(const psp_letter *letter, psp_buf *out) {
  psp_buf part = {0};
  psp_wire_put_int(&part, 1, letter->published_ms / 1000);
  psp_wire_put_int(&part, 2, letter->published_ms % 1000 * 1000000);
  psp_wire_put_bytes(out, 4, part.data, part.len);
  psp_buf_free(&part);
}

static void put_message(const psp_letter *letter, psp_buf *out) {
  char id[24];
  psp_buf pair = {0};
  if (letter->data_len > 0) psp_wire_put_bytes(out, 1, letter->data, letter->data_len);
  for (size_t i = 0; i < letter->attribute_count; i++) {
    psp_buf_reset(&pair);
    psp_wire_put_text(&pair, 1, letter->attributes[i].key);
    psp_wire_put_text(&pair, 2, letter->attributes[i].value);
    psp_wire_put_bytes(out, 2, pair.data, pair.len);
  }
  psp_buf_free(&pair);
  snprintf(id, sizeof id, "%llu", (unsigned long long)letter->id);
  psp_wire_put_text(out, 3, id);
  put_time(letter, out);
  psp_wire_put_text(out, 5, letter->ordering_key);
}

/* ReceivedMessage. */
static void put_delivery(const stream *s, const psp_broker_delivery *delivery, psp_buf *out) {
  char ack[PSP_BROKER_ACK_SIZE];
  psp_buf received = {0}, message = {0};
  psp_broker_ack_format(ack, sizeof ack, s->subscription, delivery->ack);
  psp_wire_put_text(&received, 1, ack);
  put_message(delivery->letter, &message);
  psp_wire_put_bytes(&received, 2, message.data, message.len);
  if (delivery->attempt > 0) psp_wire_put_int(&received, 3, delivery->attempt);
  psp_wire_put_bytes(out, 1, received.data, received.len);
  out->failed = out->failed || received.failed || message.failed;
  psp_buf_free(&message);
  psp_buf_free(&received);
}

static bool send(stream *s, const psp_broker_waiter *done) {
  psp_buf out = {0};
  for (size_t i = 0; i < done->count; i++)
    put_delivery(s, &done->deliveries[i], &out);
  put_properties(s, &out);
  atomic_fetch_add(&s->unsent, PSP_FRAME_HEAD + out.len);
  psprobe_code code =
      out.failed ? PSPROBE_RESOURCE_EXHAUSTED
                 : psp_rpc_server_send(psp_broker_host_grpc(s->host), s->id, out.data, out.len);
  psp_buf_free(&out);
  if (code != PSPROBE_OK) finish(s, code, "The client takes too little of what it pulls.");
  return code == PSPROBE_OK;
}

/* AcknowledgeConfirmation (5), ModifyAckDeadlineConfirmation (3): ack_ids 1, invalid_ack_ids 2. */
static void put_confirmation(const stream *s, uint32_t number, const uint64_t *acks,
                             const bool *stale, size_t count, psp_buf *out) {
  char ack[PSP_BROKER_ACK_SIZE];
  psp_buf part = {0};
  for (size_t i = 0; i < count; i++) {
    psp_broker_ack_format(ack, sizeof ack, s->subscription, acks[i]);
    psp_wire_put_text(&part, stale[i] ? 2 : 1, ack);
  }
  if (count > 0) psp_wire_put_bytes(out, number, part.data, part.len);
  out->failed = out->failed || part.failed;
  psp_buf_free(&part);
}

/* Where delivery is exactly once, what came of ids on the stream is told on it. */
static void confirm(stream *s, const psp_stream_request *r, const bool *stale) {
  psp_buf out = {0};
  put_confirmation(s, 3, r->modified, stale + r->ack_count, r->modified_count, &out);
  put_properties(s, &out);
  put_confirmation(s, 5, r->acks, stale, r->ack_count, &out);
  atomic_fetch_add(&s->unsent, PSP_FRAME_HEAD + out.len);
  if (!out.failed) psp_rpc_server_send(psp_broker_host_grpc(s->host), s->id, out.data, out.len);
  psp_buf_free(&out);
}

/* ---- pulls ---- */

static void on_pulled(psp_broker_waiter *done);

static bool is_there(void *arg) {
  return !atomic_load(&((stream *)arg)->gone);
}

/* The deadline that the stream gives, or, when it is gone, none. With the broker locked. */
static void set_deadlines(psp_broker *broker, const stream *s, const psp_broker_waiter *done,
                          bool lost) {
  psp_instant now = psp_broker_host_now();
  for (size_t i = 0; i < done->count; i++)
    psp_broker_modify_deadline(broker, s->subscription, &done->deliveries[i].ack, 1,
                               lost ? 0 : s->deadline_s, NULL, now, NULL);
}

/* They may change while it is open. With the broker locked. */
static void look_at_settings(psp_broker *broker, stream *s) {
  const psp_subscription_settings *settings = psp_broker_subscription(broker, s->subscription);
  atomic_store(&s->exactly_once, settings != NULL && settings->exactly_once);
  atomic_store(&s->ordered, settings != NULL && settings->ordering);
}

static void pull(psp_broker *broker, stream *s) {
  s->pull = (psp_broker_waiter){
      .max = AT_ONCE, .flow = s->flow, .alive = is_there, .answer = on_pulled, .arg = s};
  psp_broker_pull(broker, s->subscription, &s->pull, psp_broker_host_now());
}

/* An answer of the broker, without its lock: onto the stream, and on to the next pull. */
static void on_pulled(psp_broker_waiter *done) {
  stream *s = done->arg;
  bool gone = atomic_load(&s->gone);
  bool ok = done->code == PSPROBE_OK && !gone && (done->count == 0 || send(s, done));
  if (done->code != PSPROBE_OK && !gone) {
    char why[PSP_BROKER_ACK_SIZE];
    snprintf(why, sizeof why, "%s (resource=%s)", done->why, s->subscription);
    finish(s, done->code, why);
  }
  psp_broker *broker = psp_broker_host_lock(s->host);
  set_deadlines(broker, s, done, !ok);
  psp_broker_waiter_clear(done);
  look_at_settings(broker, s);
  s->waits = ok && !atomic_load(&s->gone) && atomic_load(&s->unsent) > MOST_UNSENT;
  if (ok && !s->waits) pull(broker, s);
  psp_broker_host_unlock(s->host);
  if (!ok) let_go(s);
}

/* So many bytes of messages have gone. */
static void on_sent(void *arg, size_t len) {
  stream *s = arg;
  const size_t before = atomic_fetch_sub(&s->unsent, len);
  if (before <= MOST_UNSENT || before - len > MOST_UNSENT) return;
  psp_broker *broker = psp_broker_host_lock(s->host);
  if (s->waits) pull(broker, s);
  s->waits = false;
  psp_broker_host_unlock(s->host);
}

/* ---- requests ---- */

static psprobe_code begin(stream *s, const psp_stream_request *r, psprobe_error *error) {
  psprobe_code code = psp_stream_request_check(r, error);
  if (code != PSPROBE_OK) return code;
  s->subscription = strndup(r->subscription.data, r->subscription.len);
  s->flow = calloc(1, sizeof *s->flow);
  if (s->subscription == NULL || s->flow == NULL) return psp_fail_memory(error, "stream");
  s->flow->most = r->most > 0 && r->most < MOST_OUT ? (size_t)r->most : MOST_OUT;
  s->flow->most_bytes = r->most_bytes > 0 ? (size_t)r->most_bytes : SIZE_MAX;
  s->deadline_s = (int)r->deadline_s;
  psp_broker *broker = psp_broker_host_lock(s->host);
  look_at_settings(broker, s);
  atomic_fetch_add(&s->holders, 1);
  pull(broker, s);
  psp_broker_host_unlock(s->host);
  return PSPROBE_OK;
}

/* Of the acks, and then of the deadlines, what is stale. */
static psprobe_code apply(stream *s, const psp_stream_request *r, bool *stale,
                          psprobe_error *error) {
  psp_broker *broker = psp_broker_host_lock(s->host);
  psp_instant now = psp_broker_host_now();
  psprobe_code code = PSPROBE_OK;
  if (r->ack_count > 0)
    code =
        psp_broker_acknowledge(broker, s->subscription, r->acks, r->ack_count, stale, now, error);
  for (size_t i = 0; i < r->modified_count && code == PSPROBE_OK; i++)
    code = psp_broker_modify_deadline(broker, s->subscription, &r->modified[i], 1, r->seconds[i],
                                      &stale[r->ack_count + i], now, error);
  psp_broker_host_unlock(s->host);
  return code;
}

/* What a later request asks for. */
static psprobe_code settle(stream *s, const psp_stream_request *r, psprobe_error *error) {
  if (r->subscription.len > 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "subscription may only be set in first message");
  if (r->limits)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "client_id, limits and protocol_version may only be set in first message");
  if (r->modified_count != r->second_count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "ack IDs and deadlines must have the same size");
  for (size_t i = 0; i < r->second_count; i++)
    if (r->seconds[i] < 0)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Ack deadline cannot be negative");
  if (r->deadline_s >= 10 && r->deadline_s <= 600) s->deadline_s = (int)r->deadline_s;
  if (r->ack_count + r->modified_count == 0) return PSPROBE_OK;
  bool *stale = calloc(r->ack_count + r->modified_count, sizeof *stale);
  if (stale == NULL) return psp_fail_memory(error, "ack ids");
  psprobe_code code = apply(s, r, stale, error);
  if (code == PSPROBE_OK && atomic_load(&s->exactly_once)) confirm(s, r, stale);
  free(stale);
  return code;
}

static void on_message(void *arg, const void *data, size_t len) {
  stream *s = arg;
  psp_stream_request r = {0};
  psprobe_error error = {0};
  if (atomic_load(&s->gone)) return;
  bool first = s->subscription == NULL;
  psprobe_code code = psp_stream_request_read(data, len, s->subscription, &r, &error);
  if (code == PSPROBE_OK) code = first ? begin(s, &r, &error) : settle(s, &r, &error);
  psp_stream_request_free(&r);
  if (code != PSPROBE_OK)
    finish(s, code, error.message);
  else if (len == 0)
    send(s, &(psp_broker_waiter){0}); /* a ping's answer */
}

static void on_half_closed(void *arg) {
  finish(arg, PSPROBE_OK, "");
}

static void on_end(void *arg, const psp_rpc_status *status) {
  stream *s = arg;
  (void)status;
  atomic_store(&s->gone, true);
  psp_broker_host_lock(s->host);
  const bool waited = s->waits;
  s->waits = false;
  psp_broker_host_unlock(s->host);
  if (waited) let_go(s); /* instead of its pull */
  let_go(s);
}

static const psp_rpc_events events = {
    .message = on_message, .half_closed = on_half_closed, .sent = on_sent, .end = on_end};

void psp_broker_streaming_accept(psp_broker_host *host, psp_rpc *rpc) {
  stream *s = calloc(1, sizeof *s);
  if (s == NULL) {
    psp_rpc_finish(rpc, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
    return;
  }
  s->holders = 1;
  s->host = host;
  s->id = psp_rpc_id(rpc);
  psp_rpc_set_events(rpc, &events, s);
}
