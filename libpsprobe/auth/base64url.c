/* SPDX-License-Identifier: MIT */
#include "auth/base64url.h"

#include <stdint.h>

/* By byte: its six bits, or -1. A table: tokens are long, and branches on their letters are
 * guesses.
 */
const signed char psp_base64url_values[256] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};

long psp_base64url_decode(const char *text, size_t len, unsigned char *out, size_t size) {
  if (len % 4 == 1 || len / 4 * 3 + (len % 4 > 0 ? len % 4 - 1 : 0) > size) return -1;
  uint32_t bits = 0;
  int have = 0;
  size_t used = 0;
  for (size_t i = 0; i < len; i++) {
    int value = psp_base64url_values[(unsigned char)text[i]];
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
