/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_BUF_H
#define PSP_BASE_BUF_H
/** @file A growing byte buffer. */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/version.h>

/**
 * Valid when zeroed. `data` is always zero-terminated once anything was added,
 * NULL before. The first failed allocation sets `failed` and makes every later
 * addition do nothing, so that a builder checks once, at its end.
 */
typedef struct psp_buf {
  char *data;
  size_t len;
  size_t cap;
  bool failed;
} psp_buf;

void psp_buf_free(psp_buf *buf);
/** Empties it and keeps the memory. Clears `failed`. */
void psp_buf_reset(psp_buf *buf);
/** Empties it for one use of many: memory is kept up to PSP_BUF_KEPT bytes. */
void psp_buf_reuse(psp_buf *buf);
#define PSP_BUF_KEPT ((size_t)64 << 10)
/** Makes room for `more` bytes and a zero beyond len. */
bool psp_buf_reserve(psp_buf *buf, size_t more);
void psp_buf_add(psp_buf *buf, const void *data, size_t len);
void psp_buf_text(psp_buf *buf, const char *text);
void psp_buf_char(psp_buf *buf, char c);
void psp_buf_printf(psp_buf *buf, const char *format, ...) PSPROBE_PRINTF(2, 3);
/** The bytes, to free(); the buffer is empty again. NULL when it failed. Never NULL otherwise. */
char *psp_buf_take(psp_buf *buf, size_t *len);

#endif
