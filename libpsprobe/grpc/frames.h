/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_FRAMES_H
#define PSP_GRPC_FRAMES_H
/**
 * @file
 * gRPC's messages within a stream of bytes: a flag, four bytes of length, the message. Pure.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
#include "base/buf.h"

#define PSP_FRAME_HEAD 5

/** Valid when zeroed but for `max`; free with psp_frames_clear. */
typedef struct psp_frames {
  psp_buf bytes;
  size_t at;  /* of it are taken out */
  size_t max; /**< bytes a message may have */
} psp_frames;

typedef enum psp_frame {
  PSP_FRAME_MESSAGE,
  PSP_FRAME_MORE,       /**< no whole one is there */
  PSP_FRAME_COMPRESSED, /**< which nobody asked for (we accept identity alone) */
  PSP_FRAME_BROKEN,     /**< a flag that is none */
  PSP_FRAME_TOO_LONG,
  PSP_FRAME_NO_MEMORY
} psp_frame;

void psp_frames_add(psp_frames *frames, const void *data, size_t len);
/** The next message, valid until the next call of psp_frames_*. What is none stays so. */
psp_frame psp_frames_next(psp_frames *frames, const char **message, size_t *len);
/** Bytes that are there and not taken out; 0: nothing of a message. */
size_t psp_frames_len(const psp_frames *frames);
void psp_frames_clear(psp_frames *frames);

/** What stands before a message of that length. */
void psp_frame_head(char head[PSP_FRAME_HEAD], size_t len);
/** Writes one. */
void psp_frame_write(psp_buf *out, const void *message, size_t len);

#endif
