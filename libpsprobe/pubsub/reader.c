/* SPDX-License-Identifier: MIT */
#include "pubsub/reader.h"

#define TAG_BYTES    5
#define LENGTH_BYTES 5
#define VALUE_BYTES  10

psp_reader psp_reader_of(const void *bytes, size_t len) {
  unsigned char *at = (unsigned char *)bytes;
  return (psp_reader){.at = at, .end = len > 0 ? at + len : at};
}

static bool long_varint(psp_reader *r, unsigned most, uint64_t *value) {
  *value = 0;
  for (unsigned i = 0; i < most && r->at < r->end; i++) {
    const unsigned char byte = *r->at++;
    *value |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return true;
  }
  return false;
}

/* Nearly all are of one byte. */
static inline bool varint(psp_reader *r, unsigned most, uint64_t *value) {
  if (r->at == r->end || *r->at >= 0x80) return long_varint(r, most, value);
  *value = *r->at++;
  return true;
}

static bool skip(psp_reader *r, size_t len, psp_read_field *field) {
  if (len > (size_t)(r->end - r->at)) return false;
  field->data = (char *)r->at;
  field->len = len;
  r->at += len;
  return true;
}

static bool content(psp_reader *r, psp_read_field *field) {
  uint64_t len;
  switch (field->type) {
    case PSP_READ_VARINT:
      return varint(r, VALUE_BYTES, &field->value);
    case PSP_READ_BYTES:
      return varint(r, LENGTH_BYTES, &len) && skip(r, (size_t)len, field);
    case PSP_READ_64:
      return skip(r, 8, field);
    case PSP_READ_32:
      return skip(r, 4, field);
    default:
      return false; /* groups, which proto3 has none of */
  }
}

bool psp_reader_next(psp_reader *r, psp_read_field *field) {
  uint64_t tag;
  if (r->broken || r->at == r->end) return false;
  r->broken = true;
  if (!varint(r, TAG_BYTES, &tag)) return false;
  field->number = (uint32_t)(tag >> 3);
  field->type = (psp_read_type)(tag & 7);
  r->broken = field->number == 0 || !content(r, field);
  return !r->broken;
}
