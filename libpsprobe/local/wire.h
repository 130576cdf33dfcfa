/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_WIRE_H
#define PSP_LOCAL_WIRE_H
/**
 * @file
 * Protobuf's encoding, field by field (https://protobuf.dev/programming-guides/encoding). The
 * stand-in has its own, so that what the client's library makes of it is held against another's.
 * Pure.
 */
#include <stdint.h>

#include "base/buf.h"

typedef enum psp_wire_type {
  PSP_WIRE_VARINT = 0,
  PSP_WIRE_FIXED64 = 1,
  PSP_WIRE_BYTES = 2,
  PSP_WIRE_FIXED32 = 5
} psp_wire_type;

/** What is left of a message. */
typedef struct psp_wire {
  const unsigned char *at, *end;
  bool broken;
} psp_wire;

typedef struct psp_wire_item {
  uint32_t number;
  psp_wire_type type;
  uint64_t value;   /**< of a varint */
  const char *data; /**< of bytes */
  size_t len;
} psp_wire_item;

psp_wire psp_wire_of(const void *bytes, size_t len);
/** False: that was all, or it is broken. */
bool psp_wire_next(psp_wire *wire, psp_wire_item *item);
/** The next varint of a packed list. */
bool psp_wire_varint(psp_wire *wire, uint64_t *value);

void psp_wire_put_int(psp_buf *out, uint32_t number, int64_t value);
void psp_wire_put_bytes(psp_buf *out, uint32_t number, const void *data, size_t len);
void psp_wire_put_text(psp_buf *out, uint32_t number, const char *text); /**< NULL, "": nothing */

#endif
