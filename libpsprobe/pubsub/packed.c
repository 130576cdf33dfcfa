/* SPDX-License-Identifier: MIT */
#include "pubsub/packed.h"

#include <stdlib.h>

#define BLOCK         ((size_t)64 << 10)
#define UNPACKED_MOST 16 /* times what came: empty messages by the million are refused */

typedef struct psp_arena_block {
  struct psp_arena_block *next;
  max_align_t bytes[];
} block;

void *psp_arena_alloc(psp_arena *a, size_t size) {
  size_t rounded = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
  if (rounded > a->budget || rounded < size) return NULL;
  a->budget -= rounded;
  if (rounded > a->left) {
    size_t bytes = rounded > BLOCK ? rounded : BLOCK;
    block *more = malloc(sizeof *more + bytes);
    a->starved = more == NULL;
    if (more == NULL) return NULL;
    more->next = a->blocks;
    a->blocks = more;
    a->at = (char *)more->bytes;
    a->left = bytes;
  }
  void *place = a->at;
  a->at += rounded;
  a->left -= rounded;
  return place;
}

static void *alloc(void *data, size_t size) {
  return psp_arena_alloc(data, size);
}

static void free_nothing(void *data, void *place) {
  (void)data, (void)place;
}

void psp_arena_open(psp_arena *a, size_t budget) {
  a->allocator = (ProtobufCAllocator){alloc, free_nothing, a};
  a->blocks = NULL;
  a->starved = false;
  a->at = (char *)a->room;
  a->left = sizeof a->room;
  a->budget = budget;
}

void psp_arena_close(psp_arena *a) {
  for (block *b = a->blocks; b != NULL;) {
    block *next = b->next;
    free(b);
    b = next;
  }
}

void *psp_unpack(psp_arena *a, const ProtobufCMessageDescriptor *type, const void *bytes,
                 size_t len) {
  psp_arena_open(a, sizeof a->room + BLOCK + len * UNPACKED_MOST);
  return protobuf_c_message_unpack(type, &a->allocator, len, len > 0 ? bytes : (const void *)"");
}

void psp_pack(psp_buf *out, const ProtobufCMessage *message) {
  size_t size = protobuf_c_message_get_packed_size(message);
  if (!psp_buf_reserve(out, size)) return;
  out->len += protobuf_c_message_pack(message, (uint8_t *)out->data + out->len);
  out->data[out->len] = '\0';
}
