/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_PACKED_H
#define PSP_PUBSUB_PACKED_H
/**
 * @file
 * Packing and unpacking with protobuf-c, for proto.c and proto_publish.c alone. All that is
 * unpacked lies in an arena, and goes at once.
 */
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** On the stack; psp_unpack and psp_arena_open begin one. */
typedef struct psp_arena {
  ProtobufCAllocator allocator;
  struct psp_arena_block *blocks;
  char *at;
  size_t left, budget;
  bool starved;          /**< there was no memory, within its budget */
  max_align_t room[256]; /**< one message needs no more */
} psp_arena;

/** @param budget bytes that it may hold */
void psp_arena_open(psp_arena *arena, size_t budget);
/** NULL: no memory, or beyond its budget. */
void *psp_arena_alloc(psp_arena *arena, size_t size);
void psp_arena_close(psp_arena *arena);

/** Opens the arena, which is to be closed whatever comes. NULL: no message of that type, or no
 * memory. */
void *psp_unpack(psp_arena *arena, const ProtobufCMessageDescriptor *type, const void *bytes,
                 size_t len);
void psp_pack(psp_buf *out, const ProtobufCMessage *message);

#endif
