/* SPDX-License-Identifier: MIT */
#include "pubsub/proto.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "http/client/date.h"
#include "pubsub/messages.h"
#include "pubsub/packed.h"
#include "pubsub/trace.h"
#include "pubsub/wire/proto.pb-c.h"

/* ---- requests ---- */

void psp_proto_open_stream(psp_buf *out, const psp_stream_opening *opening) {
  Psp__StreamingPullRequest request = PSP__STREAMING_PULL_REQUEST__INIT;
  request.subscription = (char *)opening->subscription;
  request.client_id = (char *)opening->client_id;
  request.stream_ack_deadline_seconds = opening->ack_deadline_s;
  request.max_outstanding_messages = opening->max_messages;
  request.max_outstanding_bytes = opening->max_bytes;
  request.protocol_version = 1;
  psp_pack(out, &request.base);
}

void psp_proto_acknowledge(psp_buf *out, const char *subscription, const char *const *ack_ids,
                           size_t count) {
  Psp__AcknowledgeRequest request = PSP__ACKNOWLEDGE_REQUEST__INIT;
  request.subscription = (char *)subscription;
  request.ack_ids = (char **)ack_ids;
  request.n_ack_ids = count;
  psp_pack(out, &request.base);
}

void psp_proto_modify(psp_buf *out, const char *subscription, const char *const *ack_ids,
                      size_t count, int seconds) {
  Psp__ModifyAckDeadlineRequest request = PSP__MODIFY_ACK_DEADLINE_REQUEST__INIT;
  request.subscription = (char *)subscription;
  request.ack_deadline_seconds = seconds;
  request.ack_ids = (char **)ack_ids;
  request.n_ack_ids = count;
  psp_pack(out, &request.base);
}

/* ---- what comes on a stream ---- */

#define ZERO "\xef\xbf\xbd" /* C texts end at a zero byte: it reads U+FFFD */

static size_t text_room(const ProtobufCBinaryData *text) {
  size_t room = text->len + 1;
  for (size_t i = 0; i < text->len; i++)
    if (text->data[i] == 0) room += strlen(ZERO) - 1;
  return room;
}

static size_t message_room(const Psp__PubsubMessage *m) {
  if (m == NULL) return 0;
  size_t room = m->data.len + 1 + text_room(&m->message_id) + text_room(&m->ordering_key);
  for (size_t i = 0; i < m->n_attributes; i++)
    room += text_room(&m->attributes[i]->key) + text_room(&m->attributes[i]->value);
  return room;
}

/* Of a batch that has the room. */
static psprobe_code put_text(psprobe_batch *batch, const ProtobufCBinaryData *text,
                             const char *path, const char **out, psprobe_error *error) {
  *out = batch->text.data + batch->text.len;
  if (text->len > 0 && !psp_utf8_valid((const char *)text->data, text->len))
    return psp_fail(error, PSPROBE_INTERNAL, "%s is not UTF-8", path);
  for (size_t at = 0; at < text->len;) {
    const uint8_t *zero = memchr(text->data + at, 0, text->len - at);
    size_t run = zero != NULL ? (size_t)(zero - text->data) - at : text->len - at;
    psp_buf_add(&batch->text, text->data + at, run);
    if (zero != NULL) psp_buf_text(&batch->text, ZERO);
    at += run + (zero != NULL);
  }
  psp_buf_char(&batch->text, '\0');
  return PSPROBE_OK;
}

/* An empty one is none. */
static psprobe_code put_some(psprobe_batch *batch, const ProtobufCBinaryData *text,
                             const char *path, const char **out, psprobe_error *error) {
  return text->len > 0 ? put_text(batch, text, path, out, error) : PSPROBE_OK;
}

static psprobe_code put_attributes(psprobe_batch *batch, psprobe_message *message,
                                   const Psp__PubsubMessage *m, size_t *used,
                                   psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (m->n_attributes == 0) return PSPROBE_OK;
  psprobe_attribute *at = batch->attributes + *used;
  message->attributes = at;
  message->attribute_count = m->n_attributes;
  *used += m->n_attributes;
  for (size_t i = 0; i < m->n_attributes && code == PSPROBE_OK; i++, at++) {
    code = put_text(batch, &m->attributes[i]->key, "an attribute's key", &at->key, error);
    if (code == PSPROBE_OK)
      code = put_text(batch, &m->attributes[i]->value, "an attribute", &at->value, error);
  }
  return code;
}

/* google.protobuf.Timestamp is of the years 1 to 9999. */
static psprobe_code put_time(psprobe_message *message, const Psp__Timestamp *time,
                             psprobe_error *error) {
  if (time == NULL) return PSPROBE_OK;
  if (time->seconds < INT64_C(-62135596800) || time->seconds > INT64_C(253402300799) ||
      time->nanos < 0 || time->nanos > 999999999)
    return psp_fail(error, PSPROBE_INTERNAL, "publish_time is none");
  message->publish_time = (psprobe_timestamp){time->seconds, time->nanos};
  return PSPROBE_OK;
}

static psprobe_code put_content(psprobe_batch *batch, psprobe_message *message,
                                const Psp__PubsubMessage *m, size_t *used, psprobe_error *error) {
  message->data_len = m->data.len;
  if (m->data.len > 0) message->data = batch->text.data + batch->text.len;
  psp_buf_add(&batch->text, m->data.data, m->data.len);
  psp_buf_char(&batch->text, '\0'); /* so that text among the data reads as a C text, too */
  psprobe_code code = put_attributes(batch, message, m, used, error);
  if (code == PSPROBE_OK) psp_trace_read(message);
  if (code == PSPROBE_OK)
    code = put_some(batch, &m->message_id, "message_id", &message->message_id, error);
  if (code == PSPROBE_OK)
    code = put_some(batch, &m->ordering_key, "ordering_key", &message->ordering_key, error);
  return code == PSPROBE_OK ? put_time(message, m->publish_time, error) : code;
}

static psprobe_code put_message(psprobe_batch *batch, psprobe_message *message,
                                const Psp__ReceivedMessage *received, size_t *used,
                                psprobe_error *error) {
  const Psp__PubsubMessage *m = received->message;
  if (m == NULL || received->ack_id.len == 0)
    return psp_fail(error, PSPROBE_INTERNAL, "%s is missing", m == NULL ? "message" : "ack_id");
  if (received->delivery_attempt < 0)
    return psp_fail(error, PSPROBE_INTERNAL, "delivery_attempt is below 0");
  message->delivery_attempt = received->delivery_attempt;
  psprobe_code code = put_content(batch, message, m, used, error);
  if (code == PSPROBE_OK)
    code = put_text(batch, &received->ack_id, "ack_id", &message->ack_id, error);
  return code;
}

static psprobe_code put_messages(const Psp__StreamingPullResponse *response, psprobe_batch **out,
                                 psprobe_error *error) {
  size_t room = 0, attributes = 0, used = 0;
  for (size_t i = 0; i < response->n_received_messages; i++) {
    const Psp__ReceivedMessage *received = response->received_messages[i];
    room += text_room(&received->ack_id) + message_room(received->message);
    attributes += received->message != NULL ? received->message->n_attributes : 0;
  }
  psprobe_batch *batch = psp_batch_new(response->n_received_messages, attributes, room);
  if (batch == NULL) return psp_fail_memory(error, "received messages");
  for (size_t i = 0; i < batch->count; i++) {
    psprobe_code code =
        put_message(batch, &batch->messages[i], response->received_messages[i], &used, error);
    if (code == PSPROBE_OK) continue;
    psp_fail_in(error, "received_messages[%zu]", i);
    psprobe_batch_free(batch);
    return code;
  }
  *out = batch;
  return PSPROBE_OK;
}

psprobe_code psp_proto_publish_read(const void *bytes, size_t len, psprobe_batch **out,
                                    psprobe_error *error) {
  psp_arena a;
  size_t room = 0, attributes = 0, used = 0;
  const Psp__PublishRequest *request =
      psp_unpack(&a, &psp__publish_request__descriptor, bytes, len);
  const size_t count = request != NULL ? request->n_messages : 0;
  for (size_t i = 0; i < count; i++) {
    room += message_room(request->messages[i]);
    attributes += request->messages[i]->n_attributes;
  }
  psprobe_batch *batch = request != NULL ? psp_batch_new(count, attributes, room) : NULL;
  psprobe_code code = batch != NULL ? PSPROBE_OK : psp_fail_memory(error, "messages to publish");
  for (size_t i = 0; i < count && code == PSPROBE_OK; i++) {
    psprobe_message *message = &batch->messages[i];
    code = put_content(batch, message, request->messages[i], &used, error);
    message->traceparent = message->tracestate = NULL;
  }
  psp_arena_close(&a);
  if (code == PSPROBE_OK)
    *out = batch;
  else
    psprobe_batch_free(batch);
  return code;
}

psprobe_code psp_proto_stream_answer(const void *bytes, size_t len, psp_stream_answer *answer,
                                     psprobe_error *error) {
  psp_arena a;
  psp_stream_answer made = {.batch = NULL};
  const Psp__StreamingPullResponse *response =
      psp_unpack(&a, &psp__streaming_pull_response__descriptor, bytes, len);
  psprobe_code code = PSPROBE_OK;
  if (response == NULL && a.starved)
    code = psp_fail_memory(error, "received messages");
  else if (response == NULL)
    code = psp_fail(error, PSPROBE_INTERNAL, "%zu bytes that are no answer of Pub/Sub", len);
  if (code == PSPROBE_OK && response->n_received_messages > 0)
    code = put_messages(response, &made.batch, error);
  const Psp__SubscriptionProperties *properties =
      response != NULL ? response->subscription_properties : NULL;
  made.told = properties != NULL;
  made.exactly_once = made.told && properties->exactly_once_delivery_enabled;
  made.ordered = made.told && properties->message_ordering_enabled;
  psp_arena_close(&a);
  if (code == PSPROBE_OK) *answer = made;
  return code;
}

/* ---- what became of ack ids ---- */

static bool is_text(const ProtobufCBinaryData *bytes, const char *prefix) {
  size_t len = strlen(prefix);
  return bytes->len >= len && memcmp(bytes->data, prefix, len) == 0;
}

static bool ends_with(const ProtobufCBinaryData *bytes, const char *end) {
  size_t len = strlen(end);
  return bytes->len >= len && memcmp(bytes->data + bytes->len - len, end, len) == 0;
}

static int by_id(const void *a, const void *b) {
  const psp_ack_fate *one = a, *other = b;
  return strcmp(one->ack_id, other->ack_id);
}

/* One block: the list, and its texts behind. */
static void keep_fates(const Psp__ErrorInfo *info, psp_ack_fates *fates) {
  size_t size = 0;
  for (size_t i = 0; i < info->n_metadata; i++)
    size += sizeof *fates->list + info->metadata[i]->key.len + 1;
  psp_ack_fate *list = size > 0 ? malloc(size) : NULL;
  if (list == NULL) return;
  char *text = (char *)(list + info->n_metadata);
  size_t count = 0;
  for (size_t i = 0; i < info->n_metadata; i++) {
    const Psp__Attribute *pair = info->metadata[i];
    bool transient = is_text(&pair->value, "TRANSIENT_");
    if (!transient && !is_text(&pair->value, "PERMANENT_")) continue; /* of something else */
    list[count++] = (psp_ack_fate){text, transient};
    if (pair->key.len > 0) memcpy(text, pair->key.data, pair->key.len);
    text[pair->key.len] = '\0';
    text += pair->key.len + 1;
  }
  qsort(list, count, sizeof *list, by_id);
  *fates = (psp_ack_fates){list, count};
}

void psp_proto_fates(const void *details, size_t len, psp_ack_fates *fates) {
  psp_arena outer, inner;
  *fates = (psp_ack_fates){.count = 0};
  const Psp__Status *status = psp_unpack(&outer, &psp__status__descriptor, details, len);
  for (size_t i = 0; status != NULL && i < status->n_details && fates->list == NULL; i++) {
    const Psp__Any *any = status->details[i];
    if (!ends_with(&any->type_url, "/google.rpc.ErrorInfo")) continue;
    const Psp__ErrorInfo *info =
        psp_unpack(&inner, &psp__error_info__descriptor, any->value.data, any->value.len);
    if (info != NULL) keep_fates(info, fates);
    psp_arena_close(&inner);
  }
  psp_arena_close(&outer);
}

/* ---- what a failure says of itself ---- */

static void put_reason(psprobe_error *error, const ProtobufCBinaryData *reason) {
  size_t len = reason->len < sizeof error->reason - 1 ? reason->len : sizeof error->reason - 1;
  for (size_t i = 0; i < len; i++)
    error->reason[i] =
        (char)(reason->data[i] > ' ' && reason->data[i] < 0x7f ? reason->data[i] : '?');
  error->reason[len] = '\0';
}

static void put_wait(psprobe_error *error, const Psp__Duration *wait) {
  const int64_t most_s = PSP_RETRY_AFTER_MOST_NS / 1000000000;
  if (wait == NULL || wait->seconds < 0 || wait->nanos < 0 || wait->nanos > 999999999) return;
  error->retry_after_ns =
      wait->seconds >= most_s ? PSP_RETRY_AFTER_MOST_NS : wait->seconds * 1000000000 + wait->nanos;
}

static void explain(const Psp__Any *any, psprobe_error *error) {
  psp_arena a;
  if (ends_with(&any->type_url, "/google.rpc.ErrorInfo")) {
    const Psp__ErrorInfo *info =
        psp_unpack(&a, &psp__error_info__descriptor, any->value.data, any->value.len);
    if (info != NULL && error->reason[0] == '\0') put_reason(error, &info->reason);
    psp_arena_close(&a);
  } else if (ends_with(&any->type_url, "/google.rpc.RetryInfo")) {
    const Psp__RetryInfo *info =
        psp_unpack(&a, &psp__retry_info__descriptor, any->value.data, any->value.len);
    if (info != NULL) put_wait(error, info->retry_delay);
    psp_arena_close(&a);
  }
}

void psp_proto_explain(const void *details, size_t len, psprobe_error *error) {
  psp_arena a;
  const Psp__Status *status = psp_unpack(&a, &psp__status__descriptor, details, len);
  for (size_t i = 0; status != NULL && i < status->n_details; i++)
    explain(status->details[i], error);
  psp_arena_close(&a);
}

const psp_ack_fate *psp_ack_fates_find(const psp_ack_fates *fates, const char *ack_id) {
  const psp_ack_fate wanted = {.ack_id = ack_id};
  if (fates->count == 0) return NULL;
  return bsearch(&wanted, fates->list, fates->count, sizeof wanted, by_id);
}

void psp_ack_fates_free(psp_ack_fates *fates) {
  free(fates->list);
  *fates = (psp_ack_fates){.count = 0};
}
