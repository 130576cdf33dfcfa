/* SPDX-License-Identifier: MIT */
#include "local/wire.h"

#include <string.h>

psp_wire psp_wire_of(const void *bytes, size_t len) {
  const unsigned char *at = bytes;
  return (psp_wire){.at = at, .end = len > 0 ? at + len : at};
}

bool psp_wire_varint(psp_wire *wire, uint64_t *value) {
  *value = 0;
  if (wire->at == wire->end || wire->broken) return false;
  for (unsigned shift = 0; shift < 70 && wire->at < wire->end; shift += 7) {
    unsigned char byte = *wire->at++;
    if (shift == 63 && byte > 1) break; /* more than 64 bits */
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  wire->broken = true;
  return false;
}

static bool skip(psp_wire *wire, size_t len) {
  wire->broken = wire->broken || len > (size_t)(wire->end - wire->at);
  if (!wire->broken) wire->at += len;
  return !wire->broken;
}

bool psp_wire_next(psp_wire *wire, psp_wire_item *item) {
  uint64_t tag, len;
  if (!psp_wire_varint(wire, &tag)) return false;
  *item = (psp_wire_item){.number = (uint32_t)(tag >> 3), .type = (psp_wire_type)(tag & 7)};
  wire->broken = tag >> 3 == 0 || tag > UINT32_MAX;
  if (wire->broken) return false;
  switch (item->type) {
    case PSP_WIRE_VARINT:
      wire->broken = !psp_wire_varint(wire, &item->value);
      return !wire->broken;
    case PSP_WIRE_FIXED64:
      return skip(wire, 8);
    case PSP_WIRE_FIXED32:
      return skip(wire, 4);
    case PSP_WIRE_BYTES:
      wire->broken = !psp_wire_varint(wire, &len);
      item->data = (const char *)wire->at;
      item->len = (size_t)len;
      return !wire->broken && skip(wire, item->len);
    default:
      wire->broken = true;
      return false;
  }
}

static void put_varint(psp_buf *out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    psp_buf_char(out, (char)(value | 0x80));
  psp_buf_char(out, (char)value);
}

void psp_wire_put_int(psp_buf *out, uint32_t number, int64_t value) {
  put_varint(out, (uint64_t)number << 3 | PSP_WIRE_VARINT);
  put_varint(out, (uint64_t)value);
}

void psp_wire_put_bytes(psp_buf *out, uint32_t number, const void *data, size_t len) {
  put_varint(out, (uint64_t)number << 3 | PSP_WIRE_BYTES);
  put_varint(out, len);
  psp_buf_add(out, data, len);
}

void psp_wire_put_text(psp_buf *out, uint32_t number, const char *text) {
  if (text != NULL && *text != 0) psp_wire_put_bytes(out, number, text, strlen(text));
}
