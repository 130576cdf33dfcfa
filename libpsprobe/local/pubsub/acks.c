/* SPDX-License-Identifier: MIT */
#include "local/pubsub/acks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/pubsub/body.h"

void psp_broker_ack_format(char *out, size_t size, const char *subscription, uint64_t ack) {
  snprintf(out, size, "%s:%llu", subscription, (unsigned long long)ack);
}

psprobe_code psp_broker_ack_parse(const char *text, const char *subscription, bool modify,
                                  uint64_t *ack, psprobe_error *error) {
  const char *colon = text != NULL ? strrchr(text, ':') : NULL;
  int64_t number;
  if (colon == NULL || !psp_parse_int64(colon + 1, INT64_MIN, INT64_MAX, &number))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid ack id (ack_id=%s)",
                    text != NULL ? text : "");
  *ack = (uint64_t)number;
  size_t len = (size_t)(colon - text);
  if (strlen(subscription) == len && memcmp(text, subscription, len) == 0) return PSPROBE_OK;
  if (modify) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid ack id");
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "Subscription %s received an invalid ack ID %s, meant for subscription: %.*s",
                  subscription, text, (int)len, text);
}

psprobe_code psp_broker_ack_decode(const char *body, size_t len, const char *subscription,
                                   bool modify, psp_ack_request *out, psprobe_error *error) {
  typedef struct request {
    const psp_json *ids;
    int deadline_s;
  } request;
  static const psp_field fields[] = {
      {"ackIds", psp_read_part, offsetof(request, ids)},
      {"subscription", NULL, 0},
      {"ackDeadlineSeconds", psp_read_int32, offsetof(request, deadline_s)},
      {0}};
  request read = {0};
  psp_json *json;
  *out = (psp_ack_request){0};
  psprobe_code code = psp_broker_body_read(body, len, fields, &read, &json, error);
  if (code != PSPROBE_OK) return code;
  size_t count = psp_json_count(read.ids);
  out->deadline_s = read.deadline_s;
  if (read.ids != NULL && !psp_json_is_array(read.ids))
    code = psp_payload_invalid(error);
  else if (count == 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    modify ? "No ack ids specified" : "No ack ids specified.");
  else if (read.deadline_s < 0)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Ack deadline cannot be negative");
  else if ((out->acks = malloc(count * sizeof *out->acks)) == NULL)
    code = psp_fail_memory(error, "ack ids");
  for (const psp_json *id = psp_json_first(read.ids);
       id != NULL && out->acks != NULL && code == PSPROBE_OK; id = psp_json_next(id))
    code = psp_broker_ack_parse(psp_json_string(id), subscription, modify, &out->acks[out->count++],
                                error);
  psp_json_free(json);
  if (code == PSPROBE_OK) return code;
  free(out->acks);
  *out = (psp_ack_request){0};
  return code;
}

void psp_broker_stale_encode(psp_buf *out, const char *subscription, const uint64_t *acks,
                             const bool *stale, size_t count) {
  psp_json_writer w = {.buf = out};
  char ack[PSP_BROKER_ACK_SIZE];
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "@type", PSP_ERROR_INFO);
  psp_json_put_member(&w, "reason", "EXACTLY_ONCE_ACKID_FAILURE");
  psp_json_put_member(&w, "domain", "pubsub.googleapis.com");
  psp_json_begin_object_member(&w, "metadata");
  for (size_t i = 0; i < count; i++) {
    if (!stale[i]) continue;
    psp_broker_ack_format(ack, sizeof ack, subscription, acks[i]);
    psp_json_put_member(&w, ack, "PERMANENT_FAILURE_INVALID_ACK_ID");
  }
  psp_json_end_object(&w);
  psp_json_end_object(&w);
}
