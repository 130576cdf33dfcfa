/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_READER_H
#define PSP_PUBSUB_READER_H
/**
 * @file
 * The fields of a protobuf message, one after another, where they lie: received messages are mostly
 * texts, which unpacking would copy once more. Takes what protobuf-c takes, and no more. Pure.
 * https://protobuf.dev/programming-guides/encoding/
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum psp_read_type {
  PSP_READ_VARINT = 0,
  PSP_READ_64 = 1,
  PSP_READ_BYTES = 2,
  PSP_READ_32 = 5
} psp_read_type;

typedef struct psp_read_field {
  uint32_t number;
  psp_read_type type;
  uint64_t value; /**< of a varint */
  char *data;     /**< of bytes: texts, and messages within */
  size_t len;
} psp_read_field;

typedef struct psp_reader {
  unsigned char *at, *end;
  bool broken; /**< what follows is no protobuf */
} psp_reader;

/** Nothing is written. */
psp_reader psp_reader_of(const void *bytes, size_t len);
/** False: it is at its end, or broken. */
bool psp_reader_next(psp_reader *reader, psp_read_field *field);

#endif
