/* SPDX-License-Identifier: MIT */
#ifndef TEST_BASE64URL_H
#define TEST_BASE64URL_H
/** @file The base64 that tokens are made of (RFC 7515, 2): the library only reads it. */
#include "base/base64.h"

static inline void test_base64url(psp_buf *out, const void *data, size_t len) {
  size_t before = out->len;
  psp_base64_encode(out, data, len);
  for (size_t i = before; i < out->len; i++) {
    char *letter = &out->data[i];
    *letter = (char)(*letter == '+' ? '-' : *letter == '/' ? '_' : *letter);
    if (*letter == '=') out->len = i, *letter = 0;
  }
}

#endif
