/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "base/text.h"

size_t psp_utf8_char(const char *text, size_t len) {
  const unsigned char *s = (const unsigned char *)text;
  if (len == 0) return 0;
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
             : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
             : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                            : 0;
  if (n == 0 || n > len) return 0;
  /* The second byte decides about overlong forms, surrogates and the upper end. */
  unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
  unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
  if (s[1] < low || s[1] > high) return 0;
  for (size_t i = 2; i < n; i++)
    if ((s[i] & 0xC0) != 0x80) return 0;
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

bool psp_utf8_valid(const char *text, size_t len) {
  for (size_t i = 0; i < len;) {
    size_t n = psp_utf8_char(text + i, len - i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}
