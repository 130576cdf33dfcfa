/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

/* By lead byte. The second byte decides about overlong forms, surrogates and the upper end. */
static const struct {
  unsigned char first, last, length, low, high;
} forms[] = {
    {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF}, {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static size_t long_char(const unsigned char *s, size_t len) {
  size_t k = 0;
  while (k < sizeof forms / sizeof *forms && s[0] > forms[k].last)
    k++;
  if (k == sizeof forms / sizeof *forms || s[0] < forms[k].first || len < forms[k].length) return 0;
  if (s[1] < forms[k].low || s[1] > forms[k].high) return 0;
  for (size_t i = 2; i < forms[k].length; i++)
    if ((s[i] & 0xC0) != 0x80) return 0;
  return forms[k].length;
}

size_t psp_utf8_char(const char *text, size_t len) {
  const unsigned char *s = (const unsigned char *)text;
  if (len == 0) return 0;
  return s[0] < 0x80 ? 1 : long_char(s, len);
}

uint32_t psp_utf8_code(const char *text, size_t n) {
  const unsigned char *s = (const unsigned char *)text;
  uint32_t code = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
  for (size_t i = 1; i < n; i++)
    code = code << 6 | (s[i] & 0x3F);
  return code;
}

size_t psp_utf8_put(uint32_t code, char out[4]) {
  size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, code >>= 6)
    out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(n == 1 ? code : (0xF00u >> n & 0xFF) | code);
  return n;
}

size_t psp_utf8_cut(const char *text, size_t len) {
  size_t start = len; /* of the last character: at most four bytes back */
  while (start > 0 && len - start < 4) {
    start--;
    if (((unsigned char)text[start] & 0xC0) != 0x80) break;
  }
  if (start == len) return len;
  unsigned char lead = (unsigned char)text[start];
  size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return lead >= 0xC0 && len - start < whole ? start : len;
}

/* How many bytes at the beginning are ASCII, in eights. */
static size_t ascii(const char *text, size_t len) {
  size_t i = 0;
  for (uint64_t eight; len - i >= sizeof eight; i += sizeof eight) {
    memcpy(&eight, text + i, sizeof eight);
    if ((eight & UINT64_C(0x8080808080808080)) != 0) break;
  }
  return i;
}

bool psp_utf8_valid(const char *text, size_t len) {
  for (size_t i = ascii(text, len); i < len; i += ascii(text + i, len - i)) {
    size_t n = psp_utf8_char(text + i, len - i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}
