/* SPDX-License-Identifier: MIT */
#include "local/pubsub/stream_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "local/pubsub/acks.h"
#include "local/pubsub/body.h"

#define MAX_ACKS 100000 /* in one request: the service takes less */

void psp_stream_request_free(psp_stream_request *r) {
  free(r->acks);
  free(r->modified);
  free(r->seconds);
}

/* Makes room for one more of `size` bytes, by doubling. */
static bool grow(void **list, size_t count, size_t size) {
  if ((count & (count - 1)) != 0) return true;
  void *grown = count < MAX_ACKS ? realloc(*list, (count > 0 ? count * 2 : 1) * size) : NULL;
  if (grown != NULL) *list = grown;
  return grown != NULL;
}

static psprobe_code take_ack(const char *subscription, const psp_wire_item *item, uint64_t **list,
                             size_t *count, psprobe_error *error) {
  char *text = strndup(item->data, item->len);
  psprobe_code code = text != NULL && grow((void **)list, *count, sizeof **list)
                          ? psp_broker_ack_parse(text, subscription, false, *list + *count, error)
                          : psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "Too many ack ids.");
  *count += code == PSPROBE_OK;
  free(text);
  return code;
}

static psprobe_code take_seconds(const psp_wire_item *item, psp_stream_request *r,
                                 psprobe_error *error) {
  uint64_t value = item->value;
  psp_wire packed = psp_wire_of(item->data, item->len);
  bool one = item->type == PSP_WIRE_VARINT;
  while (one || psp_wire_varint(&packed, &value)) {
    if (!grow((void **)&r->seconds, r->second_count, sizeof *r->seconds))
      return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "Too many ack ids.");
    r->seconds[r->second_count++] = (int32_t)value;
    if (one) return PSPROBE_OK;
  }
  return packed.broken ? psp_payload_invalid(error) : PSPROBE_OK;
}

static psprobe_code take_item(const char *subscription, const psp_wire_item *item,
                              psp_stream_request *r, psprobe_error *error) {
  bool bytes = item->type == PSP_WIRE_BYTES;
  switch (item->number) {
    case 1:
      if (bytes) r->subscription = *item;
      break;
    case 2:
      return bytes && subscription != NULL
                 ? take_ack(subscription, item, &r->acks, &r->ack_count, error)
                 : PSPROBE_OK;
    case 3:
      return take_seconds(item, r, error);
    case 4:
      return bytes && subscription != NULL
                 ? take_ack(subscription, item, &r->modified, &r->modified_count, error)
                 : PSPROBE_OK;
    case 5:
      r->deadline_s = (int64_t)item->value;
      break;
    case 7:
      r->most = (int64_t)item->value;
      r->limits = true;
      break;
    case 8:
      r->most_bytes = (int64_t)item->value;
      r->limits = true;
      break;
    case 6:
    case 10:
      r->limits = true;
      break;
    default:
      break;
  }
  return PSPROBE_OK;
}

psprobe_code psp_stream_request_read(const void *data, size_t len, const char *subscription,
                                     psp_stream_request *r, psprobe_error *error) {
  psp_wire wire = psp_wire_of(data, len);
  psprobe_code code = PSPROBE_OK;
  psp_wire_item item;
  while (code == PSPROBE_OK && psp_wire_next(&wire, &item))
    code = take_item(subscription, &item, r, error);
  return code == PSPROBE_OK && wire.broken ? psp_payload_invalid(error) : code;
}

psprobe_code psp_stream_request_check(const psp_stream_request *r, psprobe_error *error) {
  if (r->subscription.len == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "first message must set subscription");
  if (r->deadline_s == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "first message must set stream_ack_deadline_seconds");
  if (r->deadline_s < 10 || r->deadline_s > 600)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "stream_ack_deadline_seconds must be between 10 and 600 seconds");
  return PSPROBE_OK;
}
