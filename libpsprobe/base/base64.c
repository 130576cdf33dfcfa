/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <stdint.h>

size_t psp_base64_write(char *out, const void *data, size_t len) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *in = data;
  char *at = out;
  for (size_t i = 0; i < len; i += 3) {
    size_t left = len - i;
    uint32_t bits = (uint32_t)in[i] << 16;
    if (left > 1) bits |= (uint32_t)in[i + 1] << 8;
    if (left > 2) bits |= in[i + 2];
    for (size_t k = 0; k < 4; k++)
      *at++ = k <= left ? letters[bits >> (18 - 6 * k) & 63] : '=';
  }
  *at = 0;
  return (size_t)(at - out);
}

void psp_base64_encode(psp_buf *out, const void *data, size_t len) {
  if (!psp_buf_reserve(out, PSP_BASE64_SIZE(len))) return;
  out->len += psp_base64_write(out->data + out->len, data, len);
}

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

static int value_of(char letter, bool either) {
  if (either && letter == '+') return 62;
  if (either && letter == '/') return 63;
  return psp_base64url_values[(unsigned char)letter];
}

/* Four letters of the one alphabet, as nearly all are. @return false: decode looks at each */
static bool decode_four(const char *text, unsigned char *out) {
  const unsigned char *in = (const unsigned char *)text;
  const int a = psp_base64url_values[in[0]], b = psp_base64url_values[in[1]],
            c = psp_base64url_values[in[2]], d = psp_base64url_values[in[3]];
  if ((a | b | c | d) < 0) return false;
  out[0] = (unsigned char)(a << 2 | b >> 4);
  out[1] = (unsigned char)(b << 4 | c >> 2);
  out[2] = (unsigned char)(c << 6 | d);
  return true;
}

/* @return the length, or -1: another letter. `rest` receives the low bits that made no byte. */
static long decode(const char *text, size_t len, bool either, unsigned char *out, uint32_t *rest) {
  uint32_t bits = 0;
  int have = 0;
  long used = 0;
  for (size_t i = 0; i < len; i++) {
    for (; have == 0 && len - i >= 4 && decode_four(text + i, out + used); i += 4)
      used += 3;
    if (i == len) break;
    int value = value_of(text[i], either);
    if (value < 0) return -1;
    bits = (bits << 6 | (uint32_t)value) & 0xffff;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out[used++] = (unsigned char)(bits >> have);
    }
  }
  *rest = bits & ((1u << have) - 1);
  return used;
}

long psp_base64url_decode(const char *text, size_t len, unsigned char *out, size_t size) {
  if (len % 4 == 1 || len / 4 * 3 + (len % 4 > 0 ? len % 4 - 1 : 0) > size) return -1;
  uint32_t rest = 0;
  long used = decode(text, len, false, out, &rest);
  return rest == 0 ? used : -1;
}

bool psp_base64_decode(psp_buf *out, const char *text, size_t len) {
  size_t n = len;
  while (n > 0 && len - n < 2 && text[n - 1] == '=')
    n--;
  if (n != len && len % 4 != 0) return false; /* padding, but not the right one */
  if (n % 4 == 1 || !psp_buf_reserve(out, n / 4 * 3 + 3)) return false;
  uint32_t rest;
  long used = decode(text, n, true, (unsigned char *)out->data + out->len, &rest);
  if (used > 0) out->len += (size_t)used;
  out->data[out->len] = '\0';
  return used >= 0;
}
