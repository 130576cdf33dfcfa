/* SPDX-License-Identifier: MIT */
#include "pubsub/proto.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/client/date.h"
#include "pubsub/packed.h"
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
