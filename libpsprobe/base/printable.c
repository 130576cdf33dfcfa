/* SPDX-License-Identifier: MIT */
#include "base/printable.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* In order. Unicode's general categories Cc, Zl, Zp, and of Cf what is invisible wherever it
 * stands; the soft hyphen and the joiners within Arabic are left alone. */
static const struct {
  uint32_t first, last;
} hidden[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x061C, 0x061C}, {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
};

size_t psp_printable_char(const char *text, size_t len) {
  size_t n = psp_utf8_char(text, len);
  if (n == 0) return 0;
  uint32_t code = psp_utf8_code(text, n);
  for (size_t i = 0; i < sizeof hidden / sizeof *hidden && code >= hidden[i].first; i++)
    if (code <= hidden[i].last) return 0;
  return n;
}

bool psp_printable(const char *text, size_t len) {
  for (size_t i = 0, n; i < len; i += n)
    if ((n = psp_printable_char(text + i, len - i)) == 0) return false;
  return true;
}

char *psp_escaped_byte(char out[PSP_ESCAPED_SIZE], char byte) {
  static const char hex[] = "0123456789ABCDEF";
  unsigned char value = (unsigned char)byte;
  memcpy(out, (char[]){'\\', 'x', hex[value >> 4], hex[value & 15], '\0'}, PSP_ESCAPED_SIZE);
  return out;
}

static size_t show(char *out, size_t size, const char *text, bool lines) {
  size_t len = strlen(text), used = 0;
  for (size_t i = 0; i < len;) {
    char escaped[PSP_ESCAPED_SIZE];
    size_t n = lines && text[i] == '\n' ? 1 : psp_printable_char(text + i, len - i);
    const char *piece = n > 0 ? text + i : psp_escaped_byte(escaped, text[i]);
    size_t piece_len = n > 0 ? n : PSP_ESCAPED_SIZE - 1;
    if (used + piece_len >= size) break;
    memcpy(out + used, piece, piece_len);
    used += piece_len;
    i += n > 0 ? n : 1;
  }
  out[used] = '\0';
  return used;
}

size_t psp_printable_text(char *out, size_t size, const char *text) {
  return show(out, size, text, false);
}

size_t psp_printable_lines(char *out, size_t size, const char *text) {
  return show(out, size, text, true);
}

void psp_printable_put(psp_buf *out, const char *text) {
  char escaped[PSP_ESCAPED_SIZE];
  for (size_t left = strlen(text), bytes; left > 0; text += bytes, left -= bytes) {
    bytes = *text == '\n' ? 1 : psp_printable_char(text, left);
    if (bytes > 0)
      psp_buf_add(out, text, bytes);
    else
      psp_buf_text(out, psp_escaped_byte(escaped, *text));
    bytes += bytes == 0;
  }
}
