/* SPDX-License-Identifier: MIT */
#ifndef TEST_PROTO_BYTES_H
#define TEST_PROTO_BYTES_H
/** @file Protobuf written by hand, field by field. */
#include <stdint.h>

#include "base/buf.h"

/** A field of wire type 0. */
void proto_number(psp_buf *out, unsigned field, uint64_t value);
/** A field of wire type 2: bytes, a text or a message. */
void proto_text(psp_buf *out, unsigned field, const void *bytes, size_t len);
/** A pair of a map of texts. */
void proto_pair(psp_buf *out, unsigned field, const char *key, const char *value);
/** A ReceivedMessage with this ack id, which is its message's id too, and data. */
psp_buf proto_received(const char *ack_id, const char *data);

#endif
