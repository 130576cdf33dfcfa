/* SPDX-License-Identifier: MIT */
#include "proto_bytes.h"

#include <string.h>

static void varint(psp_buf *out, uint64_t value) {
  for (; value > 127; value >>= 7)
    psp_buf_char(out, (char)(value | 128));
  psp_buf_char(out, (char)value);
}

void proto_number(psp_buf *out, unsigned field, uint64_t value) {
  varint(out, (uint64_t)field << 3);
  varint(out, value);
}

void proto_text(psp_buf *out, unsigned field, const void *bytes, size_t len) {
  varint(out, (uint64_t)field << 3 | 2);
  varint(out, len);
  psp_buf_add(out, bytes, len);
}

void proto_pair(psp_buf *out, unsigned field, const char *key, const char *value) {
  psp_buf pair = {0};
  proto_text(&pair, 1, key, strlen(key));
  proto_text(&pair, 2, value, strlen(value));
  proto_text(out, field, pair.data, pair.len);
  psp_buf_free(&pair);
}

psp_buf proto_received(const char *ack_id, const char *data) {
  psp_buf inner = {0}, received = {0};
  proto_text(&inner, 1, data, strlen(data));
  proto_text(&inner, 3, ack_id, strlen(ack_id));
  proto_text(&received, 1, ack_id, strlen(ack_id));
  proto_text(&received, 2, inner.data, inner.len);
  psp_buf_free(&inner);
  return received;
}
