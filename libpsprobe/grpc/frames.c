/* SPDX-License-Identifier: MIT */
#include "grpc/frames.h"

#include <stdint.h>
#include <string.h>

#define AHEAD_MOST ((size_t)1 << 20)

void psp_frames_add(psp_frames *frames, const void *data, size_t len) {
  psp_buf_add(&frames->bytes, data, len);
}

/* What was taken out makes room; a large message's memory goes. */
static void compact(psp_frames *frames) {
  psp_buf *bytes = &frames->bytes;
  if (frames->at == 0) return;
  if (frames->at == bytes->len) {
    psp_buf_reuse(bytes);
  } else {
    memmove(bytes->data, bytes->data + frames->at, bytes->len - frames->at + 1);
    bytes->len -= frames->at;
  }
  frames->at = 0;
}

/* The rest of a message will come: room for it at once, within what a wrong length may cost. */
static psp_frame expect(psp_frames *frames, size_t missing) {
  compact(frames);
  psp_buf_reserve(&frames->bytes, missing < AHEAD_MOST ? missing : AHEAD_MOST);
  return frames->bytes.failed ? PSP_FRAME_NO_MEMORY : PSP_FRAME_MORE;
}

psp_frame psp_frames_next(psp_frames *frames, const char **message, size_t *len) {
  const psp_buf *bytes = &frames->bytes;
  size_t there = bytes->len - frames->at;
  if (bytes->failed) return PSP_FRAME_NO_MEMORY;
  if (there < PSP_FRAME_HEAD) {
    compact(frames);
    return PSP_FRAME_MORE;
  }
  const unsigned char *head = (const unsigned char *)bytes->data + frames->at;
  uint32_t size =
      (uint32_t)head[1] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 8 | head[4];
  if (head[0] > 1) return PSP_FRAME_BROKEN;
  if (head[0] == 1) return PSP_FRAME_COMPRESSED;
  if (size > frames->max) return PSP_FRAME_TOO_LONG;
  there -= PSP_FRAME_HEAD;
  if (there < size) return expect(frames, size - there);
  *message = (const char *)head + PSP_FRAME_HEAD;
  *len = size;
  frames->at += PSP_FRAME_HEAD + size;
  return PSP_FRAME_MESSAGE;
}

size_t psp_frames_len(const psp_frames *frames) {
  return frames->bytes.len - frames->at;
}

void psp_frames_clear(psp_frames *frames) {
  psp_buf_free(&frames->bytes);
  frames->at = 0;
}

void psp_frame_head(char head[PSP_FRAME_HEAD], size_t len) {
  head[0] = 0;
  for (int i = 1; i < PSP_FRAME_HEAD; i++)
    head[i] = (char)(len >> (PSP_FRAME_HEAD - 1 - i) * 8);
}

void psp_frame_write(psp_buf *out, const void *message, size_t len) {
  char head[PSP_FRAME_HEAD];
  psp_frame_head(head, len);
  if (!psp_buf_reserve(out, sizeof head + len)) return;
  psp_buf_add(out, head, sizeof head);
  if (len > 0) psp_buf_add(out, message, len);
}
