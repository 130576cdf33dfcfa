/* SPDX-License-Identifier: MIT */
#include "auth/base64url.h"

#include <stdint.h>

static int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

long psp_base64url_decode(const char *text, size_t len, unsigned char *out, size_t size) {
  if (len % 4 == 1 || len / 4 * 3 + (len % 4 > 0 ? len % 4 - 1 : 0) > size) return -1;
  uint32_t bits = 0;
  int have = 0;
  size_t used = 0;
  for (size_t i = 0; i < len; i++) {
    int value = value_of(text[i]);
    if (value < 0) return -1;
    bits = (bits << 6 | (uint32_t)value) & 0xffff;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out[used++] = (unsigned char)(bits >> have);
    }
  }
  return (bits & ((1u << have) - 1)) == 0 ? (long)used : -1;
}

bool psp_base64url_secret(const char *text, size_t len, psp_secret *out) {
  if (!psp_secret_reserve(out, len / 4 * 3 + 3)) return false;
  long got = psp_base64url_decode(text, len, (unsigned char *)out->data + out->len,
                                  out->cap - out->len - 1);
  if (got < 0) return false;
  out->len += (size_t)got;
  out->data[out->len] = 0;
  return true;
}
