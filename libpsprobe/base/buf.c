/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void psp_buf_free(psp_buf *buf) {
  free(buf->data);
  *buf = (psp_buf){0};
}

void psp_buf_reset(psp_buf *buf) {
  buf->len = 0;
  buf->failed = false;
  if (buf->data != NULL) buf->data[0] = '\0';
}

void psp_buf_reuse(psp_buf *buf) {
  if (buf->cap > PSP_BUF_KEPT) psp_buf_free(buf);
  psp_buf_reset(buf);
}

bool psp_buf_reserve(psp_buf *buf, size_t more) {
  if (buf->failed) return false;
  if (more < buf->cap - buf->len) return true; /* cap is 0 or more than len */
  if (more > SIZE_MAX / 2 - buf->len - 1) {
    buf->failed = true;
    return false;
  }
  size_t need = buf->len + more + 1;
  size_t cap = buf->cap > 64 ? buf->cap : need > 64 ? need : 64; /* the first is as asked for */
  while (cap < need)
    cap *= 2;
  char *data = realloc(buf->data, cap);
  if (data == NULL) {
    buf->failed = true;
    return false;
  }
  if (buf->data == NULL) data[0] = '\0';
  buf->data = data;
  buf->cap = cap;
  return true;
}

void psp_buf_add(psp_buf *buf, const void *data, size_t len) {
  if (!psp_buf_reserve(buf, len)) return;
  if (len > 0) memcpy(buf->data + buf->len, data, len);
  buf->len += len;
  buf->data[buf->len] = '\0';
}

void psp_buf_text(psp_buf *buf, const char *text) {
  psp_buf_add(buf, text, strlen(text));
}

void psp_buf_char(psp_buf *buf, char c) {
  psp_buf_add(buf, &c, 1);
}

void psp_buf_printf(psp_buf *buf, const char *format, ...) {
  if (!psp_buf_reserve(buf, 64)) return;
  for (int try = 0; try < 2; try++) {
    size_t room = buf->cap - buf->len;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(buf->data + buf->len, room, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < room) {
      buf->len += (size_t)len;
      return;
    }
    buf->data[buf->len] = '\0';
    if (len < 0) break;
    if (!psp_buf_reserve(buf, (size_t)len)) return;
  }
  buf->failed = true;
}

char *psp_buf_take(psp_buf *buf, size_t *len) {
  if (!psp_buf_reserve(buf, 0)) { /* an empty one gets its zero here */
    psp_buf_free(buf);
    return NULL;
  }
  char *data = buf->data;
  if (len != NULL) *len = buf->len;
  *buf = (psp_buf){0};
  return data;
}
